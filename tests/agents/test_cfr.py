"""Counterfactual regret minimisation: beside OpenSpiel iterate by iterate, and how near it comes to equilibrium."""

from __future__ import annotations

import numpy as np
import pytest

from agents import cfr
from games.base import NashmailError
from mail.evaluation.gap import table_gap
from tests.games.cards.hands import RULES
from tests.games.infosets.test_model import model


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "solver"), [("cfr", "CFRSolver"), ("cfr+", "CFRPlusSolver")])
@pytest.mark.parametrize("name", ["kuhn", "leduc"])
def test_the_averages_are_openspiels(name: str, variant: str, solver: str) -> None:
    pyspiel = pytest.importorskip("pyspiel")
    rules = pyspiel.load_game(RULES[name][0])
    theirs = getattr(pyspiel, solver)(rules)
    for found in cfr.averages(model(name), cfr.RULES[variant], 12, 4):
        for _ in range(4):
            theirs.evaluate_and_update_policy()
        expected = pyspiel.nash_conv(rules, theirs.average_policy())
        assert found.nash_gap == pytest.approx(expected, abs=1e-9), found.iterations


def test_discounting_is_the_authors() -> None:
    """Kuhn poker against ``DCFRSolver`` of OpenSpiel, in Python."""
    discounted = pytest.importorskip("open_spiel.python.algorithms.discounted_cfr")
    exploitability = pytest.importorskip("open_spiel.python.algorithms.exploitability")
    rules = pytest.importorskip("pyspiel").load_game("kuhn_poker")
    theirs = discounted.DCFRSolver(rules)
    for found in cfr.averages(model("kuhn"), cfr.RULES["dcfr"], 30, 10):
        for _ in range(10):
            theirs.evaluate_and_update_policy()
        expected = exploitability.nash_conv(rules, theirs.average_policy())
        assert found.nash_gap == pytest.approx(expected, abs=1e-9), found.iterations


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "iterations"), [("cfr", 4000), ("cfr+", 400), ("dcfr", 300)])
def test_every_variant_comes_near_to_equilibrium(variant: str, iterations: int) -> None:
    found = cfr.solve(model("leduc"), variant=variant, iterations=iterations, gap=0.01)
    assert found.nash_gap <= 0.01 and found.iterations <= iterations
    assert table_gap(model("leduc"), found.profile).nash_gap == pytest.approx(found.nash_gap, abs=1e-12)


def test_what_is_reported_is_the_average_not_the_last_iterate() -> None:
    first = cfr.solve(model("kuhn"), variant="cfr", iterations=1)
    for seat in (0, 1):
        legal = model("kuhn").legal(seat)
        assert np.array_equal(first.profile[seat], legal / 2)  # the first iterate mixes everything


@pytest.mark.parametrize("asked", [{"variant": "cfr++"}, {"iterations": 0}, {"look": 0}])
def test_what_cannot_be_run_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(NashmailError):
        cfr.solve(model("kuhn"), **asked)  # type: ignore[arg-type]
