"""Walks to a clone's first mistakes, against sweeps over all positions."""

from __future__ import annotations

import numpy as np
import pytest

from agents.policy import greedy_rows, uniform_rows
from games import GameGraph
from games.base import Ints, pack
from games.layers import Words
from mail.evaluation.gap import exploitability
from mail.explore.mistakes.walk import NONE, Region, line_to, walk
from tests.support import graph, random_profile

EXACT = 1e-300
"""As negligible: nothing is left out."""


def region(model: GameGraph, table: np.ndarray, seat: int, negligible: float = EXACT) -> Region:
    def names(rows: Ints) -> Words:
        return pack(model.game.key(model.states[rows], seat))

    return Region(list(walk(model, lambda rows: table[rows], seat, negligible)), names)


@pytest.mark.equal_results
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x3:3", "connect4:4x4:3"])
def test_the_risk_bounds_what_a_stochastic_clone_loses(name: str, seat: int, seed: int) -> None:
    """The value less the worst payoff, times the risk; what is negligible can only raise it."""
    model = graph(name)
    table = random_profile(model, seed)[seat]
    sign = 1.0 - 2.0 * seat
    span = sign * model.solve()[0].value + 1.0
    bounds = [span * region(model, table, seat, negligible).bound() for negligible in (EXACT, 1e-3, 1e-1)]
    assert bounds == sorted(bounds)
    assert exploitability(model, table, seat) <= bounds[0] + 1e-12
    assert region(model, table, seat, 1e-1).bound(unknown=0.0) <= bounds[0] + 1e-12


@pytest.mark.equal_results
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x3:3", "connect4:4x4:3"])
def test_a_greedy_clone_without_a_mistake_is_one_that_cannot_be_exploited(name: str, seat: int) -> None:
    """Both ways round, with a few mistakes put into perfect play until there is one that an opponent can reach."""
    model = graph(name)
    rng = np.random.default_rng(seat)
    mine = np.flatnonzero(model.legal(seat).any(1))
    seen = set()
    for wrong in (0, 1, 3, 10, 30, 100, len(mine)):
        table = model.equilibrium("first")[seat].copy()
        rows = rng.permutation(mine)[:wrong]
        table[rows] = greedy_rows(uniform_rows(model.legal(seat)[rows]))
        found = region(model, table, seat)
        errs = sum(int((layer.errs() > 0).sum()) for layer in found.layers)
        exploitable = exploitability(model, greedy_rows(table), seat) > 0
        seen.add(exploitable)
        assert (errs > 0) == (found.bound() == 1.0) == exploitable
    # a seat that has lost already has nothing that a mistake could lose
    assert seen == ({False} if (1.0 - 2.0 * seat) * model.solve()[0].value == -1.0 else {True, False})


@pytest.mark.parametrize("seat", [0, 1])
def test_lines_lead_to_the_rows_and_corrections_lower_the_risk(seat: int) -> None:
    model = graph("tictactoe")
    table = random_profile(model, 1)[seat]
    found = region(model, table, seat)
    rows = found.worst(20, NONE, 0.0)
    assert len(set(rows)) == len(rows) == 20
    for row in rows:
        line = line_to(found.layers, row)
        assert line.rows[0] == model.roots[0] and line.rows[-1] == row
        assert (model.successor[line.rows[:-1], line.moves[:-1]] == line.rows[1:]).all()
    risks = [found.risk(found_names(model, rows[:n], seat), unknown=1.0)[0][0] for n in range(len(rows) + 1)]
    assert risks == sorted(risks, reverse=True) and risks[-1] < risks[0]
    known = found_names(model, rows, seat)
    assert not set(found.worst(5, known, 0.0)) & set(rows), "what has a label is not asked again"


def found_names(model: GameGraph, rows: list[int], seat: int) -> Words:
    """[n] what the rows are called."""
    return pack(model.game.key(model.states[np.array(rows, dtype=np.int64)], seat))
