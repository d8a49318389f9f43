"""The positions of a game by ply, breadth first from the starts: each layer with its moves and their successors.

The basis of ``games.graph``. Boards are enumerated as words, action by action; other games through their own
``successors``, in parts that a meter watches, because their number is not known beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Enumerable, GameError, Ints, States, Successors, pack, stuck
from games.compiled.loading import kernels
from games.cost import Meter
from games.plies.rules import Rules, rules_of
from games.progress import report

Words = NDArray[np.uint64]
Numbers = NDArray[Any]  # one-byte integers where they suffice, else float64

_CHUNK = 1 << 15  # positions that are processed at once
_PART = 1 << 17  # positions between two reports of compiled loops
_PART = 1 << 9  # initial number of rows per call of a game's methods; some games take a millisecond for each
_QUICK = 0.1  # seconds per part; while parts take less, they are doubled


@runtime_checkable
class Packed(Enumerable, Protocol):
    """A board game whose graph can be built from words.

    Seats alternate, positions of different plies have different numbers of stones, and a game pays 1 to its winner, at
    its end.
    """

    @property
    def packable(self) -> bool:
        """Whether these methods can be used for this board."""

    def pack(self, states: States) -> Words:
        """Positions as words.

        Args:
            states: [N, W].

        Returns:
            uint64 [N] equal for equal positions: the second word of the key above the first.
        """

    def unpack(self, words: Words) -> States:
        """The inverse of ``pack``.

        Args:
            words: uint64 [N].

        Returns:
            [N, W] states.
        """

    def make_move(self, words: Words, action: int) -> tuple[Bools, Words, Bools, Bools]:
        """One action at positions that are not over.

        Args:
            words: uint64 [N] the positions.
            action: the same for all.

        Returns:
            [N] each: whether it is legal, the word after it, whether it wins, and whether the game goes on. Where it is
            not legal, the word means nothing and the rest is False.
        """


@dataclass(frozen=True)
class Layer:
    """One layer of a graph under construction; n positions, ordered by seat, then by word."""

    words: Words  # [n]
    states: States | None  # [n, W]; None where words represent the positions
    seat: NDArray[np.int8]  # [n]
    legal: Bools  # [A, n]
    successor: NDArray[np.int32]  # [A, n] row in the next layer; -1 illegal or over
    reward: Numbers  # [A, n]


def chunks(rows: slice) -> Iterator[slice]:
    """Cut rows into slices of at most ``_CHUNK``.

    Args:
        rows: a slice with start and stop.
    """
    for start in range(rows.start, rows.stop, _CHUNK):
        yield slice(start, min(start + _CHUNK, rows.stop))


def layers(game: Enumerable, limit: int, meter: Meter) -> Iterator[Layer]:
    """Enumerate breadth first from the starts.

    Args:
        game: A turn-based game without chance.
        limit: The largest number of positions.
        meter: Stops enumeration that takes too long or too much memory.

    Yields:
        Each layer with its moves; the next layer has the distinct positions that they reach.

    Raises:
        GameError: The game is of another kind, or has more than ``limit`` positions.
    """
    return _from_words(game, limit) if isinstance(game, Packed) and game.packable else _from_states(game, limit, meter)


def with_moves(game: Enumerable, layer: Layer) -> Layer:
    """The layer itself, checked to have a move at every position.

    Args:
        game: the game.
        layer: one of its layers.

    Raises:
        GameError: for a position that is not over and has no legal action.
    """
    closed = np.flatnonzero(~layer.legal.any(0))
    if len(closed):
        at = slice(closed[0], closed[0] + 1)
        if layer.states is not None:
            state = layer.states[at]
        else:
            assert isinstance(game, Packed)
            state = game.unpack(layer.words[at])
        raise stuck(game, state[0])
    return layer


def _within_limit(game: Enumerable, total: int, limit: int) -> int:
    """The total itself; GameError beyond the limit."""
    if total > limit:
        raise GameError(f"{game.spec.name} has more than {limit:,} positions; it is too large to enumerate")
    return total


def _from_words(game: Packed, limit: int) -> Iterator[Layer]:
    """The layers of a game whose positions are words, action by action, in chunks."""
    words, total, seat = _distinct(game.pack(game.starts())), 0, 0
    while len(words):
        if kernels(len(words)) and (rules := rules_of(game)):
            yield from _compiled(game, rules, words, total, limit)
            return
        total = _within_limit(game, total + len(words), limit)
        shape = (game.spec.actions, len(words))
        legal, going, won = (np.empty(shape, dtype=np.bool_) for _ in range(3))
        reached: list[Words] = []
        for action in range(game.spec.actions):
            parts = []
            for rows in chunks(slice(0, len(words))):
                at = action, rows
                legal[at], after, won[at], going[at] = game.make_move(words[rows], action)
                report(total, None, "positions", step="list")
                parts.append(after[going[at]])
            reached.append(np.concatenate(parts))
        following = _distinct(np.concatenate(reached))
        successor = np.full(shape, -1, dtype=np.int32)
        for action in reversed(range(game.spec.actions)):
            successor[action, going[action]] = total + np.searchsorted(following, reached.pop())
        reward = won.view(np.int8) * np.int8(1 - 2 * seat)
        yield Layer(words, None, np.full(len(words), seat, dtype=np.int8), legal, successor, reward)
        words, seat = following, 1 - seat


def _compiled(game: Packed, rules: Rules, words: Words, total: int, limit: int) -> Iterator[Layer]:
    """The layers from ``words`` on, by compiled loops, after ``total`` positions of earlier layers."""
    from games.compiled.layers import expand, moves, rank, words_at

    while len(words):
        total = _within_limit(game, total + len(words), limit)
        stones = int(np.bitwise_count(words[0] >> np.uint64(32)))
        bits = np.zeros(rules.words(stones + 1), dtype=np.uint64)
        for rows in _reported(len(words), total - len(words)):
            expand(words[rows], bits, *rules.of(stones))
        ranks = np.empty(len(bits), dtype=np.uint32)
        size, shape = rank(bits, ranks), (game.spec.actions, len(words))
        legal: Bools = np.empty(shape, dtype=np.bool_)
        successor: NDArray[np.int32] = np.empty(shape, dtype=np.int32)
        reward: Numbers = np.empty(shape, dtype=np.int8)
        for rows in _reported(len(words), total - len(words)):
            part = tuple(
                np.empty((shape[0], rows.stop - rows.start), whole.dtype) for whole in (legal, successor, reward)
            )
            moves(words[rows], bits, ranks, total, *part, *rules.of(stones))
            legal[:, rows], successor[:, rows], reward[:, rows] = part
        yield Layer(words, None, np.full(len(words), stones & 1, dtype=np.int8), legal, successor, reward)
        words = np.empty(size, dtype=np.uint64)
        for rows in _reported(size, total):
            words_at(bits, ranks, rules.sets[stones + 1], rules.shifts, np.arange(rows.start, rows.stop), words[rows])


def _reported(rows: int, before: int) -> Iterator[slice]:
    """Slices of a layer after so many positions of earlier layers, each a fraction of a second of compiled loops."""
    for start in range(0, rows, _PART):
        report(before + start, None, "positions", step="list")
        yield slice(start, min(start + _PART, rows))


def _from_states(game: Enumerable, limit: int, meter: Meter) -> Iterator[Layer]:
    """The layers of any other game, from its own successors."""
    (states, words, seat, _), total = _ordered(game, game.starts(), None), 0
    while len(words):
        total = _within_limit(game, total + len(words), limit)
        legal = game.legal(states, 0) | game.legal(states, 1)
        row, action = np.nonzero(legal)
        meter.layer(len(words), len(row), states.shape[1])
        moves = np.full((len(row), 2), -1, dtype=np.int64)
        moves[np.arange(len(row)), seat[row]] = action
        outcomes = _outcomes(game, states, row, moves, meter)
        if len(outcomes.rows) != len(row) or (outcomes.probability != 1.0).any():
            raise GameError(f"{game.spec.name} has chance moves; a GameGraph holds games without chance")
        reward = np.zeros(legal.T.shape)
        reward[action, row] = outcomes.rewards
        going = np.flatnonzero(~outcomes.done)
        following = _ordered(game, outcomes.states[going], meter)
        successor = np.full(legal.T.shape, -1, dtype=np.int32)
        successor[action[going], row[going]] = total + following[-1]
        yield Layer(words, states, seat, legal.T, successor, reward)
        states, words, seat, _ = following


def _outcomes(game: Enumerable, states: States, row: Ints, moves: Ints, meter: Meter) -> Successors:
    """The outcomes of moves at rows of states, in parts, with a tick of the meter after each."""
    parts = []
    for part in _parts(len(row)):
        outcomes = game.successors(states[row[part]], moves[part])
        parts.append(replace(outcomes, rows=outcomes.rows + part.start))
        meter.tick(len(outcomes.rows))
    if len(parts) == 1:
        return parts[0]
    return Successors(*(np.concatenate([getattr(part, name.name) for part in parts]) for name in fields(Successors)))


def _parts(count: int) -> Iterator[slice]:
    """Slices of ``count`` rows, at least one, whose length adapts so that each takes a fraction of a second."""
    start, length = 0, _PART
    while start < count or start == 0:
        begun = time.perf_counter()
        yield slice(start, min(start + length, count))
        start += length
        if time.perf_counter() - begun < _QUICK:
            length *= 2


def _ordered(game: Enumerable, states: States, meter: Meter | None) -> tuple[States, Words, NDArray[np.int8], Ints]:
    """The distinct positions ordered by seat, then by word; their words, movers, and the place of each input row."""
    parts = []
    for part in _parts(len(states)):
        parts.append(words_of(game, states[part]))
        if meter is not None:
            meter.tick(0)
    unordered = np.concatenate(parts)
    words, at, inverse = np.unique(unordered, return_index=True, return_inverse=True)
    acting = game.acting(states[at])
    if (acting.sum(1) != 1).any():
        raise GameError(f"{game.spec.name} is not turn-based; a GameGraph needs exactly one seat to move at a time")
    order = np.argsort(acting[:, 1], kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return states[at][order], words[order], acting[order, 1].astype(np.int8), place[inverse]


def words_of(game: Enumerable, states: States) -> Words:
    """Positions as words, for any game.

    Args:
        game: the game.
        states: [N, W].

    Returns:
        uint64 [N] equal for equal positions: the second word of the key above the first.

    Raises:
        GameError: where keys do not fit one word.
    """
    return pack(game.key(states)[:, ::-1])


def _distinct(words: Words) -> Words:
    """The distinct words in ascending order. Sorts the given array in place."""
    words.sort()
    first = np.ones(len(words), dtype=np.bool_)
    np.not_equal(words[1:], words[:-1], out=first[1:])
    return words[first]
