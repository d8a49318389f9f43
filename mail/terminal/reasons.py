"""Why a move is good or bad, in the words of somebody who looks at the board: it wins, blocks, threatens, or lets win.

For boards with k in a row, with or without gravity; other games have no such reasons. A *threat* is a line of which the
mover lacks one cell that may be played at once. Lines are named by their cells as the board numbers them (``1-5-9``);
with gravity by their columns and what they look like (``columns 2-5 level``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.base import Bools, Game, States

Cell = tuple[int, int]


@dataclass(frozen=True)
class SeatBoard:
    """A board as a seat sees it.

    Attributes:
        own: [rows, columns] its stones; row 0 is on top.
        other: [rows, columns] the other seat's.
        k: How many in a line win.
        gravity: Whether stones fall.
    """

    own: Bools
    other: Bools
    k: int
    gravity: bool

    @property
    def columns(self) -> int:
        return int(self.own.shape[1])

    def playable(self) -> list[tuple[int, Cell]]:
        """Every action with the cell that it fills."""
        empty = ~(self.own | self.other)
        if not self.gravity:
            cells = [(int(row), int(column)) for row, column in np.argwhere(empty)]
            return [(row * self.columns + column, (row, column)) for row, column in cells]
        heights = empty.sum(0)
        return [(column, (int(heights[column]) - 1, column)) for column in range(self.columns) if heights[column]]

    def after(self, action: int) -> SeatBoard:
        """The board after a move of the seat, seen by the other seat.

        Args:
            action: A legal action.
        """
        own = self.own.copy()
        own[dict(self.playable())[action]] = True
        return SeatBoard(self.other, own, self.k, self.gravity)

    def turned(self) -> SeatBoard:
        """The same stones with the seats exchanged."""
        return SeatBoard(self.other, self.own, self.k, self.gravity)

    def wins(self) -> dict[int, list[Cell]]:
        """The actions with which the seat would complete a line, each with that line."""
        found = {}
        for action, cell in self.playable():
            if line := self._line(cell):
                found[action] = line
        return found

    def _line(self, cell: Cell) -> list[Cell] | None:
        """The line that a stone in this cell would complete, k cells of it."""
        rows, columns = self.own.shape
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            line = [cell]
            for sign in (1, -1):
                row, column = cell[0] + sign * down, cell[1] + sign * right
                while 0 <= row < rows and 0 <= column < columns and self.own[row, column]:
                    line.append((row, column))
                    row, column = row + sign * down, column + sign * right
            if len(line) >= self.k:
                return sorted(line)[: self.k] if cell in sorted(line)[: self.k] else sorted(line)[-self.k :]
        return None

    def named(self, line: list[Cell]) -> str:
        """A line in words.

        Args:
            line: Its cells.
        """
        if not self.gravity:
            return "-".join(str(row * self.columns + column + 1) for row, column in line)
        columns = sorted({column + 1 for _, column in line})
        if len(columns) == 1:
            return f"column {columns[0]} upwards"
        level = len({row for row, _ in line}) == 1
        return f"columns {columns[0]}-{columns[-1]} {'level' if level else 'diagonally'}"


def seat_board(game: Game, states: States, seat: int) -> SeatBoard | None:
    """The board at a position [1, W] as the seat sees it; None for games without lines."""
    if not game.spec.in_a_row:
        return None
    own, other = game.observe(states, seat)[0] > 0
    return SeatBoard(own, other, game.spec.in_a_row, game.spec.display.layout == "columns")


def reason(game: Game, states: States, seat: int, action: int) -> str:
    """Why a legal move is good or bad, as words behind ``it``; empty if nothing is to be seen at once.

    Args:
        game: The game.
        states: [1, W] the position before the move.
        seat: Who moves.
        action: The move.
    """
    board = seat_board(game, states, seat)
    if board is None or action not in dict(board.playable()):
        return ""
    if line := board.wins().get(action):
        return f"completes {board.named(line)}"
    answers = board.after(action)
    if lost := answers.wins():
        other = game.spec.display.marks[1 - seat]
        return f"lets {other} complete {_all(answers, list(lost.values()))}"
    parts = []
    if blocked := board.turned().wins().get(action):
        parts.append(f"blocks {board.named(blocked)}")
    threats = list(answers.turned().wins().values())
    if len(threats) > 1:
        parts.append(f"threatens twice, {_all(board, threats)}")
    elif threats:
        parts.append(f"threatens {board.named(threats[0])}")
    return " and ".join(parts)


def _all(board: SeatBoard, lines: list[list[Cell]]) -> str:
    """Two lines at most, in words."""
    names = list(dict.fromkeys(board.named(line) for line in lines))
    return " and ".join(names[:2])
