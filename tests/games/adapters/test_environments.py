"""Our games as PettingZoo environments."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pettingzoo
import pytest
from pettingzoo.test import api_test, seed_test

from games import GameError
from games.adapters.aec import to_aec
from tests.support import PENNIES, draw, game, random_actions, reloaded


def complaints(env: Any) -> set[str]:
    """The warnings of PettingZoo's own test suite for an environment; it fails where the suite does."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        api_test(env, num_cycles=200)
    return {str(warning.message) for warning in caught}


@pytest.fixture(scope="module")
def usual() -> set[str]:
    """What the suite says of PettingZoo's own classic boards under names it does not make exceptions for."""
    found: set[str] = set()
    for name in ("classic/tictactoe-v3", "classic/connect_four-v3"):
        env: Any = pettingzoo.make("aec", name)
        env.unwrapped.metadata = {**env.unwrapped.metadata, "name": "somebody_elses_v0"}
        found |= complaints(env)
    return found


@pytest.mark.parametrize(
    "name",
    ["tictactoe", "connect4", "connect4:4x5", "quotient:tictactoe", "openspiel:nim", "pettingzoo:tictactoe"],
)
def test_pettingzoo_accepts_our_games(name: str, usual: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert complaints(to_aec(game(name))) <= usual
    seed_test(lambda: to_aec(game(name)), num_cycles=50)
    assert "Passed API test" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["tictactoe", "connect4:4x5", "openspiel:dots_and_boxes(num_rows=1,num_cols=2)"])
def test_the_environment_plays_our_game(name: str) -> None:
    """Observations, masks, turns, rewards of both agents and the end are the game's, move by move."""
    ours = game(name)
    rng = np.random.default_rng(5)
    env = to_aec(ours, render_mode="ansi")
    for _ in range(20):
        env.reset(seed=1)
        states, done = ours.start(1, rng=rng), False
        while not done:
            seat = int(ours.acting(states)[0, 1])
            assert env.agent_selection == f"player_{seat}"
            for other in (0, 1):
                seen = env.observe(f"player_{other}")
                assert np.array_equal(seen["observation"], ours.observe(states, other)[0])
                assert np.array_equal(seen["action_mask"], ours.legal(states, other)[0])
            actions = random_actions(ours, states, rng)
            states, rewards, over = ours.step(states, actions, rng=rng)
            env.step(int(actions[0, seat]))
            done = bool(over[0])
            assert env.rewards == {"player_0": rewards[0], "player_1": -rewards[0]}
            assert set(env.terminations.values()) == {done}
            assert env.render() == ours.render(states[0])


def test_the_environment_follows_the_usual_rules_of_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """A picture for people, a copy that goes its own way, and -1 for a taken place, at once."""
    env = to_aec(game("tictactoe"), render_mode="human")
    env.reset(seed=0)
    env.step(4)
    assert capsys.readouterr().out == draw("...\n.x.\n...") + "\n\n"
    copy = reloaded(env)
    copy.step(0)
    assert (env.observe("player_1")["observation"].sum(), copy.observe("player_1")["observation"].sum()) == (1, 2)
    env.step(4)
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.rewards == {"player_0": 0, "player_1": -1}


def test_games_without_turns_and_unknown_modes_are_refused() -> None:
    with pytest.raises(GameError, match="test-pennies is not turn-based"):
        to_aec(PENNIES)
    with pytest.raises(GameError, match="render_mode is None, 'ansi' or 'human', not 'rgb_array'"):
        to_aec(game("tictactoe"), render_mode="rgb_array")
