"""OPT-AIL: the closed form and regret of its rewards, its optimism, and what noise does to Bellman errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array

from agents.tabular import Tabular
from games import NashmailError
from games.base import Floats
from mail.evaluation.exact import value_gap
from mail.learners.inverse.opt_ail import OptAilConfig, bellman_error, ftrl_reward, opt_ail, optimistic
from mail.learners.inverse.process import of_policy, softmax
from mail.learners.inverse.replay import Replay
from tests.mail.learners.inverse.processes import (
    facing,
    model,
    on_path,
    random_policy,
    random_process,
    random_reward,
    tree,
)


def test_the_reward_is_that_of_ftrl_on_a_box() -> None:
    """argmax over the box of <r, sum of differences> - |r|^2 / (2 c), against a solver."""
    total, step = np.random.default_rng(0).normal(size=6), 0.8

    def negative(reward: Floats) -> float:
        return float(reward @ reward / (2 * step) - reward @ total)

    found = minimize(negative, np.zeros(6), bounds=[(-1, 1)] * 6, tol=1e-12)
    assert np.allclose(ftrl_reward(step, total), found.x, atol=1e-4)


def test_the_first_reward_is_where_the_regularizer_is_0() -> None:
    assert ftrl_reward(0.5, np.array([0.0, 1.0, 4.0]), np.array([-1.0, -1.0, 0.0])).tolist() == [-1.0, -0.5, 1.0]


def test_the_regret_of_the_reward_grows_like_the_square_root_of_the_rounds() -> None:
    """Against an adversary that always visits what is paid best; c = 1 / sqrt(K)."""
    rng, regret = np.random.default_rng(1), {}
    for rounds in (100, 400, 1600):
        total, earned, step = np.zeros(8), 0.0, 1.0 / np.sqrt(rounds)
        expert = np.full(8, 1 / 8)
        for _ in range(rounds):
            reward = ftrl_reward(step, total)
            visits = np.eye(8)[int((reward + 1e-9 * rng.random(8)).argmax())]
            earned += reward @ (expert - visits)
            total += expert - visits
        regret[rounds] = np.abs(total).sum() - earned  # the best fixed reward is the sign of the sum
        assert regret[rounds] <= 8 / (2 * step) + step * 2 * rounds
    assert regret[1600] < 6 * regret[100], "linear regret would be 16 times as large"


def covered(seed: int, games: int = 0) -> tuple[Replay, Floats]:
    """A replay whose estimated transitions are those of a tree with chance, and rewards."""
    process = tree(2, 3, chance=0.3)
    replay = Replay(process)
    replay.count = np.full(process.legal.shape, 1000.0)
    replay.followed = process.kernel * 1000.0
    return replay, 0.3 * random_reward(process, seed)


def test_without_optimism_and_with_full_coverage_q_is_that_of_backward_induction() -> None:
    replay, reward = covered(1)
    q = optimistic(replay.count, replay.model(), reward, 0.0, np.full(7, 3.0))
    assert np.allclose(q, replay.process.soft(reward, 0.0)[0])
    assert bellman_error(replay.count, replay.model(), q, reward) == pytest.approx(0.0, abs=1e-18)


def test_an_untried_first_action_sits_at_the_cap() -> None:
    replay, reward = covered(2)
    replay.count[0, 1] = 0.0
    replay.followed = csr_array(replay.followed.toarray() * (np.arange(14) != 1)[:, None])
    cap = replay.process.soft(np.ones((7, 2)), 0.0)[1]
    for weight in (1e-3, 1.0):
        q = optimistic(replay.count, replay.model(), reward, weight, cap)
        assert cap[0] == 3.0 and q[0, 1] == reward[0, 1] + 2.0
        assert softmax(q, 0.0)[0, 1] == 1.0
    assert optimistic(replay.count, replay.model(), reward, 0.0, cap)[0, 1] < 1.0


def test_optimism_grows_with_its_weight_and_falls_with_visits() -> None:
    replay, reward = covered(3)
    cap, values = np.full(7, 30.0), []
    for weight in (0.0, 100.0, 1000.0):
        values.append(optimistic(replay.count, replay.model(), reward, weight, cap)[0].max())
    more = optimistic(10 * replay.count, replay.model(), reward, 1000.0, cap)[0].max()
    assert values[0] < values[1] < values[2] and values[0] < more < values[2]


def test_the_optimistic_q_lowers_the_objective() -> None:
    """sum of n (Q - r - P V)^2 - lambda V(start) is lower there than at the Q without optimism."""
    replay, reward = covered(4)
    cap, weight, model = np.full(7, 30.0), 500.0, replay.model()
    objective = []
    for used in (0.0, weight):
        q = optimistic(replay.count, model, reward, used, cap)
        objective.append(bellman_error(replay.count, model, q, reward) - weight * q[0].max())
    assert objective[1] < objective[0]


def test_noise_of_transitions_is_not_charged_for() -> None:
    """The sampled squared error of the true Q is the variance of V(s'); with its minimum taken off it is nearly 0."""
    process = tree(2, 3, chance=0.3)
    replay = Replay(process)
    reward = random_reward(process, 5)
    q, values = process.soft(reward, 0.0)
    replay.play(process.uniform, 4000, rng=np.random.default_rng(0))
    followed = replay.followed.tocoo()
    error = q.ravel()[followed.row] - reward.ravel()[followed.row] - values[followed.col]
    naive = float((followed.data * error**2).sum())
    assert bellman_error(replay.count, replay.model(), q, reward) < 0.02 * naive


def test_play_estimates_visits_and_transitions() -> None:
    process = random_process(2)
    replay, policy = Replay(process), random_policy(process, 1)
    seen = replay.play(policy, 20_000, rng=np.random.default_rng(0))
    assert np.abs(seen - process.visits(policy)).max() < 0.05
    tried = np.repeat(replay.count.ravel() > 500, 1)
    off = np.abs(replay.model().kernel.toarray() - process.kernel.toarray())[tried]
    assert off.max() < 0.08 and replay.steps == replay.count.sum()


def test_games_without_a_decision_of_the_seat_are_games() -> None:
    """A start that reaches the seat in one game of a thousand: the others leave no trace but their number."""
    process = replace(random_process(2), start=np.eye(5)[0] / 1000)
    replay = Replay(process)
    assert replay.play(process.uniform, 3, rng=np.random.default_rng(0)).sum() == 0.0
    assert (replay.games, replay.steps, replay.followed.nnz) == (3, 0, 0)


@pytest.mark.parametrize("optimism", ["theory", "surrogate"])
def test_the_mixture_comes_nearer_to_the_expert_with_more_rounds(optimism: str) -> None:
    process = tree(2, 3, chance=0.2)
    expert = of_policy(process, random_policy(process, 3))
    off = []
    for rounds in (10, 400):
        config = OptAilConfig(optimism=optimism, rounds=rounds, games=4)
        found = opt_ail(config, process, expert, np.random.default_rng(0))
        off.append(found.metrics["visits_off"])
        assert found.metrics["environment_steps"] == 3 * 4 * rounds
    assert off[1] < 0.2 and off[1] < off[0]


def test_a_deterministic_expert_of_tictactoe_is_followed() -> None:
    process, expert = facing("tictactoe", "first", 1), on_path("tictactoe", "first", 1)
    found = opt_ail(OptAilConfig(rounds=200), process, expert, np.random.default_rng(0))
    assert found.metrics["visits_off"] < 0.4
    assert found.metrics["environment_steps"] == found.metrics["opponent_queries"]


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
def test_an_expert_that_mixes_everywhere_is_matched(seat: int) -> None:
    """The uniform expert of Tic-Tac-Toe; visits counted in single games left a value gap of 0.1 after 2,000 of them."""
    process, expert = facing("tictactoe", "uniform", seat), on_path("tictactoe", "uniform", seat)
    found = opt_ail(OptAilConfig(rounds=400), process, expert, np.random.default_rng(0))
    exact = model("tictactoe")
    tables = [table.copy() for table in exact.equilibrium("uniform")]
    rows = np.flatnonzero(exact.legal(seat).any(1))
    learned = Tabular(process.keys, found.policy)
    known, row = learned.find(exact.game.key(exact.states[rows], seat))
    tables[seat][rows[known]] = learned.table[row[known]]
    assert value_gap(exact, (tables[0], tables[1]), exact.equilibrium("uniform"))[seat] < 0.02


def test_unknown_optimism_is_refused() -> None:
    with pytest.raises(NashmailError, match="optimism is theory or surrogate, not 'none'"):
        replace(OptAilConfig(), optimism="none")


def test_a_burn_in_of_everything_is_refused() -> None:
    with pytest.raises(NashmailError, match="burn_in is a share of the rounds"):
        OptAilConfig(burn_in=1.0)
