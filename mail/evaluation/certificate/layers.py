"""Layers of a walk over what a policy's opponent can force: from the positions of one ply to those of the next.

A shard is a run of a layer's rows. Whoever has it asks the policy, or takes every move of its opponent, follows the
moves and keeps of equal positions the first; the process that drives only merges what shards kept. Layers are
ordered by key, and which of equal positions is kept follows from the layer before: how a layer is cut into shards
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy, greedy_rows, query
from games.base import Bools, Enumerable, GameError, Ints, Keys, States
from games.symmetry import Quotient
from mail.evaluation.tabulate import WAVE
from mail.parallel.pool import Pool

SLACK = 1e-5
"""Moves within this of the most probable one (in logarithms: of logits, that is) are followed as well."""
ASKED, FOLLOWED = 4_096, 32_768
"""Positions of one shard where the policy moves, and where its opponent does: a tenth of a second for a network."""


@dataclass(frozen=True)
class Moves:
    """Moves out of a layer; m rows, in small integers, since they travel."""

    row: NDArray[np.int32]  # [m] of the layer
    action: NDArray[np.int16]  # [m]
    strict: Bools  # [m] whether the policy's moves up to here are its most probable ones, none within rounding of it

    def __getitem__(self, rows: Ints | slice) -> Moves:
        return Moves(self.row[rows], self.action[rows], self.strict[rows])


@dataclass(frozen=True)
class Layer:
    """Distinct positions of one ply, in ascending order of key; n rows."""

    states: States  # [n, W]
    led: Moves  # [n] the move out of the layer before that led here

    def __getitem__(self, rows: Ints | slice) -> Layer:
        return Layer(self.states[rows], self.led[rows])


@dataclass(frozen=True)
class Shared:
    """What the shards of a walk share."""

    policy: Policy
    game: Enumerable
    seat: int
    enough: float
    """The seat's payoff from which on a finished game is good enough."""
    told: bool
    """Whether the policy's moves are to be told, beside where they lead."""


@dataclass(frozen=True)
class Expansion:
    """What a layer, or a shard of one, leads to."""

    moves: Moves
    """The policy's, by row and action; none where the opponent moves, or nobody wants to know."""
    short: Moves
    """Those of either that end the game with less than is enough, by row and action."""
    after: Layer
    """Where the others lead; of moves to equal positions the first, strict ones before others."""


def first_layer(states: States) -> Layer:
    """The layer of a walk's single start [1, W]."""
    return Layer(states, Moves(np.zeros(1, np.int32), np.zeros(1, np.int16), np.ones(1, np.bool_)))


def expand_layer(pool: Pool, shared: Shared, layer: Layer) -> Expansion:
    """What the layer leads to, its shards grown through the pool."""
    size = ASKED if shared.game.acting(layer.states[:1])[0, shared.seat] else FOLLOWED
    begins = range(0, len(layer.states), size)
    waves = []
    for first in range(0, len(begins), WAVE):  # so that what is in flight stays bounded
        wave = begins[first : first + WAVE]
        shards = [(layer.states[at : at + size], layer.led.strict[at : at + size]) for at in wave]
        waves.append(_merged(shared.game, pool.map(expand, shared, shards), wave))
    return _merged(shared.game, waves, [0] * len(waves))


def expand(shared: Shared, shard: tuple[States, Bools]) -> Expansion:
    """A pool's task: what some rows of a layer lead to, rows counted from the first of them.

    GameError unless one seat is to move at all of them, by whose moves no lots are drawn.
    """
    states, strict = shard
    acting = shared.game.acting(states)
    mover = int(acting[0, 1])
    if not acting[:, mover].all() or acting[:, 1 - mover].any():
        raise GameError(f"{shared.game.spec.name} is not turn-based move by move; no certificate for it")
    moves = _own(shared, states, strict) if mover == shared.seat else _all(shared, states, strict)
    actions = np.full((len(moves.row), 2), -1, dtype=np.int64)
    actions[:, mover] = moves.action
    found = shared.game.successors(states[moves.row], actions)
    if len(found.rows) != len(moves.row):
        raise GameError(f"{shared.game.spec.name} has chance moves; no certificate for it")
    short = np.flatnonzero(found.done & ((1.0 - 2.0 * shared.seat) * found.rewards < shared.enough))
    going = np.flatnonzero(~found.done)
    after = _distinct(shared.game, Layer(found.states[going], moves[going]))
    return Expansion(moves if shared.told and mover == shared.seat else moves[:0], moves[short], after)


def _own(shared: Shared, states: States, strict: Bools) -> Moves:
    """The policy's most probable move, and those that rounding might make it."""
    rows = query(shared.policy, shared.game, states, shared.seat)
    row, action = np.nonzero((rows >= rows.max(1, keepdims=True) * np.exp(-SLACK)) & (rows > 0))
    return _moves(row, action, strict[row] & (greedy_rows(rows)[row, action] > 0))


def _all(shared: Shared, states: States, strict: Bools) -> Moves:
    """Every move of the opponent."""
    row, action = np.nonzero(shared.game.legal(states, 1 - shared.seat))
    return _moves(row, action, strict[row])


def _moves(row: Ints, action: Ints, strict: Bools) -> Moves:
    return Moves(row.astype(np.int32), action.astype(np.int16), strict)


def _merged(game: Enumerable, parts: Sequence[Expansion], begins: Sequence[int]) -> Expansion:
    """One whole of parts in the order of their rows, each counted from where it ``begins``."""
    if len(parts) == 1 and not begins[0]:
        return parts[0]
    led = _joined([part.after.led for part in parts], begins)
    return Expansion(
        _joined([part.moves for part in parts], begins),
        _joined([part.short for part in parts], begins),
        _distinct(game, Layer(np.concatenate([part.after.states for part in parts]), led)),
    )


def _joined(parts: Sequence[Moves], begins: Sequence[int]) -> Moves:
    moved = [replace(part, row=part.row + begin) for part, begin in zip(parts, begins, strict=True)]
    return Moves(*(np.concatenate([getattr(part, name) for part in moved]) for name in ("row", "action", "strict")))


def _distinct(game: Enumerable, layer: Layer) -> Layer:
    """Of rows with equal positions the first strict one, or the first."""
    rules = game.base if isinstance(game, Quotient) else game  # the quotient's positions are canonical already
    return layer[first_of_each(rules.key(layer.states), layer.led.strict)]


def first_of_each(keys: Keys, preferred: Bools) -> Ints:
    """[U] of every key [N, 2] the first preferred row, or the first, in ascending order of key."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    if (words := _in_one_word(keys)) is not None:
        order = np.argsort(words)
        begins = _changes(words[order])
    else:
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        begins = _changes(keys[order, 0]) | _changes(keys[order, 1])
    rank = np.where(preferred, 0, len(keys)) + np.arange(len(keys))
    return np.asarray(np.minimum.reduceat(rank[order], np.flatnonzero(begins)) % len(keys))


def _in_one_word(keys: Keys) -> NDArray[np.uint64] | None:
    """[N] words that are equal and ordered as the keys [N, 2] are, or None where 64 bits are too few.

    The second word of a key is replaced by its rank, of which one ply of Connect Four has fewer than 2**16: boards
    with equal heights of their columns share it. One word sorts several times as fast as two.
    """
    ordered = np.sort(keys[:, 1])
    distinct = ordered[_changes(ordered)]
    bits = (len(distinct) - 1).bit_length()
    if int(keys[:, 0].max()).bit_length() + bits > 64:
        return None
    return np.asarray((keys[:, 0] << np.uint64(bits)) | np.searchsorted(distinct, keys[:, 1]).astype(np.uint64))


def _changes(ordered: NDArray[np.uint64]) -> Bools:
    """[N] where a word differs from the one before it; the first one does."""
    return np.append(True, ordered[1:] != ordered[:-1])
