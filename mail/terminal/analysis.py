"""The values of the moves of a position, and one line about a move that was made.

``Oracle`` is the protocol that an exact model and a solver share. Without either there is no oracle, and values are
omitted. Values are from the mover's view. In games with simultaneous moves, a move's value is its payoff against the
other seat's equilibrium strategy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np

from agents.solver import installed, scores, solvable
from agents.suboptimal import graph_of
from agents.suboptimal import scores as scores_of_graph
from games.base import Bools, Floats, Game, Ints, Model, States, Table
from mail.terminal.boards import View

LARGEST = 50_000_000  # entries of a graph whose moves to the end are counted
CLOSE = 1e-9  # values that differ by less are equal up to floating-point rounding


class Oracle(Protocol):
    """A source of exact move values."""

    def values(self, states: States, seat: int) -> Floats:
        """The game's value for the seat after each of its moves.

        Args:
            states: [N, W] positions at which the seat moves.
            seat: The seat.

        Returns:
            float64 [N, A]; -inf where illegal.
        """

    def best(self, states: States, seat: int) -> Bools:
        """The moves that an expert may play.

        Args:
            states: [N, W] positions at which the seat moves.
            seat: The seat.

        Returns:
            bool [N, A].
        """

    def mix(self, states: States, seat: int) -> Floats | None:
        """An equilibrium's probabilities, where equilibria may have to randomize.

        Args:
            states: [N, W] positions at which the seat moves.
            seat: The seat.

        Returns:
            float64 [N, A]; None in games where they need not.
        """

    def scores(self, states: States, seat: int) -> Floats | None:
        """How soon a win or loss comes, as ``agents.suboptimal`` counts.

        Args:
            states: [N, W] positions at which the seat moves.
            seat: The seat.

        Returns:
            float64 [N, A], -inf where illegal; None if that is not known.
        """


class ModelOracle:
    """Values from an exact model.

    Args:
        model: The exact model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    def values(self, states: States, seat: int) -> Floats:
        return np.asarray(self.model.solve()[seat].action_values[self.model.index(states)])

    def best(self, states: States, seat: int) -> Bools:
        return self.model.best_moves(seat, self.model.index(states))

    def mix(self, states: States, seat: int) -> Floats | None:
        mixed = self.model.solve()[seat].mixed
        return None if mixed is None else np.asarray(mixed[self.model.index(states)])

    def scores(self, states: States, seat: int) -> Floats | None:
        if self._scores is None:
            return None
        return np.asarray(self._scores[self.model.index(states)])

    @cached_property
    def _scores(self) -> Table | None:
        """[S, A] of the whole game."""
        graph = graph_of(self.model)
        if graph is None or not graph.game.spec.win_loss or graph.successor.size > LARGEST:
            return None
        return scores_of_graph(graph)


class SolverOracle:
    """Values of 6x7 Connect Four from the solver: the signs of its scores. The moves with the highest
    score are best.

    Args:
        game: Connect Four.
    """

    def __init__(self, game: Game) -> None:
        self.game = game

    def values(self, states: States, seat: int) -> Floats:
        scored = self.scores(states, seat)
        return np.where(np.isfinite(scored), np.sign(scored), -np.inf)

    def best(self, states: States, seat: int) -> Bools:
        scored = self.scores(states, seat)
        return np.asarray(np.isfinite(scored) & (scored == scored.max(1, keepdims=True)))

    def mix(self, states: States, seat: int) -> Floats | None:
        return None

    def scores(self, states: States, seat: int) -> Floats:
        scored = scores(self.game, states)
        return np.where(self.game.legal(states, seat), scored, -np.inf)


def oracle(game: Game, model: Callable[[], Model | None]) -> Oracle | None:
    """The oracle for a game; None if there is none.

    Args:
        game: The game.
        model: Builds its exact model; called only for games without a solver.
    """
    if solvable(game):
        return SolverOracle(game) if installed() else None
    known = model()
    return None if known is None else ModelOracle(known)


def moves_to_end(longest: int, made: int, scores: Floats) -> Ints:
    """How many more moves of the winner a win or loss takes under best play, this one counted where it is the winner's.

    A score is 1 plus the winner's stones that are left when the game ends (``agents.suboptimal``): with L the longest
    game, the ending move is number L - 2 (score - 1), or the one before, whichever is the winner's.

    Args:
        longest: L.
        made: Moves made before this one.
        scores: [A] of the mover's moves.

    Returns:
        [A] 1 for a win at once; 0 where the game is drawn, or the move is illegal.
    """
    found = np.zeros(len(scores), dtype=np.int64)
    for action in np.flatnonzero(np.isfinite(scores) & (scores != 0)):
        last = longest - 2 * (int(abs(scores[action])) - 1)
        first = made + (1 if scores[action] > 0 else 2)  # the winner's first move from here on
        last -= (last - first) % 2
        found[action] = (last - first) // 2 + 1
    return found


def verdict(game: Game, legal: Bools, values: Floats, action: int) -> str:
    """One line about an action.

    Args:
        game: The game.
        legal: bool [A] the mover's legal actions.
        values: float64 [A] their values, from the mover's view.
        action: The action.
    """
    choices = values[legal]
    kept, got = float(choices.max()), float(values[action])
    best = int((choices >= kept - CLOSE).sum())
    if len(choices) == 1:
        return "the only legal move"
    if not game.spec.win_loss:
        if got < kept - CLOSE:
            return f"gives away {kept - got:.3f}"
        return "the only best move" if best == 1 else "one of the best moves"
    if got < kept - CLOSE:
        if kept > 0:
            return "throws away a win: it is now a draw" if got == 0 else "turns a win into a loss"
        return "throws away a draw: it now loses"
    if kept < 0:
        return "loses, as every move does"
    only = "the only move that " if best == 1 and len(choices) > 1 else ""
    return only + ("wins" if kept > 0 else "draws") if only else "keeps the win" if kept > 0 else "keeps the draw"


def wording(display: View, best: Bools) -> str:
    """The best moves as words, such as ``cell 1, cell 3``, by the names of ``display``.

    Args:
        display: The names of moves.
        best: bool [A].
    """
    return ", ".join(display.move(int(action)) for action in np.flatnonzero(best))
