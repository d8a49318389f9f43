"""The value gap against the expert: zero for the expert, bounded by the exploitability, and no measure of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games import make
from games.base import Model, Table
from games.models import model_of
from mail.evaluation.coverage import imitation_limit
from mail.evaluation.exact import limits, value_gap
from mail.evaluation.gap import exploitability, table_gap
from tests.support import graph


def model_named(name: str) -> Model:
    model = model_of(make(name))
    assert model is not None
    return model


@pytest.mark.parametrize("ties", ["first", "uniform"])
def test_experts_give_nothing_away_against_experts(ties: str) -> None:
    model = graph("tictactoe")
    experts = model.equilibrium(ties)
    assert value_gap(model, experts, experts) == (0.0, 0.0)


def test_what_clones_of_infinite_data_match_is_the_value_and_not_the_gap() -> None:
    """Cloning two deterministic minimax experts has value gap 0 and Nash gap 1.8043."""
    model = graph("tictactoe")
    experts = model.equilibrium("first")
    clones = imitation_limit(model, experts, 0), imitation_limit(model, experts, 1)
    assert value_gap(model, clones, experts) == (0.0, 0.0)
    assert table_gap(model, clones).nash_gap == pytest.approx(1.8043, abs=5e-5)


def test_rock_paper_scissors_by_hand() -> None:
    """Two that always play rock draw; paper in one seat wins what the other value gap does not see."""
    model = model_named("rps")
    rock, paper = (np.tile(np.eye(3)[action], (len(model.states), 1)) for action in (0, 1))
    won = model.value((paper, rock))
    assert won > 0 == model.value((rock, rock))
    assert value_gap(model, (paper, rock), (rock, rock)) == pytest.approx((-won, 0.0))
    assert value_gap(model, (rock, paper), (rock, rock)) == pytest.approx((0.0, model.value((rock, paper))))
    assert value_gap(model, (rock, rock), (paper, rock)) == pytest.approx((won, 0.0))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(["tictactoe:2x2:2", "chain:6", "rps"]))
def test_it_lies_between_nothing_and_the_exploitability(seed: int, name: str) -> None:
    """Experts in equilibrium: nobody gains by leaving it, and the expert is one of the opponents."""
    model = model_named(name)
    rng = np.random.default_rng(seed)
    first, second = (_random(model, seat, rng) for seat in (0, 1))
    gaps = value_gap(model, (first, second), model.equilibrium("first"))
    for seat, table in enumerate((first, second)):
        assert -1e-9 * model.scale <= gaps[seat] <= exploitability(model, table, seat) + 1e-9 * model.scale


def _random(model: Model, seat: int, rng: np.random.Generator) -> Table:
    legal = model.legal(seat)
    weights = rng.exponential(size=legal.shape) * legal
    total = weights.sum(1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def test_limits_of_hidden_cards_count_what_an_opponent_can_lead_to() -> None:
    model = model_of(make("leduc"))
    assert model is not None
    found = limits(model, "first")
    assert found["least_games"] == [None, None]
    tables = model.equilibrium("first")
    for seat, count in enumerate(found["reachable_labels"]):
        own = [
            np.where(model.legal(each), 1.0 / np.maximum(1, model.legal(each).sum(1, keepdims=True)), 0.0)
            for each in (0, 1)
        ]
        own[seat] = tables[seat]
        reached = model.reach((own[0], own[1])) > 0
        assert count == int((reached & model.legal(seat).any(1)).sum()) > 100
    assert sum(found["bc_infinite"]["first"]) > 1.0
    assert limits(model, "cfr+:20")["bc_infinite"] == {}
