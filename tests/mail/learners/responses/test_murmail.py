"""MURMAIL's reward, plans and iterates, beside closed forms and enumeration."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import expert
from agents.policy import Uniform, tabulate
from agents.tabular import Tabular, from_model
from games import NashmailError, make
from games.base import Model, States, Steps
from games.models import model_of
from mail.data.rollout import play
from mail.evaluation.exact import profile_measures
from mail.learners.base import make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options
from mail.learners.journal import NullJournal
from mail.learners.responses.errors import Rewards, two_sample_reward
from mail.learners.responses.experience import Experience
from mail.learners.responses.planning import alike_for, plan, plan_exactly
from mail.learners.responses.weights import ExponentialWeights
from mail.parallel.pool import Local
from tests.support import graph


def of_game(name: str) -> Model:
    model = model_of(make(name))
    assert model is not None
    return model


def learned(
    name: str, model: Model, episodes: int, seed: int = 0, *, ties: str = "first", sample_labels: bool = False
) -> Learned:
    learner = make_learner(name, Options(seed=seed, explorer="counts", model=model, sample_labels=sample_labels))
    return learner.learn(model.game, expert.make(ties, model), Budget(episodes), pool=Local(), journal=NullJournal())


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), actions=st.integers(2, 6))
def test_the_two_sample_reward_is_unbiased(seed: int, actions: int) -> None:
    """By enumeration of both actions: its mean is the squared distance."""
    rng = np.random.default_rng(seed)
    ours, theirs = rng.dirichlet(np.ones(actions), 2)
    first, second = np.array(list(product(range(actions), repeat=2))).T
    rewards = two_sample_reward(np.tile(ours, (len(first), 1)), first, second)
    assert rewards.min() >= -1.0 - 1e-12 and rewards.max() <= 2.0 + 1e-12
    assert theirs[first] * theirs[second] @ rewards == pytest.approx(((ours - theirs) ** 2).sum(), abs=1e-12)


def test_rewards_are_zero_everywhere_only_for_the_expert() -> None:
    theirs = np.array([[0.25, 0.75], [1.0, 0.0]])
    keys = np.array([[1, 0], [2, 0]], dtype=np.uint64)
    rewards = Rewards(2)
    rewards.add(keys, theirs, theirs)
    assert rewards.estimate(keys, theirs) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert rewards.estimate(keys, np.full((2, 2), 0.5)) == pytest.approx([0.125, 0.5])
    unseen = np.array([[3, 0]], dtype=np.uint64)
    assert rewards.estimate(unseen, np.array([[0.9, 0.1]])) == pytest.approx([2 * 0.9**2]), "the worst vertex"


def test_the_plan_visits_most_of_what_pays() -> None:
    """No worse than the best response, or any random opponent, for the same rewards; and as good as its own value."""
    model = graph("tictactoe:2x3")
    rng = np.random.default_rng(0)
    table = tabulate(model, Uniform(), 0)
    rewards = np.where(model.legal(0).any(1), rng.random(len(table)), 0.0)
    found, best = plan(model.steps(1, table), model.legal(1), rewards)
    chosen = best / np.maximum(1, best.sum(1, keepdims=True))
    assert model.reach((table, chosen)) @ rewards == pytest.approx(found, abs=1e-9)
    for other in [model.respond(1, table).policy, *(_random(model, rng) for _ in range(20))]:
        assert model.reach((table, other)) @ rewards <= found + 1e-9


def test_the_plan_of_an_endless_game_is_discounted() -> None:
    """In rock, paper, scissors every state is as long as any: the plan's value is at most the largest reward's sum."""
    model = of_game("rps")
    table = tabulate(model, Uniform(), 0)
    found, best = plan(model.steps(1, table), model.legal(1), np.ones(len(table)))
    assert found == pytest.approx(1.0 / (1.0 - model.game.spec.discount), rel=1e-6)
    assert best.any(1).all()


def tree(game: Any, seat: int, table: Tabular) -> tuple[States, Steps]:
    """Every position of a game that deals, and one seat's process there while the other plays a policy."""
    places: dict[tuple[int, ...], int] = {}
    states, moves = [], []

    def place(state: np.ndarray) -> int:
        key = tuple(game.key(state[None])[0].tolist())
        if key not in places:
            places[key] = len(places)
            states.append(state)
        return places[key]

    start = [place(state) for state in game.starts()]
    for row, state in enumerate(states):  # grows meanwhile
        mover = int(game.acting(state[None])[0].argmax())
        odds = np.ones(game.spec.actions) if mover == seat else table.probabilities(game, state[None], mover)[0]
        for action in np.flatnonzero(game.legal(state[None], mover)[0]):
            found = game.successors(state[None], np.where([mover == 0, mover == 1], action, -1)[None])
            for later, chance in zip(found.states[~found.done], found.probability[~found.done], strict=True):
                moves.append((row, action if mover == seat else 0, place(later), chance * odds[action]))
    rows, actions, after, weights = (np.array(column) for column in zip(*moves, strict=True))
    first = np.zeros(len(states))
    np.add.at(first, start, game.start_probability())
    return np.array(states), Steps(rows, actions, after, weights, first)


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["kuhn", "leduc:2"])
def test_a_plan_with_hidden_cards_is_one_of_information_states(name: str, seat: int) -> None:
    """By sequences and by positions it is the same; no other opponent leads the seat to more of what pays."""
    model, rng = of_game(name), np.random.default_rng(3)
    table = _random(model, rng, seat)
    acts = np.flatnonzero(model.legal(seat).any(1))
    rewards = np.zeros(len(model.states))
    rewards[acts] = rng.random(len(acts))
    found, best = plan_exactly(model, seat, table, rewards)
    chosen = best / np.maximum(1, best.sum(1, keepdims=True))

    def visited(other: np.ndarray) -> float:
        return float(model.reach((table, other) if seat == 0 else (other, table)) @ rewards)

    assert visited(chosen) == pytest.approx(found, abs=1e-12)
    assert max(visited(_random(model, rng, 1 - seat)) for _ in range(20)) <= found + 1e-12

    states, steps = tree(model.game, 1 - seat, from_model(model, seat, table))
    pays = np.zeros(len(states))
    own = np.flatnonzero(model.game.acting(states)[:, seat])
    pays[own] = rewards[model.index(states[own])]
    free, alike = model.game.legal(states, 1 - seat), alike_for(model.game, states, 1 - seat)
    assert alike is not None
    assert plan(steps, free, pays, alike=alike)[0] == pytest.approx(found, abs=1e-12)
    assert name == "kuhn" or plan(steps, free, pays)[0] > found + 1e-3, "who sees the hidden cards leads to more"


@pytest.mark.parametrize("name", ["murmail", "murmail-exact"])
def test_kuhn_poker_is_learned(name: str) -> None:
    model = of_game("kuhn")
    assert profile_measures(model, learned(name, model, 300).policies)["nash_gap"] <= 0.02


@pytest.mark.parametrize(("name", "sampled", "updates"), [("kuhn", False, 5), ("kuhn", True, 2), ("rps", False, 2)])
def test_no_game_goes_by_without_an_update_where_chance_deals(name: str, sampled: bool, updates: int) -> None:
    """Of 5 rounds of 8 games: those of optimistic play alone teach nothing there that the others do not."""
    fits = learned("murmail", of_game(name), 40, sample_labels=sampled).fits
    assert [fit.steps for fit in fits] == [updates, updates]


@pytest.mark.parametrize("name", ["tictactoe:2x2:2", "gridworld:3x3"])
def test_experience_of_many_games_is_the_model(name: str) -> None:
    """Transitions of seen games, weighed by the other seat's policy, are the exact ones where chance is absent."""
    model = of_game(name)
    game, rng = model.game, np.random.default_rng(0)
    experience = Experience(game)
    experience.add(play(game, (Uniform(), Uniform()), 3000, rng=rng))
    rows = model.index(experience.states)
    table = _random(model, rng, seat=0)
    seen, visits, _ = experience.steps(1, table[rows])
    exact = model.steps(1, table)
    size = model.game.spec.actions
    kernel = np.zeros((len(model.states) * size, len(model.states)))
    np.add.at(kernel, (exact.row * size + exact.action, exact.following), exact.weight)
    found = np.zeros_like(kernel)
    np.add.at(found, (rows[seen.row] * size + seen.action, rows[seen.following]), seen.weight)
    acted = np.zeros((len(model.states), size), dtype=bool)
    acted[rows] = visits > 30
    assert acted.any()
    assert found[acted.ravel()] == pytest.approx(kernel[acted.ravel()], abs=0.2 if name.startswith("grid") else 1e-12)


def test_what_the_policy_never_played_yet_is_worth_exploring() -> None:
    """One game is known. Where the led seat's policy plays another action, all that follows is unknown."""
    model = of_game("tictactoe:2x2:2")
    game = model.game
    experience = Experience(game)
    experience.add(play(game, (Uniform(), Uniform()), 1, rng=np.random.default_rng(0)))
    rows = model.index(experience.states)
    for share in (0.0, 0.25, 1.0):
        table = np.zeros((len(rows), game.spec.actions))
        acting = np.flatnonzero(game.acting(experience.states)[:, 0])
        played = experience.steps(0, table)[1].argmax(1)
        for row in acting:
            other = np.flatnonzero(game.legal(experience.states[[row]], 0)[0] & (np.arange(4) != played[row]))[0]
            table[row, played[row]], table[row, other] = 1.0 - share, share
        _, visits, unseen = experience.steps(1, table)
        assert unseen[acting, 0] == pytest.approx(share)
        assert unseen[visits == 0].sum() == 0.0
        rest = np.setdiff1d(np.arange(len(rows)), acting)
        assert unseen[rest].sum() == 0.0, "where the planning seat acts, its own actions are all that matters"


def test_weights_step_like_the_finite_difference_of_the_squared_error() -> None:
    """The expected update direction is the gradient of 1/2 |mu - mu_E|^2 in mu: mu - mu_E."""
    keys, legal = np.array([[5, 0]], dtype=np.uint64), np.ones((1, 3), dtype=bool)
    theirs = np.array([0.2, 0.5, 0.3])
    before = np.full(3, 1 / 3)

    def stepped(target: np.ndarray) -> np.ndarray:
        weights = ExponentialWeights(3, 0.5)
        weights.update(keys, legal, target[None])
        return np.asarray(weights.logits[0])

    sampled = sum(share * stepped(np.eye(3)[action]) for action, share in enumerate(theirs))
    assert sampled == pytest.approx(-0.5 * (before - theirs), abs=1e-12)
    assert sampled == pytest.approx(stepped(theirs), abs=1e-12)


@pytest.mark.parametrize("theirs", [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
def test_exact_targets_are_reached_whatever_the_rate(theirs: list[float]) -> None:
    weights = ExponentialWeights(3, 50.0, exact=True)
    keys, legal = np.array([[5, 0]], dtype=np.uint64), np.ones((1, 3), dtype=bool)
    for _ in range(200):
        error = weights.update(keys, legal, np.array([theirs]))
    assert error < 1e-4


@pytest.mark.parametrize("name", ["mail-bro", "murmail", "murmail-exact"])
@pytest.mark.parametrize("ties", ["first", "uniform"])
def test_small_boards_are_learned(name: str, ties: str) -> None:
    model = graph("tictactoe:2x3")
    measures = profile_measures(model, learned(name, model, 500, ties=ties).policies)
    assert measures["nash_gap"] <= 0.02


def test_the_optimistic_response_finds_what_exploration_needs() -> None:
    model = of_game("rps")
    assert profile_measures(model, learned("murmail", model, 200).policies)["nash_gap"] <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mail-bro", "mail-bro-greedy", "murmail", "murmail-exact"])
def test_tictactoe_is_learned(name: str) -> None:
    model = graph("tictactoe")
    measures = profile_measures(model, learned(name, model, 3000).policies)
    assert measures["nash_gap"] <= 0.02
    assert (measures["greedy_nash_gap"] == 0.0) == (name != "mail-bro")


def test_sampled_labels_are_counted_by_the_sample() -> None:
    """Two of the reward and one of the update at every visit of an outer round of MURMAIL, one of MAIL-BRO."""
    model = of_game("rps")
    for name, samples in (("mail-bro", 1), ("murmail-exact", 3)):
        result = learned(name, model, 16, sample_labels=True)
        for seat, part in enumerate(result.decisions):
            visits = len(np.unique(np.column_stack([part.episode, part.state])[part.seat == seat], axis=0))
            assert result.labels[seat] == samples * visits


def test_what_cannot_be_planned_is_refused() -> None:
    six = make("connect4")
    for name in ("mail-bro", "murmail-exact", "dagger-best"):
        with pytest.raises(NashmailError, match="needs the exact model"):
            make_learner(name, Options()).check(six, (Uniform(), Uniform()))  # type: ignore[attr-defined]


def _random(model: Model, rng: np.random.Generator, seat: int = 1) -> np.ndarray:
    legal = model.legal(seat)
    weights = rng.exponential(size=legal.shape) * legal
    total = weights.sum(1, keepdims=True)
    table = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return tabulate(model, from_model(model, seat, table), seat)
