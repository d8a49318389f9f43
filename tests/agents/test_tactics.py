"""Tactics: what wins at once and what blocks, against a referee on strings; files and names of players."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.policy import PolicyError, Uniform
from agents.storage.policies import load_policy, save_policy
from agents.tactics import Tactics
from games.base import Floats, Game, NashmailError, States
from games.registry import make
from mail.training.entrants import entrant, entrants, needs_model
from tests.support import PENNIES, PlainBoard, game, position, visited


class Weighs:
    """Probabilities in proportion to the number of the action, counted from 1."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = game.legal(states, seat) * np.arange(1.0, game.spec.actions + 1)
        return np.asarray(rows / np.maximum(rows.sum(1, keepdims=True), 1.0))


def forced(plain: PlainBoard, picture: str) -> set[int]:
    """The moves that win at once, or else those where the other would win with its next move."""
    mark, other = "xo"[plain.mover(picture)], "ox"[plain.mover(picture)]
    for whose in (mark, other):
        moves = set()
        for action in plain.moves(picture):
            after = plain.after(picture, action)
            cell = next(at for at, (a, b) in enumerate(zip(picture, after, strict=True)) if a != b)
            if plain.winner(after[:cell] + whose + after[cell + 1 :]) == "xo".index(whose):
                moves.add(action)
        if moves:
            return moves
    return set()


@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x4:3", "connect4:4x4"])
def test_it_wins_at_once_or_blocks_in_proportion(name: str) -> None:
    board, plain = game(name), PlainBoard.like(game(name))
    states = visited(board, episodes=15)
    seen = 0
    for seat in (0, 1):
        plays = Weighs().probabilities(board, states, seat)
        rows = Tactics(Weighs()).probabilities(board, states, seat)
        for state, row, own in zip(states, rows, plays, strict=True):
            picture = board.render(state)
            moves = forced(plain, picture) if board.acting(state[None])[0, seat] else set()
            seen += bool(moves)
            expected = np.where(np.isin(np.arange(len(row)), list(moves)), own, 0.0) if moves else own
            np.testing.assert_allclose(row, expected / max(expected.sum(), 1e-300) if own.any() else own, atol=1e-12)
    assert seen > 5


def test_a_win_comes_before_a_block_and_is_made_though_the_policy_never_would() -> None:
    board = game("tictactoe")
    states = position(board, "xx.\noo.\n...")
    (row,) = Tactics(Only(3)).probabilities(board, states, 0)
    assert row.tolist() == np.eye(9)[2].tolist()
    states = position(board, "x..\noo.\nx..")
    (row,) = Tactics(Only(1)).probabilities(board, states, 0)
    assert row.tolist() == np.eye(9)[5].tolist()


class Only:
    """One action alone."""

    def __init__(self, action: int) -> None:
        self.action = action

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return np.eye(game.spec.actions)[[self.action] * len(states)]


def test_it_plays_boards_of_others_and_refuses_other_games() -> None:
    theirs = make("openspiel:tic_tac_toe")
    states = theirs.start(1, rng=np.random.default_rng(0))
    for action in (0, 3, 1, 4):
        states = theirs.step(states, np.array([[action, action]]), rng=np.random.default_rng(0))[0]
    assert Tactics(Uniform()).probabilities(theirs, states, 0).tolist() == np.eye(9)[[2]].tolist()
    with pytest.raises(PolicyError, match="tactics are for boards"):
        Tactics(Uniform()).probabilities(PENNIES, PENNIES.starts(), 0)


def test_it_is_saved(tmp_path: Path) -> None:
    save_policy(tmp_path / "one", Tactics(Uniform()), game=game("tictactoe"), seat=0)
    found = load_policy(tmp_path / "one").policy
    assert isinstance(found, Tactics) and isinstance(found.policy, Uniform)


def test_players_are_asked_for_with_tactics_by_name() -> None:
    board = game("tictactoe")
    first, second = entrant("tactics:random", board)(None)
    assert isinstance(first, Tactics) and isinstance(second, Tactics)
    assert needs_model("tactics:expert") and not needs_model("tactics:random")
    assert list(entrants(["random", "tactics:random"], board)) == ["random", "tactics:random"]
    with pytest.raises(NashmailError, match="entered twice"):
        entrants(["tactics:suboptimal:1", "tactics:suboptimal:1.0"], board)
    with pytest.raises(NashmailError, match="no player is called 'nobody'"):
        entrant("tactics:nobody", board)
    with pytest.raises(NashmailError, match="tactics are for boards"):
        entrant("tactics:random", PENNIES)
