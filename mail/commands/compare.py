"""``nashmail compare``: learners side by side over seeds and budgets; resumable, with a table, a figure and a CSV."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mail.commands.line import csv_file, workers
from mail.commands.line.usage import print_error

if TYPE_CHECKING:
    from mail.training.compare.grid import Grid


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("game", metavar="GAME", nargs="?", help="a game's name; may be in the file of --config instead")
    parser.add_argument("--learners", help="separated by commas, see `nashmail learners` (default: mail,bc)")
    parser.add_argument("--explorers", help="for learners that use one (default: deep)")
    parser.add_argument("--budgets", help="expert queries per seat; 0: until nothing new comes (default: 1000)")
    parser.add_argument("--seeds", type=int, help="how many seeds, counted from 0 (default: 10)")
    parser.add_argument("--expert", help="the expert: first (default), uniform, values, few; vertex in Markov games")
    parser.add_argument("--episodes", type=int, help="most games per seat (default: 1000)")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="these options in a file; options given win")
    parser.add_argument("--out", type=Path, help="the folder of cells and results (default: runs/compare-GAME)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="where the CSV goes (default: rows.csv in the folder)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    workers.arguments(parser)


def run(args: argparse.Namespace) -> int:
    csv_file.check(args.csv)
    grid = _grid(args)
    from mail.parallel.pool import PoolError
    from mail.parallel.signals import Terminated
    from mail.training.compare.run import compare, report

    folder = args.out or Path("runs") / f"compare-{grid.game.replace(':', '-')}"
    try:
        with workers.pool(args) as pool:
            rows = compare(grid, folder, pool=pool)
    except (PoolError, Terminated, KeyboardInterrupt) as stop:
        hint = f"finished cells are kept in {folder}; the same command goes on"
        raise type(stop)(f"{stop}; {hint}" if str(stop) else hint) from stop
    found = report(grid, rows, folder, table=args.csv)
    failed = [row for row in rows if row["failed"]]
    if args.json:
        print(json.dumps({"folder": str(folder), "rows": rows, **found}))
    else:
        _print(grid, found, folder)
    for row in failed:
        name = (
            f"{row['learner']}{row['explorer'] and '+' + row['explorer']}, budget {row['budget']}, seed {row['seed']}"
        )
        print_error(f"failed: {name}: {row['failed']}")
    return 1 if failed else 0


def _grid(args: argparse.Namespace) -> Grid:
    """What the arguments and the file describe."""
    from mail.training.compare.grid import Grid, read_grid
    from mail.training.config import RunError

    given: dict[str, Any] = {
        name: value for name in ("game", "seeds", "expert", "episodes") if (value := getattr(args, name)) is not None
    }
    for name in ("learners", "explorers"):
        if getattr(args, name) is not None:
            given[name] = tuple(word for word in getattr(args, name).split(",") if word)
    if args.budgets is not None:
        words = args.budgets.split(",")
        if not all(word.strip().isdecimal() for word in words):
            raise RunError(f"--budgets takes whole numbers separated by commas, not {args.budgets!r}")
        given["budgets"] = tuple(map(int, words))
    if args.config is not None:
        return read_grid(args.config, **given)
    if "game" not in given:
        raise RunError("name a game, or a file that does: nashmail compare GAME, nashmail compare --config FILE.toml")
    return Grid(**given).check()


def _print(grid: Grid, summary: dict[str, Any], folder: Path) -> None:
    from rich.console import Console

    from agents.storage.reading import printable
    from mail.terminal.comparison import comparison_tables, improvement_lines
    from mail.terminal.screen import Screen

    console = Console()
    seeds = f"{grid.seeds} seeds" if grid.seeds > 1 else "1 seed"
    for table in comparison_tables(f"{grid.game}: expert {grid.expert}, {seeds}", summary["entrants"]):
        console.print(table)
    for line in [*improvement_lines(summary), f"cells, summary.json, rows.csv, figure.png: {folder}"]:
        Screen(console).say(printable(line))
