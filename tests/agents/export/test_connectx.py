"""The ConnectX form: one file, run as Kaggle runs it, plays the policy's most probable column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import make_expert
from agents.export.write import export_connectx
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Lifted, Policy, PolicyError, Seats, Uniform
from agents.tactics import Tactics
from games.base import Game, States
from games.symmetry import Quotient
from tests.support import game, graph, visited

FOUR = {"rows": 4, "columns": 4, "inarow": 4}
NET = Architecture(channels=4, convolutions=1, hidden=8)


def submitted(first: Policy, second: Policy, played: Game, folder: Path) -> Callable[[Any, Any], int]:
    """The agent of an exported file: its last function, as in Kaggle's own runner, which has no ``__file__`` either."""
    (path,) = export_connectx((first, second), played, folder)
    names: dict[str, Any] = {"__builtins__": __builtins__}
    exec(compile(path.read_text(), "submission", "exec"), names)
    agent: Callable[[Any, Any], int] = [value for value in names.values() if callable(value)][-1]
    return agent


def as_kaggle(played: Game, states: States) -> list[dict[str, Any]]:
    """What ConnectX tells the player to move at each position: the flat board, 0, 1 or 2, and the player's mark."""
    cells = played.observe(states, 0).reshape(len(states), 2, -1).astype(int)
    boards = cells[:, 0] + 2 * cells[:, 1]
    marks = 1 + played.acting(states)[:, 1].astype(int)
    return [{"board": board.tolist(), "mark": int(mark)} for board, mark in zip(boards, marks, strict=True)]


def net(played: Game) -> NetworkPolicy:
    rng = np.random.default_rng(7)
    return NetworkPolicy(PolicyNet(played.spec.observation, played.spec.actions, NET, rng=rng))


@pytest.mark.parametrize("tactics", [False, True])
def test_it_plays_what_the_policies_play(tactics: bool, tmp_path: Path) -> None:
    """A network in one seat, one on canonical positions or with tactics in the other, at positions of random games."""
    played = game("connect4:4x4")
    pair: Seats = (net(played), Tactics(net(played)) if tactics else Lifted(net(played), Quotient(played)))
    agent = submitted(*pair, played, tmp_path)
    states = visited(played, episodes=30)
    states = states[played.acting(states).any(1)]
    expected = sum((Greedy(pair[seat]).probabilities(played, states, seat) for seat in (0, 1)), np.zeros(()))
    chosen = [agent(told, FOUR) for told in as_kaggle(played, states)]
    assert len(states) > 100
    assert np.array_equal(chosen, expected.argmax(1))


@pytest.mark.slow
def test_an_exported_expert_never_loses(tmp_path: Path) -> None:
    """Both seats of the exact expert draw with each other, by the file alone, as 4x4 is a draw."""
    played = game("connect4:4x4")
    agent = submitted(*make_expert("first", graph("connect4:4x4")), played, tmp_path)
    rng = np.random.default_rng(0)
    states, done, reward = played.start(1, rng=rng), False, np.zeros(1)
    while not done:
        seat = int(played.acting(states)[0, 1])
        actions = np.full((1, 2), -1)
        actions[0, seat] = agent(as_kaggle(played, states)[0], FOUR)
        states, reward, over = played.step(states, actions, rng=rng)
        done = bool(over[0])
    assert reward[0] == 0


def test_another_board_is_refused(tmp_path: Path) -> None:
    agent = submitted(Uniform(), Uniform(), game("connect4:4x4"), tmp_path)
    with pytest.raises(ValueError, match=r"plays boards of \(4, 4, 4\).*, not of \(6, 7, 4\)"):
        agent({"board": [0] * 42, "mark": 1}, {"rows": 6, "columns": 7, "inarow": 4})


@pytest.mark.parametrize("name", ["tictactoe", "rps"])
def test_games_without_falling_discs_are_refused(name: str, tmp_path: Path) -> None:
    played = game(name)
    with pytest.raises(PolicyError, match=r"ConnectX is played where discs fall, and .* is not; choose another form"):
        export_connectx((Uniform(), Uniform()), played, tmp_path / "out")
    assert not (tmp_path / "out").exists()
