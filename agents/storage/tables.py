"""Policies as text tables: one line per position, with the board as text and a probability per action.

A board is written as its rows from the top, joined by ``/``: ``x`` for seat 0, ``o`` for seat 1, ``.`` for empty. The
stones determine the seat to move, so one table holds both seats. As CSV:

    board,0,1,2,...                      (this line is optional)
    .../.../...,0.1,0.1,0.2,...

As JSON: ``{"game": "tictactoe", "positions": {".../.../...": [0.1, 0.1, 0.2, ...], ...}}``. Every reachable position
that is not over must be present. Numbers are read and written exactly. A table belongs to a board, whatever library
plays it: ``openspiel:tic_tac_toe`` and ``pettingzoo:tictactoe`` read tables of ``tictactoe`` and vice versa.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy, PolicyError, Seats, tabulate
from agents.storage.atomic import write_atomic
from agents.storage.reading import LARGEST, Unreadable, read_bytes
from agents.tabular import Tabular
from games.base import Floats, Game, Ints, Model, NashmailError, States
from games.boards import Board
from games.graph import GameGraph
from games.registry import make
from games.symmetry import base_of, board_behind

TOLERANCE = 1e-6  # allowed deviation of a row's sum from 1
_RULES = ("rows", "columns", "k", "gravity")  # the facts that identify a board
_BOARDS = re.compile(
    r"(tictactoe|connect4)(:[0-9x:]{1,12})?|pettingzoo:(tictactoe|connect_four)"
    r"|openspiel:(tic_tac_toe|(connect_four|mnk)(\((,?[a-z_]{1,12}=[1-9][0-9]?)*\))?)"
)
_LEAST = 1 << 24  # bytes that are always read, so that errors can name a line
_LONGEST = 1 << 20  # characters of a line
_ROOM = 64  # characters for a number and its surroundings


@dataclass(frozen=True)
class _Rows:
    """The rows of a file, not yet compared with the game; n rows."""

    boards: list[str]
    numbers: Floats  # [n, A]
    place: Callable[[int], str]
    """The location of a row, for messages: ``FILE, line 7``."""


# --- reading -------------------------------------------------------------------------------------------------


def read_table(path: Path, game: Game) -> Tabular:
    """Read the policy of both seats from a table.

    Args:
        path: a .csv or .json file, see above.
        game: a board, or its quotient by symmetry.

    Returns:
        the policy, complete over the reachable positions.

    Raises:
        PolicyError: the file cannot be read, lacks a position, has an unknown or repeated one, or a row that is not a
            distribution over legal actions (or, with symmetry, differs between images of a position).
    """
    board = _board(game)
    read = _from_json if _kind(path) == "json" else _from_csv
    rows = read(path, _text(path, board), game)
    graph = GameGraph(board)
    known = board_strings(board, graph.states)
    order = np.argsort(known)
    at = _places(rows, known[order], game.spec.name, board)
    source = np.full(len(graph), -1, dtype=np.int64)  # [S] row of the file for each position
    source[order[at]] = np.arange(len(at))
    _refuse_duplicates(rows, order[at], source)
    if (source < 0).any():
        missing = np.flatnonzero(source < 0)
        raise PolicyError(
            f"{path}: {len(missing):,} of {len(graph):,} positions of {game.spec.name} are missing, "
            f"the first is {known[missing[0]].decode()}"
        )
    table = rows.numbers[source]
    _refuse_bad_numbers(rows, table, graph, source)
    if base_of(game) is not game:
        _refuse_asymmetric(rows, table, graph, source)
    return Tabular(board.key(graph.states), table, complete=True)


def _places(rows: _Rows, known: NDArray[np.bytes_], name: str, board: Board) -> Ints:
    """[n] the index of each row's board among the sorted known ones. PolicyError for an unknown board."""
    most = known.dtype.itemsize + 1  # characters that can matter
    written = np.array([text[:most].encode("ascii", "replace") for text in rows.boards], dtype=np.bytes_)
    at = np.minimum(np.searchsorted(known, written), len(known) - 1)
    strange = np.flatnonzero(known[at] != written)
    if len(strange):
        text = rows.boards[strange[0]]
        lines = text.split("/")
        valid = len(lines) == board.rows and all(len(line) == board.columns and not line.strip("xo.") for line in lines)
        reason = f"is not a reachable position of {name} with a move to make"
        if not valid:
            reason = f"is not a board of {board.rows} rows of {board.columns} characters x, o or . joined by /"
        raise PolicyError(f"{rows.place(int(strange[0]))}: {text!r} {reason}")
    return at


def _refuse_duplicates(rows: _Rows, position: Ints, source: Ints) -> None:
    """PolicyError if ``source`` does not lead back to a row [n]: a later row has the same board."""
    taken = np.flatnonzero(source[position] != np.arange(len(position)))
    if len(taken):
        first = int(taken[0])
        again = first + 1 + int(np.flatnonzero(position[first + 1 :] == position[first])[0])
        raise PolicyError(f"{rows.place(again)}: {rows.boards[again]} repeats {rows.place(first)}; remove one")


def _refuse_bad_numbers(rows: _Rows, table: Floats, graph: GameGraph, source: Ints) -> None:
    """PolicyError at the first row that is not a distribution over legal actions."""
    infinite = ~np.isfinite(table)
    numbers = np.where(infinite, 0.0, table)
    off = np.abs(numbers.sum(1) - 1.0)
    faults = {
        "holds a number that is not finite": infinite,
        "holds a negative probability": numbers < 0,
        "puts probability on an illegal action": (numbers != 0) & ~graph.legal_mask,
        "holds probabilities that do not sum to 1": off[:, None] > TOLERANCE,
    }
    for fault, bad in faults.items():
        if bad.any():
            row = int(source[bad.any(1)].min())
            values = ", ".join(f"{number:g}" for number in rows.numbers[row])
            raise PolicyError(f"{rows.place(row)}: {rows.boards[row]} {fault}: {values}")


def _refuse_asymmetric(rows: _Rows, table: Floats, graph: GameGraph, source: Ints) -> None:
    """PolicyError at the first row whose board has an image with different probabilities."""
    board = board_behind(graph.game)
    assert board is not None
    for image, permutation in zip(board.images(graph.states), np.array(board.spec.symmetries), strict=True):
        other = graph.index(image)
        bad = np.abs(table[other][:, permutation] - table).max(1) > TOLERANCE
        if bad.any():
            position = int(bad.argmax())
            row, twin = int(source[position]), int(source[other[position]])
            raise PolicyError(
                f"{rows.place(row)}: {rows.boards[row]} and its image {rows.boards[twin]} have other probabilities; "
                "measure the table without symmetry, on the board itself"
            )


def _from_csv(path: Path, text: str, game: Game) -> _Rows:
    """Lines of a board and A numbers. A first line that begins with ``board`` is a heading."""
    boards: list[str] = []
    numbers: list[list[float]] = []
    lines: list[int] = []
    written = text.split("\n")
    for number, line in enumerate(written, start=1):
        if len(line) > _LONGEST:
            raise PolicyError(f"{path}, line {number}: {len(line):,} characters are no row of {game.spec.name}")
    reader = csv.reader(written)
    try:
        for cells in reader:
            heading = reader.line_num == 1 and cells and cells[0].strip() == "board"
            if not cells or heading:
                continue
            lines.append(reader.line_num)
            boards.append(cells[0].strip())
            numbers.append(_numbers(cells[1:], game, lambda: f"{path}, line {lines[-1]}"))
    except csv.Error as error:
        raise PolicyError(f"{path}, line {reader.line_num}: not CSV: {error}") from error
    return _rows(boards, numbers, game, lambda row: f"{path}, line {lines[row]}")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as a list of its pairs, repeated keys included."""


def _from_json(path: Path, text: str, game: Game) -> _Rows:
    """An object with the keys ``game`` and ``positions``."""
    whole = _parse_json(path, text)
    facts = dict(whole) if isinstance(whole, _Pairs) else {}
    if set(facts) != {"game", "positions"} or not isinstance(facts["positions"], _Pairs):
        raise PolicyError(f'{path}, line 1: a table must be {{"game": NAME, "positions": {{BOARD: [NUMBERS]}}}}')
    if not _same_board(facts["game"], game):
        line = _line(text, text.find('"game"'))
        raise PolicyError(f"{path}, line {line}: this is a table for {facts['game']}, not for {game.spec.name}")
    boards = [board for board, _ in facts["positions"]]

    def place(row: int) -> str:
        """The line of this board, computed on demand because JSON readers do not record lines."""
        at = -1
        for _ in range(boards[: row + 1].count(boards[row])):
            at = text.find(json.dumps(boards[row]), at + 1)
        return f"{path}, line {_line(text, at)}"

    numbers = []
    for row, (board, values) in enumerate(facts["positions"]):
        if type(values) is not list or any(type(value) not in (int, float) for value in values):
            raise PolicyError(f"{place(row)}: {board} needs a list of numbers")
        numbers.append(_numbers(values, game, partial(place, row)))
    return _rows(boards, numbers, game, place)


def _same_board(name: Any, game: Game) -> bool:
    """Whether a game of this name is played on the game's board.

    Only names of boards are looked up: names from a file are not passed to other libraries.
    """
    if name == game.spec.name:
        return True
    if not isinstance(name, str) or not _BOARDS.fullmatch(name):
        return False
    try:
        one, other = board_behind(make(name)), _board(game)
    except NashmailError:
        return False
    return one is not None and all(getattr(one, fact) == getattr(other, fact) for fact in _RULES)


def _parse_json(path: Path, text: str) -> Any:
    """The value of a JSON text, with objects as pairs. PolicyError if it is not JSON."""
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise PolicyError(f"{path}, line {error.lineno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{path}: JSON that cannot be read: {error}") from error


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, max(at, 0)) + 1


def _numbers(cells: Sequence[Any], game: Game, place: Callable[[], str]) -> list[float]:
    """One row's probabilities. ``place`` gives its location for messages."""
    if len(cells) != game.spec.actions:
        raise PolicyError(f"{place()}: {len(cells)} probabilities; {game.spec.name} has {game.spec.actions} actions")
    try:
        return [float(cell) for cell in cells]
    except (ValueError, OverflowError) as error:
        raise PolicyError(f"{place()}: a probability must be a number: {error}") from error


def _rows(boards: list[str], numbers: list[list[float]], game: Game, place: Callable[[int], str]) -> _Rows:
    return _Rows(boards, np.array(numbers, dtype=np.float64).reshape(-1, game.spec.actions), place)


def _most(game: Board) -> int:
    """A limit in bytes on a table of this game: a row for each way to fill the board."""
    cells = game.rows * game.columns
    return min(max(int(3**cells) * (2 * cells + _ROOM * (game.spec.actions + 1)), _LEAST), LARGEST)


def _text(path: Path, game: Board) -> str:
    """The whole file. PolicyError if it cannot be read, is not text, or is larger than any table of the game."""
    try:
        text = read_bytes(path, most=_most(game)).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except Unreadable as error:
        raise PolicyError(str(error)) from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path} is not text in UTF-8") from error


# --- writing -------------------------------------------------------------------------------------------------


def write_table(path: Path, policy: Policy | Seats, model: Model) -> None:
    """Write a policy at every position of a model.

    Args:
        path: a .csv or .json file.
        policy: one policy for both seats, or one for each.
        model: the model of a board (not of its quotient).

    Raises:
        PolicyError: the game is not a board, or the file is of another type.
    """
    profile = policy if isinstance(policy, tuple) else (policy, policy)
    table = tabulate(model, profile[0], 0) + tabulate(model, profile[1], 1)
    if base_of(model.game) is not model.game:
        raise PolicyError("a table needs every position of the board: lift the policies (Lifted), and pass its model")
    _board(model.game)
    boards = [text.decode() for text in board_strings(model.game, model.states)]
    if _kind(path) == "csv":
        heading = ["board", *(str(action) for action in range(table.shape[1]))]
        body = (",".join([board, *map(repr, row)]) for board, row in zip(boards, table.tolist(), strict=True))
        write_atomic(path, "\n".join([",".join(heading), *body, ""]).encode())
        return
    lines = (f"    {json.dumps(board)}: {json.dumps(row)}" for board, row in zip(boards, table.tolist(), strict=True))
    name = json.dumps(model.game.spec.name)
    positions = ",\n".join(lines)
    write_atomic(path, f'{{\n  "game": {name},\n  "positions": {{\n{positions}\n  }}\n}}\n'.encode())


def board_strings(game: Game, states: States) -> NDArray[np.bytes_]:
    """Boards as text: each position's rows from the top, joined by ``/``.

    Args:
        game: a board.
        states: [N, W].

    Returns:
        ASCII bytes [N].
    """
    first, second = np.moveaxis(game.observe(states, 0) > 0, 1, 0)  # [N, rows, columns]
    marks = np.where(first, ord("x"), np.where(second, ord("o"), ord("."))).astype(np.uint8)
    lines = np.concatenate([marks, np.full((*marks.shape[:2], 1), ord("/"), dtype=np.uint8)], axis=2)
    flat = np.ascontiguousarray(lines.reshape(len(states), -1)[:, :-1])
    return flat.view(f"S{flat.shape[1]}").reshape(-1)


def _board(game: Game) -> Board:
    board = board_behind(game)
    if board is None:
        raise PolicyError(f"{game.spec.name} ({type(game).__name__}) is not a board; tables are for boards only")
    return board


def _kind(path: Path) -> str:
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("csv", "json"):
        raise PolicyError(f"{path}: a table must be a .csv or .json file")
    return kind
