"""The board engine on boards one can look at: lines, edges, gravity, symmetry, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import games
from games import Board, GameError, Quotient
from tests.support import PlainBoard, draw, game, move, position

NO_DRAW = np.random.default_rng(0)


def over(name: str, picture: str) -> bool:
    """Whether nobody is to move in the drawn position."""
    board = game(name)
    return not board.acting(position(board, picture)).any()


def played(name: str, actions: list[int]) -> tuple[str, float, bool]:
    """The picture after these actions, the last reward, and whether the game is over."""
    board = game(name)
    states = board.start(1, rng=NO_DRAW)
    rewards, done = np.zeros(1), np.zeros(1, bool)
    for ply, action in enumerate(actions):
        states, rewards, done = board.step(states, move(ply % 2, action), rng=NO_DRAW)
    return board.render(states[0]), float(rewards[0]), bool(done[0])


# --- lines -----------------------------------------------------------------------------------------------

LINES = {
    "row on top": ("tictactoe", "xxx / oo. / ...", 0),
    "row at the bottom": ("tictactoe", "oo. / ... / xxx", 0),
    "column on the left": ("tictactoe", "xo. / xo. / x..", 0),
    "column on the right": ("tictactoe", "x.o / x.o / .xo", 1),
    "falling diagonal": ("tictactoe", "xo. / ox. / ..x", 0),
    "rising diagonal": ("tictactoe", "x.o / xo. / o.x", 1),
    "row of a wide board": ("tictactoe:3x4:3", ".xxx / .oo. / ....", 0),
    "rising diagonal of a wide board": ("tictactoe:3x4:3", "...x / .oxo / .x..", 0),
    "four in a row, right end": (
        "connect4",
        """
        .......
        .......
        .......
        .......
        ...ooo.
        ...xxxx
        """,
        0,
    ),
    "four in a column, top end": (
        "connect4",
        """
        .....o.
        .....o.
        .....o.
        .....o.
        .....x.
        xx...x.
        """,
        1,
    ),
    "four on a falling diagonal": (
        "connect4",
        """
        .......
        .......
        x......
        ox.....
        oox....
        xoox..x
        """,
        0,
    ),
    "four on a rising diagonal, top right": (
        "connect4",
        """
        ......o
        .....ox
        ....oxo
        ...oxox
        x..ooxo
        x..xxox
        """,
        1,
    ),
}


@pytest.mark.parametrize(("name", "picture", "winner"), LINES.values(), ids=LINES.keys())
def test_a_line_ends_the_game_for_whoever_completes_it(name: str, picture: str, winner: int) -> None:
    picture = draw(picture.replace(" / ", "\n"))
    board = game(name)
    assert over(name, picture)
    assert PlainBoard.like(board).winner(picture) == winner
    # Take any stone of the line's owner back that can be the last move: playing it again wins.
    plain = PlainBoard.like(board)
    replayed = 0
    for cell, mark in enumerate(picture):
        above = picture[max(cell - board.columns - 1, 0)] if board.gravity and cell > board.columns else "."
        if mark != "xo"[winner] or above in "xo":
            continue
        before = picture[:cell] + "." + picture[cell + 1 :]
        for action in plain.moves(before) if plain.mover(before) == winner else []:
            if plain.after(before, action) == picture:
                after, rewards, done = board.step(position(board, before), move(winner, action), rng=NO_DRAW)
                assert board.render(after[0]) == picture
                assert (rewards[0], done[0]) == (1.0 - 2.0 * winner, True)
                replayed += 1
    assert replayed


RUNNING = {
    "two and one round the top edge": ("tictactoe", "x.. / xo. / ox."),
    "one and two round the top edge": ("tictactoe", "xo. / .xo / .x."),
    "round the right edge": ("tictactoe", ".xx / x.o / o.."),
    "round the left edge, upwards": ("tictactoe", "..x / xxo / o.."),
    "diagonal round the edge": ("tictactoe:4x4:3", ".x.. / o.x. / ...o / x..."),
    "three are not four": ("connect4:4x4", ".... / x... / xoo. / xox."),
    "four round the top of a full column": (
        "connect4",
        """
        x......
        x......
        xo.....
        ox.....
        oxo....
        oxo...x
        """,
    ),
    "four round the right edge": (
        "connect4",
        """
        .......
        .......
        .......
        .......
        xx...oo
        oo...xx
        """,
    ),
}


@pytest.mark.parametrize(("name", "picture"), RUNNING.values(), ids=RUNNING.keys())
def test_lines_do_not_run_round_the_edge(name: str, picture: str) -> None:
    picture = draw(picture.replace(" / ", "\n"))
    board = game(name)
    assert not over(name, picture)
    state = position(board, picture)
    assert board.render(state[0]) == picture
    plain = PlainBoard.like(board)
    assert np.flatnonzero(board.legal(state, plain.mover(picture))[0]).tolist() == plain.moves(picture)


def test_a_full_board_without_a_line_is_a_draw() -> None:
    assert played("tictactoe", [0, 1, 2, 4, 3, 5, 7, 6, 8]) == ("xox\nxoo\noxx", 0.0, True)
    assert played("connect4:2x2:2", [0, 1, 0]) == ("x.\nxo", 1.0, True)


def test_the_last_stone_can_win() -> None:
    assert played("tictactoe", [0, 1, 2, 3, 4, 5, 7, 6, 8]) == ("xox\noxo\noxx", 1.0, True)


def test_stones_fall() -> None:
    picture = """
        .......
        .......
        .......
        ...o...
        ...x...
        o.xx..o
        """
    assert played("connect4", [3, 0, 3, 3, 2, 6]) == (draw(picture), 0.0, False)


def test_a_full_column_is_closed() -> None:
    board = game("connect4:3x4")
    state = position(board, "o... / x... / o.x.".replace(" / ", "\n"))
    assert board.legal(state, 0)[0].tolist() == [False, True, True, True]
    assert not board.legal(state, 1).any()


SIZES = ["3x3:3", "2x5:3", "5x2:2", "1x6:3", "6x1:3", "4x4:4", "3x6:4", "7x8:4", "63x1:3", "1x32:5", "5x5:3"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("word", ["tictactoe", "connect4"])
@given(choices=st.lists(st.integers(0, 10**6), min_size=64, max_size=64))
def test_every_size_plays_by_the_plain_rules(word: str, size: str, choices: list[int]) -> None:
    """Move by move against rules written on strings, up to boards that use all 64 bits."""
    board = game(f"{word}:{size}")
    plain = PlainBoard.like(board)
    states, picture = board.start(1, rng=NO_DRAW), plain.empty
    for ply, choice in enumerate(choices):
        mover = ply % 2
        moves = plain.moves(picture)
        assert board.render(states[0]) == picture
        assert np.flatnonzero(board.legal(states, mover)[0]).tolist() == moves
        assert not board.legal(states, 1 - mover).any()
        if not moves:
            return
        action = moves[choice % len(moves)]
        picture = plain.after(picture, action)
        states, rewards, done = board.step(states, move(mover, action), rng=NO_DRAW)
        assert done[0] == plain.over(picture)
        assert rewards[0] == (plain.payoff(picture) if done[0] else 0.0)


# --- views -----------------------------------------------------------------------------------------------


def test_observation_has_own_stones_first_and_the_top_row_first() -> None:
    board = game("connect4:3x4")
    state = position(board, "o... / x... / ox.x".replace(" / ", "\n"))
    x = [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1]]
    o = [[1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert board.observe(state, 0).tolist() == [[x, o]]
    assert board.observe(state, 1).tolist() == [[o, x]]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("tictactoe", 8),
        ("tictactoe:4x4:3", 8),
        ("tictactoe:3x4:3", 4),
        ("tictactoe:1x4:3", 2),
        ("connect4", 2),
        ("connect4:4x4", 2),
        ("connect4:4x1", 1),
    ],
)
def test_number_of_symmetries(name: str, count: int) -> None:
    assert len(game(name).spec.symmetries) == count


def test_images_of_a_drawn_board() -> None:
    board = game("tictactoe")
    state = position(board, "xo. / ..x / ...".replace(" / ", "\n"))
    images = {board.render(image[0]) for image in board.images(state)}
    expected = {
        "xo. / ..x / ...",
        ".ox / x.. / ...",
        "... / ..x / xo.",
        "... / x.. / .ox",
        "x.. / o.. / .x.",
        ".x. / o.. / x..",
        "..x / ..o / .x.",
        ".x. / ..o / ..x",
    }
    assert images == {picture.replace(" / ", "\n") for picture in expected}


def test_connect4_is_mirrored_left_to_right() -> None:
    board = game("connect4:3x4")
    state = position(board, ".... / o... / xx.o".replace(" / ", "\n"))
    assert board.spec.symmetries == ((0, 1, 2, 3), (3, 2, 1, 0))
    assert board.render(board.images(state)[1, 0]) == ".... / ...o / o.xx".replace(" / ", "\n")


def test_the_quotient_moves_a_move_to_the_least_image() -> None:
    quotient = Quotient(game("tictactoe"))
    starts = quotient.start(4, rng=NO_DRAW)
    corners = np.array([[0, -1], [2, -1], [6, -1], [8, -1]])
    after = quotient.step(starts, corners, rng=NO_DRAW)[0]
    assert len(np.unique(after, axis=0)) == 1
    firsts = np.stack([np.arange(9), np.full(9, -1)], axis=1)
    after = quotient.step(quotient.start(9, rng=NO_DRAW), firsts, rng=NO_DRAW)[0]
    assert len(np.unique(after, axis=0)) == 3, "corner, edge and centre"


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("tictactoe:0x3", "at least one row"),
        ("tictactoe:3x0", "at least one row"),
        ("tictactoe:3x3:1", "k >= 2"),
        ("tictactoe:3x3:4", "4 in a row does not fit on a 3x3 board"),
        ("connect4:3x3", "4 in a row does not fit on a 3x3 board"),
        ("connect4:8x8", "needs 72 bits"),
        ("connect4:64x1", "needs 65 bits"),
        ("tictactoe:3", "write tictactoe:ROWSxCOLUMNS"),
        ("tictactoe:3x", "write tictactoe:ROWSxCOLUMNS"),
        ("connect4:axb", "write connect4:ROWSxCOLUMNS"),
        ("connect4:-3x4", "write connect4:ROWSxCOLUMNS"),
        ("connect4:6x7:4:4", "write connect4:ROWSxCOLUMNS"),
        ("nope", "no game is called 'nope'; the games are: "),
        ("nope:3x3", "no game is called 'nope:3x3'"),
        ("", "no game is called ''"),
    ],
)
def test_what_is_no_game_is_refused_in_one_line(name: str, says: str) -> None:
    with pytest.raises(GameError) as error:
        games.make(name)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "picture", "actions"),
    [
        ("tictactoe", "x.. / ... / ...", (-1, 0)),
        ("tictactoe", "x.. / .o. / ...", (4, -1)),
        ("tictactoe", "x.. / ... / ...", (-1, 9)),
        ("tictactoe", "x.. / ... / ...", (-1, -1)),
        ("tictactoe", "x.. / ... / ...", (1, -1)),
        ("tictactoe", "... / ... / ...", (-1, 0)),
        ("connect4:3x4", "o... / x... / o.x.", (0, -1)),
        ("connect4:3x4", "o... / x... / o.x.", (4, -1)),
    ],
    ids=["taken", "taken by the other", "outside", "nothing", "wrong seat", "wrong seat first", "full", "no column"],
)
def test_illegal_moves_are_refused_in_one_line(name: str, picture: str, actions: tuple[int, int]) -> None:
    board = game(name)
    state = position(board, picture.replace(" / ", "\n"))
    mover = int(board.acting(state)[0].argmax())
    fine = move(mover, int(board.legal(state, mover)[0].argmax()))
    with pytest.raises(GameError) as error:  # one bad move among good ones is enough
        board.step(np.tile(state, (3, 1)), np.concatenate([fine, [actions], fine]), rng=NO_DRAW)
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_names_say_the_least_that_leads_back() -> None:
    assert games.make("tictactoe:3x3:3").spec.name == "tictactoe"
    assert games.make("connect4:6x7").spec.name == "connect4"
    assert games.make("connect4:4x5:4").spec.name == "connect4:4x5"
    assert games.make("connect4:4x5:3").spec.name == "connect4:4x5:3"
    assert games.make("tictactoe:4x4").spec == games.make("tictactoe:4x4:3").spec


@pytest.mark.usefixtures("registries_as_they_were")
def test_register_adds_a_game_and_refuses_a_taken_name() -> None:
    def factory(parameters: str) -> Board:
        return Board(3, 3, 3, gravity=True, name=f"gravity-three:{parameters}" if parameters else "gravity-three")

    games.register("gravity-three", factory, summary="three in a row, stones fall")
    assert "gravity-three" in games.names()
    assert games.describe("gravity-three") == "three in a row, stones fall"
    assert games.make("gravity-three").spec.actions == 3
    assert games.make("gravity-three:a:b").spec.name == "gravity-three:a:b"
    with pytest.raises(GameError, match=r"^a game called gravity-three is already registered; choose another name$"):
        games.register("gravity-three", factory)
    with pytest.raises(GameError, match=r"^a game called tictactoe is already registered; choose another name$"):
        games.register("tictactoe", factory)
    for name in ("", "a:b"):
        with pytest.raises(GameError, match="one word without a colon"):
            games.register(name, factory)


def test_a_board_without_symmetry_has_no_quotient() -> None:
    with pytest.raises(GameError, match="has no board symmetries"):
        Quotient(game("connect4:4x1"))
