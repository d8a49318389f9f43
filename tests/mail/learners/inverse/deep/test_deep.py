"""The deep learners: they match the expert of a small board, offline and in play, and resume to the same bits."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from agents import expert
from agents.network import Architecture, NetworkPolicy
from agents.policy import query, tabulate
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.network import CloneConfig
from mail.data.rollout import play
from mail.evaluation.exact import value_gap
from mail.learners.base import declared, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options
from mail.learners.inverse.deep.airl import AirlImitator, DeepAirlConfig
from mail.learners.inverse.deep.gail import AdversarialImitator, DeepGailConfig
from mail.learners.inverse.deep.iq_learn import DeepIqConfig, OnlineIq
from mail.learners.inverse.deep.learner import DeepInverse
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from tests.mail.learners.inverse.processes import model

SMALL = Architecture(channels=8, convolutions=1, hidden=32)
QUICK = {
    "gail-deep": (DeepGailConfig(SMALL, discriminator_steps=10, steps=20, last=4), AdversarialImitator),
    "airl-deep": (DeepAirlConfig(SMALL, discriminator_steps=10, steps=20, last=4), AirlImitator),
    "iq-learn-online-deep": (DeepIqConfig(SMALL, steps=20, last=4), OnlineIq),
}


def learn(name: str, budget: Budget, *, options: Options | None = None, ties: str = "first") -> Learned:
    """A learner with small networks and without the model."""
    learner = make_learner(name, options or Options())
    assert isinstance(learner, DeepInverse)
    config, method = QUICK[name]
    learner.config, learner.method = config, partial(method, config)
    exact = model("tictactoe")
    experts = expert.make(ties, exact)
    return learner.learn(exact.game, experts, budget, pool=Local(), journal=NullJournal())


def gaps(learned: Learned, ties: str) -> tuple[float, float]:
    """Both seats' value gaps."""
    exact = model("tictactoe")
    tables = tabulate(exact, learned.policies[0], 0), tabulate(exact, learned.policies[1], 1)
    return value_gap(exact, tables, exact.equilibrium(ties))


def test_the_first_expert_is_followed() -> None:
    learned = learn("iq-learn-online-deep", Budget(200))
    assert max(fit.mean_tv for fit in learned.fits) <= 0.1
    assert all(isinstance(policy, NetworkPolicy) for policy in learned.policies)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_the_value_gap_of_the_first_expert_is_small(name: str) -> None:
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    learned = make_learner(name, Options()).learn(
        exact.game, experts, Budget(2000), pool=Local(), journal=NullJournal()
    )
    assert max(gaps(learned, "first")) <= 0.02


@pytest.mark.parametrize("name", QUICK)
def test_own_games_are_what_the_experts_leave_and_half_at_least(name: str) -> None:
    """A budget of labels does not take the own games."""
    learned = learn(name, Budget(20))
    assert [part.games for part in learned.decisions] == [20, 20] and learned.games == 40
    assert learned.labels == (50, 40)
    labelled = learn(name, Budget(20, labels=(60, 60)))
    assert labelled.labels == (60, 60) and labelled.games == 12 + 15 + 2 * 10


def test_learners_know_labels_and_the_experts_as_players() -> None:
    for name in ("airl-deep", "gail-deep", "iq-learn-deep", "iq-learn-online-deep"):
        assert declared(name).knows == {"labels", "expert"}


@pytest.mark.parametrize("name", QUICK)
def test_labels_can_be_sampled(name: str) -> None:
    learned = learn(name, Budget(8), options=Options(sample_labels=True), ties="uniform")
    assert all(fit.mean_tv < 1.0 for fit in learned.fits)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_cloner_keeps_to_the_labels(mirrored: bool) -> None:
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    games = play(exact.game, experts, 5, labels=experts, rng=np.random.default_rng(0))
    config = ClonerConfig(network=CloneConfig(SMALL, max_steps=100, mirrored=mirrored))
    for seat in (0, 1):
        fit = registry.fit("iq-learn-deep", exact.game, games, seat, config=config, rng=np.random.default_rng(1))
        mine = games.take(games.seat == seat)
        rows = query(fit.policy, exact.game, mine.state, seat)
        assert np.where(mine.label > 0, 0.0, rows).sum(1).max() == pytest.approx(fit.worst)
        assert fit.worst < 0.6 if mirrored else fit.worst < 0.1
