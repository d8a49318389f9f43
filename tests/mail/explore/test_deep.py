"""Deep exploration: the elliptical bonus, epochs, and how soon it has seen all of an expert."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from agents.policy import Uniform
from agents.q_network import QSizes
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.explore import ExplorerContext
from mail.explore.deep import Deep, DeepConfig, bonus
from mail.learners.budget import Budget
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case
from tests.mail.explore.test_counts import explored
from tests.support import graph


@pytest.mark.parametrize("ridge", [1e-3, 0.5, 7.0])
def test_the_bonus_of_one_hot_features_counts(ridge: float) -> None:
    tries = np.random.default_rng(0).integers(0, 50, (5, 3))
    tries[0, 0] = 0
    gram = torch.stack([torch.diag(ridge + torch.from_numpy(tries[:, action]).double()) for action in range(3)])
    found = bonus(torch.eye(5, dtype=torch.float64), ridge * torch.linalg.inv(gram))
    np.testing.assert_allclose(found.numpy(), np.sqrt(ridge / (ridge + tries)), rtol=1e-12)
    assert found[0, 0] == 1.0


def test_the_bonus_is_the_elliptical_norm_of_each_action() -> None:
    rng = np.random.default_rng(1)
    tried, phi = rng.normal(size=(20, 4)), rng.normal(size=(6, 4))
    action = rng.integers(0, 2, 20)
    ridge = 0.3
    gram = [ridge * np.eye(4) + tried[action == a].T @ tried[action == a] for a in range(2)]
    expected = [[np.sqrt(ridge * row @ np.linalg.inv(gram[a]) @ row) for a in range(2)] for row in phi]
    inverse = torch.from_numpy(ridge * np.linalg.inv(np.array(gram)))
    np.testing.assert_allclose(bonus(torch.from_numpy(phi), inverse).numpy(), expected, rtol=1e-9)


def deep(config: DeepConfig, *, seat: int = 0, seed: int = 0) -> tuple[Case, Deep]:
    case = Case("deep", seat, graph("tictactoe"))
    context = ExplorerContext(case.game, seat, case.experts(), model=case.model)
    return case, Deep(context, config, rng=stream(seed, "test/deep"))


def log_det(net: torch.nn.Module, own: list[Decisions], actions: int, config: DeepConfig) -> float:
    """Sum over actions of log det of ridge I + sum of phi phi^T, straight from all tries."""
    rows = merge(own)
    with torch.no_grad():
        phi = net.features(torch.from_numpy(rows.observation)).double().numpy()  # type: ignore[operator]
    total = 0.0
    for action in range(actions):
        tried = phi[rows.played == action]
        total += np.linalg.slogdet(config.ridge * np.eye(config.net.features) + tried.T @ tried).logabsdet
    return total


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
def test_an_epoch_ends_when_log_det_has_grown_by_log_2(seat: int) -> None:
    """Growth told by the metrics against determinants computed directly; a large ridge makes epochs long."""
    config = DeepConfig(net=QSizes(embedding=16, features=12), ridge=40.0, games_per_round=1, steps=2)
    case, explorer = deep(config, seat=seat)
    own: list[Decisions] = []
    at_epoch_start = log_det_of_nothing = 9 * 12 * math.log(40.0)
    lengths: list[int] = []
    length = 0
    for number in range(60):
        snapshot = explorer.behavior_policy()
        decisions = case.round(explorer, number)
        own.append(decisions.take(decisions.seat == seat))
        metrics = explorer.update(decisions, rng=stream(0, "test", round_=number))
        direct = log_det(snapshot.net, own, 9, config)  # type: ignore[attr-defined]
        assert metrics["log_det"] == pytest.approx(direct, abs=1e-6)
        assert metrics["log_det"] > log_det_of_nothing
        length += 1
        ended = direct - at_epoch_start > math.log(2.0)
        assert (explorer.behavior_policy() is not snapshot) == ended
        assert metrics["epoch"] == len(lengths)
        assert ("loss" in metrics) == ended
        if ended:
            at_epoch_start = log_det(explorer.behavior_policy().net, own, 9, config)  # type: ignore[attr-defined]
            lengths.append(length)
            length = 0
    assert explorer.epoch == len(lengths) >= 2
    assert max(lengths) > 1, "some epochs last longer than a round"


def test_nothing_comes_after_the_end() -> None:
    """The last decision of a game is worth what it is worth now: q learns 0 for it. Before that, untried actions
    of the next position, worth about 1 each, are still to come."""
    config = DeepConfig(steps=300, learning_rate=3e-3)
    case, explorer = deep(config)
    decisions = play(case.game, (Uniform(), Uniform()), 20, rng=stream(1, "test"))
    explorer.update(decisions, rng=stream(0, "test"))
    own = decisions.take(decisions.seat == 0)
    with torch.no_grad():
        q = explorer.net(torch.from_numpy(own.observation))[1].numpy()[np.arange(len(own)), own.played]
    ends: dict[bytes, set[bool]] = {}
    moves = [key.tobytes() + bytes([played]) for key, played in zip(own.key, own.played.tolist(), strict=True)]
    for made, over in zip(moves, own.ended.tolist(), strict=True):
        ends.setdefault(made, set()).add(over)
    surely = np.array([len(ends[made]) == 1 for made in moves])  # the other seat's reply decides elsewhere
    last = own.ended & surely
    assert last.sum() > 10
    assert np.abs(q[last]).max() < 0.3
    lively = ~own.ended & surely & (own.legal[own.next].sum(1) > 1)
    assert lively.sum() > 10
    assert q[lively].min() > 0.7


def test_a_game_that_ends_at_once_leaves_nothing_to_come() -> None:
    """Only last decisions are shown: every target is 0, so the loss goes to 0."""
    config = DeepConfig(net=QSizes(embedding=32, features=48), steps=400, learning_rate=3e-3)
    case, explorer = deep(config)
    decisions = play(case.game, (Uniform(), Uniform()), 30, rng=stream(2, "test"))
    metrics = explorer.update(decisions.take(decisions.ended), rng=stream(0, "test"))
    assert metrics["loss"] < 1e-4


def test_what_was_tried_draws_less_than_what_was_not() -> None:
    """At the first position, after a round that tried some of its actions."""
    case, explorer = deep(DeepConfig())
    decisions = case.round(explorer, 0)
    explorer.update(decisions, rng=stream(0, "test"))
    tried = np.unique(decisions.played[decisions.state[:, 1] == 0])
    row = explorer.behavior_policy().probabilities(case.game, case.model.states[:1], 0)[0]
    assert len(tried) == 2
    assert row[tried].max() < np.delete(row, tried).min() / 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_deep_sees_all_of_the_first_seats_expert_within_410_asks(seed: int) -> None:
    found = explored("deep", 0, seed, Budget(labels=(410, 410)))
    assert found.labels() == 410
    assert found.distinct_labels() == 81
