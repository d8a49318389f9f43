"""A recorded screen of the terminal: a game against a learned policy, for the README.

    python scripts/record_screen.py                 trains a small run in a temporary folder (half a minute)
    python scripts/record_screen.py --run runs/demo records against an existing run

Writes ``docs/figures/play.svg``, and the same as text, ``docs/figures/play.txt``. The policy plays seat 1. The keys are
scripted: three moves, the last of them a mistake, with analysis on, which shows the policy's probabilities in the
human's place, the value of each move, and a verdict on every move with its reason; then the mistake once more. The
same seed and run give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agents.storage.atomic import write_atomic
from games import GameGraph
from games.base import as_enumerable
from mail.terminal.analysis import ModelOracle
from mail.terminal.boards import Canvas
from mail.terminal.full.game import GameScreen
from mail.terminal.full.review import Review
from mail.terminal.full.work import Worker
from mail.terminal.game.contest import GameOptions, GameSeries
from mail.training.folder import Profile, load_profile

MOVES = ("1", "7", "9")
FIGURES = Path(__file__).parents[1] / "docs" / "figures"
SIZE = Canvas(True, 76, 20)


def record(profile: Profile, *, command: str, moves: tuple[str, ...] = MOVES, seed: int = 0) -> Console:
    """One scripted game against seat 1 of a profile. Returns the console that recorded its screens."""
    model = GameGraph(as_enumerable(profile.game))
    console = Console(
        file=StringIO(), record=True, width=SIZE.width, height=40, force_terminal=True, color_system="truecolor",
        markup=False, highlight=False, emoji=False, legacy_windows=False, _environ={"TERM": "xterm"},
    )  # fmt: skip
    console.print(Text(f"$ {command}", style="bold"))
    options = GameOptions(advisers=profile.policies, oracle=lambda: ModelOracle(model), analysis=True)
    series = GameSeries(profile.game, profile.name, profile.policies, 0, seed=seed, options=options)
    game = GameScreen(series, worker=Worker(at_once=True), animation=False)
    for move in moves:
        game.press(move)
        show(console, game)
    if not game.contest.ended:
        raise SystemExit("the scripted game did not end, because this policy plays other moves; choose another --run")
    review = Review(game.contest, worker=Worker(at_once=True))
    review.press("8")
    show(console, review)
    return console


def show(console: Console, screen: GameScreen | Review) -> None:
    """Print a screen, below an empty line."""
    lines = screen.draw(SIZE).lines
    while not lines[-1]:
        lines.pop()
    for line in [Text(), *lines]:
        line.rstrip()
        console.print(line, no_wrap=True)


def trained(folder: Path) -> Path:
    """A quick run of Tic-Tac-Toe that covers all positions reachable under its expert."""
    from mail.training.folder import Config, Run
    from mail.training.train import prepare, train

    config = Config(game="tictactoe", learners=("mail",), explorer="counts", symmetry=True, points=1)
    train(Run.create(folder, config), prepared=prepare(config))
    return folder


def main(argv: list[str] | None = None) -> int:
    """Train if necessary, play, and write both files."""
    parser = argparse.ArgumentParser(description="record a game in the terminal as SVG and text")
    parser.add_argument("--run", help="RUN[:LEARNER] of Tic-Tac-Toe (default: train one)")
    parser.add_argument("--out", type=Path, default=FIGURES / "play.svg", help="the picture; the text is put beside it")
    parser.add_argument("--seed", type=int, default=0, help="of the policy's moves (default: 0)")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as home:
        profile = load_profile(args.run or str(trained(Path(home) / "demo")))
    named = Profile(args.run or "runs/demo", profile.game, profile.policies, profile.config, profile.result)
    command = f"nashmail play {named.game.spec.name} --against {named.name}"
    console = record(named, command=command, seed=args.seed)
    text = console.export_text(clear=False)
    svg = console.export_svg(title=command, unique_id="nashmail")
    write_atomic(args.out, svg.encode())
    write_atomic(args.out.with_suffix(".txt"), text.encode())
    print(f"{args.out}\n{args.out.with_suffix('.txt')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
