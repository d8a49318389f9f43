"""Positions of a walk: numbers, mirror images and the moves of a ply, position by position on boards drawn as text."""

from __future__ import annotations

import numpy as np
import pytest

from games import NashmailError
from games.base import Bools, States
from games.boards import Board
from mail.data.drops import canonical, first_positions, most_probable, numbers
from mail.learners.walk.judge import Judge
from mail.learners.walk.layers import follow
from tests.support import PlainBoard, game, position, visited

NAMES = ["connect4:4x4", "connect4:3x3:3", "connect4:5x3:3"]


def moving(board: Board, seat: int, seed: int = 0) -> States:
    """Positions of random games at which a seat moves."""
    states = visited(board, episodes=30, seed=seed)
    mine: Bools = board.acting(states)[:, seat]
    return states[mine]


def mirrored(picture: str) -> str:
    return "\n".join(line[::-1] for line in picture.split("\n"))


def up_to_mirror(pictures: list[str]) -> set[str]:
    return {min(picture, mirrored(picture)) for picture in pictures}


def shown(board: Board, states: States) -> list[str]:
    return [board.render(state) for state in states]


@pytest.mark.parametrize("name", NAMES)
def test_each_position_is_kept_once_up_to_its_mirror_image(name: str) -> None:
    board = game(name)
    states = visited(board, episodes=40)
    assert len(np.unique(numbers(states))) == len(states), "numbers tell positions apart"
    images = board.images(states)[1]
    both = canonical(board, np.concatenate([states, images]))
    assert np.array_equal(both, canonical(board, images[::-1]))
    pictures = shown(board, both)
    assert len(pictures) == len(up_to_mirror(pictures))
    assert up_to_mirror(pictures) == up_to_mirror(shown(board, states))
    assert (np.diff(numbers(both).astype(np.int64)) > 0).all()
    assert len(canonical(board, states[:0])) == 0


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_what_follows_is_every_reply_at_which_nothing_is_decided(name: str, seat: int) -> None:
    board = game(name)
    plain, rng = PlainBoard.like(board), np.random.default_rng(0)
    for state in moving(board, seat):
        picture = board.render(state)
        action = int(rng.choice(plain.moves(picture)))
        wanted = []
        replied = plain.after(picture, action)
        for reply in plain.moves(replied):
            after = plain.after(replied, reply)
            wins = [plain.winner(plain.after(after, own)) == seat for own in plain.moves(after)]
            if not plain.over(after) and not any(wins):
                wanted.append(after)
        judge = Judge(board, seat, -1.0)  # nothing is too little
        found = follow(judge, state[None], np.array([action]))
        assert up_to_mirror(shown(board, found)) == up_to_mirror(wanted)
        assert len(found) == len(up_to_mirror(wanted))


def test_an_end_with_less_than_what_a_seat_holds_is_an_error() -> None:
    board = game("connect4:3x3:3")
    lost = position(board, "...\nxx.\noo.")
    judge = Judge(board, 0, 0.0)
    with pytest.raises(NashmailError, match="the search is wrong"):
        follow(judge, lost, np.array([0]))


@pytest.mark.parametrize("name", NAMES)
def test_first_positions(name: str) -> None:
    board = game(name)
    assert shown(board, first_positions(board, 0)) == [PlainBoard.like(board).empty]
    plain = PlainBoard.like(board)
    replies = [plain.after(plain.empty, action) for action in plain.moves(plain.empty)]
    assert up_to_mirror(shown(board, first_positions(board, 1))) == up_to_mirror(replies)


def test_moves_that_differ_by_rounding_are_most_probable_alike() -> None:
    rows = np.array([[0.5, 0.5 - 1e-7, 0.0], [0.0, 0.4, 0.6]])
    assert most_probable(rows).tolist() == [[True, True, False], [False, False, True]]
