"""What all compiled loops over bitboards share. A change here recompiles them all (``games.compiled.compiled``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compiled.compiling import inlined

ZERO, ONE = np.uint64(0), np.uint64(1)
_TWO, _FOUR, _BYTES = np.uint64(2), np.uint64(4), np.uint64(56)
_PAIRS, _NIBBLES = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_LOW, _SUM = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)


@inlined
def popcount(word: Any) -> Any:
    """The number of bits that are set, by a pattern that compilers know.

    Args:
        word: uint64.
    """
    word = word - ((word >> ONE) & _PAIRS)
    word = (word & _NIBBLES) + ((word >> _TWO) & _NIBBLES)
    return np.int64((((word + (word >> _FOUR)) & _LOW) * _SUM) >> _BYTES)


@inlined
def has_line(stones: Any, steps: NDArray[Any], k: int) -> bool:
    """Whether k stones are in a line: each shift doubles the length that is known.

    Args:
        stones: uint64, one seat's.
        steps: int64 [D] shifts along lines, one for each direction.
        k: stones in a line.
    """
    for step in steps:
        run, length = stones, 1
        while length < k:
            more = min(length, k - length)
            run &= run >> np.uint64(step * more)
            length += more
        if run != ZERO:
            return True
    return False


@inlined
def winning_cells(stones: Any, steps: NDArray[Any], k: int) -> Any:
    """Where one more stone makes k in a line; the cells that are taken, and bits beside the board, mean nothing.

    Args:
        stones: uint64, one seat's.
        steps: int64 [D] shifts along lines, one for each direction.
        k: stones in a line.
    """
    cells = ZERO
    for step in steps:
        one = np.uint64(step)
        if k == 4:  # the usual case without loops
            up_1, down_1 = stones >> one, stones << one
            up_2, down_2 = (stones & up_1) >> one, (stones & down_1) << one
            cells |= (up_2 & down_1) | (up_1 & down_2) | ((stones & up_2) >> one) | ((stones & down_2) << one)
            continue
        for below in range(k):
            run = ~ZERO
            for _ in range(below):
                run = (stones & run) << one
            beyond = ~ZERO
            for _ in range(k - 1 - below):
                beyond = (stones & beyond) >> one
            cells |= run & beyond
    return cells
