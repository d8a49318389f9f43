"""The positions of a game by ply: breadth first from the starts, each layer with its moves and where they lead.

What ``games.graph`` is made of. Boards are listed as words, action by action; other games by their own successors, in
parts that a meter watches, because nobody knows beforehand how many there are.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Enumerable, GameError, Ints, States, Successors, pack, stuck
from games.cost import Meter

Words = NDArray[np.uint64]
Numbers = NDArray[Any]  # one-byte integers where they suffice, else float64

_CHUNK = 1 << 15  # positions that are swept at once
_PART = 1 << 9  # rows that a game is asked about at once, to begin with: some take a millisecond for each
_QUICK = 0.1  # seconds for a part; while they take less, parts are doubled


@runtime_checkable
class Packed(Enumerable, Protocol):
    """A board game whose graph can be built from words: seats alternate, the number of moves tells positions of
    different plies apart, and a game pays 1 to who wins it, at its end.
    """

    @property
    def packs(self) -> bool:
        """Whether these methods can be used."""

    def pack(self, states: States) -> Words:
        """[N] a word for each position, equal for equal positions: the second word of its key above the first."""

    def unpack(self, words: Words) -> States:
        """[N, W] the positions of these words."""

    def follow(self, words: Words, action: int) -> tuple[Bools, Words, Bools, Bools]:
        """One action at running positions [N]: legal, the word after it, won, going on (False where not legal)."""


@dataclass(frozen=True)
class Layer:
    """One layer while the graph is being built; n positions, ordered by seat, then by word."""

    words: Words  # [n]
    states: States | None  # [n, W]; None where the words tell
    seat: NDArray[np.int8]  # [n]
    legal: Bools  # [A, n]
    successor: NDArray[np.int32]  # [A, n] row in the next layer; -1 illegal or over
    reward: Numbers  # [A, n]


def chunks(rows: slice) -> Iterator[slice]:
    """The rows in pieces of at most ``_CHUNK``."""
    for start in range(rows.start, rows.stop, _CHUNK):
        yield slice(start, min(start + _CHUNK, rows.stop))


def layers(game: Enumerable, limit: int, meter: Meter) -> Iterator[Layer]:
    """Breadth first from the starts: each layer's moves, and the next layer as the distinct positions they reach."""
    return _from_words(game, limit) if isinstance(game, Packed) and game.packs else _from_states(game, limit, meter)


def opened(game: Enumerable, layer: Layer) -> Layer:
    """The layer; GameError for a position that is not over and has no move."""
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


def _counted(game: Enumerable, total: int, limit: int) -> int:
    """The total; GameError beyond the limit."""
    if total > limit:
        raise GameError(f"{game.spec.name} has more than {limit:,} positions; it is too large to enumerate")
    return total


def _from_words(game: Packed, limit: int) -> Iterator[Layer]:
    """The layers of a game whose positions are words; action by action, in chunks."""
    words, total, seat = _distinct(game.pack(game.starts())), 0, 0
    while len(words):
        total = _counted(game, total + len(words), limit)
        shape = (game.spec.actions, len(words))
        legal, going, won = (np.empty(shape, dtype=np.bool_) for _ in range(3))
        reached: list[Words] = []
        for action in range(game.spec.actions):
            parts = []
            for rows in chunks(slice(0, len(words))):
                at = action, rows
                legal[at], after, won[at], going[at] = game.follow(words[rows], action)
                parts.append(after[going[at]])
            reached.append(np.concatenate(parts))
        following = _distinct(np.concatenate(reached))
        child = np.full(shape, -1, dtype=np.int32)
        for action in reversed(range(game.spec.actions)):
            child[action, going[action]] = total + np.searchsorted(following, reached.pop())
        reward = won.view(np.int8) * np.int8(1 - 2 * seat)
        yield Layer(words, None, np.full(len(words), seat, dtype=np.int8), legal, child, reward)
        words, seat = following, 1 - seat


def _from_states(game: Enumerable, limit: int, meter: Meter) -> Iterator[Layer]:
    """The layers of any other game, from its own list of successors."""
    (states, words, seat, _), total = _ordered(game, game.starts(), None), 0
    while len(words):
        total = _counted(game, total + len(words), limit)
        legal = game.legal(states, 0) | game.legal(states, 1)
        row, action = np.nonzero(legal)
        meter.layer(len(words), len(row), states.shape[1])
        moves = np.full((len(row), 2), -1, dtype=np.int64)
        moves[np.arange(len(row)), seat[row]] = action
        found = _followed(game, states, row, moves, meter)
        if len(found.rows) != len(row) or (found.probability != 1.0).any():
            raise GameError(f"{game.spec.name} has chance moves; a GameGraph holds games without chance")
        reward = np.zeros(legal.T.shape)
        reward[action, row] = found.rewards
        going = np.flatnonzero(~found.done)
        following = _ordered(game, found.states[going], meter)
        child = np.full(legal.T.shape, -1, dtype=np.int32)
        child[action[going], row[going]] = total + following[-1]
        yield Layer(words, states, seat, legal.T, child, reward)
        states, words, seat, _ = following


def _followed(game: Enumerable, states: States, row: Ints, moves: Ints, meter: Meter) -> Successors:
    """The outcomes of moves at rows of states, in parts, so that the meter is read often."""
    parts = []
    for part in _parts(len(row)):
        found = game.successors(states[row[part]], moves[part])
        parts.append(replace(found, rows=found.rows + part.start))
        meter.tick(len(found.rows))
    if len(parts) == 1:
        return parts[0]
    return Successors(*(np.concatenate([getattr(part, name.name) for part in parts]) for name in fields(Successors)))


def _parts(count: int) -> Iterator[slice]:
    """So many rows, at least one slice, in lengths that whoever takes them needs a fraction of a second for."""
    start, length = 0, _PART
    while start < count or start == 0:
        begun = time.perf_counter()
        yield slice(start, min(start + length, count))
        start += length
        if time.perf_counter() - begun < _QUICK:
            length *= 2


def _ordered(game: Enumerable, states: States, meter: Meter | None) -> tuple[States, Words, NDArray[np.int8], Ints]:
    """The distinct positions ordered by seat, then by word; their words, who moves, and each input row's place."""
    parts = []
    for part in _parts(len(states)):
        parts.append(words_of(game, states[part]))
        if meter is not None:
            meter.tick(0)
    found = np.concatenate(parts)
    words, at, inverse = np.unique(found, return_index=True, return_inverse=True)
    acting = game.acting(states[at])
    if (acting.sum(1) != 1).any():
        raise GameError(f"{game.spec.name} is not turn-based; a GameGraph needs exactly one seat to move at a time")
    order = np.argsort(acting[:, 1], kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return states[at][order], words[order], acting[order, 1].astype(np.int8), place[inverse]


def words_of(game: Enumerable, states: States) -> Words:
    """[N] a word for each position, equal for equal positions: the second word of its key above the first."""
    return pack(game.key(states)[:, ::-1])


def _distinct(words: Words) -> Words:
    """The words that occur, in order; sorts the given array in place."""
    words.sort()
    first = np.ones(len(words), dtype=np.bool_)
    np.not_equal(words[1:], words[:-1], out=first[1:])
    return words[first]
