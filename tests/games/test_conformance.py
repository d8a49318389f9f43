"""One suite over every game: what the contract in ``games.base`` promises, whatever the game is.

To add a game, add a line to ``GAMES``. What users can check of their own games is in ``games.check``; what the suite
asks beyond that is a function of a game, listed in ``CHECKS``, and speaks of the contract alone: seats may act in turn
or at once, chance may move, rewards may come at any time. What holds for boards only is in ``BOARD_CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

import games
from games import Board, Game, Quotient
from tests.support import PENNIES, game, random_play, reloaded, visited

BOARDS = [
    "tictactoe",
    "tictactoe:4x4:3",
    "tictactoe:3x4:3",
    "connect4",
    "connect4:4x5",
    "connect4:5x4",
    "connect4:3x4",
    "quotient:tictactoe",
    "quotient:tictactoe:3x4:3",
    "quotient:connect4",
    "quotient:connect4:4x4",
]
WRAPPED = [  # other libraries' games: boards of ours and others; in mancala seats do not strictly alternate
    "openspiel:tic_tac_toe",
    "openspiel:connect_four(rows=4,columns=5)",
    "openspiel:mnk(m=4,n=3,k=3)",
    "openspiel:hex(board_size=3)",
    "openspiel:nim(pile_sizes=1;2;3)",
    "openspiel:mancala",
    "pettingzoo:tictactoe",
    "pettingzoo:connect_four",
]
MARKOV = [
    "chain",
    "gridworld",
    "linear:20,3",
    "linear-joint:20,3",
    "rps",
    "shifted",
    "unseen",
    "simultaneous:matrix_rps",
]
CARDS = [
    "kuhn",
    "kuhn:5",
    "leduc",
    "openspiel:kuhn_poker",
    "openspiel:dark_hex(num_rows=2,num_cols=2)",
]  # hidden information and chance
GAMES: dict[str, Callable[[], Game]] = {
    **{name: partial(game, name) for name in [*BOARDS, *WRAPPED, *MARKOV, *CARDS]},
    "pennies (simultaneous, with chance)": lambda: PENNIES,
}


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


# --- what every game promises ----------------------------------------------------------------------------


def the_contract_is_kept(game: Game) -> None:
    """Shapes, types, legality, keys, ends, successors, symmetries, copies, names: ``games.check``, which users call."""
    found = games.check(game)
    assert found.positions > 1 and found.moves > 1


def equal_pictures_are_equal_keys(game: Game) -> None:
    """The other half of the rule of keys, which a check cannot ask of a game whose pictures leave something out."""
    states = visited(game)
    key = game.key(states)
    pictures = [f"{game.render(state)} {acting}" for state, acting in zip(states, game.acting(states), strict=True)]
    assert len({row.tobytes() for row in key}) == len(set(pictures))


def pickled_it_is_the_same_game(game: Game) -> None:
    other = reloaded(game)
    assert other.spec == game.spec
    plies, others = list(random_play(game, 6, rng())), list(random_play(other, 6, rng()))
    assert len(plies) == len(others)
    for mine, theirs in zip(plies, others, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        assert np.array_equal(game.observe(mine[0], 1), other.observe(theirs[0], 1))


CHECKS = [
    the_contract_is_kept,
    equal_pictures_are_equal_keys,
    pickled_it_is_the_same_game,
]

# --- what boards promise beyond that ---------------------------------------------------------------------


def seats_take_turns(game: Game) -> None:
    for ply, (states, *_) in enumerate(random_play(game, 12, rng())):
        assert np.array_equal(game.acting(states), np.tile([ply % 2 == 0, ply % 2 == 1], (len(states), 1)))


def the_last_mover_wins_or_nobody(game: Game) -> None:
    """Rewards come with the last move, +1 if seat 0 made it and -1 if seat 1 did, or 0 on a full board."""
    results = set()
    for ply, (_, _, _, rewards, done) in enumerate(random_play(game, 300, rng())):
        assert (rewards[~done] == 0).all()
        assert set(rewards[done]) <= {1.0 - 2.0 * (ply % 2), 0.0}
        if (rewards[done] == 0).any():
            assert ply + 1 == game.spec.longest
        results |= set(rewards[done])
    assert {1.0, -1.0} <= results


def each_seat_sees_its_own_stones_first(game: Game) -> None:
    for ply, (states, *_) in enumerate(random_play(game, 6, rng())):
        first, second = game.observe(states, 0), game.observe(states, 1)
        assert np.array_equal(first, second[:, ::-1])
        assert (first[:, 0].sum((1, 2)) == (ply + 1) // 2).all()
        assert (first[:, 1].sum((1, 2)) == ply // 2).all()
        assert set(np.unique(first)) <= {0.0, 1.0}
        assert (first.sum(1) <= 1).all(), "two stones on one cell"


def both_seats_know_the_whole_board(game: Game) -> None:
    states = visited(game)
    assert np.array_equal(game.key(states, 0), game.key(states))
    assert np.array_equal(game.key(states, 1), game.key(states))


def images_share_a_key_only_in_the_quotient(game: Game) -> None:
    states = visited(game)
    base = game.base if isinstance(game, Quotient) else game
    assert isinstance(base, Board)
    images = base.images(states)
    for image in images:
        same = (game.key(image) == game.key(states)).all(1)
        expected = np.ones(len(states), bool) if isinstance(game, Quotient) else (image == states).all(1)
        assert np.array_equal(same, expected)
    if isinstance(game, Quotient):
        canonical, which = game.canonical(states)
        assert np.array_equal(canonical, states), "the quotient plays on canonical positions"
        assert (which == 0).all()


BOARD_CHECKS = [
    the_contract_is_kept,
    seats_take_turns,
    the_last_mover_wins_or_nobody,
    each_seat_sees_its_own_stones_first,
    both_seats_know_the_whole_board,
    images_share_a_key_only_in_the_quotient,
]


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_game(name: str, check: Callable[[Game], None]) -> None:
    check(GAMES[name]())


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("check", BOARD_CHECKS, ids=lambda check: check.__name__)
def test_board(name: str, check: Callable[[Game], None]) -> None:
    check(GAMES[name]())
