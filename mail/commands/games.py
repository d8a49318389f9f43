"""``nashmail games``: what can be played, how large it is, who its experts are, and what can be measured exactly.

Nothing large is enumerated to make the list: a board's arrangements of stones are counted by a formula, which
bounds its positions from above, and only the smallest games are listed position by position.
"""

from __future__ import annotations

import argparse
import json
from math import comb
from textwrap import fill
from typing import Any

from agents import expert
from games import Board, Enumerable, Game, GameGraph, describe, make, names
from games.graph import LIMIT

QUICK = 10_000  # up to here positions are counted, above they are only bounded
RULE = (
    f"A board is enumerable, and not too large, if its stones can be arranged in at most {LIMIT:,} ways (placed in"
    " turn, lines ignored), which bounds its positions; any other game is, if it lists its successors"
)
SIZES = {
    "connect4": ("connect4:4x4", "connect4:5x4", "connect4:4x5", "connect4"),
    "tictactoe": ("tictactoe", "tictactoe:3x4", "tictactoe:4x4:4"),
}
HEADINGS = ("game", "board", "in a row", "actions", "positions", "experts", "Nash gap")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print the games, as a table or as JSON."""
    rows = [facts(size) for name in names() for size in SIZES.get(name, (name,))]
    if args.json:
        print(json.dumps({"games": rows, "rule": RULE, "limit": LIMIT}, indent=2))
        return 0
    for line in table(rows):
        print(line)
    print()
    print("Other sizes are called GAME:ROWSxCOLUMNS or GAME:ROWSxCOLUMNS:K, K stones in a row winning.")
    print("Positions are those with a move to make.")
    print(fill(f"{RULE}.", 80))
    return 0


def facts(name: str) -> dict[str, Any]:
    """One game, as ``--json`` gives it; null where something does not apply or was not counted."""
    game = make(name)
    board = game if isinstance(game, Board) else None
    bound = arrangements(board) if board else None
    listed = enumerable(game)
    counted = bound is not None and bound <= QUICK
    return {
        "name": game.spec.name,
        "summary": describe(name.partition(":")[0]),
        "rows": board.rows if board else None,
        "columns": board.columns if board else None,
        "in_a_row": board.k if board else None,
        "gravity": board.gravity if board else None,
        "actions": game.spec.actions,
        "longest": game.spec.longest,
        "symmetries": max(1, len(game.spec.symmetries)),
        "positions": len(GameGraph(board)) if board and counted else None,
        "positions_at_most": bound,
        "enumerable": listed,
        "exact_gap": listed,
        "experts": expert.names() if listed else [],
    }


def enumerable(game: Game) -> bool:
    """Whether the game's positions are listed, by the rule that RULE states."""
    return arrangements(game) <= LIMIT if isinstance(game, Board) else isinstance(game, Enumerable)


def arrangements(board: Board) -> int:
    """The ways to fill a board with any number of stones, half of them (rounded down) seat 1's: at least its positions.

    The number of cell sets that n stones can fill (with gravity: of column heights that sum to n), times the
    ways to colour them, summed over n.
    """
    cells = board.rows * board.columns
    filled = [comb(cells, n) for n in range(cells + 1)]
    if board.gravity:
        filled = [1]
        for _ in range(board.columns):  # one more column, of any height
            spans = range(len(filled) + board.rows)
            filled = [sum(filled[max(0, n - board.rows) : n + 1]) for n in spans]
    return sum(ways * comb(n, n // 2) for n, ways in enumerate(filled))


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The games in aligned columns of plain text."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """One game's line of the table."""
    positions = "enumerable" if row["enumerable"] else "too large"
    if row["positions"] is not None:
        positions = f"{row['positions']:,}"
    board = "-" if row["rows"] is None else f"{row['rows']}x{row['columns']}"
    experts = ", ".join(row["experts"]) or "none"
    in_a_row = "-" if row["in_a_row"] is None else str(row["in_a_row"])
    return (row["name"], board, in_a_row, str(row["actions"]), positions, experts, "exact" if row["exact_gap"] else "-")
