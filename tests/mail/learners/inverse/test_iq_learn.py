"""IQ-Learn: both forms of its loss, telescoping, implied rewards, and the experts of Tic-Tac-Toe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from agents import expert
from agents.policy import query
from games.base import Floats
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.data.rollout import play
from mail.learners.inverse.iq_learn import (
    Batch,
    IqConfig,
    cut,
    loss,
    loss_as_published,
    offline,
    recorded,
)
from mail.learners.inverse.iq_online import online, online_loss
from mail.learners.inverse.process import Process, of_policy, soft_max, softmax
from tests.mail.learners.inverse.processes import model, random_policy, random_process, random_reward

RNG = np.random.default_rng(0)


def batch_of(process: Process, seed: int) -> Batch:
    """A batch in which some pairs are not followed."""
    rng = np.random.default_rng(seed)
    weight = np.where(process.legal & (rng.random(process.legal.shape) < 0.7), rng.random(process.legal.shape), 0.0)
    weight[:, 0] += process.legal[:, 0] * 0.1
    followed = np.where(rng.random(weight.shape) < 0.8, weight / weight.sum(), 0.0)
    kernel = process.kernel.toarray() * (followed.ravel() > 0)[:, None]
    return Batch(process.legal, weight / weight.sum(), followed, csr_array(kernel))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 1.0]), st.sampled_from([0.5, 3.0]))
def test_the_loss_is_the_temperature_times_the_nll_plus_the_penalty(seed: int, tau: float, alpha: float) -> None:
    process = random_process(seed)
    batch, q, config = batch_of(process, seed), random_reward(process, seed), IqConfig(temperature=tau, alpha=alpha)
    values = soft_max(np.where(process.legal, q, -np.inf), tau)
    policy = softmax(np.where(process.legal, q, -np.inf), tau)
    nll = -(batch.weight * np.log(np.where(batch.weight > 0, policy, 1.0))).sum()
    implied = np.where(process.legal, q - batch.next(values), 0.0)
    wanted = tau * nll + (batch.followed * implied**2).sum() / (4 * alpha)
    assert np.isclose(loss(batch, q, config)[0], wanted)
    assert np.isclose(loss_as_published(batch, q, config), wanted)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradients_are_those_of_finite_differences(seed: int) -> None:
    process, rng = random_process(seed), np.random.default_rng(seed)
    batch, config = batch_of(process, seed), IqConfig(temperature=0.7)
    theirs, mine = (process.visits(random_policy(process, other)) for other in (1, 2))
    q, step = random_reward(process, seed), 1e-5 * np.where(process.legal, rng.normal(size=process.legal.shape), 0.0)

    def at_online(point: Floats) -> tuple[float, Floats]:
        return online_loss(process, theirs, mine, point, IqConfig(temperature=0.7, regularize=True))

    for objective in (lambda point: loss(batch, point, config), at_online):
        rise = objective(q + step)[0] - objective(q - step)[0]
        assert np.isclose(rise / 2, (objective(q)[1] * step).sum(), rtol=1e-5, atol=1e-11)


@pytest.mark.parametrize("seed", range(3))
def test_values_telescope_along_any_policy(seed: int) -> None:
    """The sum of V(s) - E V(s') over the visits of any policy is V at the start, for any V."""
    process = random_process(seed)
    values = np.random.default_rng(seed).normal(size=len(process))
    visits = process.visits(random_policy(process, seed))
    assert np.isclose((visits * (values[:, None] - process.next(values))).sum(), process.start @ values)


def test_soft_values_of_a_known_reward_imply_it() -> None:
    process = random_process(2)
    reward = random_reward(process, 2)
    actions, values = process.soft(reward, 0.3)
    assert np.allclose((actions - process.next(values))[process.legal], reward[process.legal])


def test_the_implied_reward_is_that_of_the_inner_optimum() -> None:
    """x* = 2 alpha (1 - rho_pi / rho_E) on the expert's support, at the minimum of the online loss."""
    process = random_process(6)
    expert_visits = process.visits(random_policy(process, 3))
    config = IqConfig(temperature=1.0, tolerance=1e-10, iterations=3000)
    found = online(config, process, of_policy(process, expert_visits / expert_visits.sum(1, keepdims=True)), RNG)
    mine = process.visits(found.policy)
    wanted = 2 * config.alpha * (1 - mine[process.legal] / expert_visits[process.legal])
    # The policy determines action values up to V, and V follows from x: x + E V' - V = tau log pi.
    logs = np.where(process.legal, np.log(np.where(process.legal, found.policy, 1.0)), 0.0)
    x = np.zeros(process.legal.shape)
    x[process.legal] = wanted
    again, values = process.soft(np.where(process.legal, x, 0.0), 1.0)
    assert np.allclose((again - values[:, None])[process.legal], logs[process.legal], atol=1e-4)


def test_recorded_games_of_tictactoe() -> None:
    """Next own decisions, and x = Q on every last move."""
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    games = play(exact.game, experts, 2, labels=experts, rng=np.random.default_rng(0))
    for seat, moves in ((0, 5), (1, 4)):
        batch, shown = recorded(exact.game, games, seat)
        assert len(shown) == moves
        assert np.isclose(batch.weight.sum(), 1.0) and np.array_equal(batch.weight, batch.followed)
        assert batch.kernel.sum() == moves - 1 and batch.kernel.max() == 1.0


def test_what_follows_a_cut_is_not_known() -> None:
    exact = model("rps")
    experts = expert.make("uniform", exact)
    games = play(exact.game, experts, 4, labels=experts, rng=np.random.default_rng(0))
    mine = games.take(games.seat == 0)
    assert cut(exact.game, mine).sum() == 4 == (mine.next < 0).sum()
    batch, _ = recorded(exact.game, games, 0)
    assert batch.kernel.max() <= exact.game.spec.discount
    whole = expert.make("first", model("tictactoe"))
    assert not cut(model("tictactoe").game, play(model("tictactoe").game, whole, 1, rng=RNG)).any()


@pytest.mark.parametrize("ties", ["first", "uniform"])
def test_the_cloner_keeps_to_the_labels(ties: str) -> None:
    exact = model("tictactoe")
    experts = expert.make(ties, exact)
    games = play(exact.game, experts, 200, labels=experts, rng=np.random.default_rng(0))
    for seat in (0, 1):
        fit = registry.fit("iq-learn", exact.game, games, seat, config=ClonerConfig(), rng=RNG)
        mine = games.take(games.seat == seat)
        rows = query(fit.policy, exact.game, mine.state, seat)
        assert np.where(mine.label > 0, 0.0, rows).sum(1).max() == pytest.approx(fit.worst)
        assert fit.worst < 0.02 and fit.mean_tv < 0.05


def test_a_small_penalty_leaves_the_maximum_likelihood() -> None:
    process = random_process(1)
    batch = batch_of(process, 1)
    q, _ = offline(IqConfig(temperature=1.0, alpha=1e5, iterations=2000, tolerance=1e-9), batch)
    shown = batch.weight.sum(1) > 0
    wanted = batch.weight[shown] / batch.weight[shown].sum(1, keepdims=True)
    assert np.abs(softmax(np.where(process.legal, q, -np.inf), 1.0)[shown] - wanted).max() < 0.01
