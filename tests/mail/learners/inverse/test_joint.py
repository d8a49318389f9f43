"""Both seats with one reward: visits, what makes them equal, and the critics of MA-GAIL and MA-AIRL."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize

from agents import expert
from agents.tabular import Tabular
from games import GameError, NashmailError
from games.base import Floats, Model
from games.markov.dynamics import Dynamics
from games.markov.game import MarkovGame
from games.markov.model import MarkovModel
from mail.learners.collect import Options
from mail.learners.inverse.joint import Duel, duel_of, soft_responses
from mail.learners.inverse.ma_airl import MaAirlConfig, critic, learned, logs
from mail.learners.inverse.ma_gail import MaGail, MaGailConfig, ma_gail
from mail.learners.inverse.reward import jensen_shannon
from tests.mail.learners.inverse.processes import model

STATES, ACTIONS = 4, 3


@cache
def duel(name: str, ties: str) -> Duel:
    return duel_of(model(name), model(name).equilibrium(ties))


@cache
def world(seed: int) -> tuple[Model, Duel]:
    """A random game of simultaneous moves, and experts (of no equilibrium) that mix all actions."""
    rng = np.random.default_rng(seed)
    kernel = rng.dirichlet(np.full(STATES, 0.5), size=(STATES, ACTIONS, ACTIONS))
    rewards = rng.uniform(-1, 1, (STATES, ACTIONS, ACTIONS))
    exact = MarkovModel(MarkovGame("random", Dynamics(rewards, kernel, np.full(STATES, 1 / STATES), discount=0.8)))
    first, second = rng.dirichlet(np.ones(ACTIONS), size=(2, STATES))
    return exact, duel_of(exact, (first, second))


@pytest.mark.parametrize(("name", "ties"), [("tictactoe", "first"), ("gridworld:3x3", "first"), ("rps", "uniform")])
def test_visits_are_the_models_reach(name: str, ties: str) -> None:
    exact, game = model(name), duel(name, ties)
    experts = exact.equilibrium(ties)
    for seat, shown in zip((1, 0), game.visits(game.uniform), strict=True):
        table = Tabular(game.keys[seat][game.acts[seat]], game.uniform[seat][game.acts[seat]])
        own = table.probabilities(exact.game, exact.states, seat)
        reach = exact.reach((own, experts[1]) if seat == 0 else (experts[0], own))
        side = game.sides[seat]
        assert shown.sum() == pytest.approx(1.0)
        assert np.sort(shown.sum((1, 2))[side.place]) == pytest.approx(np.sort(reach[reach > 1e-15] / reach.sum()))


def test_visits_are_equal_for_the_experts_alone() -> None:
    for game in (world(0)[1], duel("tictactoe", "uniform")):
        assert jensen_shannon(*game.visits(game.experts)) == pytest.approx(0.0, abs=1e-12)
        assert jensen_shannon(*game.visits(game.uniform)) > 0.01


def test_the_experts_are_found_again_where_they_come_everywhere() -> None:
    for seed in range(3):
        game = world(seed)[1]
        for found in (
            ma_gail(MaGailConfig(rounds=400, tolerance=1e-12), game),
            learned(MaAirlConfig(rounds=400, tolerance=1e-12), game)[0],
        ):
            assert found.divergence <= 1e-9
            assert max(np.abs(found.policies[seat] - game.experts[seat]).max() for seat in (0, 1)) <= 1e-3


@pytest.mark.parametrize(("name", "ties"), [("tictactoe", "first"), ("gridworld:3x3", "first"), ("rps", "uniform")])
def test_visits_of_real_experts_are_matched(name: str, ties: str) -> None:
    game = duel(name, ties)
    assert ma_gail(MaGailConfig(), game).divergence <= 1e-3
    assert learned(MaAirlConfig(), game)[0].divergence <= 1e-3


def test_the_shaped_reward_of_the_experts_makes_the_critic_one_half() -> None:
    """f = log mu_E - log nu_E: both seats' soft-optimal policies are the experts, and D = 1/2 at every joint move."""
    game = world(0)[1]
    first, second = logs(game.experts)
    f = first - second
    found = soft_responses(game, (f + second, -f + first))
    assert np.allclose(found.policies, game.experts)
    assert np.allclose(critic(f, found.policies), 0.5)


def test_a_critic_for_each_seat_on_joint_moves_learns_nothing_from_tied_rewards() -> None:
    """f_1 = f, f_2 = - f at one joint move of weight e in the experts' games and l in the learners': the loss of both
    critics is least at the same f whatever the data.
    """

    def loss(f: Floats, weights: tuple[float, float], mu: float, nu: float) -> float:
        logits = np.array([f[0] - np.log(mu), -f[0] - np.log(nu)])
        return float(weights[0] * np.logaddexp(0, -logits).sum() + weights[1] * np.logaddexp(0, logits).sum())

    for weights in ((0.9, 0.1), (0.2, 0.8)):
        best = minimize(loss, np.zeros(1), args=(weights, 0.3, 0.6), tol=1e-10)
        assert best.x[0] == pytest.approx((np.log(0.3) - np.log(0.6)) / 2, abs=1e-4)


def test_what_one_seat_gains_the_other_loses() -> None:
    """V_R(mu_E, nu) - V_R(mu, nu_E) is the critic's view of the pair, 0 for the experts whatever the reward."""
    game = world(2)[1]
    reward = np.random.default_rng(0).normal(size=(STATES, ACTIONS, ACTIONS))
    first, second = game.visits(game.experts)
    assert ((first - second) * reward).sum() == pytest.approx(0.0, abs=1e-12)
    better = soft_responses(game, (reward, -reward))
    first, second = better.visits
    assert ((first - second) * reward).sum() < 0.0, "each gains against the other's expert"


def test_games_without_such_visits_are_refused() -> None:
    hidden = model("kuhn")
    with pytest.raises(GameError, match="hides something"):
        MaGail(Options(model=hidden)).check(hidden.game, expert.make("first", hidden))
    with pytest.raises(NashmailError, match=r"^ma-gail needs the exact model"):
        MaGail(Options()).check(model("tictactoe").game, expert.make("first", model("tictactoe")))
