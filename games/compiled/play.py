"""Compiled loops of play: the rules of ``games.boards``, and drawing moves (``agents.policy.sample``).

Each does for all rows what the method of the same name says; ``games.compiled`` says when they are used. Shape letters:
N positions, A actions, C cells, D directions of lines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compiled.bits import ONE, ZERO, has_line, popcount
from games.compiled.compiling import compiled, inlined

Array = NDArray[Any]


@inlined
def _won(stones: Any, steps: Array, k: int) -> bool:
    """Whether k of a seat's stones are in a line; in the first plies there are too few."""
    return popcount(stones) >= k and has_line(stones, steps, k)


@compiled("void(uint64[:,::1], int64[::1], int64, uint64, boolean[:,::1])")
def acting(states: Array, steps: Array, k: int, full: Any, out: Array) -> None:
    """Who moves.

    Args:
        states: uint64 [N, 2].
        steps: int64 [D] shifts along lines.
        k: stones in a line that win.
        full: uint64, all cells.
        out: bool [N, 2] receives whether each seat moves.
    """
    for row in range(len(states)):
        own, stones = states[row, 0], states[row, 1]
        running = stones != full and not _won(own ^ stones, steps, k)
        second = popcount(stones) & 1 == 1
        out[row, 0] = running and not second
        out[row, 1] = running and second


@compiled("void(uint64[:,::1], int64[::1], int64, uint64, uint64[::1], int64, boolean[:,::1])")
def legal(states: Array, steps: Array, k: int, full: Any, places: Array, seat: int, out: Array) -> None:
    """Legal actions of a seat.

    Args:
        states: uint64 [N, 2].
        steps: int64 [D] shifts along lines.
        k: stones in a line that win.
        full: uint64, all cells.
        places: uint64 [A] the cell that is empty where an action is legal.
        seat: 0 or 1.
        out: bool [N, A] receives them.
    """
    for row in range(len(states)):
        own, stones = states[row, 0], states[row, 1]
        acts = popcount(stones) & 1 == seat and stones != full and not _won(own ^ stones, steps, k)
        for action in range(len(places)):
            out[row, action] = acts and stones & places[action] == ZERO


@compiled("void(uint64[:,::1], int64, uint64[::1], float32[:,::1])")
def observe(states: Array, seat: int, shifts: Array, out: Array) -> None:
    """Both planes that a seat sees.

    Args:
        states: uint64 [N, 2].
        seat: 0 or 1.
        shifts: uint64 [C] the bit of every cell, row by row from the top left.
        out: float32 [N, 2 * C] receives the seat's stones, then the other's.
    """
    cells = len(shifts)
    for row in range(len(states)):
        own, stones = states[row, 0], states[row, 1]
        mine = own if popcount(stones) & 1 == seat else own ^ stones
        theirs = mine ^ stones
        for cell in range(cells):
            out[row, cell] = np.float32(np.int32((mine >> shifts[cell]) & ONE))
        for cell in range(cells):
            out[row, cells + cell] = np.float32(np.int32((theirs >> shifts[cell]) & ONE))


_STEP = (
    "boolean(uint64[:,::1], int64[:,::1], int64[::1], int64, uint64, uint64[::1], uint64[::1],"
    "uint64[:,::1], float64[::1], boolean[::1])"
)


@compiled(_STEP)
def step(
    states: Array,
    actions: Array,
    steps: Array,
    k: int,
    full: Any,
    bottoms: Array,
    columns: Array,
    after: Array,
    rewards: Array,
    done: Array,
) -> bool:
    """One stone on each board.

    Args:
        states: uint64 [N, 2].
        actions: int64 [N, 2].
        steps: int64 [D] shifts along lines.
        k: stones in a line that win.
        full: uint64, all cells.
        bottoms: uint64 [A] the lowest cell of each column; without gravity, 0.
        columns: uint64 [A] all cells of each column; without gravity, the cell itself.
        after: uint64 [N, 2] receives the next states.
        rewards: float64 [N] receives seat 0's rewards.
        done: bool [N] receives whether the game is over.

    Returns:
        Whether every action was legal; else the outputs mean nothing.
    """
    for row in range(len(states)):
        own, stones = states[row, 0], states[row, 1]
        mover = popcount(stones) & 1
        action = actions[row, mover]
        if action < 0 or action >= len(columns):
            return False
        fallen = (stones + bottoms[action]) & columns[action]
        stone = columns[action] & ~stones if bottoms[action] == ZERO else fallen
        if stone == ZERO:
            return False
        won = _won(own | stone, steps, k)
        after[row, 0], after[row, 1] = own ^ stones, stones | stone
        rewards[row] = 1.0 - 2.0 * mover if won else 0.0
        done[row] = won or stones | stone == full
    return True


@compiled("void(uint64[:,::1], uint64[::1], uint64, uint64[:,::1])")
def flip(states: Array, columns: Array, width: Any, out: Array) -> None:
    """Boards with their columns in reverse order.

    Args:
        states: uint64 [N, 2].
        columns: uint64 [B] all cells of each column.
        width: uint64, bits from one column to the next.
        out: uint64 [N, 2] receives the images.
    """
    last = len(columns) - 1
    for row in range(len(states)):
        for word in range(2):
            bits, image = states[row, word], ZERO
            for column in range(len(columns)):
                cells = (bits & columns[column]) >> (np.uint64(column) * width)
                image |= cells << (np.uint64(last - column) * width)
            out[row, word] = image


@compiled("boolean(float64[:,::1], boolean[:,::1], float64)")
def distributions(rows: Array, legal: Array, tolerance: float) -> bool:
    """Whether rows certainly are distributions over legal actions, and zeros where there is none.

    Args:
        rows: float64 [N, A].
        legal: bool [N, A].
        tolerance: how far from 1 a row may sum to.

    Returns:
        False also where a sum is so close to the tolerance that it matters how it was rounded.
    """
    for row in range(len(rows)):
        total, acts = 0.0, False
        for action in range(rows.shape[1]):
            value = rows[row, action]
            if not value >= 0.0 or (value != 0.0 and not legal[row, action]):
                return False
            total += value
            acts = acts or legal[row, action]
        if not abs(total - (1.0 if acts else 0.0)) <= 0.99 * tolerance:  # not finite, for example
            return False
    return True


@compiled("void(float64[:,::1], float64[::1], int64[::1])")
def sample(probabilities: Array, numbers: Array, out: Array) -> None:
    """One action for each row.

    Args:
        probabilities: float64 [N, A] distributions, or zero rows.
        numbers: float64 [N] uniform between 0 and 1.
        out: int64 [N] receives the actions; -1 for zero rows.
    """
    for row in range(len(probabilities)):
        total = 0.0
        for action in range(probabilities.shape[1]):
            total += probabilities[row, action]
        mark, below, count = numbers[row] * total, 0.0, 0
        for action in range(probabilities.shape[1]):
            below += probabilities[row, action]
            count += below <= mark and below < total  # the mark stays below the total, whatever was rounded
        out[row] = count if total > 0.0 else -1


@compiled("void(boolean[:,::1], float64[::1], int64[::1])")
def choose(legal: Array, numbers: Array, out: Array) -> None:
    """One legal action for each row, all with equal probability.

    Args:
        legal: bool [N, A].
        numbers: float64 [N] uniform between 0 and 1.
        out: int64 [N] receives the actions; -1 for rows without one.
    """
    for row in range(len(legal)):
        total, below, count = 0, 0, 0
        for action in range(legal.shape[1]):
            total += 1 if legal[row, action] else 0
        mark = min(int(numbers[row] * total), total - 1)  # a number close to 1 may be rounded up
        for action in range(legal.shape[1]):
            below += 1 if legal[row, action] else 0
            count += 1 if below <= mark else 0
        out[row] = count if total > 0 else -1


@compiled("void(boolean[:,::1], float64[:,::1])")
def uniform(legal: Array, out: Array) -> None:
    """Equal probability for the legal actions of each row.

    Args:
        legal: bool [N, A].
        out: float64 [N, A] receives it; zero rows where none is legal.
    """
    for row in range(len(legal)):
        total = 0
        for action in range(legal.shape[1]):
            total += 1 if legal[row, action] else 0
        share = 1.0 / max(total, 1)
        for action in range(legal.shape[1]):
            out[row, action] = share if legal[row, action] else 0.0
