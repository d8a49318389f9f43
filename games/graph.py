"""Every reachable position of a turn-based game, layer by layer, and what follows from knowing them all.

Values, best responses and reach are one sweep over the layers (backward induction; forward for reach).
Positions are keyed by the board, so transpositions merge: Tic-Tac-Toe has 4,520 positions to move in, not
its 255,168 games. For deterministic games without chance; a game that draws is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Enumerable, Floats, GameError, Ints, Response, States, Table, one_line, pack

LIMIT = 20_000_000
"""Most positions a graph holds unless told otherwise: a few gigabytes."""


@dataclass(frozen=True)
class Block:
    """Positions of one layer in which one seat moves: rows ``start:stop`` of the graph."""

    rows: slice
    seat: int
    ply: int


@dataclass(frozen=True)
class _Layer:
    """One layer while the graph is being built."""

    states: States  # [n, W]
    seat: Ints  # [n]
    legal: Bools  # [n, A]
    child: NDArray[np.int32]  # [n, A] row in the next layer; -1 illegal or over
    reward: Floats  # [n, A]


class GameGraph:
    """The reachable positions of ``game`` at which somebody moves, [S] rows ordered by ply, then seat.

    A position that can be reached at several plies has a row in each, with equal values; on boards the number of
    stones says the ply, so none has. ``limit`` bounds S; a larger game raises GameError instead of filling the memory.
    """

    def __init__(self, game: Enumerable, *, limit: int = LIMIT) -> None:
        self.game = game
        layers = _layers(game, limit)
        sizes = [len(layer.states) for layer in layers]
        first = np.concatenate([[0], np.cumsum(sizes)])
        self.states: States = np.concatenate([layer.states for layer in layers])
        self.seat: NDArray[np.int8] = np.concatenate([layer.seat for layer in layers]).astype(np.int8)  # [S]
        self.open: Bools = np.concatenate([layer.legal for layer in layers])  # [S, A] legal for whoever moves
        child = [np.where(la.child < 0, -1, la.child + first[i + 1]) for i, la in enumerate(layers)]
        self.child = np.concatenate(child).astype(np.int32)  # [S, A] row moved to; -1 illegal or over
        self.reward = _narrow(np.concatenate([layer.reward for layer in layers]))  # [S, A] seat 0's
        self.blocks = tuple(block for ply, la in enumerate(layers) for block in _blocks(la.seat, int(first[ply]), ply))
        self.layer_sizes = tuple(sizes)
        self.roots = np.arange(sizes[0])
        self._keys = [pack(game.key(layer.states)) for layer in layers]
        self._first = first

    # --- where things are ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.states)

    def legal(self, seat: int) -> Bools:
        """[S, A] legal actions where the seat moves."""
        return np.asarray(self.open & (self.seat == seat)[:, None])

    def index(self, states: States) -> Ints:
        """[N] rows of these positions; GameError if one is not a reachable position with a move to make."""
        keys = pack(self.game.key(states))
        order, sorted_keys = self._sorted
        at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
        missing = sorted_keys[at] != keys
        if missing.any():
            row = int(np.flatnonzero(missing)[0])
            raise GameError(
                f"not a reachable position of {self.game.spec.name} with a move to make: "
                + one_line(self.game.render(states[row]))
            )
        return order[at]

    @cached_property
    def _sorted(self) -> tuple[Ints, NDArray[np.uint64]]:
        keys = np.concatenate(self._keys)
        order = np.argsort(keys)
        return order, keys[order]

    # --- sweeps ----------------------------------------------------------------------------------------

    def value(self, profile: tuple[Table, Table]) -> float:
        """Seat 0's expected reward when both seats play their tables."""
        values = self._leaves()
        for block in reversed(self.blocks):
            values[block.rows] = _mean(profile[block.seat][block.rows], self._moves(block, values))
        return float(values[self.roots].mean())

    def respond(self, seat: int, against: Table) -> Response:
        """Exact best response to the other seat's table: maximise at own positions, average at the other's."""
        values = self._leaves()
        actions = np.full(self.child.shape, -np.inf)  # [S, A] own view
        sign = 1.0 - 2.0 * seat
        for block in reversed(self.blocks):
            moves = self._moves(block, values)
            if block.seat == seat:
                own = np.where(self.open[block.rows], sign * moves, -np.inf)
                actions[block.rows] = own
                values[block.rows] = sign * own.max(1)
            else:
                values[block.rows] = _mean(against[block.rows], moves)
        return Response(seat, float(values[self.roots].mean()), values[:-1], actions)

    def solve(self) -> tuple[Response, Response]:
        """Minimax by backward induction."""
        return self._minimax

    @cached_property
    def _minimax(self) -> tuple[Response, Response]:
        values = self._leaves()
        actions = np.full((2, *self.child.shape), -np.inf)
        for block in reversed(self.blocks):
            sign = 1.0 - 2.0 * block.seat
            own = np.where(self.open[block.rows], sign * self._moves(block, values), -np.inf)
            actions[block.seat][block.rows] = own
            values[block.rows] = sign * own.max(1)
        value = float(values[self.roots].mean())
        return Response(0, value, values[:-1], actions[0]), Response(1, value, values[:-1], actions[1])

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """[S] probability that a game between the two tables comes through each position."""
        reach = np.zeros(len(self) + 1)
        reach[self.roots] = 1.0 / len(self.roots)
        for block in self.blocks:
            flow = reach[block.rows, None] * profile[block.seat][block.rows]
            child = self.child[block.rows]
            there = child >= 0
            reach[:-1] += np.bincount(child[there], weights=flow[there], minlength=len(self))
        return reach[:-1]

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """Probabilities that seat 0 wins, draws and loses, for games whose only reward comes with their end."""
        flow = self.reach(profile)[:, None] * (profile[0] + profile[1])  # [S, A] of each move being made
        won, lost = float(flow[self.reward > 0].sum()), float(flow[self.reward < 0].sum())
        return won, max(0.0, 1.0 - won - lost), lost

    def optimal(self) -> Bools:
        """[S, A] the moves of the best, most urgent play: of the moves that keep the minimax value, those that
        win soonest, those that lose latest, all of them where the game is drawn.
        """
        values = self._minimax[0].values
        wanted = np.zeros(self.child.shape, dtype=np.bool_)
        left = np.zeros(len(self) + 1)  # plies to the end under such play, this move included
        leaves = np.append(values, 0.0)
        for block in reversed(self.blocks):
            own = (1.0 - 2.0 * block.seat) * values[block.rows]  # [n] the mover's own value
            same = self._moves(block, leaves) == values[block.rows, None]
            keeps = self.open[block.rows] & same
            plies = 1.0 + left[self.child[block.rows]]
            cost = np.where(keeps, np.sign(own)[:, None] * plies, np.inf)
            best = cost.min(1, keepdims=True)
            wanted[block.rows] = keeps & (cost == best)
            left[block.rows] = np.where(wanted[block.rows], plies, 0.0).max(1)
        return wanted

    def _leaves(self) -> Floats:
        """[S + 1] values to fill in; the last, where child -1 points, stays 0: a finished game brings no more."""
        return np.zeros(len(self) + 1)

    def _moves(self, block: Block, values: Floats) -> Floats:
        """[n, A] seat 0's value of each move of a block."""
        return np.asarray(values[self.child[block.rows]] + self.reward[block.rows])


def _mean(weights: Table, moves: Floats) -> Floats:
    """[n] expected value of the moves."""
    return np.asarray(np.einsum("na,na->n", weights, moves))


def _narrow(rewards: Floats) -> NDArray[Any]:
    """Rewards in one byte each where they are small whole numbers."""
    small = rewards.astype(np.int8)
    return small if np.array_equal(small, rewards) else rewards


def _blocks(seats: Ints, first: int, ply: int) -> list[Block]:
    """The layer's rows, which are ordered by seat, as one block per seat."""
    split = int((seats == 0).sum())
    spans = ((0, 0, split), (1, split, len(seats)))
    return [Block(slice(first + a, first + b), seat, ply) for seat, a, b in spans if b > a]


def _layers(game: Enumerable, limit: int) -> list[_Layer]:
    """Breadth first from the starts: each layer's moves, and the next layer as the distinct positions they reach."""
    layers: list[_Layer] = []
    states = _by_seat(game, _distinct(game, game.starts())[0])[0]
    total = 0
    while len(states):
        total += len(states)
        if total > limit:
            raise GameError(f"{game.spec.name} has more than {limit:,} positions; it is too large to enumerate")
        seat, legal = _movers(game, states)
        row, action = np.nonzero(legal)
        moves = np.full((len(row), 2), -1, dtype=np.int64)
        moves[np.arange(len(row)), seat[row]] = action
        found = game.successors(states[row], moves)
        if len(found.rows) != len(row) or (found.probability != 1.0).any():
            raise GameError(f"{game.spec.name} has chance moves; a GameGraph holds games without chance")
        reward = np.zeros(legal.shape)
        reward[row, action] = found.rewards
        going = np.flatnonzero(~found.done)
        following, inverse = _distinct(game, found.states[going])
        following, rank = _by_seat(game, following)
        child = np.full(legal.shape, -1, dtype=np.int32)
        child[row[going], action[going]] = rank[inverse]
        layers.append(_Layer(states, seat, legal, child, reward))
        states = following
    return layers


def _movers(game: Enumerable, states: States) -> tuple[Ints, Bools]:
    """The one seat that moves at each position [n] and its legal actions [n, A]."""
    acting = game.acting(states)
    if (acting.sum(1) != 1).any():
        raise GameError(f"{game.spec.name} is not turn-based; a GameGraph needs exactly one seat to move at a time")
    seat = acting[:, 1].astype(np.int64)
    legal = game.legal(states, 0) | game.legal(states, 1)
    return seat, legal


def _distinct(game: Enumerable, states: States) -> tuple[States, Ints]:
    """One state per key, and for each input row the place of its state."""
    _, at, inverse = np.unique(pack(game.key(states)), return_index=True, return_inverse=True)
    return states[at], inverse


def _by_seat(game: Enumerable, states: States) -> tuple[States, Ints]:
    """The states with seat 0's positions first, and for each input row its new place."""
    order = np.argsort(game.acting(states)[:, 1], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return states[order], rank
