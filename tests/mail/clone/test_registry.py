"""Cloning by name: tables of mean labels, softmax-linear clones against closed forms, and what they are asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.linear import SoftmaxLinear
from agents.policy import Policy, Uniform, query, tabulate
from games.base import NashmailError
from games.features import features
from games.markov.model import MarkovModel
from mail.clone import registry as cloners
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import demonstrations, sampled_labels
from mail.clone.linear import LinearClone, clone_linear, cross_entropy
from mail.clone.tabular import TabularClone, clone_tabular, completed_table
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.evaluation.gap import nash_gap
from mail.parallel.streams import stream
from tests.mail.markov_cases import experts, ring, turns
from tests.support import game


class Given:
    """A table of the ring's states, whatever the step."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table

    def probabilities(self, game: object, states: np.ndarray, seat: int) -> np.ndarray:
        return self.table[states[:, 0]]


def shown(model: MarkovModel, seat: int, episodes: int = 40, policy: Policy | None = None) -> Decisions:
    """Uniform play, in which a policy (the expert) is asked at every decision of a seat."""
    teacher = policy or experts(model)[seat]
    labels = (teacher, None) if seat == 0 else (None, teacher)
    return play(model.game, (Uniform(), Uniform()), episodes, labels=labels, rng=stream(0, "test/play"))


def fit(name: str, model: MarkovModel, decisions: Decisions, seat: int, **parts: object) -> Policy:
    config = ClonerConfig(**parts)  # type: ignore[arg-type]
    return cloners.fit(name, model.game, decisions, seat, config=config, rng=stream(0, "test/clone")).policy


def mixed_table(states: int = 6) -> np.ndarray:
    return np.random.default_rng(5).dirichlet(np.ones(2), states)


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["network", "linear", "tabular"])
def test_every_cloner_repeats_what_it_was_shown(name: str, seat: int) -> None:
    model = ring()
    policy = fit(name, model, shown(model, seat), seat)
    found, expert = (tabulate(model, one, seat) for one in (policy, experts(model)[seat]))
    np.testing.assert_allclose(found, expert, atol=2e-2 if name == "network" else 1e-4)


def test_a_table_is_the_mean_of_its_labels_and_uniform_elsewhere() -> None:
    model = ring()
    teacher = Given(mixed_table())
    decisions = sampled_labels(shown_by(model, teacher))
    seen = decisions.take((decisions.seat == 0) & (decisions.state[:, 0] != 4))
    table = tabulate(model, fit("tabular", model, seen, 0), 0)
    for state in range(6):
        played = seen.played[seen.state[:, 0] == state]
        expected = np.bincount(played, minlength=2) / len(played) if len(played) else [0.5, 0.5]
        np.testing.assert_allclose(table[state], expected, atol=1e-6)
    assert table[4].tolist() == [0.5, 0.5]


def shown_by(model: MarkovModel, teacher: Policy, episodes: int = 40) -> Decisions:
    """The teacher plays seat 0 and is asked there."""
    return play(model.game, (teacher, Uniform()), episodes, labels=(teacher, None), rng=stream(1, "test/play"))


def test_drawn_labels_are_the_actions_that_the_asked_expert_played() -> None:
    decisions = shown_by(ring(), Given(mixed_table()))
    one = sampled_labels(decisions)
    assert np.array_equal(one.queried, decisions.queried)
    rows = np.flatnonzero(one.queried)
    assert (one.label[rows].sum(1) == 1).all()
    assert np.array_equal(one.label[rows].argmax(1), decisions.played[rows])
    assert np.isnan(one.label[~one.queried]).all()


@pytest.mark.parametrize("seat", [0, 1])
def test_one_hot_softmax_linear_is_the_table(seat: int) -> None:
    """Of a mixed teacher too, where the optimum is finite; unasked positions keep weight 0 and uniform play."""
    model = ring()
    decisions = shown(model, seat, policy=Given(mixed_table()))
    decisions = decisions.take(decisions.state[:, 0] != 2)
    clones = [tabulate(model, fit(name, model, decisions, seat), seat) for name in ("linear", "tabular")]
    np.testing.assert_allclose(clones[0], clones[1], atol=1e-5)
    np.testing.assert_allclose(clones[0][2], 0.5, atol=1e-12)


def test_positions_weigh_the_same_unless_told_to_count() -> None:
    """One feature for both states of two, so that the clone is one softmax: the mean over positions, or over asks."""
    model = ring()
    decisions = shown(model, 0, policy=Given(np.tile([[1.0, 0.0], [0.0, 1.0]], (3, 1))))
    own = decisions.take(decisions.queried)
    few = merge([own.take(own.state[:, 0] == 0), own.take(np.flatnonzero(own.state[:, 0] == 1)[:1])])
    assert (few.state[:, 0] == 0).sum() > 3
    share = (few.state[:, 0] == 0).mean()

    class Alike(type(model.game)):  # type: ignore[misc]
        def features(self, states: np.ndarray, seat: int) -> np.ndarray:
            return np.tile(np.eye(2), (len(states), 1, 1))

    alike = Alike.__new__(Alike)
    alike.__dict__ = model.game.__dict__
    for weigh, expected in (("position", 0.5), ("count", share)):
        config = LinearClone(weigh=weigh, ridge=1e-10)
        policy = clone_linear(alike, few, 0, config).policy
        rows = query(policy, alike, few.state[:1], 0)
        assert rows[0, 0] == pytest.approx(expected, abs=1e-4)


def test_the_reference_weights_forget_how_often_an_action_was_chosen() -> None:
    """Its clone of a mixed teacher is uniform over what was seen; ours is the share of the draws."""
    model = ring()
    decisions = sampled_labels(shown_by(model, Given(np.tile([0.9, 0.1], (6, 1)))))
    tables = {
        weigh: tabulate(model, fit("linear", model, decisions, 0, linear=LinearClone(weigh=weigh)), 0)
        for weigh in ("pair", "count")
    }
    both = tables["count"][:, 1] > 0.02
    assert both.any()
    np.testing.assert_allclose(tables["pair"][both], 0.5, atol=1e-3)
    assert tables["count"][both, 1].max() < 0.4


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_the_gradient_is_exact(ridge: float) -> None:
    rng = np.random.default_rng(0)
    phi, legal = rng.normal(size=(15, 4)), rng.random((5, 3)) < 0.7
    legal[:, 0] = True
    label = np.where(legal, rng.random((5, 3)), 0.0)
    label /= label.sum(1, keepdims=True)
    weight = rng.dirichlet(np.ones(5))[:, None]
    flat, theta, step = torch.from_numpy(phi), rng.normal(size=4), 1e-6
    value, gradient = cross_entropy(theta, flat, legal, label, weight, ridge)
    for index in range(4):
        moved = [
            cross_entropy(theta + sign * step * np.eye(4)[index], flat, legal, label, weight, ridge)[0]
            for sign in (1, -1)
        ]
        assert gradient[index] == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-7)
    assert value > 0


def test_the_fit_is_the_minimum() -> None:
    """A stationary point of a convex function; without a ridge the expected features agree: E_pi phi = E_label phi."""
    model = turns()
    decisions = shown(model, 0, policy=Uniform())
    policy = fit("linear", model, decisions, 0, linear=LinearClone(ridge=1e-12))
    assert isinstance(policy, SoftmaxLinear)
    positions = demonstrations(decisions, 0)
    phi = features(model.game, positions.state, 0)
    rows = query(policy, model.game, positions.state, 0)
    difference = np.einsum("na,nad->d", rows - positions.distribution, phi) / len(rows)
    assert np.abs(difference).max() < 1e-7


@pytest.mark.parametrize("seat", [0, 1])
def test_an_expert_that_is_linear_is_cloned_beyond_what_was_seen(seat: int) -> None:
    """Half of the states asked; d = 4 says the rest, which a table cannot."""
    model = turns(states=120)
    decisions = shown(model, seat, episodes=60)
    decisions = decisions.take(decisions.state[:, 0] % 2 == 0)
    pairs = {}
    for name in ("linear", "tabular"):
        clone = fit(name, model, decisions, seat)
        other = experts(model)[1 - seat]
        pairs[name] = nash_gap(model, (clone, other) if seat == 0 else (other, clone)).nash_gap
    assert pairs["linear"] < 0.2 * pairs["tabular"]


def test_cloning_boards_with_the_observation_as_features() -> None:
    board = game("tictactoe")
    teacher = SoftmaxLinear(np.random.default_rng(0).normal(size=9 * 19) * 3)
    decisions = play(board, (Uniform(), Uniform()), 40, labels=(teacher, None), rng=stream(0, "test"))
    config = ClonerConfig()
    found = cloners.fit("linear", board, decisions, 0, config=config, rng=stream(0, "test"))
    assert found.mean_tv < 0.01


def test_unseen_positions_may_play_a_stated_action() -> None:
    model = ring()
    decisions = shown(model, 1)
    decisions = decisions.take(decisions.state[:, 0] < 3)
    table = tabulate(model, fit("tabular", model, decisions, 1, tabular=TabularClone(unseen=1)), 1)
    assert table[3:].tolist() == [[0.0, 1.0]] * 3
    np.testing.assert_allclose(table[:3], tabulate(model, experts(model)[1], 1)[:3])
    with pytest.raises(NashmailError, match=r"^unseen must be an action of test-ring, 0 to 1, not 2$"):
        fit("tabular", model, decisions, 1, tabular=TabularClone(unseen=2))
    board = game("connect4")
    labels = (Uniform(), None)
    decisions = play(board, (Uniform(), Uniform()), 1, labels=labels, rng=stream(0, "test"))
    with pytest.raises(NashmailError, match=r"^positions of connect4 cannot be listed; leave unseen at None$"):
        clone_tabular(board, decisions, 0, TabularClone(unseen=2))


def test_where_the_stated_action_is_illegal_play_is_uniform() -> None:
    model = turns()
    decisions = shown(model, 0, episodes=1)
    policy = fit("tabular", model, decisions, 0)
    assert not isinstance(policy, SoftmaxLinear)
    table = tabulate(model, completed_table(model.game, policy, 0, 2), 0)  # type: ignore[arg-type]
    rests = ~model.legal(0).any(1)
    assert (table[rests] == 0).all()
    assert ((table[~rests] == [0, 0, 1]).all(1) | (table[~rests] == tabulate(model, policy, 0)[~rests]).all(1)).all()


@pytest.mark.parametrize("name", ["network", "linear", "tabular"])
def test_without_labels_there_is_nothing_to_clone(name: str) -> None:
    model = ring()
    with pytest.raises(NashmailError, match="seat 1 has no labels to clone; raise the budget"):
        fit(name, model, shown(model, 0), 1)


def test_ridge_0_is_refused_where_the_labels_do_not_settle_the_fit() -> None:
    model = ring()
    decisions = shown(model, 0)
    with pytest.raises(NashmailError, match=r"^with ridge 0 the regression is singular on these labels; give a ridge"):
        fit("linear", model, decisions, 0, linear=LinearClone(ridge=0.0))
    for config in (LinearClone(ridge=-1.0), LinearClone(weigh="rows")):
        with pytest.raises(NashmailError, match="needs a ridge of 0 or more, and weigh"):
            fit("linear", model, decisions, 0, linear=config)


def test_ridge_0_will_do_where_they_do() -> None:
    """Four centred features, mixed labels at many positions."""
    model = turns(dimension=3)
    decisions = shown(model, 0, policy=Uniform())

    class Two(type(model.game)):  # type: ignore[misc]
        def features(self, states: np.ndarray, seat: int) -> np.ndarray:
            return super().features(states, seat)[:, :, :2]

    made = Two.__new__(Two)
    made.__dict__ = model.game.__dict__
    policy = clone_linear(made, decisions, 0, LinearClone(ridge=0.0)).policy
    assert np.abs(query(policy, made, decisions.take(decisions.queried).state, 0).max(1) - 1 / 3).max() < 1e-5


@pytest.mark.usefixtures("registries_as_they_were")
def test_cloners_by_name() -> None:
    assert {"linear", "network", "tabular"} <= set(cloners.names())
    with pytest.raises(
        NashmailError, match=r"^no cloner is called 'nope'; the cloners are: .*linear, network, ntuple, tabular"
    ):
        fit("nope", ring(), shown(ring(), 0), 0)
    with pytest.raises(NashmailError, match="a cloner called linear is already registered"):
        cloners.register("linear", cloners.find("linear"))
    cloners.register("mine", cloners.find("tabular"))
    assert "mine" in cloners.names()


def test_labels_of_another_order_give_the_same_clone() -> None:
    model = ring()
    decisions = shown(model, 0)
    turned = replace(decisions.take(np.arange(len(decisions))[::-1].copy()), next=np.full(len(decisions), -1))
    for name in ("linear", "tabular"):
        tables = [tabulate(model, fit(name, model, part, 0), 0) for part in (decisions, turned)]
        np.testing.assert_allclose(tables[0], tables[1], atol=1e-9)
