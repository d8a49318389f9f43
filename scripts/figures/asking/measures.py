"""Games with their exact models, and what a clone loses there."""

from __future__ import annotations

from functools import cache

import numpy as np

from agents.policy import Policy, greedy_rows, uniform_rows
from games.base import Floats, Ints, Model
from games.graph import GameGraph
from games.plies.graph import CompactGraph
from mail.evaluation.coverage import CoverageBounds, coverage_bounds
from mail.explore.mistakes.walk import NONE, Region, walk
from mail.explore.refute import Reachable
from mail.training.context import GameContext, game_context

SOFT = 0.02
TARGETS = {"greedy": 0.0, "soft": SOFT}
"""Exploitability to be reached by the greedy clone, and by the clone as it is."""
SMALLEST = float(np.finfo(np.float64).tiny)
"""Moves with a joint probability below this change no exploitability."""
FINEST = 1e-6
"""Moves of a clone with a joint probability below this are never followed, but taken for lost."""


@cache
def known(game: str, symmetry: bool) -> GameContext:
    return game_context(game, symmetry=symmetry)


def graph_of(model: Model | None) -> GameGraph:
    """The model of a game that is enumerated."""
    assert isinstance(model, GameGraph)  # what is bounded here are ways through a graph
    return model


@cache
def bounds_of(game: str, symmetry: bool) -> tuple[CoverageBounds, CoverageBounds]:
    """The labels there are and the least games, for each seat's expert ``first``."""
    graph = graph_of(known(game, symmetry).learned_model)
    table = graph.equilibrium("first")[0]
    return coverage_bounds(graph, table, 0), coverage_bounds(graph, table, 1)


@cache
def reachable(game: str, symmetry: bool, seat: int, expert: str = "first") -> frozenset[bytes]:
    """The keys of the decisions that the seat's expert can be led to."""
    graph = graph_of(known(game, symmetry).learned_model)
    profile = [uniform_rows(graph.legal(0)), uniform_rows(graph.legal(1))]
    profile[seat] = graph.equilibrium(expert)[0]
    rows = np.flatnonzero((graph.reach((profile[0], profile[1])) > 0) & (graph.seat == seat))
    return frozenset(key.tobytes() for key in graph.game.key(graph.states[rows], seat))


def measured(at: GameContext, policy: Policy, seat: int) -> dict[str, float] | None:
    """Exploitability of the clone of a seat; on boards without tables None where greedy play loses something."""
    if at.learned_model is not None:
        return measure(at, policy, seat)
    graph = at.plies("first", learned=True)
    assert graph is not None
    return measure_by_plies(graph, policy, seat)


def measure(at: GameContext, policy: Policy, seat: int) -> dict[str, float]:
    """Exploitability of the greedy clone, exact; of the stochastic clone, exact where it is at most SOFT."""
    graph = graph_of(at.learned_model)

    def query(rows: Ints) -> Floats:
        return policy.probabilities(graph.game, graph.states[rows], seat)

    greedy = Reachable.of(graph, lambda rows: greedy_rows(query(rows)), seat, 0.5).refute().loss
    soft = Reachable.of(graph, query, seat, 1e-3).refute().loss
    if soft <= SOFT:
        soft = Reachable.of(graph, query, seat, SMALLEST).refute().loss
    return {"greedy": greedy, "soft": soft}


def measure_by_plies(graph: CompactGraph, policy: Policy, seat: int) -> dict[str, float] | None:
    """Exploitability on a drawn board without tables, whose every mistake is a loss of 1.

    Of the greedy clone it is exact; None where that is not 0. Of the stochastic clone it is an upper bound, in which
    moves with a joint probability below ``FINEST`` (or more, where that is enough for SOFT) count as lost.
    """
    assert graph.solve()[0].value == 0.0  # else a mistake may cost more

    def query(rows: Ints) -> Floats:
        return policy.probabilities(graph.game, graph.states[rows], seat)

    if any(layer.errs().any() for layer in walk(graph, lambda rows: greedy_rows(query(rows)), seat, 0.5)):
        return None
    negligible = 1e-3
    while True:
        region = Region(list(walk(graph, query, seat, negligible)), lambda rows: np.repeat(NONE, len(rows)))
        soft = region.bound()
        if soft <= SOFT or region.bound(unknown=0.0) > SOFT or negligible <= FINEST:
            return {"greedy": 0.0, "soft": soft}
        negligible /= 10.0
