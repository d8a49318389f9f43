"""Layers of a walk over the positions that a policy's opponent can force: from one ply to the next.

A shard is a range of a layer's rows. Its worker queries the policy, or takes every move of the opponent, makes the
moves and keeps the first of equal positions. The driving process only merges the shards' results. Layers are ordered by
key, and the previous layer determines which of equal positions is kept, so the division into shards does not affect
results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy, greedy_rows, query
from games.base import Bools, Enumerable, GameError, Ints, Keys, States
from games.symmetry import base_of
from mail.data.drops import most_probable
from mail.evaluation.tabulate import WAVE
from mail.parallel.pool import Pool

QUERIED, EXPANDED = 4_096, 32_768
"""Positions per shard where the policy moves, and where its opponent moves: a tenth of a second for a network."""


@dataclass(frozen=True)
class Moves:
    """Moves out of a layer; m rows. Small integer types, because they travel between processes."""

    row: NDArray[np.int32]  # [m] the position's row in the layer
    action: NDArray[np.int16]  # [m]
    strict: Bools  # [m] whether all the policy's moves up to here are its most probable ones

    def __getitem__(self, rows: Ints | slice) -> Moves:
        return Moves(self.row[rows], self.action[rows], self.strict[rows])


@dataclass(frozen=True)
class Layer:
    """Distinct positions of one ply, in ascending order of key; n rows."""

    states: States  # [n, W]
    origin: Moves  # [n] the move from the previous layer that leads here

    def __getitem__(self, rows: Ints | slice) -> Layer:
        return Layer(self.states[rows], self.origin[rows])


@dataclass(frozen=True)
class Shared:
    """What the shards of a walk share."""

    policy: Policy
    game: Enumerable
    seat: int
    enough: float
    """The smallest payoff of the seat at which a finished game does not refute."""
    keep_moves: bool
    """Whether to return the policy's moves, beside their successors."""


@dataclass(frozen=True)
class Expansion:
    """The successors of a layer or of a shard of one."""

    moves: Moves
    """The policy's moves by row and action; empty where the opponent moves or without ``keep_moves``."""
    short: Moves
    """The moves of either seat that end the game with less than ``enough``, by row and action."""
    after: Layer
    """The positions after the other moves. Of moves to equal positions, the first, strict ones preferred."""


def first_layer(states: States) -> Layer:
    """The layer of a walk's single start.

    Args:
        states: [1, W] the start.
    """
    return Layer(states, Moves(np.zeros(1, np.int32), np.zeros(1, np.int16), np.ones(1, np.bool_)))


def expand_layer(pool: Pool, shared: Shared, layer: Layer) -> Expansion:
    """Expand a layer, its shards through the pool.

    Args:
        pool: Expands shards.
        shared: Game, policy and seat.
        layer: The layer.

    Raises:
        GameError: The game is not strictly turn-based, or has chance moves.
    """
    size = QUERIED if shared.game.acting(layer.states[:1])[0, shared.seat] else EXPANDED
    begins = range(0, len(layer.states), size)
    waves = []
    for first in range(0, len(begins), WAVE):  # bounds the number of shards in flight
        wave = begins[first : first + WAVE]
        shards = [(layer.states[at : at + size], layer.origin.strict[at : at + size]) for at in wave]
        waves.append(_merged(shared.game, pool.map(expand, shared, shards), wave))
    return _merged(shared.game, waves, [0] * len(waves))


def expand(shared: Shared, shard: tuple[States, Bools]) -> Expansion:
    """A pool's task: expand some rows of a layer. Rows are counted from the first of them.

    Args:
        shared: Game, policy and seat.
        shard: [n, W] the rows' positions, and bool [n] whether only strictly greedy moves lead there.

    Raises:
        GameError: Unless the same single seat moves at all of them and the game has no chance moves.
    """
    states, strict = shard
    acting = shared.game.acting(states)
    mover = int(acting[0, 1])
    if not acting[:, mover].all() or acting[:, 1 - mover].any():
        raise GameError(f"{shared.game.spec.name} is not strictly turn-based, which certificates need")
    moves = _own(shared, states, strict) if mover == shared.seat else _all(shared, states, strict)
    actions = np.full((len(moves.row), 2), -1, dtype=np.int64)
    actions[:, mover] = moves.action
    outcome = shared.game.successors(states[moves.row], actions)
    if len(outcome.rows) != len(moves.row):
        raise GameError(f"{shared.game.spec.name} has chance moves; certificates need a game without")
    short = np.flatnonzero(outcome.done & ((1.0 - 2.0 * shared.seat) * outcome.rewards < shared.enough))
    going = np.flatnonzero(~outcome.done)
    after = _distinct(shared.game, Layer(outcome.states[going], moves[going]))
    return Expansion(moves if shared.keep_moves and mover == shared.seat else moves[:0], moves[short], after)


def _own(shared: Shared, states: States, strict: Bools) -> Moves:
    """The policy's most probable moves, including those that are so up to rounding."""
    rows = query(shared.policy, shared.game, states, shared.seat)
    row, action = np.nonzero(most_probable(rows))
    return _moves(row, action, strict[row] & (greedy_rows(rows)[row, action] > 0))


def _all(shared: Shared, states: States, strict: Bools) -> Moves:
    """All moves of the opponent."""
    row, action = np.nonzero(shared.game.legal(states, 1 - shared.seat))
    return _moves(row, action, strict[row])


def _moves(row: Ints, action: Ints, strict: Bools) -> Moves:
    return Moves(row.astype(np.int32), action.astype(np.int16), strict)


def _merged(game: Enumerable, parts: Sequence[Expansion], begins: Sequence[int]) -> Expansion:
    """The expansion of a whole layer from parts in the order of their rows; each part's rows start at ``begins``."""
    if len(parts) == 1 and not begins[0]:
        return parts[0]
    origin = _joined([part.after.origin for part in parts], begins)
    return Expansion(
        _joined([part.moves for part in parts], begins),
        _joined([part.short for part in parts], begins),
        _distinct(game, Layer(np.concatenate([part.after.states for part in parts]), origin)),
    )


def _joined(parts: Sequence[Moves], begins: Sequence[int]) -> Moves:
    moved = [replace(part, row=part.row + begin) for part, begin in zip(parts, begins, strict=True)]
    return Moves(*(np.concatenate([getattr(part, name) for part in moved]) for name in ("row", "action", "strict")))


def _distinct(game: Enumerable, layer: Layer) -> Layer:
    """Of rows with equal positions, keep the first strict one, or else the first."""
    rules = base_of(game)  # positions of a quotient are canonical already
    return layer[first_of_each(rules.key(layer.states), layer.origin.strict)]


def first_of_each(keys: Keys, preferred: Bools) -> Ints:
    """The first row of every distinct key, a preferred one if there is one.

    Args:
        keys: uint64 [N, 2].
        preferred: bool [N].

    Returns:
        int64 [U] rows, in ascending order of key.
    """
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
    """[N] words with the equality and order of the keys [N, 2]; None if 64 bits are too few.

    The second word of a key is replaced by its rank. One ply of Connect Four has fewer than 2**16 distinct second
    words, because boards with equal column heights share it. Sorting one word is several times as fast as sorting two.
    """
    ordered = np.sort(keys[:, 1])
    distinct = ordered[_changes(ordered)]
    bits = (len(distinct) - 1).bit_length()
    if int(keys[:, 0].max()).bit_length() + bits > 64:
        return None
    return np.asarray((keys[:, 0] << np.uint64(bits)) | np.searchsorted(distinct, keys[:, 1]).astype(np.uint64))


def _changes(ordered: NDArray[np.uint64]) -> Bools:
    """[N] whether a word differs from the one before it; True for the first."""
    return np.append(True, ordered[1:] != ordered[:-1])
