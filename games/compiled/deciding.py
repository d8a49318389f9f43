"""Compiled search for forced wins on boards with gravity; ``games.deciding`` says what is asked.

One seat, the *attacker*, wants a line within n more of its own stones; whatever else happens is the same to it. So each
position has a yes or a no, and the search stops at the first move that settles it. Most positions are settled by their
threats alone, without a move:

- A seat that can complete a line does so; a seat whose opponent could has to take that cell, and loses if there are
  two. Nobody plays below a cell where the opponent would complete a line.
- An attacker that could not make a line of all its stones and all empty cells never will.
- The follow-up (V. Allis, "A Knowledge-based Approach of Connect-Four", 1988): where the attacker is to move and every
  column has an even number of empty cells, the defender can answer each stone right above it. All that the attacker
  gets then are cells with an odd number of cells above. If these and its stones contain no line, it cannot win.

What was found is kept in a table of words, in buckets of two, for a position and its mirror image together: its key,
plus 1, then five bits for the fewest stones that are known to suffice (31: none), then five for the most that are known
not to.
The key is the sum of both words of the position, in which a column with h stones reads 2^h - 1 plus the mover's. The
seat to move follows from the number of stones, and a table serves one attacker. Entries are only ever true, so what is
forgotten costs time alone.

Shape letters: N positions, A actions, C cells, D directions of lines, E entries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compiled.bits import ONE, ZERO, has_line, popcount, winning_cells
from games.compiled.compiling import compiled, inlined

Array = NDArray[Any]
ILLEGAL = -1
"""In place of the number of positions that were answered."""
KEY_BITS = 54
"""Of a key: what an entry has room for."""
CELLS, BOTTOM, ABOVE_ODD, SHIFT, K, HEIGHT, SEAT, COLUMNS = range(8)
"""Places in ``facts``: all cells, the lowest of each column, those with an odd number of cells above them, 64 minus the
bits of a place in the table, stones in a line, bits of a column, the attacker; from ``COLUMNS`` on each column's cells.
"""
_TEN, _FIVE, _COUNT, _UNKNOWN = np.uint64(10), np.uint64(5), np.uint64(31), np.uint64(31 << 5)
_MIX_A, _MIX_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_A, _B = np.uint64(31), np.uint64(29)
_PEEK = 10  # empty cells above which the table is asked about all moves before any is searched
_MEMORY = "uint64[::1], int64[:,::1], int64[::1], uint64[::1]"  # table, scratch, steps, facts


@inlined
def _k(facts: Array) -> Any:
    """Stones in a line, as ``games.compiled.bits`` takes them."""
    return np.int64(facts[K])


@inlined
def _key(own: Any, stones: Any, facts: Array) -> Any:
    """The key of a position or of its mirror image, whichever is less."""
    key, image = own + stones, ZERO
    height, last = facts[HEIGHT], len(facts) - COLUMNS - 1
    field = (ONE << height) - ONE
    for column in range(last + 1):
        part = (key >> (np.uint64(column) * height)) & field
        image |= part << (np.uint64(last - column) * height)
    return min(key, image)


@inlined
def _hash(key: Any) -> Any:
    """Bits that all depend on all bits of a key, the upper ones most."""
    key = (key ^ (key >> _A)) * _MIX_A
    return (key ^ (key >> _B)) * _MIX_B


@inlined
def _find(table: Array, shift: Any, key: Any, n: Any) -> Any:
    """What is known: 1 for a win within n stones, 0 for none, else -1."""
    place, known = _hash(key) >> shift, -1
    entry = table[place]
    if entry >> _TEN != key + ONE:
        entry = table[place ^ ONE]
    if entry >> _TEN == key + ONE:
        if np.int64((entry >> _FIVE) & _COUNT) <= n:
            known = 1
        elif np.int64(entry & _COUNT) >= n:
            known = 0
    return known


@compiled("void(uint64[::1], uint64, uint64, int64, boolean)")
def _keep(table: Array, shift: Any, key: Any, n: Any, wins: Any) -> None:
    """Write down whether the attacker wins within n stones: to what is known, to a free place, or over another key."""
    mixed = _hash(key)
    place = mixed >> shift
    entry = table[place]
    if entry >> _TEN != key + ONE:
        beside = table[place ^ ONE]
        if beside >> _TEN == key + ONE:
            entry, place = beside, place ^ ONE
        else:
            if entry != ZERO and (beside == ZERO or mixed & ONE != ZERO):
                place ^= ONE
            entry = _UNKNOWN
    within, beyond = (entry >> _FIVE) & _COUNT, entry & _COUNT
    if wins:
        within = min(within, np.uint64(n))
    else:
        beyond = max(beyond, np.uint64(n))
    table[place] = ((key + ONE) << _TEN) | (within << _FIVE) | beyond


@inlined
def _order(own: Any, empty: Any, moves: Any, order: Array, steps: Array, facts: Array) -> Any:
    """Write the columns of moves, the most promising first: those with many cells that win next, then the middle."""
    count, last = 0, len(facts) - COLUMNS - 1
    for column in range(last + 1):
        stone = moves & facts[COLUMNS + column]
        if stone == ZERO:
            continue
        wins = winning_cells(own | stone, steps, _k(facts)) & empty
        worth = ((popcount(wins) * 8 + min(column, last - column)) << 8) | column
        at = count
        while at > 0 and order[at - 1] >> 8 < worth >> 8:
            order[at] = order[at - 1]
            at -= 1
        order[at] = worth
        count += 1
    return count


@compiled(f"boolean(uint64, uint64, boolean, int64, {_MEMORY})")
def _wins(
    own: Any, stones: Any, attacks: bool, n: int, table: Array, scratch: Array, steps: Array, facts: Array
) -> bool:
    """Whether the attacker wins within n of its stones where it moves (``attacks``) or the defender does."""
    cells, k = facts[CELLS], _k(facts)
    empty, moves, other = cells & ~stones, (stones + facts[BOTTOM]) & cells, own ^ stones
    if moves == ZERO or n <= 0:
        return False
    if winning_cells(own, steps, k) & moves != ZERO:
        return attacks
    if attacks and n == 1:
        return False
    threats = winning_cells(other, steps, k) & empty
    forced = moves & threats
    if forced != ZERO:
        if forced & (forced - ONE) != ZERO:
            return not attacks
        moves = forced
    moves &= ~(threats >> ONE)
    if moves == ZERO:
        return not attacks
    attacker = own if attacks else other
    if not has_line(attacker | empty, steps, k):
        return False
    followed = attacks and (stones + facts[BOTTOM]) & cells & ~facts[ABOVE_ODD] == ZERO
    if followed and not has_line(attacker | (empty & facts[ABOVE_ODD]), steps, k):
        return False
    shift, key = facts[SHIFT], _key(own, stones, facts)
    known = _find(table, shift, key, n)
    if known >= 0:
        return bool(known == 1)
    left, after = popcount(empty), n - 1 if attacks else n
    order = scratch[left]
    count = _order(own, empty, moves, order, steps, facts)
    if left > _PEEK:
        for at in range(count):
            stone = moves & facts[COLUMNS + (order[at] & 255)]
            if _find(table, shift, _key(other, stones | stone, facts), after) == attacks:
                _keep(table, shift, key, n, attacks)
                return attacks
    wins = not attacks
    for at in range(count):
        stone = moves & facts[COLUMNS + (order[at] & 255)]
        if _wins(other, stones | stone, not attacks, after, table, scratch, steps, facts) == attacks:
            wins = attacks
            break
    _keep(table, shift, key, n, wins)
    return wins


@compiled(f"boolean(uint64, uint64, uint64, boolean, int64, {_MEMORY})")
def _wins_after(
    own: Any, stones: Any, stone: Any, attacks: bool, n: int,
    table: Array, scratch: Array, steps: Array, facts: Array,
) -> bool:  # fmt: skip
    """Whether the attacker wins within n of its stones, the new one counted, once the seat to move has placed it."""
    if winning_cells(own, steps, _k(facts)) & stone != ZERO:
        return attacks and n > 0
    return _wins(own ^ stones, stones | stone, not attacks, n - 1 if attacks else n, table, scratch, steps, facts)


@inlined
def _over(own: Any, stones: Any, steps: Array, facts: Array) -> bool:
    """Whether the last move made a line."""
    return has_line(own ^ stones, steps, _k(facts))


@inlined
def _attacks(stones: Any, facts: Array) -> Any:
    """Whether the attacker moves."""
    return np.uint64(popcount(stones) & 1) == facts[SEAT]


@compiled(f"void(uint64[:,::1], int64, boolean[::1], {_MEMORY})")
def wins(states: Array, n: int, out: Array, table: Array, scratch: Array, steps: Array, facts: Array) -> None:
    """Whether the attacker can force a win.

    Args:
        states: uint64 [N, 2].
        n: within how many of its stones.
        out: bool [N] receives the answers; False where the game is over.
        table: uint64 [E] what is known of this attacker.
        scratch: int64 [C + 1, A] whatever.
        steps: int64 [D] shifts along lines.
        facts: uint64, see ``COLUMNS``.
    """
    for row in range(len(states)):
        own, stones = states[row, 0], states[row, 1]
        out[row] = not _over(own, stones, steps, facts) and _wins(
            own, stones, _attacks(stones, facts), n, table, scratch, steps, facts
        )


@compiled(f"void(uint64[:,::1], int64, boolean[:,::1], {_MEMORY})")
def after(states: Array, n: int, out: Array, table: Array, scratch: Array, steps: Array, facts: Array) -> None:
    """Whether the attacker can force a win after each move of the seat to move.

    Args:
        states: uint64 [N, 2].
        n: within how many of its stones, that move counted.
        out: bool [N, A] receives the answers; False where a move is illegal.
        table: uint64 [E] what is known of this attacker.
        scratch: int64 [C + 1, A] whatever.
        steps: int64 [D] shifts along lines.
        facts: uint64, see ``COLUMNS``.
    """
    for row in range(len(states)):
        own, stones = states[row, 0], states[row, 1]
        over, attacks = _over(own, stones, steps, facts), _attacks(stones, facts)
        for action in range(out.shape[1]):
            stone = (stones + facts[BOTTOM]) & facts[COLUMNS + action]
            out[row, action] = (not over and stone != ZERO) and _wins_after(
                own, stones, stone, attacks, n, table, scratch, steps, facts
            )


@compiled(f"int64(uint64[:,::1], int64[::1], int64, boolean[::1], {_MEMORY})")
def move(
    states: Array, actions: Array, n: int, out: Array, table: Array, scratch: Array, steps: Array, facts: Array
) -> int:
    """Whether the attacker can force a win after one move of the seat to move.

    Args:
        states: uint64 [N, 2].
        actions: int64 [N].
        n: within how many of its stones, that move counted.
        out: bool [N] receives the answers; False where the game is over.
        table: uint64 [E] what is known of this attacker.
        scratch: int64 [C + 1, A] whatever.
        steps: int64 [D] shifts along lines.
        facts: uint64, see ``COLUMNS``.

    Returns:
        The first row whose action is no column with room; ``ILLEGAL`` for none.
    """
    for row in range(len(states)):
        own, stones, action = states[row, 0], states[row, 1], actions[row]
        if action < 0 or action >= len(facts) - COLUMNS:
            return row
        stone = (stones + facts[BOTTOM]) & facts[COLUMNS + action]
        if stone == ZERO:
            return row
        out[row] = not _over(own, stones, steps, facts) and _wins_after(
            own, stones, stone, _attacks(stones, facts), n, table, scratch, steps, facts
        )
    return ILLEGAL


@compiled(f"void(uint64[:,::1], int64, boolean[:,::1], {_MEMORY})")
def soonest(states: Array, n: int, out: Array, table: Array, scratch: Array, steps: Array, facts: Array) -> None:
    """The moves with which the attacker, who is to move, forces a win with the fewest stones.

    Args:
        states: uint64 [N, 2].
        n: the most stones that are tried.
        out: bool [N, A] receives them; none where there is no such win.
        table: uint64 [E] what is known of this attacker.
        scratch: int64 [C + 1, A] whatever.
        steps: int64 [D] shifts along lines.
        facts: uint64, see ``COLUMNS``.
    """
    for row in range(len(states)):
        own, stones, found = states[row, 0], states[row, 1], False
        out[row] = False
        if _over(own, stones, steps, facts):
            continue
        for few in range(1, min(n, (popcount(facts[CELLS] & ~stones) + 1) // 2) + 1):
            for action in range(out.shape[1]):
                stone = (stones + facts[BOTTOM]) & facts[COLUMNS + action]
                if stone != ZERO and _wins_after(own, stones, stone, True, few, table, scratch, steps, facts):
                    out[row, action] = found = True
            if found:
                break
