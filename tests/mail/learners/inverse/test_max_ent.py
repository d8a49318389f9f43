"""Maximum causal entropy: its gradient, its probabilities of trajectories, and known rewards found again."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from games import NashmailError
from games.base import Floats
from mail.learners.inverse.max_ent import MaxEntConfig, loss, max_ent, soft_policy
from mail.learners.inverse.process import Process, of_policy, softmax
from mail.learners.inverse.reward import minimized, position_reward, table_reward
from tests.mail.learners.inverse.processes import (
    facing,
    from_kernel,
    on_path,
    random_policy,
    random_process,
    random_reward,
    tree,
)

FIXTURES = Path(__file__).parents[3] / "fixtures"
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("features", [table_reward, position_reward])
@pytest.mark.parametrize("known", [1.0, 0.6])
@pytest.mark.parametrize("process", [random_process(1), tree(3, 3, chance=0.2)], ids=["endless", "tree"])
def test_the_gradient_is_that_of_finite_differences(process: Process, known: float, features) -> None:  # type: ignore[no-untyped-def]
    """Also where demonstrations end at positions that were not demonstrated, so that their visits obey no dynamics."""
    rng = np.random.default_rng(3)
    shown = rng.random(len(process)) <= known
    shown[process.start > 0] = True
    expert = of_policy(process, np.where(shown[:, None], random_policy(process, 2), 0.0))
    linear = features(process.legal)
    at = rng.normal(size=linear.size)
    _, gradient = loss(process, expert, linear, at, 0.1)
    for direction in rng.normal(size=(4, linear.size)):
        step = 1e-5 * direction
        rise = loss(process, expert, linear, at + step, 0.1)[0] - loss(process, expert, linear, at - step, 0.1)[0]
        assert np.isclose(rise / 2e-5, gradient @ direction, rtol=1e-5, atol=1e-7)


def test_the_gradient_is_the_difference_of_visits_where_they_obey_the_dynamics() -> None:
    process = random_process(7)
    expert, linear = of_policy(process, random_policy(process, 1)), table_reward(process.legal)
    weights = np.random.default_rng(1).normal(size=linear.size)
    policy = soft_policy(process, linear.reward(weights))
    off = process.visits(policy) - expert.visits
    assert np.allclose(loss(process, expert, linear, weights, 0.0)[1], linear.gradient(off))


@pytest.mark.parametrize("seed", range(3))
def test_the_policy_of_a_known_reward_is_found_again(seed: int) -> None:
    process = random_process(seed)
    wanted = soft_policy(process, random_reward(process, seed))
    found = max_ent(MaxEntConfig(ridge=0.0, tolerance=1e-9), process, of_policy(process, wanted), RNG)
    assert np.abs(found.policy - wanted).max() <= 1e-3
    assert found.metrics["visits_off"] <= 1e-5


def test_the_policy_of_a_known_reward_of_positions_is_found_again() -> None:
    process = random_process(5)
    by_position = position_reward(process.legal)
    wanted = soft_policy(process, by_position.reward(np.random.default_rng(5).normal(size=by_position.size)))
    config = MaxEntConfig(reward="positions", ridge=0.0, tolerance=1e-9)
    assert np.abs(max_ent(config, process, of_policy(process, wanted), RNG).policy - wanted).max() <= 1e-3


def test_every_trajectory_of_a_tree_has_the_probability_of_its_reward() -> None:
    """P(trajectory) is proportional to exp(reward) where nothing is left to chance: by brute force over all 27."""
    process = tree(3, 3)
    reward = random_reward(process, 2)
    policy = soft_policy(process, reward)
    played, earned = [], []
    for moves in product(range(3), repeat=3):
        row, chance, total = 0, 1.0, 0.0
        for move in moves:
            chance *= policy[row, move]
            total += reward[row, move]
            following = process.kernel.toarray()[row * 3 + move]
            row = int(following.argmax())
        played.append(chance)
        earned.append(np.exp(total))
    assert np.allclose(played, np.array(earned) / np.sum(earned))


def test_without_rewards_moves_are_weighed_by_what_can_follow() -> None:
    """Uniform over trajectories, not over moves: one move ends the game, the other leads to two more."""
    kernel = np.zeros((2, 2, 2))
    kernel[0, 1, 1] = 1.0
    process = from_kernel(kernel, np.eye(2)[0], endless=False)
    assert np.allclose(soft_policy(process, np.zeros((2, 2))), [[1 / 3, 2 / 3], [1 / 2, 1 / 2]])


def test_chance_makes_the_causal_form_differ_from_the_path_form() -> None:
    process, certain = tree(2, 2, chance=0.4), tree(2, 2)
    reward = random_reward(process, 3)
    assert not np.allclose(softmax(process.soft(reward)[0], 1.0), softmax(certain.soft(reward)[0], 1.0))


@pytest.mark.parametrize(("ties", "seat"), [("first", 0), ("first", 1), ("uniform", 1)])
def test_visits_of_a_real_expert_are_matched(ties: str, seat: int) -> None:
    process, expert = facing("tictactoe", ties, seat), on_path("tictactoe", ties, seat)
    found = max_ent(MaxEntConfig(), process, expert, RNG)
    assert found.metrics["visits_off"] <= 1e-3


def test_imitation_comes_to_the_same_visits_and_policy() -> None:
    """The library's own maximum causal entropy, in its own environment; made by ``scripts/mce_by_imitation.py``."""
    theirs = {
        name: np.array(value) if isinstance(value, list) else value
        for name, value in json.loads((FIXTURES / "mce_by_imitation.json").read_text()).items()
    }
    moves, steps = theirs["transitions"], theirs["steps"]  # [S, A, S]
    states, actions = moves.shape[:2]
    kernel = np.zeros((steps * states, actions, steps * states))
    for step in range(steps - 1):
        here, after = (slice(at * states, (at + 1) * states) for at in (step, step + 1))
        kernel[here, :, after] = moves
    start = np.concatenate([theirs["start"], np.zeros((steps - 1) * states)])
    process = from_kernel(kernel, start, endless=False)
    by_state = position_reward(process.legal, np.tile(np.arange(states), steps))

    def visits(policy: Floats) -> Floats:
        """[S] visits in all steps and at the end, as the library counts them."""
        mass = process.visits(policy)
        last = np.einsum("sa,sat->t", mass[-states:], moves)
        return np.asarray(mass.sum(1).reshape(steps, states).sum(0) + last)

    expert = soft_policy(process, by_state.reward(theirs["reward"]))
    assert np.allclose(expert.reshape(steps, states, actions), theirs["expert_policy"])
    assert np.allclose(visits(expert), theirs["expert_visits"])
    config = MaxEntConfig(ridge=0.0, tolerance=1e-7, iterations=1000)
    weights, _, _ = minimized(
        lambda at: loss(process, of_policy(process, expert), by_state, at, config.ridge),
        np.zeros(states),
        evaluations=config.iterations,
        tolerance=config.tolerance,
    )
    ours = soft_policy(process, by_state.reward(weights))
    assert np.abs(visits(ours) - theirs["learned_visits"]).max() <= 1e-3
    assert np.abs(ours.reshape(steps, states, actions) - theirs["learned_policy"]).max() <= 1e-3


def test_unknown_rewards_are_refused() -> None:
    with pytest.raises(NashmailError, match="rewards are of pairs or positions, not 'paths'"):
        MaxEntConfig(reward="paths")
