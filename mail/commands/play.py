"""``nashmail play``: a human in the terminal against an expert, random play, or what a run has learned."""

from __future__ import annotations

import argparse
import os
import secrets
import sys

from agents.policy import Seats
from games.base import Enumerable, Game, GameError, NashmailError

NOTICED = 1_000_000  # from so many positions on, a second or more, the human is told what takes time


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("game", metavar="GAME", help="as `nashmail games` lists them, for example tictactoe")
    parser.add_argument(
        "--against", default="expert", metavar="WHO", help="expert (default), random, or RUN[:LEARNER] (mail)"
    )
    parser.add_argument("--seat", type=int, choices=(0, 1), default=0, help="yours; 0 moves first (default: 0)")
    parser.add_argument("--seed", type=_seed, metavar="S", help="of the opponent's draws (default: a fresh one)")


def run(args: argparse.Namespace) -> int:
    """Play one game; leaving it early is no failure."""
    from rich.console import Console

    from games import make
    from mail.terminal import Session, reader

    game = make(args.game)
    policies = opponent(args.against, game)
    name = {"expert": "the expert", "random": "the random player"}.get(args.against, args.against)
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    console = Console(markup=False, highlight=False, emoji=False)
    session = Session(
        game,
        policies[1 - args.seat],
        opponent=name,
        human=args.seat,
        seed=seed,
        read=reader(sys.stdin.buffer if sys.stdin else None),
        console=console,
        echo=not (sys.stdin and sys.stdin.isatty()),
    )
    try:
        session.play()
    except KeyboardInterrupt:
        console.print()  # the complaint starts a line of its own
        raise
    if args.seed is None and args.against != "expert":
        console.print(f"The same opponent again: --seed {seed}", soft_wrap=True)
    return 0


def opponent(name: str, game: Game) -> Seats:
    """The policies that are meant by ``--against``; NashmailError if there are none that play this game."""
    if name == "expert":
        return _expert(game)
    if name == "random":
        from agents.policy import Uniform

        return Uniform(), Uniform()
    if not any(os.path.exists(path) for path in (name, name.rpartition(":")[0])):
        raise NashmailError(f"no opponent is called {name[:80]!r}; say expert, random, or a run's folder")
    from mail.runs import load_profile

    profile = load_profile(name)
    if profile.game.spec.name != game.spec.name:
        learned = profile.game.spec.name
        raise NashmailError(f"{name} has learned {learned}, not {game.spec.name}; try `nashmail play {learned}`")
    return profile.policies


def _expert(game: Game) -> Seats:
    """The exact expert that takes the first of the best moves."""
    from agents import make_expert
    from games import Board, GameGraph
    from mail.commands.games import arrangements, enumerable

    if not isinstance(game, Enumerable) or not enumerable(game):
        raise GameError(f"{game.spec.name} is too large for an exact expert; play --against random, or against a run")
    if isinstance(game, Board) and (most := arrangements(game)) > NOTICED:
        print(f"working out the expert's play of {game.spec.name}, at most {most:,} positions ...", file=sys.stderr)
    return make_expert("first", GameGraph(game))


def _seed(text: str) -> int:
    """A seed as argparse wants it read."""
    if not (text.isascii() and text.isdigit() and len(text) <= 100):
        raise argparse.ArgumentTypeError(f"a seed is a whole number, 0 or more, not {text[:20]!r}")
    return int(text)
