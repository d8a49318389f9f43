"""One seat of a game as a Gymnasium environment: the game's own rules, and what Gymnasium's checker demands."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils.env_checker import check_env

from agents import Greedy, Uniform, make_expert
from agents.environments.seat import Masks, to_gymnasium
from agents.policy import Policy
from agents.tabular import from_model
from games import GameError
from games.base import Floats, Game, States
from tests.support import draw, game, graph, reloaded

NAMES = ("tictactoe", "connect4:4x5", "gridworld:3x3", "rps", "kuhn", "openspiel:nim", "quotient:tictactoe")


def rollout(env: Any, seed: int, steps: int = 60) -> list[tuple[Any, ...]]:
    """Random legal play: observation, reward and ends of every step, over several episodes."""
    rng, seen = np.random.default_rng(seed), []
    observation, info = env.reset(seed=seed)
    for _ in range(steps):
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        observation, reward, ended, cut, info = env.step(action)
        seen.append((observation.tolist(), reward, ended, cut))
        if ended or cut:
            assert not info["action_mask"].any()
            observation, info = env.reset()
    return seen


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("masks", ["info", "observation"])
def test_gymnasium_accepts_it(name: str, seat: int, masks: Masks) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about infinite bounds, and environments that are not registered there
        check_env(to_gymnasium(game(name), Uniform(), seat, masks=masks, render_mode="ansi"))


@pytest.mark.parametrize("name", NAMES)
def test_equal_seeds_play_equal_games(name: str) -> None:
    env = to_gymnasium(game(name), Uniform(), 1)
    first = rollout(env, seed=3)
    assert rollout(env, seed=3) == first
    assert rollout(reloaded(env), seed=3) == first
    assert rollout(env, seed=4) != first


class Scripted:
    """Plays the lowest legal action, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def probabilities(self, played: Game, states: States, seat: int) -> Floats:
        self.asked += [played.render(state) for state in states]
        legal = played.legal(states, seat)
        return np.eye(legal.shape[1])[legal.argmax(1)] * legal.any(1, keepdims=True)


def test_a_step_is_the_own_move_and_the_reply() -> None:
    opponent = Scripted()
    env = to_gymnasium(game("tictactoe"), opponent, 1, render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == draw("x..\n...\n...")
    observation, reward, ended, cut, info = env.step(4)
    assert env.render() == draw("xx.\n.o.\n...")
    assert observation[0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]  # own stones first
    assert (reward, ended, cut) == (0.0, False, False)
    assert info["action_mask"].tolist() == [0, 0, 1, 1, 0, 1, 1, 1, 1]
    assert env.action_masks().dtype == np.bool_
    assert env.step(8)[1:4] == (-1.0, True, False)  # the reply completes the top row
    assert opponent.asked == [draw("...\n...\n..."), draw("x..\n.o.\n..."), draw("xx.\n.o.\n..o")]
    with pytest.raises(GameError, match="the episode is over; call reset"):
        env.step(3)


@pytest.mark.parametrize("action", [0, 9, -1])
def test_an_illegal_action_loses_at_once(action: int) -> None:
    env = to_gymnasium(game("tictactoe"), Scripted(), 1)
    env.reset(seed=0)
    _, reward, ended, cut, info = env.step(action)
    assert (reward, ended, cut, info["illegal"]) == (-1.0, True, False, True)


def test_a_seat_sees_its_own_card_alone() -> None:
    """In Kuhn poker the observation is the game's own, of the agent's seat, and rewards are its winnings."""
    env = to_gymnasium(game("kuhn"), Uniform(), 1, masks="observation")
    observation, info = env.reset(seed=5)
    assert np.array_equal(observation["observation"], game("kuhn").observe(env.unwrapped._states, 1)[0])
    assert observation["action_mask"].tolist() == info["action_mask"].tolist()


def test_endless_games_are_truncated() -> None:
    env = to_gymnasium(game("gridworld:3x3"), Uniform(), 0)
    ends = [(ended, cut) for _, _, ended, cut in rollout(env, seed=0, steps=300)]
    assert any(cut for _, cut in ends)
    assert not any(ended and cut for ended, cut in ends)


@pytest.mark.slow
def test_stable_baselines_trains_on_it() -> None:
    """Where it is installed, which the tests do not ask for."""
    sb3 = pytest.importorskip("stable_baselines3")
    expert = make_expert("first", graph("tictactoe"))
    env = wrappers.FlattenObservation(to_gymnasium(game("tictactoe"), expert[1], 0))
    learner = sb3.DQN("MlpPolicy", env, seed=0, learning_starts=100, device="cpu").learn(400)
    observation, _ = env.reset(seed=0)
    assert env.action_space.contains(int(learner.predict(observation, deterministic=True)[0]))


def value_of(env: Any, policy: Policy, played: Game, seat: int, episodes: int) -> float:
    """The mean return of a policy, stepped through the environment."""
    total = 0.0
    for episode in range(episodes):
        env.reset(seed=episode)
        over = False
        while not over:
            row = policy.probabilities(played, env.unwrapped._states, seat)[0]
            _, reward, ended, cut, _ = env.step(int(row.argmax()))
            total, over = total + reward, ended or cut
    return total / episodes


def test_returns_are_the_values_of_the_model() -> None:
    """The best response to uniform play wins as much in the environment as the exact model says."""
    model, played = graph("tictactoe"), game("tictactoe")
    uniform = np.where(model.legal(1), 1.0, 0.0)
    uniform /= np.maximum(uniform.sum(1, keepdims=True), 1)
    response = model.respond(0, uniform)
    env = to_gymnasium(played, Uniform(), 0)
    found = value_of(env, from_model(model, 0, response.policy), played, 0, episodes=300)
    assert abs(found - response.value) < 0.03  # 0.9948; sd of the mean about 0.006
    expert = make_expert("first", model)
    assert value_of(to_gymnasium(played, expert[0], 1), Greedy(expert[1]), played, 1, episodes=2) == 0.0


@pytest.mark.parametrize(
    ("seat", "masks", "mode", "said"),
    [
        (2, "info", None, "the seats are 0 and 1, not 2"),
        (0, "both", None, "masks go to 'info' or into the 'observation', not 'both'"),
        (0, "info", "rgb_array", "render_mode is None, 'ansi' or 'human', not 'rgb_array'"),
    ],
)
def test_other_arguments_are_refused(seat: int, masks: Any, mode: str | None, said: str) -> None:
    with pytest.raises(GameError, match=said):
        to_gymnasium(game("rps"), Uniform(), seat, masks=masks, render_mode=mode)


def test_human_mode_prints_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    env = to_gymnasium(game("tictactoe"), Scripted(), 0, render_mode="human")
    env.reset(seed=0)
    env.step(4)
    assert capsys.readouterr().out == draw("...\n...\n...") + "\n\n" + draw("o..\n.x.\n...") + "\n\n"
