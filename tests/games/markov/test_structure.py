"""Residuals: zero where a game is linear, and the least squares of the definition where it is not."""

from __future__ import annotations

import numpy as np
import pytest

import games
from games import GameError
from games.markov import structure
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel
from games.markov.structure import residual


def model_of(name: str) -> MarkovModel:
    game = games.make(name)
    assert isinstance(game, MarkovGame)
    return MarkovModel(game)


@pytest.mark.parametrize(
    "name", ["gridworld", "chain:6", "unseen", "rps", "linear:100,5", "linear:60,4,1", "linear-joint:100,5"]
)
def test_exactly_linear_games_have_no_residual(name: str, rng: np.random.Generator) -> None:
    model = model_of(name)
    experts = model.equilibrium("first")
    for seat in (0, 1):
        found = residual(model, experts[1 - seat], seat, rng=rng)
        assert max(found.rewards, found.transitions) < 1e-10
        assert (found.exact, found.oracle) == (True, name.startswith("linear-joint"))


def test_a_turn_based_game_is_linear_against_anybody(rng: np.random.Generator) -> None:
    model = model_of("linear:40,4")
    anybody = np.where(model.legal(1), rng.random(model.legal(1).shape), 0.0)
    anybody /= np.maximum(anybody.sum(1, keepdims=True), 1e-300)
    found = residual(model, anybody, 0, rng=rng)
    assert max(found.rewards, found.transitions) < 1e-10


def test_averaging_over_the_other_seats_actions_is_not_exact(rng: np.random.Generator) -> None:
    model = model_of("linear-joint:100,5:plain")
    experts = model.equilibrium("first")
    for seat in (0, 1):
        found = residual(model, experts[1 - seat], seat, rng=rng)
        assert not found.oracle
        assert 0.1 < found.transitions < 0.9


def test_the_residual_is_that_of_the_own_decision_process() -> None:
    """Both seats move: the kernel written out, and numpy's least squares."""
    model = model_of("gridworld:3x3:positions")
    game, expert = model.game, model.equilibrium("vertex")[1]
    kernel = np.zeros((72, 4, 72))
    rewards = np.einsum("sab,sb->sa", game.rewards, expert)
    for state in range(72):
        for a in range(4):
            for b in np.flatnonzero(expert[state]):
                where = game.transitions.outcomes(*(np.array([n]) for n in (state, a, b)))[1][0]
                kernel[state, a, where] += expert[state, b]
    phi = game.linear.features[0].reshape(288, -1)  # type: ignore[union-attr]
    found = residual(model, expert, 0, rng=np.random.default_rng(0))
    for target, share in ((rewards.reshape(288, 1), found.rewards), (kernel.reshape(288, 72), found.transitions)):
        fit = phi @ np.linalg.lstsq(phi, target, rcond=None)[0]
        assert np.linalg.norm(target - fit) / np.linalg.norm(target) == pytest.approx(share, abs=1e-9)
    assert found.rank == np.linalg.matrix_rank(phi)


def test_waiting_counts_in_the_process_of_a_seat_that_rests() -> None:
    """Seat 0 moves in state 0, seat 1 in state 1 (half stays there): what seat 0's action is worth, by hand."""
    kernel = np.zeros((2, 2, 2, 2))
    kernel[0, 0, :, 0] = kernel[0, 1, :, 1] = 1.0
    kernel[1, :, 0, 0] = kernel[1, :, 1, 1] = 1.0
    rewards = np.zeros((2, 2, 2))
    rewards[0, 0], rewards[1, :, 1] = 1.0, 4.0
    legal = np.array([[1, 1], [0, 0]], bool), np.array([[0, 0], [1, 1]], bool)
    game = MarkovGame("test", Dynamics(rewards, kernel, np.array([1.0, 0.0]), discount=0.5, legal=legal))
    half = np.array([[0, 0], [0.5, 0.5]])
    # action 0: 1 now, back at once. action 1: nothing, then w = 0.5 * 4 + 0.5 * 0.5 w, so 0.5 w = 4/3;
    # back after k steps with probability 2^-k, worth 0.5^(k-1): K = sum 0.5 (0.5 * 0.5)^(k-1) = 2/3 after a step
    rho, onward = np.array([1.0, 4 / 3]), np.array([1.0, 0.5 * 2 / 3])
    phi = np.zeros((2, 2, 1))
    phi[0, :, 0] = rho
    found = residual(MarkovModel(game), half, 0, Linear((phi, phi)), rng=np.random.default_rng(0))
    assert found.rewards == pytest.approx(0.0, abs=1e-12)
    off = onward - rho * (rho @ onward) / (rho @ rho)
    assert found.transitions == pytest.approx(np.linalg.norm(off) / np.linalg.norm(onward))


def test_sampled_columns_estimate_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("gridworld:3x3:relational")
    expert = model.equilibrium("first")[1]
    exact = residual(model, expert, 0, rng=np.random.default_rng(0))
    monkeypatch.setattr(structure, "_EXACT", 10)
    monkeypatch.setattr(structure, "_SAMPLES", 400)
    sampled = residual(model, expert, 0, rng=np.random.default_rng(0))
    assert not sampled.exact
    assert sampled.rewards == exact.rewards
    assert sampled.transitions == pytest.approx(exact.transitions, abs=0.02)
    large = residual(
        model_of("linear:200,4"), model_of("linear:200,4").equilibrium("first")[1], 0, rng=np.random.default_rng(0)
    )
    assert not large.exact
    assert large.transitions < 1e-10


@pytest.mark.parametrize("name", ["rps", "linear:12,3"])
def test_with_a_horizon_every_step_is_fitted(name: str, rng: np.random.Generator) -> None:
    endless = games.make(name)
    assert isinstance(endless, MarkovGame)
    states = MarkovModel(endless).states
    model = MarkovModel(
        MarkovGame(
            "test",
            Dynamics(
                endless.rewards,
                endless.transitions,
                endless.initial,
                discount=0.9,
                horizon=4,
                legal=(endless.legal(states, 0), endless.legal(states, 1)),
            ),
            Views(linear=endless.linear),
        )
    )
    found = residual(model, model.equilibrium("first")[1], 0, rng=rng)
    assert max(found.rewards, found.transitions) < 1e-10
    shuffled = Linear(tuple(rng.permuted(side, axis=0)[:, :, :2] for side in endless.linear.features))  # type: ignore
    assert residual(model, model.equilibrium("first")[1], 0, shuffled, rng=rng).transitions > 0.1


def test_a_game_without_features_has_no_residual(rng: np.random.Generator) -> None:
    game = MarkovGame("bare", Dynamics(np.zeros((1, 1, 1)), np.ones((1, 1, 1, 1)), np.ones(1), discount=0.5))
    with pytest.raises(GameError, match="bare has no features"):
        residual(MarkovModel(game), np.ones((1, 1)), 0, rng=rng)
