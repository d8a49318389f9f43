"""The expert ``few``: of the moves that keep the game's value, the one after which the fewest positions need knowing.

An equilibrium is a choice among moves after which a seat still gets the value of the game, and it decides how much has
to be known to play it. A position needs *knowing* if a move there gives that value away, and the rules do not answer by
themselves (a win at once, else a block of one, ``agents.tactics``). With m(s) = 1 at such a position of the seat and 0
at any other,

    f(s) = m(s) + min over moves a that keep the value of  F(s, a),
    F(s, a) = sum over the opponent's replies of f(position after it), 0 where the game is over.

A seat that was given more than the game's value may give it back. Where it cannot get the game's value any more, it
keeps what the position is worth; where the rules answer, the minimum is over their answers. This counts a tree: a
position that is reached in two ways counts twice. That is why one pass from the last ply to the first is exact, and why
another choice may have fewer *distinct* positions (docs/algorithms.md, "Which equilibrium is imitated").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agents.tactics import forced
from games.base import Bools, Floats, Ints
from games.graph import GameGraph
from games.layers import chunks
from games.plies.graph import CompactGraph
from games.progress import report
from games.symmetry import board_behind

Graph = GameGraph | CompactGraph


class Moves:
    """The moves at some positions of a graph, N of them.

    Args:
        graph: the exact model.
        rows: int64 [N] its rows.
    """

    def __init__(self, graph: Graph, rows: Ints) -> None:
        self.graph, self.rows = graph, rows
        self.legal, successor, reward = graph.moves(rows)
        self.successor = successor
        """[N, A] the rows moved to; -1 where that is illegal or ends the game."""
        self._values = graph.solve()[0].values
        self._worth = np.where(successor >= 0, self._values[successor], 0) + reward

    def keep(self) -> Bools:
        """[N, A] the moves of whoever acts that keep the value of the position."""
        return np.asarray(self.legal & (self._worth == self._values[self.rows][:, None]))

    def err(self, seat: int) -> Bools:
        """The moves after which the seat gets less than the value of the game.

        Args:
            seat: 0 or 1, who acts at all the rows.

        Returns:
            bool [N, A].
        """
        sign = 1.0 - 2.0 * seat
        return np.asarray(self.legal & (sign * self._worth < sign * self.graph.solve()[0].value))

    def suffice(self, seat: int) -> Bools:
        """The moves after which the seat gets the value of the game or more; where there are none, those that keep the
        position's value.

        Args:
            seat: 0 or 1, who acts at all the rows.

        Returns:
            bool [N, A].
        """
        enough = self.legal & ~self.err(seat)
        return np.where(enough.any(1, keepdims=True), enough, self.keep())


Weigh = Callable[[Graph, Moves, Bools, int], Floats]
"""``weigh(graph, moves, answered, seat)`` gives float64 [N], what each decision of the seat counts; ``answered`` [N, A]
are the moves that the rules answer with."""


def needs_knowing(graph: Graph, moves: Moves, answered: Bools, seat: int) -> Floats:
    """Where the seat can err and the rules do not answer: m in the recursion.

    Args:
        graph: the exact model.
        moves: at N positions of the seat.
        answered: bool [N, A] the moves that the rules answer with.
        seat: 0 or 1.

    Returns:
        float64 [N], 1 or 0.
    """
    return np.asarray(moves.err(seat).any(1) & ~answered.any(1), dtype=np.float64)


def fewest(graph: Graph, seat: int, weigh: Weigh = needs_knowing) -> tuple[NDArray[np.int8], float]:
    """The moves after which the fewest positions need knowing, the lowest of equals.

    Args:
        graph: the exact model.
        seat: who plays them; the other seat does anything.
        weigh: what a decision of the seat counts.

    Returns:
        int8 [S] an action for every row, which means nothing where the seat does not move; and f at the start (the mean
        over the starts), in float64.
    """
    sizes = graph.layer_sizes
    choice = np.zeros(len(graph), dtype=np.int8)
    after: Floats = np.zeros(1)  # f of the next layer, and the 0 of a finished game
    for ply in reversed(range(len(sizes))):
        stop = sum(sizes[: ply + 1])
        start = stop - sizes[ply]
        count = np.zeros(sizes[ply] + 1)
        for part in chunks(slice(start, stop)):
            report(len(graph) - part.stop, len(graph), "positions", step="count")
            rows = np.arange(part.start, part.stop)
            mine = np.asarray(graph.seat[rows] == seat)
            own, other = rows[mine], rows[~mine]
            count[own - start], choice[own] = _least(graph, own, seat, weigh, after, stop)
            count[other - start] = _following(Moves(graph, other), after, stop).sum(1)
        after = count
    return choice, float(after[:-1].mean())


def _least(graph: Graph, rows: Ints, seat: int, weigh: Weigh, after: Floats, stop: int) -> tuple[Floats, Ints]:
    """f and the action at rows [N] of the seat, from f of the next layer, whose first row is ``stop``."""
    if not len(rows):
        return np.zeros(0), rows
    moves = Moves(graph, rows)
    kept = moves.suffice(seat)
    answered = _answered(graph, rows, seat)
    right = kept & answered
    kept = np.where(right.any(1, keepdims=True), right, kept)
    cost = np.where(kept, _following(moves, after, stop), np.inf)
    return weigh(graph, moves, answered, seat) + cost.min(1), cost.argmin(1)


def _answered(graph: Graph, rows: Ints, seat: int) -> Bools:
    """[N, A] the moves that the rules answer with; none but on boards."""
    if board_behind(graph.game) is None:
        return np.zeros((len(rows), graph.game.spec.actions), dtype=np.bool_)
    return forced(graph.game, graph.states[rows], seat)


def _following(moves: Moves, after: Floats, stop: int) -> Floats:
    """[N, A] f of the position after each move; 0 where that is illegal or ends the game."""
    return np.asarray(after[np.where(moves.successor >= 0, moves.successor - stop, -1)])
