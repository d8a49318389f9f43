"""GAIL's discriminator and its floor of log 2, and visits that are matched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from games import NashmailError
from games.base import Floats
from mail.learners.inverse.gail import REWARDS, GailConfig, gail
from mail.learners.inverse.process import of_policy, softmax
from mail.learners.inverse.reward import cross_entropy, jensen_shannon, log_ratio, shares
from tests.mail.learners.inverse.processes import facing, on_path, random_policy, random_process, tree

RNG = np.random.default_rng(0)
pairs = st.lists(st.floats(0.01, 1.0), min_size=8, max_size=8)


@settings(max_examples=30, deadline=None)
@given(pairs, pairs)
def test_the_best_discriminator_costs_log_2_minus_the_divergence(first: list[float], second: list[float]) -> None:
    theirs, mine = shares(np.reshape(first, (4, 2))), shares(np.reshape(second, (4, 2)))
    logits = log_ratio(theirs, mine)
    best = cross_entropy(logits, theirs, mine)
    assert np.isclose(best, np.log(2) - jensen_shannon(theirs, mine))
    assert np.allclose(1 / (1 + np.exp(-logits)), theirs / (theirs + mine))
    for other in np.random.default_rng(0).normal(size=(5, 4, 2)):
        assert cross_entropy(logits + 0.3 * other, theirs, mine) >= best


def test_a_trained_discriminator_comes_to_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    theirs, mine = shares(rng.random((3, 2))), shares(rng.random((3, 2)))

    def trained(logits: Floats) -> float:
        return cross_entropy(logits.reshape(3, 2), theirs, mine)

    found: Any = minimize(trained, np.zeros(6), tol=1e-10)
    assert np.allclose(found.x.reshape(3, 2), log_ratio(theirs, mine), atol=1e-3)


def test_the_loss_is_log_2_exactly_where_visits_match() -> None:
    part = shares(np.random.default_rng(2).random((3, 2)))
    assert cross_entropy(log_ratio(part, part), part, part) == pytest.approx(0.693147, abs=1e-6)
    assert jensen_shannon(part, part) == 0.0
    assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(np.log(2))


def test_the_centred_reward_is_the_gradient_of_the_divergence() -> None:
    """Along any exchange of shares."""
    rng = np.random.default_rng(3)
    theirs, mine = shares(rng.random((3, 2))), shares(rng.random((3, 2)))
    change = 1e-5 * (shares(rng.random((3, 2))) - mine)
    fall = jensen_shannon(theirs, mine - change) - jensen_shannon(theirs, mine + change)
    assert np.isclose(fall / 2, (REWARDS["centred"](log_ratio(theirs, mine)) * change).sum() / 2, rtol=1e-4)


@pytest.mark.parametrize("reward", ["centred", "logit"])
def test_visits_are_matched(reward: str) -> None:
    for process in (random_process(3), tree(3, 3, chance=0.2)):
        wanted = random_policy(process, 4)
        found = gail(GailConfig(reward=reward, rounds=400, tolerance=1e-12), process, of_policy(process, wanted), RNG)
        assert found.metrics["jensen_shannon"] <= 1e-9
        assert np.abs(found.policy - wanted).max() <= 1e-3


@pytest.mark.parametrize(
    ("ties", "seat"), [("first", 0), ("first", 1), pytest.param("uniform", 1, marks=pytest.mark.slow)]
)
def test_visits_of_a_real_expert_are_matched(ties: str, seat: int) -> None:
    process, expert = facing("tictactoe", ties, seat), on_path("tictactoe", ties, seat)
    found = gail(GailConfig(), process, expert, RNG)
    assert found.metrics["jensen_shannon"] <= 1e-3
    assert found.policy[~process.legal].sum() == 0


def test_a_positive_reward_prolongs_games() -> None:
    """The trap of games of different lengths: every decision pays, imitated or not."""
    process = facing("tictactoe", "first", 0)
    expert = on_path("tictactoe", "first", 0)
    mine = shares(process.visits(process.uniform))
    logits = log_ratio(shares(expert.visits), mine)
    longer, fair = (
        process.visits(softmax(process.soft(3 * REWARDS[name](logits))[0], 1.0)).sum()
        for name in ("softplus", "centred")
    )
    assert longer > fair


def test_unknown_rewards_are_refused() -> None:
    with pytest.raises(NashmailError, match="a reward of gail is one of logit, softplus, centred, not 'log'"):
        GailConfig(reward="log")
