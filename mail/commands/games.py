"""``nashmail games``: the games, their sizes and experts, and what can be measured exactly.

The list enumerates only the smallest games; the positions of others are bounded by a formula (``games.models``).
``--check FILE`` checks the user's own games instead.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents import expert
from agents.solver import solvable
from agents.storage.reading import printable
from games import Game, GameGraph, describe, make, names
from games.base import NashmailError, deals
from games.graph import LIMIT
from games.markov.matrix import TIES
from games.models import RULE, TABLES, enumerable, positions, positions_at_most, ties_of
from mail.commands.line.usage import say

QUICK = 10_000  # most positions to count; larger games are only bounded
SIZES = {
    "connect4": ("connect4:4x4", "connect4:5x4", "connect4:4x5", "connect4:5x5", "connect4"),
    "tictactoe": ("tictactoe", "tictactoe:3x4", "tictactoe:4x4:4"),
}
HEADINGS = ("game", "board", "in a row", "actions", "positions", "experts", "Nash gap")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("game", nargs="*", help="with --check: games of FILE (default: all that it registers)")
    parser.add_argument(
        "--check", metavar="FILE", help="run a Python file that registers your own games, and check them"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print the games, as a table or as JSON, or check those of a file."""
    if args.check is not None:
        return _check(args.check, args.game, as_json=args.json)
    if args.game:
        raise NashmailError("names of games need --check: nashmail games --check FILE NAME")
    rows = [facts(size) for name in names() for size in SIZES.get(name, (name,))]
    if args.json:
        print(json.dumps({"games": rows, "rule": RULE, "limit": TABLES, "minimax_limit": LIMIT}, indent=2))
        return 0
    for line in table(rows):
        print(line)
    print()
    say(
        "Other sizes are called GAME:ROWSxCOLUMNS or GAME:ROWSxCOLUMNS:K, where K in a row win.",
        "Positions are those that are not over.",
        f"{RULE}.",
    )
    return 0


def _check(file: str, names: list[str], *, as_json: bool) -> int:
    """Check the games that a file registers. NashmailError for the first one that breaks the contract of games."""
    from mail.commands.line.imports import check_file

    checked = check_file(Path(file), names)
    if as_json:
        print(json.dumps({"games": [asdict(game) for game in checked]}, indent=2))
        return 0
    for game in checked:
        counts = f"{game.positions:,} positions and {game.moves:,} moves checked"
        print(f"{printable(game.name)}: correct ({counts})")
    return 0


def facts(name: str) -> dict[str, Any]:
    """One game, as ``--json`` prints it; null where something does not apply or was not counted."""
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
        "exact_gap": listed,
        "experts": _experts(game),
    }


def _experts(game: Game) -> list[str]:
    """The experts available for a game, as they are called."""
    ties = ties_of(game) or (GameGraph.ties if solvable(game) else ())
    kinds = {"cfr+:N": deals(game), "dcfr:N": deals(game), "mcts:N": game.spec.in_a_row > 0}
    return [name for name in expert.listed() if name in ties or kinds.get(name, bool(ties) and name not in TIES)]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The games in aligned columns of plain text."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One game's line of the table."""
    positions = "enumerable" if row["minimax"] else "too large"
    if row["positions"] is not None:
        positions = f"{row['positions']:,}"
    board = "-" if row["rows"] is None else f"{row['rows']}x{row['columns']}"
    experts = ", ".join(row["experts"]) or "none"
    in_a_row = "-" if row["in_a_row"] is None else str(row["in_a_row"])
    gap = "exact" if row["exact_gap"] else "minimax" if row["minimax"] else "-"
    return (row["name"], board, in_a_row, str(row["actions"]), positions, experts, gap)
