"""Compiled loops over the positions of one ply of a board; ``games.plies.rules`` says what the arrays mean.

A position is a word, all stones above the mover's (``Board.pack``). Its *place* is a number below ``M << n``: the row
of its stones among the ply's M sets of n stones, above its code, the mover's stones among these. Places ascend as words
do. The positions of a ply are a set of bits by place, and a position's row is the number of bits below its own: neither
sorting nor searching.

Shape letters: N positions, A actions, M sets of stones, D directions of lines, B words of 64 bits, V values, P
policies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.compiled.bits import ONE, ZERO, popcount, winning_cells
from games.compiled.compiling import compiled, inlined

Array = NDArray[Any]
ILLEGAL, WON, FULL = -1, -2, -3
"""In place of a place: no such move, a line, a full board."""
_HALF, _MASK = np.uint64(32), np.uint64(0xFFFFFFFF)
_WORD = np.uint64(63)
_STONES, _IMAGE, _HEIGHTS = 0, 1, 2  # columns of ``sets``, then A next sets, A places of the new stone, A new stones
_RULES = "int64[:,::1], int64[:,::1], int64[::1], int64[::1], int64[::1]"  # sets, following, shifts, steps, facts
_INDEX = "uint64[::1], uint32[::1]"  # bits, ranks


@inlined
def _set_of(sets: Array, stones: Any, guess: Any) -> Any:
    """The row of a set of stones; -1 if there is none. Words mostly come in order, so the last row is a good guess."""
    if sets[guess, _STONES] == stones:
        return guess
    if guess + 1 < len(sets) and sets[guess + 1, _STONES] == stones:
        return guess + 1
    low, high = 0, len(sets) - 1
    while low < high:
        middle = (low + high) // 2
        if sets[middle, _STONES] < stones:
            low = middle + 1
        else:
            high = middle
    return low if sets[low, _STONES] == stones else -1


@inlined
def _code_of(sets: Array, shifts: Array, at: Any, own: Any) -> Any:
    """The mover's stones as a code."""
    code, start = 0, 0
    for column in range(len(shifts)):
        height = sets[at, _HEIGHTS + column]
        code |= ((own >> shifts[column]) & ((1 << height) - 1)) << start
        start += height
    return code


@inlined
def _own_of(sets: Array, shifts: Array, at: Any, code: Any) -> Any:
    """The mover's stones of a code."""
    own, start = 0, 0
    for column in range(len(shifts)):
        height = sets[at, _HEIGHTS + column]
        own |= ((code >> start) & ((1 << height) - 1)) << shifts[column]
        start += height
    return own


@inlined
def _canonical(sets: Array, shifts: Array, count: Any, at: Any, code: Any) -> Any:
    """The place of a position or of its mirror image, of that with the lesser stones of the mover, then of all."""
    own, flipped, flipped_code, start, last = 0, 0, 0, 0, len(shifts) - 1
    for column in range(len(shifts)):
        height = sets[at, _HEIGHTS + column]
        part = (code >> start) & ((1 << height) - 1)
        start += height
        own |= part << shifts[column]
        flipped |= part << shifts[last - column]
        flipped_code |= part << (count - start)
    image = sets[at, _IMAGE]
    if flipped < own or (flipped == own and image < at):
        return (image << count) | flipped_code
    return (at << count) | code


@inlined
def _after(
    sets: Array, following: Array, shifts: Array, facts: Array,
    count: Any, at: Any, wins: Any, code: Any, action: Any,
) -> Any:  # fmt: skip
    """The place of the position after a move; ``ILLEGAL``, ``WON`` or ``FULL``."""
    actions = (sets.shape[1] - _HEIGHTS - len(shifts)) // 3
    column = _HEIGHTS + len(shifts) + action
    stone = sets[at, column + 2 * actions]
    if stone == 0:
        return ILLEGAL
    if np.uint64(stone) & wins != ZERO:
        return WON
    if count + 1 == facts[1]:
        return FULL
    above = sets[at, column + actions]  # the other's stones make room for the new one, which is not theirs
    other = ~code & ((1 << count) - 1)
    low = other & ((1 << above) - 1)
    moved, to = ((other - low) << 1) | low, sets[at, column]
    return _canonical(following, shifts, count + 1, to, moved) if facts[2] else (to << (count + 1)) | moved


@inlined
def _row_of(bits: Array, ranks: Array, place: Any) -> Any:
    """The row of a place."""
    word = place >> 6
    return np.int64(ranks[word]) + popcount(bits[word] & ((ONE << (np.uint64(place) & _WORD)) - ONE))


@compiled(f"void(uint64[::1], uint64[::1], {_RULES})")
def expand(
    words: Array, bits: Array,
    sets: Array, following: Array, shifts: Array, steps: Array, facts: Array,
) -> None:  # fmt: skip
    """Set the bits of all positions that moves lead to and that are not over.

    Args:
        words: uint64 [N] positions of a ply.
        bits: uint64 [B] of the next ply.
        sets: int64 [M, ...] its sets of stones.
        following: int64 [M, ...] those of the next ply.
        shifts: int64, see ``games.plies.rules.Rules``.
        steps: int64 [D] shifts along lines.
        facts: int64, see ``games.plies.rules.Rules``.
    """
    count, at = popcount(np.uint64(sets[0, _STONES])), 0
    actions = (sets.shape[1] - _HEIGHTS - len(shifts)) // 3
    for word in words:
        own = np.int64(word & _MASK)
        at = _set_of(sets, np.int64(word >> _HALF), at)
        code, wins = _code_of(sets, shifts, at, own), winning_cells(np.uint64(own), steps, facts[0])
        for action in range(actions):
            place = _after(sets, following, shifts, facts, count, at, wins, code, action)
            if place >= 0:
                bits[place >> 6] |= ONE << (np.uint64(place) & _WORD)


@compiled(f"int64({_INDEX})")
def rank(bits: Array, ranks: Array) -> int:
    """Count bits.

    Args:
        bits: uint64 [B].
        ranks: uint32 [B] receives how many there are before each word.

    Returns:
        How many there are.
    """
    total = 0
    for word in range(len(bits)):
        ranks[word] = total
        total += popcount(bits[word])
    return total


@compiled(f"void({_INDEX}, int64[:,::1], int64[::1], int64[::1], uint64[::1])")
def words_at(bits: Array, ranks: Array, sets: Array, shifts: Array, rows: Array, out: Array) -> None:
    """The positions of rows.

    Args:
        bits: uint64 [B] of the ply.
        ranks: uint32 [B] of the ply.
        sets: int64 [M, ...] of the ply.
        shifts: int64, see ``games.plies.rules.Rules``.
        rows: int64 [N] rows of the ply; fastest in ascending order.
        out: uint64 [N] receives the words.
    """
    count, word, bit, last = np.uint64(popcount(np.uint64(sets[0, _STONES]))), 0, ZERO, -2
    for index in range(len(rows)):
        row = rows[index]
        if row == last + 1:
            while bit == ZERO:
                word += 1
                bit = bits[word]
        else:
            word, high = 0, len(ranks)
            while high - word > 1:  # the last word with at most so many bits before it
                middle = (word + high) // 2
                if ranks[middle] <= row:
                    word = middle
                else:
                    high = middle
            bit = bits[word]
            for _ in range(row - ranks[word]):
                bit &= bit - ONE
        place = (np.uint64(word) << np.uint64(6)) + np.uint64(popcount((bit & (~bit + ONE)) - ONE))
        bit &= bit - ONE
        last, at = row, np.int64(place >> count)
        own = _own_of(sets, shifts, at, np.int64(place & ((ONE << count) - ONE)))
        out[index] = (np.uint64(sets[at, _STONES]) << _HALF) | np.uint64(own)


@compiled(f"void(uint64[::1], int64[:,::1], int64[::1], int64[::1], {_INDEX}, int64[::1])")
def rows_of(words: Array, sets: Array, shifts: Array, facts: Array, bits: Array, ranks: Array, out: Array) -> None:
    """The rows of positions.

    Args:
        words: uint64 [N] of one ply, canonical or not.
        sets: int64 [M, ...] of the ply.
        shifts: int64, see ``games.plies.rules.Rules``.
        facts: int64, see ``games.plies.rules.Rules``.
        bits: uint64 [B] of the ply.
        ranks: uint32 [B] of the ply.
        out: int64 [N] receives the rows; -1 where a position is not in the ply.
    """
    count, at = popcount(np.uint64(sets[0, _STONES])), 0
    for index in range(len(words)):
        own, found = np.int64(words[index] & _MASK), _set_of(sets, np.int64(words[index] >> _HALF), at)
        out[index] = -1
        if found < 0:
            continue
        at, code = found, _code_of(sets, shifts, found, own)
        if _own_of(sets, shifts, at, code) != own:
            continue
        place = _canonical(sets, shifts, count, at, code) if facts[2] else (at << count) | code
        if (bits[place >> 6] >> (np.uint64(place) & _WORD)) & ONE:
            out[index] = _row_of(bits, ranks, place)


@compiled(f"void(uint64[::1], {_INDEX}, int64, boolean[:,::1], int32[:,::1], int8[:,::1], {_RULES})")
def moves(
    words: Array, bits: Array, ranks: Array, first: int, legal: Array, successor: Array, reward: Array,
    sets: Array, following: Array, shifts: Array, steps: Array, facts: Array,
) -> None:  # fmt: skip
    """All moves of positions.

    Args:
        words: uint64 [N] positions of a ply.
        bits: uint64 [B] of the next ply.
        ranks: uint32 [B] of the next ply.
        first: the row of the next ply's first position.
        legal: bool [A, N] receives whether each action is legal.
        successor: int32 [A, N] receives the row after it; -1 where it is illegal or ends the game.
        reward: int8 [A, N] receives seat 0's reward.
        sets: int64 [M, ...] its sets of stones.
        following: int64 [M, ...] those of the next ply.
        shifts: int64, see ``games.plies.rules.Rules``.
        steps: int64 [D] shifts along lines.
        facts: int64, see ``games.plies.rules.Rules``.
    """
    count, at = popcount(np.uint64(sets[0, _STONES])), 0
    for index in range(len(words)):
        own = np.int64(words[index] & _MASK)
        at = _set_of(sets, np.int64(words[index] >> _HALF), at)
        code, wins = _code_of(sets, shifts, at, own), winning_cells(np.uint64(own), steps, facts[0])
        for action in range(len(legal)):
            place = _after(sets, following, shifts, facts, count, at, wins, code, action)
            legal[action, index] = place != ILLEGAL
            successor[action, index] = first + _row_of(bits, ranks, place) if place >= 0 else -1
            reward[action, index] = 1 - 2 * (count & 1) if place == WON else 0


@inlined
def _worth(plies: Any) -> Any:
    """What a mover prefers: to win soon (positive), then to draw, then to lose late (negative)."""
    return 500 - plies if plies > 0 else -500 - plies if plies < 0 else 0


@compiled(f"void(uint64[::1], {_INDEX}, int8[::1], int8[::1], {_RULES})")
def solve(
    words: Array, bits: Array, ranks: Array, after: Array, out: Array,
    sets: Array, following: Array, shifts: Array, steps: Array, facts: Array,
) -> None:  # fmt: skip
    """How soon positions are won under play that wins as soon and loses as late as it can.

    Args:
        words: uint64 [N] positions of a ply.
        bits: uint64 [B] of the next ply.
        ranks: uint32 [B] of the next ply.
        after: int8, for each position of the next ply what ``out`` is for these.
        out: int8 [N] receives the plies to the end, positive where seat 0 wins, negative where seat 1 wins; 0: drawn.
        sets: int64 [M, ...] its sets of stones.
        following: int64 [M, ...] those of the next ply.
        shifts: int64, see ``games.plies.rules.Rules``.
        steps: int64 [D] shifts along lines.
        facts: int64, see ``games.plies.rules.Rules``.
    """
    count, at = popcount(np.uint64(sets[0, _STONES])), 0
    actions = (sets.shape[1] - _HEIGHTS - len(shifts)) // 3
    sign = 1 - 2 * (count & 1)
    for index in range(len(words)):
        own = np.int64(words[index] & _MASK)
        at = _set_of(sets, np.int64(words[index] >> _HALF), at)
        code, wins = _code_of(sets, shifts, at, own), winning_cells(np.uint64(own), steps, facts[0])
        best, found = -1000, 0
        for action in range(actions):
            place = _after(sets, following, shifts, facts, count, at, wins, code, action)
            if place == ILLEGAL:
                continue
            plies = 1 if place == WON else 0  # in the mover's view
            if place >= 0:
                plies = sign * after[_row_of(bits, ranks, place)]
                plies += (plies > 0) - (plies < 0)
            worth = _worth(plies)
            if worth > best:
                best, found = worth, plies
        out[index] = sign * found


@compiled(f"void(uint64[::1], {_INDEX}, float64[:,:,::1], int64[::1], float64[:,::1], float64[:,::1], {_RULES})")
def back_up(
    words: Array, bits: Array, ranks: Array, weights: Array, players: Array, after: Array, out: Array,
    sets: Array, following: Array, shifts: Array, steps: Array, facts: Array,
) -> None:  # fmt: skip
    """Seat 0's expected rewards under several pairs of players at once.

    Args:
        words: uint64 [N] positions of a ply.
        bits: uint64 [B] of the next ply.
        ranks: uint32 [B] of the next ply.
        weights: float64 [P, N, A] probabilities of the policies of the seat that moves.
        players: int64 [V] the policy that moves; -1 for a best response.
        after: float64 [positions of the next ply, V] values.
        out: float64 [N, V] receives the values.
        sets: int64 [M, ...] its sets of stones.
        following: int64 [M, ...] those of the next ply.
        shifts: int64, see ``games.plies.rules.Rules``.
        steps: int64 [D] shifts along lines.
        facts: int64, see ``games.plies.rules.Rules``.
    """
    count, at = popcount(np.uint64(sets[0, _STONES])), 0
    actions = (sets.shape[1] - _HEIGHTS - len(shifts)) // 3
    sign = 1.0 - 2.0 * (count & 1)
    for index in range(len(words)):
        own = np.int64(words[index] & _MASK)
        at = _set_of(sets, np.int64(words[index] >> _HALF), at)
        code, wins = _code_of(sets, shifts, at, own), winning_cells(np.uint64(own), steps, facts[0])
        for v in range(len(players)):
            out[index, v] = 0.0 if players[v] >= 0 else -2.0 * sign
        for action in range(actions):
            place = _after(sets, following, shifts, facts, count, at, wins, code, action)
            if place == ILLEGAL:
                continue
            row = _row_of(bits, ranks, place) if place >= 0 else 0
            for v in range(len(players)):
                value = after[row, v] if place >= 0 else sign if place == WON else 0.0
                if players[v] >= 0:
                    out[index, v] += weights[players[v], index, action] * value
                elif sign * value > sign * out[index, v]:
                    out[index, v] = value
