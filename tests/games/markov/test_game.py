"""Markov games and their models, against enumeration, linear algebra and play."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from games import GameError
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel
from games.markov.transitions import LowRank
from tests.games.test_conformance import CHECKS
from tests.support import random_actions, random_play

Profile = tuple[np.ndarray, np.ndarray]


def random_game(seed: int, *, states: int = 3, a: int = 2, b: int = 3, horizon: int | None = None) -> MarkovGame:
    rng = np.random.default_rng(seed)
    rewards = rng.uniform(-1, 2, (states, a, b))
    kernel = rng.dirichlet(np.full(states, 0.4), size=(states, a, b))
    return MarkovGame(
        "test-random",
        Dynamics(rewards, kernel, rng.dirichlet(np.ones(states)), discount=rng.uniform(0.3, 0.95), horizon=horizon),
    )


def turns(seed: int, *, horizon: int | None = None, garbage: float = 0.0) -> MarkovGame:
    """Seats move alone or together; what a resting seat's other columns say is ``garbage``."""
    rng = np.random.default_rng(seed)
    rewards, kernel = rng.normal(size=(4, 2, 2)), rng.dirichlet(np.ones(4), size=(4, 2, 2))
    legal = np.array([[1, 1], [0, 0], [1, 1], [0, 1]], bool), np.array([[0, 0], [1, 1], [1, 1], [1, 0]], bool)
    for seat in (0, 1):
        for state, action in zip(*np.nonzero(~legal[seat]), strict=True):
            if action or legal[seat][state].any():
                np.moveaxis(rewards, 1 + seat, 0)[action, state] += garbage
    return MarkovGame(
        "test-turns", Dynamics(rewards, kernel, np.full(4, 0.25), discount=0.8, horizon=horizon, legal=legal)
    )


def random_profile(model: MarkovModel, seed: int) -> Profile:
    rng = np.random.default_rng(seed)
    sides = []
    for seat in (0, 1):
        weight = np.where(model.legal(seat), rng.random(model.legal(seat).shape), 0.0)
        total = weight.sum(1, keepdims=True)
        sides.append(np.divide(weight, total, out=np.zeros_like(weight), where=total > 0))
    return sides[0], sides[1]


def plain_value(model: MarkovModel, profile: Profile, steps: int) -> float:
    """Seat 0's reward when tables are followed forward for some steps, by the definition."""
    game = model.game
    n, a, b = game.rewards.shape
    mass, total = game.initial.copy(), 0.0
    for step in range(steps):
        at = np.arange(n) + (step * n if game.horizon else 0)
        first, second = profile[0][at][:, :a].copy(), profile[1][at][:, :b].copy()
        for side in (first, second):
            side[side.sum(1) == 0, 0] = 1.0  # rests
        joint = mass[:, None, None] * first[:, :, None] * second[:, None, :]
        total += game.spec.discount**step * (joint * game.rewards).sum()
        mass = game.transitions.flow(joint)
    return float(total)


def deterministic(model: MarkovModel, seat: int) -> list[np.ndarray]:
    """Every table of one seat that never randomises."""
    legal = model.legal(seat)
    acts = np.flatnonzero(legal.any(1))
    tables = []
    for choice in product(*(np.flatnonzero(legal[row]) for row in acts)):
        table = np.zeros(legal.shape)
        table[acts, choice] = 1.0
        tables.append(table)
    return tables


# --- measures ----------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from([None, 3]))
def test_values_and_best_responses_are_those_of_enumeration(seed: int, horizon: int | None) -> None:
    game = random_game(seed, states=2 if horizon else 3, b=2, horizon=horizon)
    model = MarkovModel(game)
    profile = random_profile(model, seed)
    steps = horizon or int(np.ceil(-30 / np.log(game.spec.discount)))
    assert model.value(profile) == pytest.approx(plain_value(model, profile, steps), abs=1e-9)
    for seat, pick in ((0, max), (1, min)):
        response = model.respond(seat, profile[1 - seat])
        pairs = [(table, profile[1]) if seat == 0 else (profile[0], table) for table in deterministic(model, seat)]
        assert response.value == pytest.approx(pick(model.value(pair) for pair in pairs), abs=1e-9)
        best = (response.policy, profile[1]) if seat == 0 else (profile[0], response.policy)
        assert model.value(best) == pytest.approx(response.value, abs=1e-9)


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.sampled_from([None, 1, 4]), st.sampled_from(["first", "uniform", "vertex"]))
def test_equilibria_leave_nothing_to_gain(seed: int, horizon: int | None, ties: str) -> None:
    for game in (random_game(seed, horizon=horizon), turns(seed, horizon=horizon)):
        model = MarkovModel(game)
        first, second = model.equilibrium(ties)
        value = model.solve()[0].value
        assert model.duality_gap() < 1e-9
        assert model.respond(0, second).value == pytest.approx(value, abs=1e-7)
        assert model.respond(1, first).value == pytest.approx(value, abs=1e-7)
        other = random_profile(model, seed)
        assert model.value((first, other[1])) >= value - 1e-7
        assert model.value((other[0], second)) <= value + 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_a_horizon_is_the_same_game_unrolled(seed: int) -> None:
    """States (step, s) and an end, as an endless game with the same discount."""
    game, steps = turns(seed, horizon=3), 3
    n, a, b = game.rewards.shape
    size = steps * n + 1
    rewards, kernel = np.zeros((size, a, b)), np.zeros((size, a, b, size))
    legal = [np.zeros((size, a), bool), np.zeros((size, b), bool)]
    table = game.transitions.expect(np.eye(n))
    for step in range(steps):
        at = slice(step * n, (step + 1) * n)
        rewards[at] = game.rewards
        if step + 1 < steps:
            kernel[at, :, :, (step + 1) * n : (step + 2) * n] = table
        else:
            kernel[at, :, :, -1] = 1.0
        for seat in (0, 1):
            legal[seat][at] = MarkovModel(game).legal(seat)[:n]
    kernel[-1, :, :, -1] = 1.0
    start = np.concatenate([game.initial, np.zeros(size - n)])
    sides = (legal[0], legal[1])
    unrolled = MarkovModel(MarkovGame("test-unrolled", Dynamics(rewards, kernel, start, discount=0.8, legal=sides)))
    model = MarkovModel(game)
    np.testing.assert_allclose(model.solve()[0].values, unrolled.solve()[0].values[:-1], rtol=0, atol=1e-12)
    profile = random_profile(model, seed)
    first, second = (np.concatenate([side, np.zeros((1, side.shape[1]))]) for side in profile)
    longer = (first, second)
    assert model.value(profile) == pytest.approx(unrolled.value(longer), abs=1e-12)
    np.testing.assert_allclose(model.reach(profile), unrolled.reach(longer)[:-1], rtol=0, atol=1e-12)
    for seat in (0, 1):
        mine, theirs = model.respond(seat, profile[1 - seat]), unrolled.respond(seat, longer[1 - seat])
        np.testing.assert_allclose(mine.action_values, theirs.action_values[:-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("horizon", [None, 3])
def test_a_low_rank_kernel_is_its_table(horizon: int | None, rng: np.random.Generator) -> None:
    phi, anchors = rng.dirichlet(np.ones(3), size=(6, 2, 2)), rng.dirichlet(np.ones(6), size=3)
    rewards = rng.normal(size=(6, 2, 2))
    models = [
        MarkovModel(MarkovGame("test", Dynamics(rewards, kernel, np.full(6, 1 / 6), discount=0.9, horizon=horizon)))
        for kernel in (LowRank(phi, anchors), phi @ anchors)
    ]
    profile = random_profile(models[0], 1)
    for mine, theirs in zip(models[0].solve(), models[1].solve(), strict=True):
        np.testing.assert_allclose(mine.values, theirs.values, rtol=0, atol=1e-10)
    np.testing.assert_allclose(models[0].values(profile), models[1].values(profile), rtol=0, atol=1e-10)
    np.testing.assert_allclose(models[0].reach(profile), models[1].reach(profile), rtol=0, atol=1e-10)


@given(st.integers(0, 1000))
def test_a_constant_reward_leaves_no_gap_for_any_pair(seed: int) -> None:
    """The test that a sign error in the gap fails: r = -1 and discount 0.9 make every pair an equilibrium."""
    game = random_game(seed)
    model = MarkovModel(
        MarkovGame("test", Dynamics(np.full_like(game.rewards, -1.0), game.transitions, game.initial, discount=0.9))
    )
    profile = random_profile(model, seed)
    assert model.value(profile) == pytest.approx(-10.0)
    assert model.respond(0, profile[1]).value - model.respond(1, profile[0]).value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("horizon", [None, 3])
def test_what_a_resting_seat_cannot_do_counts_for_nothing(horizon: int | None) -> None:
    clean, dirty = (MarkovModel(turns(4, horizon=horizon, garbage=garbage)) for garbage in (0.0, 100.0))
    profile = random_profile(clean, 2)
    assert clean.value(profile) == dirty.value(profile)
    for one, other in zip(clean.solve(), dirty.solve(), strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert (one.policy[~clean.legal(one.seat)] == 0).all()
    assert clean.respond(0, profile[1]).value == dirty.respond(0, profile[1]).value


@pytest.mark.parametrize("horizon", [None, 4])
def test_visits_add_up(horizon: int | None) -> None:
    model = MarkovModel(random_game(8, horizon=horizon))
    assert model.reach(random_profile(model, 1)).sum() == pytest.approx(model.span)


# --- play --------------------------------------------------------------------------------------------------


def test_sampled_play_earns_the_value_and_lands_where_the_kernel_says() -> None:
    game = turns(11, horizon=4)
    model = MarkovModel(game)
    uniform = tuple(model.legal(seat) / np.maximum(model.legal(seat).sum(1, keepdims=True), 1) for seat in (0, 1))
    rng = np.random.default_rng(0)
    n = 20_000
    states, earned = game.start(n, rng=rng), np.zeros(n)
    assert chisquare(np.bincount(states[:, 0], minlength=4), game.initial * n).pvalue > 1e-3
    visits = model.reach(uniform).reshape(4, 4)
    for step in range(4):
        shares = visits[step] / game.spec.discount**step
        assert chisquare(np.bincount(states[:, 0], minlength=4), shares / shares.sum() * n).pvalue > 1e-3
        actions = np.full((n, 2), -1)
        for seat in (0, 1):
            legal = game.legal(states, seat)
            draws = np.where(legal, rng.random(legal.shape), -1.0)
            actions[:, seat] = np.where(legal.any(1), draws.argmax(1), -1)
        states, reward, done = game.step(states, actions, rng=rng)
        earned += game.spec.discount**step * reward
    assert done.all()
    error = earned.std() / np.sqrt(n)
    assert abs(earned.mean() - model.value(uniform)) < 4 * error


def test_an_end_has_one_key_whenever_it_is_reached() -> None:
    """A game that is over is not cut: reached in the last step of an episode, it is the same position."""
    legal = np.array([[1, 1], [0, 0]], bool)
    kernel = np.full((2, 2, 2, 2), 0.5)
    kernel[1] = [0.0, 1.0]
    start = np.array([1.0, 0.0])
    game = MarkovGame("test-end", Dynamics(np.zeros((2, 2, 2)), kernel, start, discount=0.9, legal=(legal, legal)))
    late, early = game.key(np.array([[1, game.episode], [1, 1]]))
    assert (late == early).all()
    cut, running = game.key(np.array([[0, game.episode], [0, 1]]))
    assert (cut != running).any()


def test_a_state_in_which_nobody_moves_is_the_end() -> None:
    kernel = np.zeros((2, 1, 1, 2))
    kernel[0, 0, 0], kernel[1, 0, 0, 1] = [0.5, 0.5], 1.0
    legal = np.array([[True], [False]])
    rewards = np.array([[[1.0]], [[0.0]]])
    game = MarkovGame(
        "test-end", Dynamics(rewards, kernel, np.array([1.0, 0.0]), discount=0.8, legal=(legal, legal), episode=50)
    )
    assert MarkovModel(game).solve()[0].value == pytest.approx(1 / (1 - 0.4))
    for _, _, after, _, done in random_play(game, 30, np.random.default_rng(0)):
        assert np.array_equal(done, (after[:, 0] == 1) | (after[:, 1] == 50))


# --- the suites --------------------------------------------------------------------------------------------

GAMES = {
    "both at once": lambda: random_game(1),
    "with a horizon": lambda: random_game(2, horizon=4),
    "in turn or at once": lambda: turns(3),
    "in turn, with a horizon": lambda: turns(4, horizon=3),
}


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_game(name: str, check: object) -> None:
    check(GAMES[name]())  # type: ignore[operator]


@pytest.mark.parametrize("name", GAMES)
def test_model(name: str) -> None:
    """Every position is listed once, found again, and what is legal there is what the game says."""
    game = GAMES[name]()
    model = MarkovModel(game)
    assert len(np.unique(game.key(model.states), axis=0)) == len(model) == len(model.states)
    np.testing.assert_array_equal(model.index(model.states), np.arange(len(model)))
    for seat in (0, 1):
        np.testing.assert_array_equal(model.legal(seat), game.legal(model.states, seat))
        response = model.solve()[seat]
        assert response.action_values.shape == model.legal(seat).shape
        np.testing.assert_array_equal(np.isfinite(response.action_values), model.legal(seat))
    with pytest.raises(GameError, match="not a position"):
        model.index(np.array([[99, 0]]))


# --- bad input ---------------------------------------------------------------------------------------------

FINE = {"rewards": np.zeros((2, 2, 2)), "transitions": np.full((2, 2, 2, 2), 0.5), "start": np.array([1.0, 0.0])}
HALF = np.full((2, 2, 2, 2), 0.4)
VIEWS = ("linear", "observations")
NAN = np.array([[[np.nan, 0], [0, 0]], [[0, 0], [0, 0.0]]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"transitions": HALF}, "sum to 0.8, not to 1"),
        ({"rewards": NAN}, r"rewards must be finite; the entry at \[0, 0, 0\] is not"),
        ({"rewards": np.zeros((2, 2))}, r"rewards need 3 dimensions \[S, A, B\]"),
        ({"rewards": np.zeros((3, 2, 2))}, "disagree"),
        ({"transitions": np.full((2, 2, 2), 0.5)}, r"shape \[S, A, B, S\]"),
        ({"start": np.array([1.0])}, "one number per state"),
        ({"start": np.array([0.5, 0.4])}, "sum to 1"),
        ({"discount": 1.0}, "discount 1 makes an endless sum; give a horizon"),
        ({"discount": 1.5}, "between 0 and 1"),
        ({"discount": float("nan")}, "between 0 and 1"),
        ({"horizon": 0}, "at least 1 step"),
        ({"legal": (np.ones((2, 3), bool), np.ones((2, 2), bool))}, "legal actions of seat 0 need the shape"),
        ({"legal": (np.eye(2, dtype=bool)[:, :1], np.eye(2, dtype=bool)[:, :1])}, "legal actions of seat 0"),
        ({"legal": (np.array([[1, 1], [0, 0]], bool),) * 2}, "the game is over"),
        ({"linear": Linear((np.zeros((2, 3, 4)), np.zeros((2, 2, 4))))}, "features of seat 0 need the shape"),
        ({"linear": Linear((np.zeros((2, 2, 4)), np.full((2, 2, 4), np.inf)))}, "features of seat 1 must be finite"),
        ({"observations": (np.zeros((3, 1)), np.zeros((3, 1)))}, "one row per state"),
    ],
)
def test_bad_input_is_refused_in_one_line(change: dict[str, Any], says: str) -> None:
    settings: dict[str, Any] = {**FINE, "discount": 0.9, **change}
    with pytest.raises(GameError, match=says) as error:
        MarkovGame(
            "test",
            Dynamics(**{name: value for name, value in settings.items() if name not in VIEWS}),
            Views(**{name: value for name, value in settings.items() if name in VIEWS}),
        )
    assert "\n" not in str(error.value)


def test_illegal_actions_are_refused(rng: np.random.Generator) -> None:
    game = turns(0)
    states = game.start(5, rng=rng)
    actions = random_actions(game, states, rng)
    for wrong in (2, -1):
        bad = actions.copy()
        row, seat = (int(index[0]) for index in np.nonzero(game.acting(states)))
        bad[row, seat] = wrong
        with pytest.raises(GameError, match=f"action {wrong} of seat {seat} is not legal"):
            game.step(states, bad, rng=rng)
    with pytest.raises(GameError, match="has no features"):
        game.features(states, 0)
