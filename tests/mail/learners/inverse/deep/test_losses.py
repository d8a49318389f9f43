"""The losses of deep learners are the exact ones where the network is a table, and so are their gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from agents.network import one_thread
from games.base import Floats
from mail.learners.inverse import iq_learn
from mail.learners.inverse.deep.airl import average_logs
from mail.learners.inverse.deep.losses import discriminator_loss, iq_loss, soft_q_loss, soft_values
from mail.learners.inverse.deep.seen import Batch, Estimate, batch_of, drawn
from mail.learners.inverse.iq_learn import IqConfig
from mail.learners.inverse.iq_online import online_loss
from mail.learners.inverse.process import Process, soft_max
from mail.learners.inverse.reward import cross_entropy, jensen_shannon, log_ratio, shares
from tests.mail.learners.inverse.processes import random_policy, random_process, random_reward

CONFIG = IqConfig(temperature=0.7, alpha=0.5, regularize=True)


def in_doubles(batch: Batch) -> Batch:
    """A batch with weights in double precision, so that rounding decides nothing."""
    return Batch(batch.observation, batch.legal, batch.expert.double(), batch.own.double(), batch.once.double(),
                 batch.known, batch.pair, batch.row, batch.share.double())  # fmt: skip


def estimate_of(process: Process, expert: Floats, own: Floats, known: np.ndarray | None = None) -> Estimate:
    """A process that was seen as it is: observations are one-hot, so that a linear network is a table."""
    known = process.legal if known is None else known
    kernel = process.kernel.multiply(known.ravel()[:, None]).tocsr()
    return Estimate(np.eye(len(process), dtype=np.float32), process.legal, expert, own, 0.01, known, kernel)


def whole(estimate: Estimate) -> Batch:
    """All positions, each once."""
    return in_doubles(batch_of(estimate, np.arange(len(estimate)), np.ones(len(estimate))))


def table(values: Floats) -> Tensor:
    """[n, A] the weights of a network of one-hot observations without a bias: its values."""
    return torch.tensor(values, requires_grad=True)


def from_table(weights: Tensor, batch: Batch) -> Tensor:
    """[m, A] what that network makes of a batch."""
    return batch.observation.double() @ weights


@pytest.mark.parametrize("seed", range(3))
@one_thread
def test_with_a_table_the_offline_loss_and_its_gradient_are_the_exact_ones(seed: int) -> None:
    process, rng = random_process(seed), np.random.default_rng(seed)
    weight = shares(np.where(process.legal, rng.random(process.legal.shape), 0.0))
    known = process.legal & (rng.random(process.legal.shape) < 0.8)
    estimate = estimate_of(process, weight, np.zeros_like(weight), known)
    q = random_reward(process, seed)
    exact = iq_learn.Batch(process.legal, weight, np.where(known, weight, 0.0), estimate.kernel)
    wanted, gradient = iq_learn.loss(exact, q, CONFIG)
    batch, weights = whole(estimate), table(q)
    loss = iq_loss(batch, from_table(weights, batch), batch.expert, temperature=0.7, alpha=0.5)
    torch.autograd.backward(loss)
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-6)
    assert weights.grad is not None and np.allclose(weights.grad.numpy()[process.legal], gradient[process.legal])


@pytest.mark.parametrize("seed", range(3))
@one_thread
def test_with_a_table_the_online_loss_and_its_gradient_are_the_exact_ones(seed: int) -> None:
    """The exact loss has V at the start for what the deep one sums along the experts' games; their visits telescope."""
    process = random_process(seed)
    expert, own = (process.visits(random_policy(process, other)) for other in (1, 2))
    q = random_reward(process, seed)
    wanted, gradient = online_loss(process, expert, own, q, CONFIG)
    batch, weights = whole(estimate_of(process, expert, own)), table(q)
    penalized = (batch.expert + batch.own) / 2
    loss = iq_loss(batch, from_table(weights, batch), penalized, temperature=0.7, alpha=0.5)
    torch.autograd.backward(loss)
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-5)
    assert weights.grad is not None
    assert np.allclose(weights.grad.numpy()[process.legal], gradient[process.legal], rtol=1e-5, atol=1e-6)


@one_thread
def test_the_offline_loss_is_the_temperature_times_the_nll_plus_the_penalty() -> None:
    process = random_process(5)
    expert = shares(process.visits(random_policy(process, 1)))
    batch = whole(estimate_of(process, expert, np.zeros_like(expert)))
    q = torch.tensor(random_reward(process, 5))
    logs = (torch.where(batch.legal[:5], q, -torch.inf) / 0.7).log_softmax(1).masked_fill(~batch.legal[:5], 0.0)
    values = soft_values(from_table(q, batch), batch.legal, 0.7)
    implied = (q - batch.next(values)).masked_fill(~batch.legal[:5], 0.0)
    wanted = -0.7 * (batch.expert * logs).sum() + (batch.expert * implied.square()).sum() / (4 * 0.5)
    assert float(iq_loss(batch, from_table(q, batch), batch.expert, temperature=0.7, alpha=0.5)) == pytest.approx(
        float(wanted)
    )


@one_thread
def test_the_discriminators_loss_is_the_exact_cross_entropy() -> None:
    process, rng = random_process(3), np.random.default_rng(3)
    expert, own = (shares(process.visits(random_policy(process, other))) for other in (1, 2))
    batch = whole(estimate_of(process, expert, own))
    logits = rng.normal(size=process.legal.shape)
    found = float(discriminator_loss(batch, torch.tensor(logits), 0.0))
    assert found == pytest.approx(cross_entropy(logits, expert, own), rel=1e-6)
    best = float(discriminator_loss(batch, torch.tensor(log_ratio(expert, own)), 0.0))
    assert best == pytest.approx(math.log(2) - jensen_shannon(expert, own), rel=1e-6)


@one_thread
def test_a_trained_discriminator_of_equal_visits_costs_log_2() -> None:
    process = random_process(4)
    visits = shares(process.visits(random_policy(process, 1)))
    batch = whole(estimate_of(process, visits, visits))
    weights = table(random_reward(process, 1))
    loss = torch.zeros(())
    for _ in range(50):  # gradient descent, with a step per weight
        loss = discriminator_loss(batch, weights, 0.0)
        slope = torch.autograd.grad(loss, weights)[0]
        weights = (weights - 2.0 * slope / torch.tensor(visits).clamp(min=1e-12)).detach().requires_grad_()
    assert float(loss.detach()) == pytest.approx(0.693147, abs=1e-6)
    assert np.abs(weights.detach().numpy()[visits > 0]).max() < 0.01


@one_thread
def test_the_ridge_bounds_logits_where_only_one_kind_of_games_comes() -> None:
    """At a position of the experts' alone sigma(-f) = ridge f has a finite root."""
    process = random_process(4)
    expert = shares(process.visits(random_policy(process, 1)))
    batch = whole(estimate_of(process, expert, np.zeros_like(expert)))
    weights = torch.full(process.legal.shape, 4.0, dtype=torch.float64, requires_grad=True)
    torch.autograd.backward(discriminator_loss(batch, weights, 0.01))
    assert weights.grad is not None
    slope = weights.grad.numpy()[expert > 0] / expert[expert > 0]
    assert np.allclose(slope, (0.01 * 4.0 - 1.0 / (1.0 + math.exp(4.0))) / 2)


@one_thread
def test_the_fixed_point_of_soft_q_is_the_exact_one() -> None:
    process = random_process(6)
    reward = random_reward(process, 6)
    actions, values = process.soft(reward, 0.3)
    batch = whole(estimate_of(process, np.zeros_like(reward), np.zeros_like(reward)))
    q = torch.tensor(np.where(process.legal, actions, 0.0))
    assert np.allclose(soft_values(from_table(q, batch), batch.legal, 0.3)[:5], values)
    assert float(soft_q_loss(batch, from_table(q, batch), torch.tensor(reward), 0.3)) < 1e-10


@one_thread
def test_what_was_never_played_ends_the_game_and_earns_its_reward() -> None:
    process = random_process(6)
    known = np.zeros_like(process.legal)
    batch = whole(estimate_of(process, np.zeros(known.shape), np.zeros(known.shape), known))
    reward = random_reward(process, 6)
    assert float(soft_q_loss(batch, from_table(torch.tensor(reward), batch), torch.tensor(reward), 0.3)) < 1e-12


@one_thread
def test_the_average_policy_is_that_of_the_visits_with_one_more_by_the_present_one() -> None:
    process = random_process(2)
    policy = random_policy(process, 1)
    own = shares(process.visits(policy))
    unseen = own.copy()
    unseen[0] = 0.0
    batch = whole(estimate_of(process, own, unseen))
    present = random_policy(process, 2)
    logs = average_logs(batch, torch.tensor(np.log(np.maximum(present, 1e-12)))).numpy()
    share = unseen.sum(1, keepdims=True)
    wanted = (share * policy + 0.01 * present) / (share + 0.01)
    assert np.allclose(logs[process.legal], np.log(wanted[process.legal]), atol=1e-5)
    assert np.allclose(np.exp(logs[0])[process.legal[0]], present[0][process.legal[0]], atol=1e-6)


@one_thread
def test_a_discriminator_of_the_form_of_airl_comes_to_the_experts_log_probabilities() -> None:
    """Where positions come alike, f = log pi_E: the reward for which the expert is soft-optimal at temperature 1."""
    process = random_process(9)
    policy = random_policy(process, 1)
    visits = shares(process.visits(policy))
    batch = whole(estimate_of(process, visits, visits))
    f = np.log(np.maximum(policy, 1e-12))
    logits = torch.tensor(f) - average_logs(batch, torch.tensor(f))
    assert float(discriminator_loss(batch, logits, 0.0)) == pytest.approx(math.log(2), abs=1e-6)
    assert np.allclose(process.soft(np.where(process.legal, f, -30.0))[1], 0.0, atol=1e-5)


@one_thread
def test_batches_that_are_drawn_have_the_whole_loss_as_their_mean() -> None:
    process = random_process(7, n=12)
    expert, own = (shares(process.visits(random_policy(process, other))) for other in (1, 2))
    estimate, q = estimate_of(process, expert, own), torch.tensor(random_reward(process, 7))

    def loss(batch: Batch) -> float:
        batch = in_doubles(batch)
        return float(iq_loss(batch, from_table(q, batch), batch.expert, temperature=0.7, alpha=0.5))

    rng, chance = np.random.default_rng(0), estimate.visited
    mean = np.mean([loss(drawn(estimate, 6, chance, rng=rng)) for _ in range(300)])
    assert mean == pytest.approx(loss(whole(estimate)), rel=0.05)
    assert len(drawn(estimate, 12, chance, rng=rng)) == 12


@one_thread
def test_soft_values_are_those_of_tables() -> None:
    process = random_process(8)
    q = np.where(process.legal, random_reward(process, 8), -np.inf)
    found = soft_values(torch.tensor(np.where(process.legal, q, 50.0)), torch.tensor(process.legal), 0.2)
    assert np.allclose(found, soft_max(q, 0.2))
