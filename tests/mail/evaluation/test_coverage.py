"""What imitation of an expert can see: cloning without limit, and the fewest games and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from games import GameGraph
from games.base import Table
from mail.evaluation.coverage import coverage_bounds
from tests.support import (
    Profile,
    gap,
    optimal_profile,
    uniform_profile,
)


@pytest.mark.parametrize(
    ("ties", "seen", "exploitability_"),
    [
        ("first", [5, 4], [0.8095, 0.9948]),
        ("uniform", [417, 451], [0.8042, 0.7813]),
    ],
)
def test_cloning_with_infinite_data(
    tictactoe_graph: GameGraph, ties: str, seen: list[int], exploitability_: list[float]
) -> None:
    """The clone knows what two minimax players show each other and plays uniformly elsewhere: gap 1.8043 or 1.5855.

    Here the expert keeps the value and is in no hurry.
    """
    model = tictactoe_graph
    experts, uniform = optimal_profile(model, ties=ties), uniform_profile(model)
    assert gap(model, experts) == 0.0
    known = model.reach(experts) > 0
    assert [(known & (model.seat == seat)).sum() for seat in (0, 1)] == seen
    first, second = (np.where(known[:, None], experts[seat], uniform[seat]) for seat in (0, 1))
    ours = [-model.respond(1, first).value, model.respond(0, second).value]
    np.testing.assert_allclose(ours, exploitability_, rtol=0, atol=5e-5)
    wanted = {"first": 1.8043, "uniform": 1.5855}[ties]
    assert gap(model, (first, second)) == pytest.approx(wanted, abs=5e-5)
    assert model.value((first, second)) == pytest.approx(0.0, abs=1e-12), "between themselves the clones are perfect"


@pytest.mark.parametrize(
    ("kind", "ties", "labels", "games"),
    [
        ("fastest", "first", (81, 426), (63, 282)),
        ("unhurried", "first", (99, 447), (71, 274)),
        ("unhurried", "uniform", (2091, 1141), (None, None)),
    ],
)
def test_what_exploration_can_reach(
    tictactoe_graph: GameGraph,
    kind: str,
    ties: str,
    labels: tuple[int, int],
    games: tuple[int | None, int | None],
) -> None:
    """The expert's decisions that some opponent can lead it to, and the fewest games that see them all."""
    profile = _fastest(tictactoe_graph) if kind == "fastest" else optimal_profile(tictactoe_graph, ties=ties)
    found = [coverage_bounds(tictactoe_graph, profile[seat], seat) for seat in (0, 1)]
    assert tuple(bound.labels for bound in found) == labels
    assert tuple(bound.games for bound in found) == games
    if games[0] is not None:
        assert tuple(_least_flow(tictactoe_graph, profile[seat], seat) for seat in (0, 1)) == games


def test_what_exploration_can_reach_in_the_quotient_is_less(quotient_graph: GameGraph) -> None:
    profile = _fastest(quotient_graph)
    for seat, full in ((0, 81), (1, 426)):
        bound = coverage_bounds(quotient_graph, profile[seat], seat)
        assert bound.labels < full
        assert bound.games == _least_flow(quotient_graph, profile[seat], seat)


@pytest.mark.parametrize("seat", [0, 1])
def test_least_on_a_larger_board(connect4_small_graph: GameGraph, seat: int) -> None:
    table = _fastest(connect4_small_graph)[seat]
    bound = coverage_bounds(connect4_small_graph, table, seat)
    assert (bound.labels, bound.games) == ((766, 321), (1728, 650))[seat]
    assert bound.games == _least_flow(connect4_small_graph, table, seat)


def _fastest(model: GameGraph) -> Profile:
    table = model.equilibrium("first")[0]
    return np.where(model.legal(0), table, 0.0), np.where(model.legal(1), table, 0.0)


def _least_flow(model: GameGraph, table: Table, seat: int) -> int:
    """Fewest games through all of the expert's decisions, as a least flow from the start with at least one game
    through each decision (a linear program whose corners are whole numbers).
    """
    support = np.where(model.seat[:, None] == seat, table > 0, model.legal_mask)
    profile = uniform_profile(model)
    reached = model.reach((table, profile[1]) if seat == 0 else (profile[0], table)) > 0
    row, action = np.nonzero(support & reached[:, None])
    child = model.successor[row, action]
    edges = np.arange(len(row))
    out = csr_array((np.ones(len(row)), (row, edges)), shape=(len(model), len(row)))
    inner = child >= 0
    into = csr_array((np.ones(inner.sum()), (child[inner], edges[inner])), shape=out.shape)
    change: Any = out - into  # of flow at each node; scipy's types know no difference of sparse arrays
    nodes = np.flatnonzero(reached)
    balanced = nodes[nodes >= len(model.roots)]
    decisions = np.flatnonzero(reached & (model.seat == seat))
    needed: Any = out[decisions]
    flow = linprog(
        np.isin(row, model.roots).astype(float),
        A_eq=change[balanced],
        b_eq=np.zeros(len(balanced)),
        A_ub=-needed,
        b_ub=-np.ones(len(decisions)),
        method="highs",
    )
    assert flow.success and flow.fun is not None
    return round(flow.fun)
