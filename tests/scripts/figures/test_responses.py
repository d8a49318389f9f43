"""The game in which an opponent leaves the experts' path: its coefficients, and who learns what lies off the path."""

from __future__ import annotations

import numpy as np
import pytest

from figures.field.responses import COEFFICIENTS, detour, gap
from figures.markov_games import on
from games.markov.concentrability import all_policies, single_policy


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_the_coefficient_is_what_its_name_says(coefficient: float) -> None:
    context = on(detour(coefficient))
    assert single_policy(context.model, context.tables, context.tables) == pytest.approx(coefficient)
    assert all_policies(context.model, context.tables) == pytest.approx(coefficient)
    assert context.model.value(context.tables) == pytest.approx(0.0, abs=1e-12)


def test_what_only_experts_show_does_not_grow_with_queries() -> None:
    """With an infinite coefficient: uniform play on the side, 2/3 of a payoff of 1 a step from the second on."""
    assert gap((np.inf, "bc-tabular", 480, 0))["gap"] == pytest.approx(6.0)
    found = [gap((np.inf, "mail-bro", budget, 0)) for budget in (120, 480)]
    assert [row["labels"] for row in found] == [120, 480]
    assert 6.0 > found[0]["gap"] > found[1]["gap"]
    assert gap((np.inf, "murmail-exact", 480, 0))["gap"] < 4.5
