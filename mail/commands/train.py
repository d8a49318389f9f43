"""``nashmail train``: learn both seats, measure, and print a table."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mail.commands.line import csv_file, workers
from mail.commands.line.usage import CommandParser, say
from mail.training.defaults import KNOWLEDGE_LEVELS, Default, default_for, has_line

if TYPE_CHECKING:
    from games.base import Game
    from mail.data.records import Played
    from mail.training.folder import Config, Run
    from mail.training.progress.events import Sink


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", help="a game's name, see `nashmail games`")
    parser.add_argument(
        "--learner", help="learners, see below, separated by commas (default: the game's, see nashmail games)"
    )
    parser.add_argument(
        "--from-games",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="clone games instead: saved ones, Kaggle's ConnectX replays, lists of moves (see nashmail replay)",
    )
    parser.add_argument("--explorer", help="the explorer of mail, see below (default: the game's; deep with --learner)")
    parser.add_argument(
        "--knowledge",
        choices=KNOWLEDGE_LEVELS,
        help="what learners may know: all that is public, with rules and payoffs (default), or only play and labels",
    )
    parser.add_argument("--expert", metavar="EXPERT", help="who is imitated, see below (default: first)")
    parser.add_argument("--symmetry", action="store_true", help="learn positions up to board symmetry")
    parser.add_argument(
        "--episodes",
        type=int,
        help="most games per seat (default: 1000, more on large boards and where chance deals; at least --labels)",
    )
    parser.add_argument("--labels", type=int, default=0, help="expert queries per seat for every learner")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    workers.arguments(parser)
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, mps, auto")
    parser.add_argument("--out", type=_folder, help="the run's folder (default: runs/GAME-SEED)")
    csv_file.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--log", choices=("tensorboard",), help="write the metrics for TensorBoard, too, into RUN/tensorboard"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="resume the run in that folder")
    existing.add_argument("--force", action="store_true", help="replace the run in that folder")
    if isinstance(parser, CommandParser):
        parser.lists += [("learners", _learner_lines), ("explorers", _explorer_lines), ("experts", _expert_lines)]


def _learner_lines() -> dict[str, str]:
    """The learners, and a line for each; imported when help is printed."""
    from mail.learners import declared, names

    return {name: declared(name).summary for name in names()}


def _explorer_lines() -> dict[str, str]:
    """The explorers, and a line for each."""
    from mail.explore import declared, names

    return {name: declared(name).summary for name in names()}


def _expert_lines() -> dict[str, str]:
    """The experts, and a line for each."""
    from agents.expert import listed

    return listed()


def _fill(args: argparse.Namespace, folder: Path) -> None:
    """Fill in what is not named: the game's line of the table of defaults if nothing is, else the paper's learners.

    A resumed run goes on with what it began with.
    """
    from mail.training.config import NAME, read_config

    named = (args.learner, args.explorer, args.expert, args.episodes, args.from_games)
    bare = all(word is None for word in named) and not args.labels and not args.symmetry
    line = default_for(args.game, args.knowledge or "all") if bare else Default()
    args.points = line.points
    if bare and args.resume and (folder / NAME).is_file():
        there = read_config(folder)
        line = Default(there.learners, there.explorer, there.expert, there.episodes, symmetry=there.symmetry)
        args.points, args.knowledge = there.points, there.knowledge or None
    elif bare and has_line(args.game):
        args.knowledge = args.knowledge or KNOWLEDGE_LEVELS[0]
    args.learner = ",".join(line.learners) if args.learner is None else args.learner
    args.explorer = line.explorer if args.explorer is None else args.explorer
    args.symmetry = args.symmetry or line.symmetry
    args.expert = line.expert if args.expert is None else args.expert
    args.episodes = line.episodes if args.episodes is None else args.episodes


def run(args: argparse.Namespace) -> int:
    folder = args.out or Path("runs") / f"{args.game.replace(':', '-')}-{args.seed}"
    _fill(args, folder)
    _check_names(args, folder)  # before slow imports, so that a mistyped name is refused at once
    csv_file.check(args.csv)
    from mail.terminal.progress.live import display
    from mail.training.files import read_seconds

    with display(quiet=args.quiet) as screen:
        config, result = _trained(args, folder, screen)
    seconds = read_seconds(folder)
    csv_file.write(args.csv, **_tables(result))
    if args.json:
        knows = {name: sorted(known) for name, known in _knowledge(config).items()}
        print(json.dumps({"run": str(folder), "seconds": seconds, "knows": knows, **result}))
    else:
        _print(folder, result, seconds)
        for name, known in _knowledge(config).items():
            if more := known - {"labels", "expert"}:
                say(f"{name} knows beyond its labels: {', '.join(sorted(more))}")
    return 0


def _trained(args: argparse.Namespace, folder: Path, screen: Sink) -> tuple[Config, dict[str, Any]]:
    """Train, or read what a finished run has: the configuration that was asked for, and the result."""
    from games.registry import make
    from mail.data.game_text import read_games
    from mail.data.records import store_games
    from mail.parallel.pool import PoolError
    from mail.parallel.signals import Terminated
    from mail.training.files import check_whole
    from mail.training.progress import tensorboard
    from mail.training.progress.events import Stream
    from mail.training.train import prepare, train

    if args.log:
        tensorboard.check()
    game = make(args.game)
    games = [played for path in args.from_games or () for played in read_games(path, game)]
    config = _config(args, game, games)
    config.check()
    pool = workers.pool(args)  # an unreachable address is refused before anything is written
    with Stream([screen]) as stream:
        prepared = None if args.resume else prepare(config, games)
        opened = _open(folder, config, args)
        result = opened.result()
        if result is not None:
            check_whole(result, opened.stored, folder)
            return config, result
        if opened.config.from_games:
            store_games(folder, games)  # again after a kill; they are the games it started with
        try:
            board = tensorboard.TensorBoard(opened.folder, stream) if args.log else nullcontext()
            with board, pool as opened_pool:
                return config, train(opened, prepared=prepared, pool=opened_pool, stream=stream)
        except (PoolError, Terminated, KeyboardInterrupt) as stop:
            hint = f"`{resume_command(args.words)}` continues it"
            raise type(stop)(f"{stop}; {hint}" if str(stop) else hint) from stop


def _tables(result: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The table of learners, and that of their matches in games without exact measures."""
    learners, matches = [], []
    for name, row in result["learners"].items():
        learners.append({"policy": name} | {key: value for key, value in row.items() if _numbers(value)})
        matches += [{"policy": name, **match} for match in row.get("matches", ())]
    if result.get("expert"):
        learners.append({"policy": f"expert {result['config']['expert']}", **result["expert"]})
    return {"learners": learners, "matches": matches}


def _numbers(value: object) -> bool:
    """Whether it is a number, a list of numbers, or not known."""
    return all(one is None or isinstance(one, int | float) for one in (value if isinstance(value, list) else [value]))


def _knowledge(config: Config) -> dict[str, frozenset[str]]:
    """What each learner may know beyond play, with its explorer; saved games are labels."""
    from mail.learners import LEARNERS, knowledge

    names = [name for name in config.learners if name in LEARNERS]
    return {name: knowledge(name, config.explorer) for name in names}


def _check_names(args: argparse.Namespace, folder: Path) -> None:
    """NashmailError for a game, learner, explorer or expert that is not registered."""
    from mail.training.config import NAME, Config, all_registered, check_imports, check_names, read_config

    if args.resume and (folder / NAME).is_file():
        there = read_config(folder)
        check_imports(there, folder, registered=all_registered(there))
    config = Config(args.game, ("bc",), args.explorer, args.expert)
    named = replace(config, learners=_learners(args), knowledge=args.knowledge or "")
    check_names(config if args.from_games else named)


def _learners(args: argparse.Namespace) -> tuple[str, ...]:
    """The learners that are named."""
    return tuple(word for word in args.learner.split(",") if word)


def resume_command(words: Sequence[str]) -> str:
    """The whole command that continues a run which these words have started, as a shell takes it.

    Args:
        words: Those after ``nashmail``.
    """
    kept = [word for word in words if not (word.startswith("--fo") and "--force".startswith(word))]
    return shlex.join(["nashmail", *kept, *(() if "--resume" in kept else ("--resume",))])


def _config(args: argparse.Namespace, game: Game, games: Sequence[Played]) -> Config:
    """The configuration that the arguments describe."""
    from mail.clone.presets import preset
    from mail.data.records import GAMES, check_sum
    from mail.training.folder import Config

    return Config(
        game=args.game,
        learners=(GAMES,) if games else _learners(args),
        explorer=args.explorer,
        expert=args.expert,
        symmetry=args.symmetry,
        episodes=max(preset(game).episodes, args.labels) if args.episodes is None else args.episodes,
        labels=args.labels,
        seed=args.seed,
        device=_device(args.device),
        from_games=check_sum(games) if games else "",
        imports=tuple(args.imports),
        knowledge=args.knowledge or "",
        **({} if args.points is None else {"points": args.points}),
    )


def _open(folder: Path, config: Config, args: argparse.Namespace) -> Run:
    """The run to train: a new one, or a resumed one with the same configuration."""
    from agents.storage.reading import printable
    from mail.data.records import GAMES, check_sum, stored_games
    from mail.training.folder import Run, RunError, same_but_for

    if not args.resume:
        return Run.create(folder, config, force=args.force)
    there = Run.at(folder).config
    if GAMES in there.learners and not there.from_games:  # begun by an older version
        there = replace(there, from_games=check_sum(stored_games(folder)))
    if different := same_but_for(there, config):
        names = ", ".join(different).replace("_", "-")
        raise RunError(f"the run in {printable(folder)} was started with another {names}; give the same options")
    return Run.resume(folder)


def _device(word: str) -> str:
    """The device: ``auto`` is cuda or mps if available. RunError for a device that torch does not have."""
    import torch

    from mail.training.folder import RunError

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if word == "auto":
        return next(device for device, available in there.items() if available)
    if not there.get(word, False):
        raise RunError(f"--device {word} is not available; use {', '.join(d for d in there if there[d])} or auto")
    return word


def _folder(text: str) -> Path:
    """Parse a folder for argparse."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("a run's folder needs a name; omit --out for runs/GAME-SEED")
    return Path(text)


def _print(folder: Path, result: dict[str, Any], seconds: float) -> None:
    """Print the table at the end of a run, and the paths of its files."""
    from rich.console import Console

    from agents.storage.reading import printable
    from mail.terminal.screen import Screen
    from mail.terminal.tables import expert_note, expert_row, learner_table, sampled_lines, sampled_table
    from mail.training.config import heading

    console = Console()
    name, expert = result["config"]["expert"], result.get("expert")
    exact = result.get("exact", True)
    rows = {**result["learners"], **(expert_row(name, expert) if exact else {})}
    console.print((learner_table if exact else sampled_table)(f"{heading(result)}, {seconds:.0f} s", rows))
    for line in [*sampled_lines(result["learners"]), *expert_note(name, expert)]:
        Screen(console).say(printable(line))
    least = result["limits"]
    if least["reachable_labels"]:
        known = [count for count in least["least_games"] if count is not None]
        games = f"{' + '.join(map(str, known))} games, " if len(known) == 2 else ""
        labels = " + ".join(map(str, least["reachable_labels"]))
        console.print(f"least possible: {games}{labels} distinct labels")
        for ties, values in least["bc_infinite"].items():
            gap = f"{values[0]:z.4f} + {values[1]:z.4f} = {sum(values):z.4f}"
            console.print(f"cloning two {ties} experts, infinite data: {gap}")
    Screen(console).say(printable(f"run: {folder}   figure: {folder / 'figure.png'}"))
