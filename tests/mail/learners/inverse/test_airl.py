"""AIRL: D = 1/2 at the soft-optimal policy, rewards of positions found again, and what chance does to it."""

from __future__ import annotations

import numpy as np
import pytest

from games import NashmailError
from mail.learners.inverse.airl import AirlConfig, airl, discriminator, discriminator_loss, learned, log_policy, shaped
from mail.learners.inverse.process import Process, of_policy, softmax
from mail.learners.inverse.reward import position_reward, shares
from tests.mail.learners.inverse.processes import (
    facing,
    on_path,
    random_policy,
    random_process,
    random_reward,
    tree,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("process", [tree(3, 3), tree(3, 3, chance=0.3), random_process(2)])
def test_the_reward_shaped_by_its_soft_value_makes_the_discriminator_one_half(process: Process) -> None:
    """g = r, h = V: f = log pi everywhere, with the mean over what follows also where chance decides it."""
    reward = random_reward(process, 1)
    actions, values = process.soft(reward)
    policy = softmax(actions, 1.0)
    f = reward + process.next(values) - values[:, None]
    legal = process.legal
    assert np.allclose(f[legal], np.log(policy[legal]))
    assert np.allclose(discriminator(f - np.log(np.where(legal, policy, 1.0)))[legal], 0.5)


def test_a_sampled_next_position_does_not() -> None:
    """With chance, f of a transition differs from log pi: the mean alone gives 1/2."""
    process = tree(2, 2, chance=0.3)
    reward = random_reward(process, 1)
    actions, values = process.soft(reward)
    policy = softmax(actions, 1.0)
    of_child = reward[0, 0] + values[1] - values[0] - np.log(policy[0, 0])
    assert abs(discriminator(of_child) - 0.5) > 0.01


def test_shaping_changes_no_soft_optimal_policy() -> None:
    for process in (random_process(3), tree(3, 3, chance=0.2)):
        linear, n = shaped(process), len(process)
        plain = np.concatenate([np.random.default_rng(1).normal(size=n), np.zeros(n)])
        with_potential = plain + np.concatenate([np.zeros(n), 3 * np.random.default_rng(2).normal(size=n)])
        policies = [softmax(process.soft(linear.reward(weights))[0], 1.0) for weights in (plain, with_potential)]
        assert np.allclose(policies[0], policies[1])


def test_the_gradient_of_the_discriminator_is_that_of_finite_differences() -> None:
    process, rng = random_process(4), np.random.default_rng(4)
    linear, policy = shaped(process), random_policy(process, 1)
    theirs, mine = shares(process.visits(random_policy(process, 2))), shares(process.visits(policy))
    at, step = rng.normal(size=linear.size), 1e-5 * rng.normal(size=linear.size)
    rise = [discriminator_loss(linear, at + sign * step, log_policy(policy), theirs, mine, 0.1)[0] for sign in (1, -1)]
    slope = discriminator_loss(linear, at, log_policy(policy), theirs, mine, 0.1)[1] @ step
    assert np.isclose((rise[0] - rise[1]) / 2, slope, rtol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_reward_of_positions_is_found_again_up_to_a_constant(seed: int) -> None:
    process = random_process(seed)
    truth = np.random.default_rng(seed).normal(size=len(process))
    wanted = softmax(process.soft(position_reward(process.legal).reward(truth))[0], 1.0)
    config = AirlConfig(reward="positions", rounds=200, ridge=1e-12, evaluations=500, tolerance=1e-14)
    found, weights = learned(config, process, of_policy(process, wanted))
    off = weights[: len(process)] - truth
    assert np.abs(off - off.mean()).max() < 0.1 < np.ptp(truth) / 10
    assert np.abs(found.policy - wanted).max() < 1e-3


def test_visits_are_matched_and_the_discriminator_is_fooled() -> None:
    for process in (random_process(3), tree(3, 3, chance=0.2)):
        wanted = random_policy(process, 4)
        found = airl(AirlConfig(tolerance=1e-12), process, of_policy(process, wanted), RNG)
        assert np.abs(found.policy - wanted).max() <= 1e-3
        assert found.metrics["discriminator_off"] <= 1e-3


@pytest.mark.parametrize(("ties", "seat"), [("first", 0), ("first", 1), ("uniform", 1)])
def test_visits_of_a_real_expert_are_matched(ties: str, seat: int) -> None:
    process, expert = facing("tictactoe", ties, seat), on_path("tictactoe", ties, seat)
    assert airl(AirlConfig(), process, expert, RNG).metrics["jensen_shannon"] <= 1e-3


def test_unknown_rewards_are_refused() -> None:
    with pytest.raises(NashmailError, match="rewards are of pairs or positions, not 'paths'"):
        AirlConfig(reward="paths")
