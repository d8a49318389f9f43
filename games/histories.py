"""The tree of a game's histories, for policies that depend on how a position was reached: each history is a row.

A graph merges histories that lead to one position, which is exact for every policy of positions. A policy that depends
on the history (most of OpenSpiel's do) needs the tree of histories, which has a row for each of its decisions; best
responses in it are what OpenSpiel's ``nash_conv`` computes. The tree is unfolded from the graph, without calling the
rules again. It grows fast: Tic-Tac-Toe has 4,520 positions to move in and 294,778 histories of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from games.adapters.replay import Replayed
from games.base import Bools, Enumerable, Floats, GameError, Ints, Keys, Model, Rng, Spec, States, Successors
from games.graph import GameGraph
from games.layers import Layer
from games.symmetry import Quotient

LIMIT = 8_000_000
"""Most moves (histories times actions) of a tree: a gigabyte with its tables, and minutes for a policy that is asked
one history after the other."""


class Histories:
    """A game whose states are histories: ``int64 [N, plies]``, the moves of both seats, padded with -1.

    Observations and keys are those of the positions that the moves lead to, so that a policy of positions answers as it
    does in ``base``; a policy of histories reads the moves.

    Args:
        base: a game without chance and with one first position.

    Raises:
        GameError: for a game with several first positions.
    """

    def __init__(self, base: Enumerable) -> None:
        self.base = base
        self._start = base.starts()
        if len(self._start) != 1:
            raise GameError(
                f"{base.spec.name} starts in {len(self._start)} positions; moves alone do not tell them apart"
            )

    @property
    def spec(self) -> Spec:
        return self.base.spec

    def positions(self, states: States) -> States:
        """The positions of ``base`` that histories lead to.

        Args:
            states: int64 [N, plies].

        Returns:
            [N, W] states of ``base``.
        """
        if isinstance(self.base, Replayed):  # there a position is its moves, too
            padding = np.full((len(states), self.spec.longest - states.shape[1]), -1, dtype=states.dtype)
            return np.concatenate([states, padding], axis=1)
        at = np.repeat(self._start, len(states), axis=0)
        for move in states.T:  # [N] one ply of every row
            rows = np.flatnonzero(move >= 0)
            if not len(rows):
                break
            actions = np.where(self.base.acting(at[rows]), move[rows, None], -1)
            at[rows] = self.base.step(at[rows], actions, rng=_NO_CHANCE)[0]
        return at

    def start(self, n: int, *, rng: Rng) -> States:
        return np.full((n, self.spec.longest), -1, dtype=np.int64)

    def acting(self, states: States) -> Bools:
        return self.base.acting(self.positions(states))

    def legal(self, states: States, seat: int) -> Bools:
        return self.base.legal(self.positions(states), seat)

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        return self.base.observe(self.positions(states), seat)

    def key(self, states: States, seat: int | None = None) -> Keys:
        return self.base.key(self.positions(states), seat)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        before = self.positions(states)
        _, rewards, done = self.base.step(before, actions, rng=rng)
        after = np.concatenate([states, np.full((len(states), 1), -1, dtype=states.dtype)], axis=1)
        played = np.where(self.base.acting(before)[:, 1], actions[:, 1], actions[:, 0])
        after[np.arange(len(states)), (states >= 0).sum(1)] = played
        return after[:, : self.spec.longest], rewards, done

    def render(self, state: States) -> str:
        return self.base.render(self.positions(state[None])[0])

    def starts(self) -> States:
        return self.start(1, rng=_NO_CHANCE)

    def successors(self, states: States, actions: Ints) -> Successors:
        after, rewards, done = self.step(states, actions, rng=_NO_CHANCE)
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))


class HistoryTree(GameGraph):
    """The histories of a graph that have a move to make: [S] rows by ply, then seat.

    ``position`` [S] is the row of each in the graph.

    Args:
        graph: a graph that has a tree (``has_tree``).

    Raises:
        GameError: for any other graph.
    """

    def __init__(self, graph: GameGraph) -> None:
        if not has_tree(graph):
            raise GameError(f"{graph.game.spec.name} has no tree of histories, or one of more than {LIMIT:,} moves")
        self.graph = graph
        layers, positions = zip(*_unfold(graph), strict=True)
        self._assemble(Histories(graph.game), list(layers))
        self.position: Ints = np.concatenate(positions)

    @property
    def folded(self) -> tuple[Model, Ints]:
        """The graph, and the row there of each history."""
        return self.graph, self.position

    def index(self, states: States) -> Ints:
        """The rows of histories.

        Args:
            states: int64 [N, plies].

        Returns:
            int64 [N].

        Raises:
            GameError: for a history that is not there.
        """
        width = self.states.shape[1]
        rows = {row.tobytes(): place for place, row in enumerate(self.states)}
        found = [rows.get(np.ascontiguousarray(row[:width], dtype=np.int64).tobytes(), -1) for row in states]
        if -1 in found:
            raise GameError(f"not a history of {self.game.spec.name} with a move to make: {states[found.index(-1)]}")
        return np.array(found, dtype=np.int64)


def tree_of(model: Model) -> HistoryTree | None:
    """The tree of a model's histories; the model itself if it is one.

    Args:
        model: any model.

    Returns:
        The tree; None where the model has none (``has_tree``).
    """
    if isinstance(model, HistoryTree):
        return model
    return HistoryTree(model) if isinstance(model, GameGraph) and has_tree(model) else None


def has_tree(graph: GameGraph) -> bool:
    """Whether the histories of a graph can be listed.

    They can if the game has one first position, its positions are not canonical images, and ``LIMIT`` is kept.

    Args:
        graph: the graph.
    """
    if isinstance(graph.game, Quotient) or len(graph.roots) != 1:
        return False
    return count_histories(graph) * graph.game.spec.actions <= LIMIT


def count_histories(graph: GameGraph) -> float:
    """How many histories lead to a position with a move to make.

    Args:
        graph: the graph.

    Returns:
        The number; inexact above 2**53.
    """
    every = np.ones((1, 1)).repeat(graph.game.spec.actions, 1).repeat(len(graph), 0)
    return float(graph.reach((every, every)).sum())


def _unfold(graph: GameGraph) -> Iterator[tuple[Layer, Ints]]:
    """The tree's layers, each with its rows' positions in the graph."""
    position, moves, total = graph.roots, np.zeros((1, 0), dtype=np.int64), 0
    plies = len(graph.layer_sizes)
    while len(position):
        total += len(position)
        reached = graph.successor[position]  # [n, A] rows of the graph
        row, action = np.nonzero(reached >= 0)
        order = np.argsort(graph.seat[reached[row, action]], kind="stable")
        row, action = row[order], action[order]
        successor = np.full(reached.shape, -1, dtype=np.int32)
        successor[row, action] = total + np.arange(len(row))
        words = np.arange(total - len(position), total, dtype=np.uint64)
        states = np.pad(moves, ((0, 0), (0, plies - moves.shape[1])), constant_values=-1)
        legal, reward = graph.legal_mask[position].T, graph.reward[position].T
        yield Layer(words, states, graph.seat[position], legal, successor.T, reward), position
        position, moves = reached[row, action].astype(np.int64), np.column_stack([moves[row], action])


_NO_CHANCE = np.random.default_rng(0)  # these games draw nothing; step() is only given something to hold
