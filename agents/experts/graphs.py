"""Exact experts of games with a graph: what they do where several moves keep the value.

``first`` and ``uniform`` win as soon and lose as late as they can. On a graph that keeps no table best moves are
computed where the expert is asked. ``values`` and ``few`` mind the value alone: ``values`` gives all moves that keep
it, ``few`` one of them (``agents.experts.few``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from agents.experts.few import Graph, Moves, fewest
from agents.experts.lookahead import Lookahead, kept_rows
from agents.policy import Policy, PolicyError, Seats, uniform_rows
from agents.solver import Solver, load, solvable
from games.base import Bools, Floats, Game, Ints, Known, States, model_and_game
from games.graph import GameGraph

EXACT = (*GameGraph.ties, "values", "few")
"""The experts of a graph."""


class OnGraph:
    """A policy whose answers follow from a graph; for both seats, picklable.

    Args:
        graph: the exact model.
        name: ``first``, ``uniform`` or ``values``.
    """

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        acts = legal.any(1)
        best: Bools = np.zeros_like(legal)
        best[acts] = self._moves(seat, self.graph.index(states[acts]))
        return uniform_rows(best & (best.cumsum(1) == 1) if self.name == "first" else best)

    def _moves(self, seat: int, rows: Ints) -> Bools:
        return Moves(self.graph, rows).keep() if self.name == "values" else self.graph.best_moves(seat, rows)


class Chosen:
    """One action for every position of a graph; for one seat, picklable.

    Args:
        graph: the exact model.
        choice: int8 [S] the actions.
    """

    def __init__(self, graph: Graph, choice: NDArray[np.int8]) -> None:
        self.graph, self.choice = graph, choice

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = np.zeros((len(states), game.spec.actions))
        acts = np.flatnonzero(game.legal(states, seat).any(1))
        rows[acts, self.choice[self.graph.index(states[acts])]] = 1.0
        return rows


def expert_of(graph: Graph, name: str) -> Seats:
    """An exact expert pair.

    Args:
        graph: the game's, or its quotient's.
        name: one of ``EXACT``.
    """
    if name == "few":
        return Chosen(graph, fewest(graph, 0)[0]), Chosen(graph, fewest(graph, 1)[0])
    expert = OnGraph(graph, name)
    return expert, expert


def values(known: Known) -> Seats:
    """The expert ``values``: all moves that keep the value, alike.

    Args:
        known: a graph, or a game that the solver knows.

    Raises:
        PolicyError: for any other game, and where the solver is not installed.
    """
    return _made("values", known, lambda: Solver(kept_rows))


def few(known: Known) -> Seats:
    """The expert ``few``: of the moves that keep the value, the one after which the fewest positions need knowing.

    Args:
        known: a graph, or a game that the solver knows.

    Raises:
        PolicyError: for any other game, and where the solver is not installed.
    """
    return _made("few", known, Lookahead)


def _made(name: str, known: Known, by_solver: Callable[[], Policy]) -> Seats:
    """The expert of a graph (graphs alone have layers), or by the solver. PolicyError for any other game."""
    model, game = model_and_game(known)
    if hasattr(model, "layer_sizes"):
        return expert_of(cast(Graph, model), name)
    if not solvable(game):
        raise PolicyError(
            f"the expert {name!r} plays turn-based games that are enumerated as a graph, and connect4 on 6x7"
        )
    load()
    expert = by_solver()
    return expert, expert
