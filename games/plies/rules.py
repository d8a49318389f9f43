"""How the positions of a board are numbered, ply by ply, and its rules as tables.

After n moves a board holds n stones. They fill one of M sets of cells (with gravity: one for each way to choose the
columns' heights), in which the mover's stones are one of 2^n subsets. So a position has a *place*: the row of its set,
above a code of n bits, one for each stone from the lowest cell on. Places are nearly dense, so that positions can be
sets of bits, and they ascend as ``Board.pack``'s words do. A move shifts the code apart at the new stone: no position
has to be looked up.

Numbering positions so that a search keeps bits instead of states: S. Edelkamp, D. Sulewski, C. Yücel, "Perfect hashing
for state space exploration on the GPU", ICAPS 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from games.base import Game, Ints
from games.boards import Board

_MOST_SETS = 1 << 20  # sets of stones of all plies together


@dataclass(frozen=True)
class Rules:
    """A board's rules as compiled loops take them."""

    sets: tuple[Ints, ...]
    """For each number of stones n int64 [M, 2 + F + 3A]: the stones, the row of their mirror image, the stones in each
    of F columns (without gravity, cells), and for each action the row of the next set, the stones below the new one,
    and the new stone; 0 where the action is not legal."""
    shifts: Ints
    """int64 [F] the lowest bit of each column."""
    steps: Ints
    """int64 [D] shifts along lines."""
    facts: Ints
    """int64 [3] stones in a line that win, cells, and whether mirror images are one position."""

    @property
    def cells(self) -> int:
        """How many cells the board has."""
        return len(self.sets) - 1

    def words(self, stones: int) -> int:
        """How many words of 64 bits the places of a ply take.

        Args:
            stones: on the board.
        """
        return -(-(len(self.sets[stones]) << stones) // 64)

    def most(self, stones: int) -> int:
        """A bound on the positions of a ply: the mover has half of the stones.

        Args:
            stones: on the board.
        """
        return len(self.sets[stones]) * comb(stones, stones // 2)

    def of(self, stones: int) -> Any:
        """What compiled loops take for a ply: ``sets``, those of the next ply, ``shifts``, ``steps`` and ``facts``.

        Args:
            stones: on the board, fewer than cells.
        """
        return self.sets[stones], self.sets[stones + 1], self.shifts, self.steps, self.facts


def rules_of(game: Game) -> Rules | None:
    """The rules of a board as tables.

    Args:
        game: any game.

    Returns:
        The rules; None for a game that is no board, not packable, a quotient by more than a mirror, or a board with too
        many sets of stones.
    """
    board = getattr(game, "base", game)  # a quotient's
    if type(board) is not Board or not board.packable or (board is not game and not board.gravity):
        return None
    shifts, sizes = _columns(board)
    if np.prod(sizes + 1.0) > _MOST_SETS:
        return None
    facts = np.array([board.k, board.rows * board.columns, board is not game], dtype=np.int64)
    return Rules(_sets(board, shifts, sizes), shifts, board.line_steps, facts)


def _columns(board: Board) -> tuple[Ints, Ints]:
    """[F] the lowest bits and the sizes of columns or, without gravity, of cells, in ascending order."""
    if board.gravity:
        return np.arange(board.columns) * (board.rows + 1), np.full(board.columns, board.rows)
    shifts = np.sort(board.cell_shifts)
    return shifts, np.ones(len(shifts), dtype=np.int64)


def _sets(board: Board, shifts: Ints, sizes: Ints) -> tuple[Ints, ...]:
    """``Rules.sets``."""
    heights = np.stack(np.meshgrid(*(np.arange(size + 1) for size in sizes), indexing="ij"), axis=-1)
    heights = heights.reshape(-1, len(sizes))  # [all sets, F]
    stones = _filled(heights, shifts)
    order = np.argsort(stones)
    heights, stones, counts = heights[order], stones[order], heights[order].sum(1)
    plies = [np.flatnonzero(counts == count) for count in range(int(sizes.sum()) + 1)]
    column = np.arange(len(sizes)) if board.gravity else np.searchsorted(shifts, board.cell_shifts)  # [A] of an action
    found = []
    for here, there in zip(plies, [*plies[1:], plies[-1]], strict=True):
        height = heights[here][:, column]  # [M, A]
        legal = height < sizes[column]
        stone = np.where(legal, 1 << (shifts[column] + height), 0)
        now = stones[here, None]
        to = np.where(legal, np.searchsorted(stones[there], now | stone), 0)
        below = np.bitwise_count(now & (stone - 1)) * legal
        image = np.searchsorted(now[:, 0], _filled(heights[here, ::-1], shifts)) if board.gravity else 0 * here
        found.append(np.ascontiguousarray(np.hstack([now, image[:, None], heights[here], to, below, stone])))
    return tuple(found)


def _filled(heights: Ints, shifts: Ints) -> Ints:
    """The stones of columns filled to these heights [..., F]."""
    return np.asarray((((1 << heights) - 1) << shifts).sum(-1), dtype=np.int64)
