"""Coefficients against brute force over deterministic deviations, their invariants, and the bounds they certify."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import games
from games import GameError
from games.markov.bounds import interactive_bound, offline_bound
from games.markov.concentrability import (
    Coefficient,
    all_policies,
    feature_level,
    single_policy,
)
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel
from tests.games.markov.test_game import deterministic, random_game, turns

Profile = tuple[np.ndarray, np.ndarray]


def softened(profile: Profile, legal: list[np.ndarray], share: float, seed: int) -> Profile:
    """Policies that are partly somebody else's."""
    rng = np.random.default_rng(seed)
    sides = []
    for table, may in zip(profile, legal, strict=True):
        other = np.where(may, rng.random(may.shape), 0.0)
        other = np.divide(other, other.sum(1, keepdims=True), out=np.zeros_like(other), where=may.any(1, keepdims=True))
        sides.append((1 - share) * table + share * other)
    return sides[0], sides[1]


def some_model(seed: int, *, horizon: int | None = None) -> tuple[MarkovModel, Profile]:
    """A small solved game, with experts softened so that they are seen everywhere."""
    game = turns(seed, horizon=horizon) if seed % 2 else random_game(seed, b=2, horizon=horizon)
    model = MarkovModel(game)
    return model, softened(model.equilibrium("first"), [model.legal(0), model.legal(1)], 0.3, seed)


@cache
def deviations(seed: int, horizon: int | None) -> list[tuple[int, Profile]]:
    """Every deterministic deviation of one seat against the other's expert, and whose it is."""
    model, experts = some_model(seed, horizon=horizon)
    return [(0, (table, experts[1])) for table in deterministic(model, 0)] + [
        (1, (experts[0], table)) for table in deterministic(model, 1)
    ]


def ratio(most: np.ndarray, seen: np.ndarray) -> float:
    held = most > 1e-12
    return float((most[held] / seen[held]).max()) if (seen[held] > 1e-12).all() else np.inf


CASES = [(seed, horizon) for seed in (0, 1, 2, 3) for horizon in (None, 2)]


@pytest.mark.parametrize(("seed", "horizon"), CASES)
def test_all_policies_are_brute_force_over_deterministic_deviations(seed: int, horizon: int | None) -> None:
    model, experts = some_model(seed, horizon=horizon)
    brute = max(ratio(model.reach(pair), model.reach(experts)) for _, pair in deviations(seed, horizon))
    assert all_policies(model, experts) == pytest.approx(brute, rel=1e-9)
    assert 1.0 <= single_policy(model, experts, experts) <= brute * (1 + 1e-9)


@pytest.mark.parametrize(("seed", "horizon"), CASES)
def test_the_single_policy_coefficient_is_of_best_responses(seed: int, horizon: int | None) -> None:
    model, experts = some_model(seed, horizon=horizon)
    worst = 0.0
    for seat in (0, 1):
        value = model.respond(seat, experts[1 - seat]).value
        best = [
            pair for who, pair in deviations(seed, horizon) if who == seat and abs(model.value(pair) - value) < 1e-9
        ]
        assert best
        worst = max(worst, max(ratio(model.reach(pair), model.reach(experts)) for pair in best))
    # best responses that differ only where they never come are not all listed as best everywhere
    assert single_policy(model, experts, experts) == pytest.approx(worst, rel=1e-6)


def moment(model: MarkovModel, seat: int, table: np.ndarray, visits: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """E[phi phi^T] of the imitated seat's features, per time index."""
    steps = model.layers
    weight = visits.reshape(steps, -1)[:, :, None] * table.reshape(steps, model.game.states, -1)
    weight /= weight.sum((1, 2), keepdims=True)
    return np.einsum("hsa,sad,sae->hde", weight, phi, phi)


@pytest.mark.parametrize(("seed", "horizon"), [(0, None), (2, None), (2, 2)])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_the_feature_level_is_brute_force_too(seed: int, horizon: int | None, ridge: float) -> None:
    model, experts = some_model(seed, horizon=horizon)
    phi = np.random.default_rng(seed).normal(size=(model.game.states, 2, 3))
    brute = 0.0
    for who, pair in deviations(seed, horizon):
        seat = 1 - who
        theirs = moment(model, seat, experts[seat], model.reach(experts), phi) + ridge * np.eye(3)
        mine = moment(model, seat, experts[seat], model.reach(pair), phi) + ridge * np.eye(3)
        brute = max(
            brute, *(np.linalg.eigvals(np.linalg.solve(e, d)).real.max() for e, d in zip(theirs, mine, strict=True))
        )
    found = feature_level(model, experts, linear=Linear((phi, phi)), ridge=ridge)
    assert found.value == pytest.approx(brute, rel=1e-6)
    assert found.value <= found.at_most * (1 + 1e-12)


@pytest.mark.parametrize(("seed", "horizon"), CASES)
def test_invariants_of_the_feature_level(seed: int, horizon: int | None) -> None:
    model, experts = some_model(seed, horizon=horizon)
    states, rng = model.game.states, np.random.default_rng(seed)
    everything = np.eye(2 * states).reshape(states, 2, -1)
    onehot = feature_level(model, experts, linear=Linear((everything, everything)))
    # of state-action pairs of a seat that acts; the actions are the expert's, so ratios are those of its states
    brute = 0.0
    for who, pair in deviations(seed, horizon):
        acts = model.legal(1 - who).any(1)
        scale = [model.reach(both).reshape(model.layers, -1) for both in (pair, experts)]
        brute = max(brute, ratio(scale[0].ravel()[acts], scale[1].ravel()[acts]))
    assert onehot.value == pytest.approx(brute, rel=1e-9)
    assert onehot.at_most == pytest.approx(brute, rel=1e-9)
    phi, change = rng.normal(size=(states, 2, 3)), rng.normal(size=(3, 3))
    some = feature_level(model, experts, linear=Linear((phi, phi)))
    moved = feature_level(model, experts, linear=Linear((phi @ change, phi @ change)))
    assert some.value == pytest.approx(moved.value, rel=1e-6)
    top = all_policies(model, experts)
    for variant, power in (("second-moment", 1), ("centred", 1), ("mean", 2)):
        found = feature_level(model, experts, linear=Linear((phi, phi)), variant=variant)
        assert found.value**power <= top * (1 + 1e-9)
        assert found.value <= found.at_most * (1 + 1e-9)


def test_what_experts_never_do_makes_coefficients_infinite() -> None:
    for name in ("unseen", "chain:6", "gridworld:2x2"):
        game = games.make(name)
        assert isinstance(game, MarkovGame)
        model = MarkovModel(game)
        experts = model.equilibrium("first")
        assert all_policies(model, experts) == np.inf
        assert single_policy(model, experts, experts) == np.inf or name == "gridworld:2x2"
        assert feature_level(model, experts).value == np.inf
        assert np.isfinite(feature_level(model, experts, ridge=0.1).value)
        assert offline_bound(model, experts, experts) == np.inf
        assert interactive_bound(model, experts, experts) == 0.0
    chain = games.make("chain:6")
    assert isinstance(chain, MarkovGame)
    model = MarkovModel(chain)
    one = np.ones((6, 2, 1))
    assert feature_level(model, model.equilibrium("first"), linear=Linear((one, one))) == Coefficient(1.0, 1.0), (
        "features that say nothing are all seen"
    )


def test_state_level_and_feature_level_come_apart() -> None:
    """States never seen, in features seen the more the larger the share: infinite beside finite and falling."""
    found = []
    for share in ("0", "0.1", "0.3", "1"):
        game = games.make(f"shifted:40,4,{share}")
        assert isinstance(game, MarkovGame)
        model = MarkovModel(game)
        experts = model.equilibrium("first")
        assert single_policy(model, experts, experts) == all_policies(model, experts) == np.inf
        found.append(feature_level(model, experts).value)
    assert found[0] == np.inf
    assert found[1] / found[2] == pytest.approx(9, rel=0.5), "like 1 / share^2"
    assert found[3] < 20 < found[2]


def test_centred_features_of_a_deterministic_expert_are_nothing() -> None:
    model = MarkovModel(random_game(0, b=2))
    sure = deterministic(model, 0)[0], deterministic(model, 1)[0]
    phi = np.random.default_rng(0).normal(size=(3, 2, 2))
    assert feature_level(model, sure, linear=Linear((phi, phi)), variant="centred") == Coefficient(0.0, 0.0)


@pytest.mark.slow
def test_both_bounds_hold_on_two_hundred_random_games() -> None:
    """Experts are solved equilibria, learned pairs are off by little or by much; some games have a horizon."""
    tight = 0.0
    for seed in range(200):
        actions = 3 if seed % 20 == 0 else 2
        game = random_game(seed, states=4, a=actions, b=actions, horizon=(None, 3)[seed % 2])
        model = MarkovModel(game)
        experts = model.equilibrium("first")
        learned = softened(experts, [model.legal(0), model.legal(1)], (0.02, 0.2, 1.0)[seed % 3], seed)
        gap = model.respond(0, learned[1]).value - model.respond(1, learned[0]).value
        offline, interactive = offline_bound(model, learned, experts), interactive_bound(model, learned, experts)
        assert gap <= offline + 1e-9
        assert gap <= interactive + 1e-9
        tight = max(tight, gap / interactive)
    assert tight > 0.05, "a bound this loose would hold for anything"


def test_the_bounds_grow_with_the_rewards() -> None:
    model = MarkovModel(random_game(4))
    game = model.game
    larger = MarkovModel(
        MarkovGame("test", Dynamics(3 * game.rewards - 7, game.transitions, game.initial, discount=game.spec.discount))
    )
    experts = model.equilibrium("first")
    learned = softened(experts, [model.legal(0), model.legal(1)], 0.2, 1)
    for bound in (offline_bound, interactive_bound):
        assert bound(larger, learned, experts) == pytest.approx(3 * bound(model, learned, experts))


def test_low_rank_and_tabulated_games_have_the_same_coefficients() -> None:
    game = games.make("linear-joint:12,3")
    assert isinstance(game, MarkovGame)
    table = game.transitions.expect(np.eye(12))
    same = MarkovGame("test", Dynamics(game.rewards, table, game.initial, discount=0.9), Views(linear=game.linear))
    one, two = MarkovModel(game), MarkovModel(same)
    experts = one.equilibrium("first")
    assert all_policies(one, experts) == pytest.approx(all_policies(two, experts), rel=1e-9)
    assert single_policy(one, experts, experts) == pytest.approx(single_policy(two, experts, experts), rel=1e-9)
    assert feature_level(one, experts).value == pytest.approx(feature_level(two, experts).value, rel=1e-9)


def test_bad_input_is_refused_in_one_line() -> None:
    model, experts = some_model(0)
    with pytest.raises(GameError, match="has no features"):
        feature_level(model, experts)
    phi = np.ones((3, 2, 1))
    with pytest.raises(GameError, match="one of second-moment, centred, mean, not 'odd'"):
        feature_level(model, experts, linear=Linear((phi, phi)), variant="odd")
    with pytest.raises(GameError, match="the ridge must be 0 or more"):
        feature_level(model, experts, linear=Linear((phi, phi)), ridge=-1.0)
