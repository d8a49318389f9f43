"""Markov games as PettingZoo's Parallel environments and OpenSpiel's simultaneous games, and back."""

from __future__ import annotations

import pickle
import re
from functools import partial
from typing import Any

import numpy as np
import pyspiel
import pytest
from open_spiel.python.algorithms import expected_game_score, exploitability
from open_spiel.python.policy import Policy, UniformRandomPolicy
from pettingzoo.test import parallel_api_test

import games
from games import GameError
from games.adapters.openspiel_markov import _Listed, from_openspiel, to_openspiel
from games.adapters.parallel import AGENTS, from_parallel, to_parallel
from games.markov.dynamics import Dynamics
from games.markov.game import MarkovGame
from games.markov.model import MarkovModel
from tests.games.markov.test_game import random_game, random_profile, turns
from tests.games.test_conformance import CHECKS


def with_horizon(name: str, horizon: int) -> MarkovGame:
    """A named game, cut for good after some steps."""
    game = games.make(name)
    assert isinstance(game, MarkovGame)
    states = np.stack([np.arange(game.states), np.zeros(game.states, dtype=np.int64)], axis=1)
    legal = [game.legal(states, seat)[:, : game.rewards.shape[1 + seat]] for seat in (0, 1)]
    return MarkovGame(
        f"test-{name}",
        Dynamics(
            game.rewards,
            game.transitions,
            game.initial,
            discount=game.spec.discount,
            horizon=horizon,
            legal=(legal[0], legal[1]),
        ),
    )


# --- PettingZoo --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gridworld", "rps", "linear:20,4", "unseen"])
def test_games_pass_pettingzoos_parallel_test(name: str) -> None:
    parallel_api_test(to_parallel(games.make(name)), num_cycles=60)


def test_a_parallel_game_is_the_game() -> None:
    """The same joint moves give the same states, rewards, masks and end; what a resting seat sends is ignored."""
    game = turns(5, horizon=6)
    env = to_parallel(game)
    for seed in range(5):
        seen, _ = env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        states = game.start(1, rng=rng)
        draw = np.random.default_rng(100 + seed)
        while env.agents:
            for seat, agent in enumerate(AGENTS):
                np.testing.assert_array_equal(seen[agent]["observation"], game.observe(states, seat)[0])
                np.testing.assert_array_equal(seen[agent]["action_mask"], game.legal(states, seat)[0])
            masks = [seen[agent]["action_mask"] for agent in AGENTS]
            moves = [int(draw.choice(np.flatnonzero(mask))) if mask.any() else 7 for mask in masks]
            played = np.array([[move if mask.any() else -1 for move, mask in zip(moves, masks, strict=True)]])
            states, reward, done = game.step(states, played, rng=rng)
            seen, rewards, ended, cut, _ = env.step(dict(zip(AGENTS, moves, strict=True)))
            assert [rewards[agent] for agent in AGENTS] == [reward[0], -reward[0]]
            assert set(ended.values()) == {bool(done[0])}
            assert set(cut.values()) == {False}
        assert env.agents == []


def test_a_discounted_game_is_cut_and_says_so() -> None:
    env = to_parallel(games.make("rps"), render_mode="ansi")
    env.reset(seed=0)
    ends = []
    while env.agents:
        *_, ended, cut, _ = env.step(dict.fromkeys(AGENTS, 0))
        ends.append((any(ended.values()), all(cut.values())))
    assert ends == [(False, False)] * 9 + [(False, True)]
    assert env.render() == "charged: nothing"
    with pytest.raises(GameError, match="reset the environment"):
        env.step(dict.fromkeys(AGENTS, 0))
    assert pickle.loads(pickle.dumps(env)).game.spec == env.game.spec  # noqa: S301
    with pytest.raises(GameError, match="render_mode"):
        to_parallel(games.make("rps"), render_mode="film")


@pytest.mark.slow
def test_there_and_back_it_is_the_same_game() -> None:
    game = with_horizon("gridworld:2x2", 4)
    back = from_parallel(partial(to_parallel, game), name="test-back", horizon=4, discount=0.9)
    mine, theirs = MarkovModel(game), MarkovModel(back)
    assert theirs.solve()[0].value == pytest.approx(mine.solve()[0].value, abs=1e-12)
    even = [
        [model.legal(seat) / np.maximum(model.legal(seat).sum(1, keepdims=True), 1) for seat in (0, 1)]
        for model in (mine, theirs)
    ]
    assert theirs.value(tuple(even[1])) == pytest.approx(mine.value(tuple(even[0])), abs=1e-12)
    for seat in (0, 1):
        answers = [model.respond(seat, side[1 - seat]).value for model, side in zip((mine, theirs), even, strict=True)]
        assert answers[0] == pytest.approx(answers[1], abs=1e-12)


class Matching:
    """Matching pennies once, by somebody else's hand; ``prize`` is what player 1 gets besides."""

    possible_agents: tuple[str, ...] = ("a", "b")

    def __init__(self, *, prize: float = 0.0, chance: bool = False, limit: bool = False, players: int = 2) -> None:
        self.prize, self.chance, self.limit = prize, chance, limit
        self.possible_agents = ("a", "b", "c")[:players]

    def action_space(self, agent: str) -> Any:
        from gymnasium.spaces import Discrete

        return Discrete(2)

    def reset(self, seed: int = 0) -> Any:
        return dict.fromkeys("ab", np.array([seed if self.chance else 0])), {}

    def step(self, actions: dict[str, int]) -> Any:
        won = 1.0 if actions["a"] == actions["b"] else -1.0
        seen = dict.fromkeys("ab", np.array([1]))
        ended, cut = dict.fromkeys("ab", not self.limit), dict.fromkeys("ab", self.limit)
        return seen, {"a": won, "b": self.prize - won}, ended, cut, {}


def test_somebody_elses_environment_comes_in() -> None:
    model = MarkovModel(from_parallel(Matching, name="test-matching", horizon=3))
    assert model.game.states == 2, "the start and the end"
    np.testing.assert_allclose([side[0] for side in model.equilibrium("first")], 0.5)
    always = np.array([[1.0, 0.0]] * len(model)) * model.legal(0)
    assert model.respond(1, always).value == -1.0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prize": 1.0}, "not zero-sum"),
        ({"chance": True}, "starts differently"),
        ({"limit": True}, "truncates after 1 steps"),
        ({"players": 3}, "has 3 agents"),
    ],
)
def test_environments_that_do_not_fit_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(GameError, match=says):
        from_parallel(partial(Matching, **change), name="test-matching", horizon=1)
    with pytest.raises(GameError, match="more than 1 states"):
        from_parallel(Matching, name="test-matching", horizon=1, most=1)


# --- OpenSpiel ---------------------------------------------------------------------------------------------


class Tables(Policy):
    """Tables of ours, played in the turn-based form of a simultaneous game: who moves second sees no more."""

    def __init__(self, rules: Any, model: MarkovModel, profile: tuple[np.ndarray, np.ndarray]) -> None:
        super().__init__(rules, [0, 1])
        self.model, self.profile = model, profile

    def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
        player = state.current_player()
        where = re.search(r"\[(\d+), (\d+)\]", str(state))
        assert where
        row = self.model.index(np.array([[int(number) for number in where.groups()]]))[0]
        return {action: float(self.profile[player][row, action]) for action in state.legal_actions()}


@pytest.mark.parametrize("game", [random_game(3, states=2, b=2, horizon=2), turns(1, horizon=2)], ids=["both", "turns"])
def test_openspiel_agrees_on_values_and_the_gap(game: MarkovGame) -> None:
    """Expected score and NashConv of the turn-based form of our game, by OpenSpiel's own algorithms."""
    rules = pyspiel.convert_to_turn_based(to_openspiel(game))
    model = MarkovModel(game)
    profile = random_profile(model, 6)
    policy = Tables(rules, model, profile)
    score = expected_game_score.policy_value(rules.new_initial_state(), [policy, policy])
    assert score[0] == pytest.approx(model.value(profile), abs=1e-9)
    gap = model.respond(0, profile[1]).value - model.respond(1, profile[0]).value
    assert exploitability.nash_conv(rules, policy) == pytest.approx(gap, abs=1e-9)


def test_openspiel_plays_our_games() -> None:
    """Random playthroughs: states are cloned, legal actions are ours, rewards add up to the returns, zero-sum."""
    game = turns(2, horizon=4)
    rules, rng = to_openspiel(game), np.random.default_rng(0)
    for _ in range(10):
        state, total, states = rules.new_initial_state(), 0.0, None
        while not state.is_terminal():
            copy = state.clone()
            assert str(copy) == str(state)
            if state.is_chance_node():
                outcomes, chances = zip(*state.chance_outcomes(), strict=True)
                assert sum(chances) == pytest.approx(1.0)
                state.apply_action(int(rng.choice(outcomes, p=chances)))
            elif state.is_simultaneous_node():
                state.apply_actions([int(rng.choice(state.legal_actions(seat))) for seat in (0, 1)])
                total += state.rewards()[0]
            else:
                state.apply_action(int(rng.choice(state.legal_actions())))
                total += state.rewards()[0]
            if not state.is_chance_node():
                states = np.array([state.row])
                for seat in (0, 1):
                    legal = np.flatnonzero(game.legal(states, seat)[0])
                    assert (state.legal_actions(seat) if not state.is_terminal() else []) == legal.tolist()
        assert states is not None and states[0, 1] == 4
        assert state.returns() == pytest.approx([total, -total])


@pytest.mark.parametrize(
    ("text", "value", "states", "horizon"),
    [
        ("matrix_rps", 0.0, 2, 1),
        ("matrix_bos", None, 0, 0),
        ("goofspiel(num_cards=3,imp_info=False,points_order=descending)", 0.0, 11, 2),
        ("oshi_zumo(coins=3,size=1,horizon=3)", 0.0, None, None),
    ],
)
def test_openspiels_games_come_in(text: str, value: float | None, states: int | None, horizon: int | None) -> None:
    if value is None:
        with pytest.raises(GameError, match="does not fit: its utilities"):
            from_openspiel(text)
        return
    game = from_openspiel(text)
    model = MarkovModel(game)
    assert model.solve()[0].value == pytest.approx(value, abs=1e-9)
    assert states is None or (game.states, game.horizon) == (states, horizon)
    rules = pyspiel.load_game_as_turn_based(text)
    uniform = UniformRandomPolicy(rules)
    even = [model.legal(seat) / np.maximum(model.legal(seat).sum(1, keepdims=True), 1) for seat in (0, 1)]
    theirs = exploitability.nash_conv(rules, uniform)
    assert model.respond(0, even[1]).value - model.respond(1, even[0]).value == pytest.approx(theirs, abs=1e-9)
    for check in CHECKS:
        check(game)


def test_a_game_with_chance_comes_in_as_it_went_out() -> None:
    """Ours to OpenSpiel and back: every history is a state now, the values are the same."""
    game = random_game(7, states=2, b=2, horizon=2)
    rules = to_openspiel(game)
    back = MarkovModel(_Listed(rules, 1000).game())
    assert back.solve()[0].value == pytest.approx(MarkovModel(game).solve()[0].value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("leduc_poker", "imperfect information"),
        ("kuhn_poker(players=3)", "for 3 players"),
        ("nothing", "no game called"),
    ],
)
def test_openspiels_games_that_do_not_fit_are_refused(text: str, says: str) -> None:
    with pytest.raises(GameError, match=says):
        from_openspiel(text)
    with pytest.raises(GameError, match="more than 5 histories"):
        from_openspiel("goofspiel(num_cards=3,imp_info=False,points_order=descending)", most=5)
    with pytest.raises(GameError, match="has no horizon"):
        to_openspiel(games.make("rps"))  # type: ignore[arg-type]
