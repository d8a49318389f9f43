"""Listing the positions of a board ply by ply, as sets of bits; the basis of ``games.plies.graph``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games.base import Ints
from games.layers import Words
from games.plies.rules import Rules
from games.progress import report

CHUNK = 1 << 16
"""Positions that are processed at once."""


@dataclass(frozen=True)
class Ply:
    """The positions after so many stones that are not over."""

    stones: int
    first: int
    """The row of the first of them in the graph."""
    size: int
    bits: NDArray[np.uint64]
    """[B] by place."""
    ranks: NDArray[np.uint32]
    """[B] bits before each word."""

    @property
    def rows(self) -> slice:
        """The rows in the graph."""
        return slice(self.first, self.first + self.size)


def memory(rules: Rules) -> int:
    """A bound on the bytes that a graph takes, with perfect play.

    Args:
        rules: of the board.
    """
    return sum(12 * rules.words(stones) + rules.most(stones) for stones in range(rules.cells))


def listed(rules: Rules) -> Iterator[Ply]:
    """List the positions.

    Args:
        rules: of the board.

    Yields:
        The plies, from the empty board on.
    """
    from games.compiled.layers import expand

    ply = _ply(0, 0, np.ones(1, dtype=np.uint64))  # the one place of the empty board
    while ply.size:
        yield ply
        bits = np.zeros(rules.words(ply.stones + 1), dtype=np.uint64)
        for _, words in chunks(rules, ply):
            expand(words, bits, *rules.of(ply.stones))
        ply = _ply(ply.stones + 1, ply.first + ply.size, bits)


def plies_of(bits: Sequence[NDArray[np.uint64]]) -> Iterator[Ply]:
    """The plies of known bits.

    Args:
        bits: uint64 [B] of each ply, from the empty board on.
    """
    first = 0
    for stones, of_ply in enumerate(bits):
        ply = _ply(stones, first, of_ply)
        yield ply
        first += ply.size


def _ply(stones: int, first: int, bits: NDArray[np.uint64]) -> Ply:
    """A ply of known bits."""
    from games.compiled.layers import rank

    ranks = np.empty(len(bits), dtype=np.uint32)
    return Ply(stones, first, rank(bits, ranks), bits, ranks)


def chunks(rules: Rules, ply: Ply) -> Iterator[tuple[slice, Words]]:
    """A ply's own rows and its words, a chunk at a time.

    Args:
        rules: of the board.
        ply: one of its plies.
    """
    for start in range(0, ply.size, CHUNK):
        stop = min(start + CHUNK, ply.size)
        report(start, ply.size, f"positions with {ply.stones} stones", step="sweep")
        yield slice(start, stop), words_of_rows(rules, ply, np.arange(start, stop))


def words_of_rows(rules: Rules, ply: Ply, rows: Ints) -> Words:
    """Positions of a ply as words.

    Args:
        rules: of the board.
        ply: one of its plies.
        rows: int64 [n] the ply's own rows.

    Returns:
        uint64 [n].
    """
    from games.compiled.layers import words_at

    out = np.empty(len(rows), dtype=np.uint64)
    words_at(ply.bits, ply.ranks, rules.sets[ply.stones], rules.shifts, rows, out)
    return out
