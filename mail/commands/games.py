"""``nashmail games``: the games, their sizes and experts, and what can be measured exactly.

The list enumerates only the smallest games; the positions of others are bounded by a formula (``games.models``).
``--check FILE`` checks the user's own games instead, ``--openspiel`` tries those of OpenSpiel.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents import expert
from agents.solver import solvable
from agents.storage.reading import printable
from games import Game, GameGraph, describe, make, names
from games.base import NashmailError, deals
from games.graph import LIMIT
from games.markov.matrix import TIES
from games.models import RULE, TABLES, enumerable, has_plies, model_class, positions, positions_at_most, ties_of
from mail.commands.line import csv_file
from mail.commands.line.usage import say
from mail.terminal.layout import columns, records

if TYPE_CHECKING:
    from games.adapters.survey import Answer
from mail.training import defaults

QUICK = 10_000  # most positions to count; larger games are only bounded
SIZES = {
    "connect4": ("connect4:4x4", "connect4:5x4", "connect4:4x5", "connect4:5x5", "connect4"),
    "tictactoe": ("tictactoe", "tictactoe:3x4", "tictactoe:4x4:4"),
}
DEFAULT_HEADINGS = ("game", "knowledge", "learners", "explorer", "minutes")
HEADINGS = ("game", "board", "positions", "experts", "Nash gap")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "game", nargs="*", help="with --check: games of FILE; with --openspiel: names there (default: all of them)"
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument(
        "--openspiel", action="store_true", help="try OpenSpiel's games: which work, and why the others do not"
    )
    other.add_argument(
        "--check", metavar="FILE", help="run a Python file that registers your own games, and check them"
    )
    other.add_argument("--clean", action="store_true", help="delete the graphs of large boards that are kept on disk")
    csv_file.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print the games, as a table or as JSON, or check those of a file."""
    csv_file.check(args.csv)
    if args.check is not None:
        return _check(args)
    if args.openspiel:
        return _openspiel(args)
    if args.clean:
        return _clean(args.game, as_json=args.json)
    if args.game:
        raise NashmailError("names of games need --check FILE or --openspiel: nashmail games --check FILE NAME")
    sizes = [size for name in names() for size in SIZES.get(name, (name,))]
    rows = [facts(size) for size in sizes]
    csv_file.write(args.csv, games=rows, defaults=defaults.rows(sizes))
    if args.json:
        print(
            json.dumps(
                {
                    "games": rows,
                    "rule": RULE,
                    "defaults": defaults.rows(sizes),
                    "limit": TABLES,
                    "minimax_limit": LIMIT,
                },
                indent=2,
            )
        )
        return 0
    print(table(rows, shutil.get_terminal_size().columns))
    say(
        "What `nashmail train GAME` does, by what learners may know (--knowledge): all that is public, or only play "
        "and labels:"
    )
    print()
    print(aligned(DEFAULT_HEADINGS, _default_cells(sizes), shutil.get_terminal_size().columns))
    say(
        "Boards are ROWSxCOLUMNS:K, where K in a row win; other sizes are called GAME:ROWSxCOLUMNS or "
        "GAME:ROWSxCOLUMNS:K.",
        "Positions are those that are not over, and with hidden cards what the seats can tell apart; ?: not counted.",
        f"{RULE}.",
    )
    return 0


def _clean(names: list[str], *, as_json: bool) -> int:
    """Delete the kept graphs."""
    from agents.storage.graphs import clean
    from games.cost import size

    if names:
        raise NashmailError("--clean deletes all graphs that are kept and takes no names")
    files, total = clean()
    if as_json:
        print(json.dumps({"deleted": files, "bytes": total}))
    else:
        print(f"{files} files deleted, {size(total)}")
    return 0


def _check(args: argparse.Namespace) -> int:
    """Check the games that a file registers. NashmailError for the first one that breaks the contract of games."""
    from mail.commands.line.imports import check_file

    checked = check_file(Path(args.check), args.game)
    csv_file.write(args.csv, games=[asdict(game) for game in checked])
    if args.json:
        print(json.dumps({"games": [asdict(game) for game in checked]}, indent=2))
        return 0
    for game in checked:
        counts = f"{game.positions:,} positions and {game.moves:,} moves checked"
        print(f"{printable(game.name)}: correct ({counts})")
    return 0


def _openspiel(args: argparse.Namespace) -> int:
    """Try OpenSpiel's games, and print what becomes of each."""
    from games.adapters import survey

    def report(answer: survey.Answer) -> None:
        if sys.stderr.isatty():
            print(f"\r{answer.name[:70]:70}", end="", file=sys.stderr, flush=True)

    begun = time.perf_counter()
    answers = survey.survey(args.game, on_answer=report)
    csv_file.write(args.csv, games=[asdict(answer) for answer in answers])
    if sys.stderr.isatty():
        print(f"\r{'':70}\r", end="", file=sys.stderr, flush=True)
    if args.json:
        print(json.dumps({"games": [asdict(answer) for answer in answers]}, indent=2))
        return 0
    for kind, words in survey.WORDS.items():
        here = [answer for answer in answers if answer.kind == kind]
        if here:
            say(f"{words[0].upper()}{words[1:]} ({len(here)}):")
            for line in _answers(here):
                print(line)
            print()
    size = "" if args.game else ", each at its default size,"
    say(f"{len(answers)} games{size} in {time.perf_counter() - begun:.0f} s")
    return 0


def _answers(answers: list[Answer]) -> Iterator[str]:
    """A line for each answer, broken where the terminal ends."""
    width = min(36, max(len(answer.name) for answer in answers))
    for answer in answers:
        said = answer.reason if answer.positions is None else f"{answer.positions:,} positions"
        lines = textwrap.wrap(said, max(30, columns() - width - 4)) or [""]
        name = answer.name.ljust(width)
        if len(answer.name) > width:
            yield f"  {answer.name}"
            name = " " * width
        yield f"  {name}  {lines[0]}".rstrip()
        yield from (f"  {'':{width}}  {line}" for line in lines[1:])


def facts(name: str) -> dict[str, Any]:
    """One game, as ``--json`` prints it; null where something does not apply or was not counted.

    Args:
        name: The name as ``games.make`` takes it.
    """
    game = make(name)
    stones = game.spec.in_a_row > 0
    rows, columns = game.spec.observation[1:] if stones else (None, None)
    bound, listed = positions_at_most(game), enumerable(game)
    return {
        "name": game.spec.name,
        "summary": describe(name.partition(":")[0]),
        "rows": rows,
        "columns": columns,
        "in_a_row": game.spec.in_a_row if stones else None,
        "gravity": game.spec.display.layout == "columns" if stones else None,
        "actions": game.spec.actions,
        "longest": game.spec.longest,
        "symmetries": max(1, len(game.spec.symmetries)),
        "positions": positions(game, most=QUICK),
        "positions_at_most": bound,
        "enumerable": listed,
        "minimax": listed if bound is None else bound * game.spec.actions <= LIMIT,
        "exact_gap": listed or has_plies(game),
        "experts": _experts(game),
    }


def _experts(game: Game) -> list[str]:
    """The experts available for a game, as they are called."""
    by_solver = solvable(game) or has_plies(game)
    ties = ties_of(game) or (GameGraph.ties if by_solver else ())
    graph = by_solver or model_class(game) is GameGraph
    kinds = {"cfr+:N": deals(game), "dcfr:N": deals(game), "mcts:N": game.spec.in_a_row > 0}
    kinds |= {"values": graph, "few": graph}
    return [name for name in expert.listed() if name in ties or kinds.get(name, bool(ties) and name not in TIES)]


def table(rows: list[dict[str, Any]], width: int) -> str:
    """The games in aligned columns of plain text, or as a paragraph each where the columns are wider than ``width``.

    Args:
        rows: The games, as ``facts`` gives them.
        width: Columns of the terminal.
    """
    return aligned(HEADINGS, [_cells(row) for row in rows], width)


def aligned(headings: tuple[str, ...], cells: list[tuple[str, ...]], width: int) -> str:
    """Rows of cells under headings, as ``table`` has them.

    Args:
        headings: One for each column.
        cells: The rows, with a text for each column.
        width: Columns of the terminal.
    """
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        return records(headings, cells, columns())
    padded = (map(str.ljust, line, widths) for line in (headings, *cells))
    return "".join("  ".join(line).rstrip() + "\n" for line in padded)


def _default_cells(sizes: list[str]) -> list[tuple[str, ...]]:
    """The table of defaults: games with a line of their own, then one line for all others."""
    named = [row for row in defaults.rows(sizes) if row["own"]]
    others = [{**row, "name": "others"} for row in defaults.rows(["others"])][:1]
    return [
        (
            str(row["name"]),
            "-" if row["name"] == "others" else str(row["knowledge"]),
            ", ".join(row["learners"]),
            _explores(row),
            f"{row['minutes']:g}" if row["minutes"] is not None else "-",
        )
        for row in [*named, *others]
    ]


def _explores(row: dict[str, Any]) -> str:
    """The explorer of a default; walks are an exploration of their own."""
    explorer = "-" if row["learners"] == ("mail-walk",) else str(row["explorer"])
    return f"{explorer}, symmetry" if row["symmetry"] else explorer


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One game's line of the table."""
    board = "-" if row["rows"] is None else f"{row['rows']}x{row['columns']}:{row['in_a_row']}"
    gap = "exact" if row["exact_gap"] else "minimax" if row["minimax"] else "-"
    experts = " ".join(row["experts"]) or "none"  # without commas a line fits 80 columns
    return (row["name"], board, count(row["positions"], row["positions_at_most"]), experts, gap)


def count(counted: int | None, bound: int | None) -> str:
    """How many positions: the number, or a bound rounded up to two digits, or ``?``.

    Args:
        counted: The number; None where it was not counted.
        bound: At least the number; None if none is known.
    """
    if counted is not None or bound is None:
        return "?" if counted is None else f"{counted:,}"
    power = len(str(bound)) - 1
    tenths = -(-bound * 10 // 10**power)
    return f"<= {tenths // 10}.{tenths % 10}e{power}"
