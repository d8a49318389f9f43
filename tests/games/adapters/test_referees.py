"""Two libraries as referees: OpenSpiel and PettingZoo agree with the boards move by move.

What differs between them and is translated here: OpenSpiel numbers Tic-Tac-Toe cells by row as we do;
PettingZoo by column. PettingZoo's mask of the agent that is not to move is all zeros.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pettingzoo
import pyspiel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from games import Board
from tests.support import game, move


class Referee(Protocol):
    """A game in another library, in our numbering of actions."""

    def reset(self) -> None: ...
    def legal(self) -> list[list[int]]: ...  # of both seats
    def play(self, action: int) -> None: ...
    def picture(self) -> str: ...
    def returns(self) -> tuple[float, float] | None: ...  # None while the game runs


class OpenSpiel:
    """A referee from OpenSpiel, which draws boards as we do and numbers actions as we do."""

    def __init__(self, name: str, **parameters: int) -> None:
        self.game = pyspiel.load_game(name, parameters)

    def reset(self) -> None:
        self.state = self.game.new_initial_state()

    def legal(self) -> list[list[int]]:
        return [sorted(self.state.legal_actions(seat)) for seat in (0, 1)]

    def play(self, action: int) -> None:
        self.state.apply_action(action)

    def picture(self) -> str:
        return str(self.state).strip()

    def returns(self) -> tuple[float, float] | None:
        return tuple(self.state.returns()) if self.state.is_terminal() else None


class PettingZoo:
    """A referee from PettingZoo; ``action`` translates ours to theirs and is its own inverse."""

    def __init__(self, name: str, *, transposed: bool) -> None:
        self.env: Any = pettingzoo.make("aec", name)
        self.transposed = transposed

    def reset(self) -> None:
        self.env.reset(seed=0)
        self.agents = list(self.env.agents)

    def action(self, action: int) -> int:
        return action % 3 * 3 + action // 3 if self.transposed else action

    def legal(self) -> list[list[int]]:
        masks = [self.env.observe(agent)["action_mask"] for agent in self.agents]
        return [sorted(self.action(int(action)) for action in np.flatnonzero(mask)) for mask in masks]

    def play(self, action: int) -> None:
        self.env.step(self.action(action))

    def picture(self) -> str:
        board = self.env.unwrapped.board
        cells = np.array(board.squares).reshape(3, 3).T if self.transposed else np.array(board).reshape(6, 7)
        return "\n".join("".join(".xo"[cell] for cell in row) for row in cells)

    def planes(self, seat: int) -> np.ndarray:
        """The agent's observation as [2, rows, columns], own stones first."""
        planes = np.moveaxis(self.env.observe(self.agents[seat])["observation"], -1, 0)
        return planes.swapaxes(1, 2) if self.transposed else planes

    def returns(self) -> tuple[float, float] | None:
        if not any(self.env.terminations.values()):
            return None
        return self.env.rewards[self.agents[0]], self.env.rewards[self.agents[1]]


REFEREES: dict[str, tuple[str, Referee]] = {
    "openspiel tic_tac_toe": ("tictactoe", OpenSpiel("tic_tac_toe")),
    "openspiel connect_four": ("connect4", OpenSpiel("connect_four")),
    "openspiel connect_four 4x5": ("connect4:4x5", OpenSpiel("connect_four", rows=4, columns=5, x_in_row=4)),
    "openspiel connect_four 5x4": ("connect4:5x4", OpenSpiel("connect_four", rows=5, columns=4, x_in_row=4)),
    "openspiel connect_four 3x5:3": ("connect4:3x5:3", OpenSpiel("connect_four", rows=3, columns=5, x_in_row=3)),
    "openspiel mnk 3x4:3": ("tictactoe:3x4:3", OpenSpiel("mnk", m=4, n=3, k=3)),
    "pettingzoo tictactoe": ("tictactoe", PettingZoo("classic/tictactoe-v3", transposed=True)),
    "pettingzoo connect_four": ("connect4", PettingZoo("classic/connect_four-v3", transposed=False)),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "referee"), REFEREES.values(), ids=REFEREES.keys())
@given(choices=st.lists(st.integers(0, 10**6), min_size=42, max_size=42))
def test_the_referee_agrees_move_by_move(name: str, referee: Referee, choices: list[int]) -> None:
    """Legal moves of both seats, the board, the seats' views, who won, and when the game is over."""
    board = game(name)
    rng = np.random.default_rng(0)
    states, result = board.start(1, rng=rng), None
    referee.reset()
    for ply, choice in enumerate(choices):
        _same_position(board, states, referee)
        legal = np.flatnonzero(board.legal(states, ply % 2)[0])
        assert len(legal) > 0
        action = int(legal[choice % len(legal)])
        referee.play(action)
        states, rewards, done = board.step(states, move(ply % 2, action), rng=rng)
        result = referee.returns()
        assert done[0] == (result is not None)
        if result is not None:
            assert result == (rewards[0], -rewards[0])
            break
        assert rewards[0] == 0
    assert result is not None
    assert board.render(states[0]) == referee.picture()
    assert not board.legal(states, 0).any()
    assert not board.legal(states, 1).any()


@pytest.mark.parametrize("name", ["connect4", "connect4:4x5", "connect4:5x4", "connect4:3x5:3"])
@given(choices=st.lists(st.integers(0, 10**6), min_size=42, max_size=42))
def test_the_mirrored_game_is_the_game_mirrored(name: str, choices: list[int]) -> None:
    """Two referees, one of which plays every move in the opposite column: their boards stay mirror images, with equal
    results, and so do ours and our images of them.
    """
    board = game(name)
    plain, mirrored = (
        OpenSpiel("connect_four", rows=board.rows, columns=board.columns, x_in_row=board.k) for _ in range(2)
    )
    plain.reset()
    mirrored.reset()
    opposite = board.spec.symmetries[1]
    assert opposite == tuple(reversed(range(board.columns)))
    rng = np.random.default_rng(0)
    states = board.start(1, rng=rng)
    for ply, choice in enumerate(choices):
        legal = plain.legal()[ply % 2]
        assert sorted(opposite[action] for action in legal) == mirrored.legal()[ply % 2]
        action = legal[choice % len(legal)]
        plain.play(action)
        mirrored.play(opposite[action])
        states = board.step(states, move(ply % 2, action), rng=rng)[0]
        picture = "\n".join(row[::-1] for row in plain.picture().split("\n"))
        assert board.render(board.images(states)[1][0]) == mirrored.picture() == picture
        assert plain.returns() == mirrored.returns()
        if plain.returns() is not None:
            break
    assert plain.returns() is not None


# 42 stones, and no four of a seat in a line.
CONNECT4_DRAW = [int(column) for column in "555054466351352123041430222100021613443666"]


@pytest.mark.parametrize("name", ["tictactoe", "connect4"])
def test_referees_see_wins_of_both_seats_and_draws(name: str) -> None:
    """The random games above are no proof unless all three results occur: fixed games with each of them."""
    finals = {
        "tictactoe": {1.0: [0, 3, 1, 4, 2], -1.0: [0, 3, 1, 4, 8, 5], 0.0: [0, 1, 2, 4, 3, 5, 7, 6, 8]},
        "connect4": {1.0: [0, 1, 0, 1, 0, 1, 0], -1.0: [0, 1, 0, 1, 0, 1, 2, 1], 0.0: CONNECT4_DRAW},
    }[name]
    board = game(name)
    rng = np.random.default_rng(0)
    for referee in [referee for other, referee in REFEREES.values() if other == name]:
        for payoff, actions in finals.items():
            referee.reset()
            states = board.start(1, rng=rng)
            for ply, action in enumerate(actions):
                assert referee.returns() is None
                _same_position(board, states, referee)
                referee.play(action)
                states, rewards, done = board.step(states, move(ply % 2, action), rng=rng)
            assert referee.returns() == (payoff, -payoff)
            assert (rewards[0], done[0]) == (payoff, True)
            assert board.render(states[0]) == referee.picture()


def _same_position(board: Board, states: np.ndarray, referee: Referee) -> None:
    assert board.render(states[0]) == referee.picture()
    for seat, legal in enumerate(referee.legal()):
        assert np.flatnonzero(board.legal(states, seat)[0]).tolist() == legal
        if isinstance(referee, PettingZoo):
            assert np.array_equal(board.observe(states, seat)[0], referee.planes(seat))
