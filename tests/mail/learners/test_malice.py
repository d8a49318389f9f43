"""MALICE: the worst deviation, what weights change and where they change nothing, and games without coverage."""

from __future__ import annotations

import numpy as np
import pytest

from agents import expert
from agents.linear import SoftmaxLinear
from agents.policy import tabulate
from games import NashmailError
from games.base import Floats
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel
from mail.clone.dataset import Demonstrations, demonstrations
from mail.clone.linear import LinearClone
from mail.data.rollout import play
from mail.evaluation.gap import exploitability
from mail.learners.base import make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.journal import NullJournal
from mail.learners.malice import MaliceConfig, divergences, follow_the_leader, uncovered, worst_deviation
from mail.parallel.pool import Local
from tests.mail.learners.inverse.processes import model as model_of

STATES, ACTIONS, DISCOUNT = 6, 3, 0.8


def world(seed: int, features: int) -> MarkovModel:
    """A random game of full support, whose features cannot tell all positions apart; without any for 0 features."""
    rng = np.random.default_rng(seed)
    phi = rng.normal(size=(2, STATES, ACTIONS, features))
    kernel = rng.dirichlet(np.full(STATES, 0.3), size=(STATES, ACTIONS, ACTIONS))
    dynamics = Dynamics(
        rng.uniform(-1, 1, (STATES, ACTIONS, ACTIONS)), kernel, np.full(STATES, 1 / STATES), discount=DISCOUNT
    )
    views = Views(linear=Linear((phi[0], phi[1]))) if features else Views()
    return MarkovModel(MarkovGame(f"random-{seed}", dynamics, views))


def shown(model: MarkovModel, seat: int) -> Demonstrations:
    experts = expert.make("first", model)
    return demonstrations(play(model.game, experts, 40, labels=experts, rng=np.random.default_rng(0)), seat)


def worst(model: MarkovModel, seat: int, theta: Floats, samples: Demonstrations) -> float:
    policy = SoftmaxLinear(theta)
    errors = divergences(samples.distribution, policy.probabilities(model.game, samples.state, seat))
    rows = model.index(samples.state)
    return worst_deviation(model, seat, tabulate(model, policy, seat), rows, errors).value


@pytest.mark.parametrize("seat", [0, 1])
def test_no_deviation_leads_to_more_than_the_worst(seat: int) -> None:
    """Its value is what its visits meet; random deviations and the best response meet less."""
    model, rng = world(0, 2), np.random.default_rng(1)
    samples = shown(model, seat)
    table = tabulate(model, SoftmaxLinear(rng.normal(size=2)), seat)
    errors, rows = rng.random(len(samples)), model.index(samples.state)
    found = worst_deviation(model, seat, table, rows, errors)
    assert found.visits @ errors == pytest.approx(found.value, rel=1e-8)
    others = [rng.dirichlet(np.ones(ACTIONS), size=STATES) for _ in range(20)]
    for other in [model.respond(1 - seat, table).policy, *others]:
        reach = model.reach((table, other) if seat == 0 else (other, table))
        assert reach[rows] @ errors <= found.value + 1e-9


@pytest.mark.parametrize("seed", [0, 2])
def test_weights_lower_the_worst_case_where_the_features_are_few(seed: int) -> None:
    model = world(seed, 2)
    linear = LinearClone(ridge=1e-4)
    for seat in (0, 1):
        samples = shown(model, seat)
        first, value_first = follow_the_leader(MaliceConfig(rounds=0), linear, model, samples, seat)
        policy, value = follow_the_leader(MaliceConfig(rounds=3), linear, model, samples, seat)
        assert value_first == pytest.approx(worst(model, seat, first.theta, samples))
        assert value == pytest.approx(worst(model, seat, policy.theta, samples))
        assert value < 0.99 * value_first


def test_the_worst_case_bounds_what_can_be_gained() -> None:
    """By Pinsker and the interactive bound: e <= range / (1 - discount) E TV, and TV <= sqrt(KL / 2)."""
    model = world(1, 3)
    for seat in (0, 1):
        samples = shown(model, seat)
        policy, value = follow_the_leader(MaliceConfig(rounds=5), LinearClone(ridge=1e-4), model, samples, seat)
        gained = exploitability(model, tabulate(model, policy, seat), seat)
        visits = 1.0 / (1.0 - DISCOUNT)
        assert gained <= 2.0 * visits * np.sqrt(value * visits / 2.0) + 1e-9


@pytest.mark.parametrize(("plain", "off"), [(True, 0.0), (False, 1e-3)])
def test_in_tables_weights_change_nothing(plain: bool, off: float) -> None:
    """Without features it is cloning into a table; with a feature for each position and action it comes near to it."""
    one = world(0, 0) if plain else model_of("rps")
    experts, tables = expert.make("first", one), []
    for name in ("malice", "bc-tabular"):
        learner = make_learner(name, Options(model=one))
        made = learner.learn(one.game, experts, Budget(20), pool=Local(), journal=NullJournal())
        tables.append([tabulate(one, made.policies[seat], seat) for seat in (0, 1)])
    assert np.abs(np.array(tables[0]) - np.array(tables[1])).max() <= off


def test_experts_that_do_not_come_everywhere_are_refused() -> None:
    for name, missing in (("tictactoe", "2,418 of 2,423"), ("chain:8", "of seat 0")):
        exact = model_of(name)
        learner = make_learner("malice", Options(model=exact))
        with pytest.raises(NashmailError, match=f"never come to .*{missing}"):
            learner.check(exact.game, expert.make("first", exact))  # type: ignore[attr-defined]
    exact = model_of("rps")
    assert uncovered(exact, exact.equilibrium("uniform"), 0)[0] == 0
