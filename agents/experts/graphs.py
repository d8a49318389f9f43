"""The exact experts of a board whose graph keeps no table: best moves are computed where the expert is asked."""

from __future__ import annotations

from agents.policy import Seats, uniform_rows
from games.base import Floats, Game, States
from games.plies.graph import CompactGraph


class BestMoves:
    """Minimax play that wins as soon and loses as late as it can; for both seats, picklable.

    Args:
        graph: the board's, or its quotient's.
        ties: what it does among equally good moves: ``first`` for the lowest, ``uniform`` for all alike.
    """

    def __init__(self, graph: CompactGraph, ties: str) -> None:
        self.graph, self.ties = graph, ties

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        acts = legal.any(1)
        best = legal & False
        best[acts] = self.graph.best_moves(seat, self.graph.index(states[acts]))
        return uniform_rows(best if self.ties == "uniform" else best & (best.cumsum(1) == 1))


def best_moves(graph: CompactGraph, ties: str) -> Seats:
    """The exact expert pair of a board.

    Args:
        graph: the board's, or its quotient's.
        ties: ``first`` or ``uniform``.
    """
    expert = BestMoves(graph, ties)
    return expert, expert
