"""Screens as they are printed: every layout of every kind of board, at fixed widths, in Unicode and in plain ASCII."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from io import StringIO, TextIOWrapper

import numpy as np
import pytest
from rich.console import Console

from games import make
from games.base import Game, States
from games.markov.gridworld import gridworld
from games.markov.model import MarkovModel
from mail.terminal.analysis import ModelOracle, SolverOracle, oracle, verdict
from mail.terminal.boards import Canvas, Scene, canvas_of, too_narrow, view
from mail.terminal.moves import MoveAnalysis, analysis, help_text, ranges
from tests.support import PENNIES, draw, game, graph, move, position

WIDE, ASCII = Canvas(True, 80, 24), Canvas(False, 80, 24)


def moved(played: Game, actions: Iterable[int]) -> tuple[States, States]:
    """The positions [W] before and after the last of some moves."""
    rng = np.random.default_rng(0)
    states = before = played.start(1, rng=rng)
    for ply, action in enumerate(actions):
        before = states
        states, _, _ = played.step(states, move(ply % 2, action), rng=rng)
    return before[0], states[0]


def screen(name: str, *actions: int, on: Canvas = WIDE, over: bool = False) -> str:
    """The board after these moves, as rich prints it at this width, without trailing spaces."""
    before, state = moved(game(name), actions)
    console = Console(file=StringIO(), width=on.width, record=True)
    console.print(view(game(name)).draw(Scene(state, before, over), on), soft_wrap=True)
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def test_a_grid_in_unicode() -> None:
    assert screen("tictactoe", 4, 0) == draw(
        """
        ┌───┬───┬───┐
        │[o]│ 2 │ 3 │
        ├───┼───┼───┤
        │ 4 │ x │ 6 │
        ├───┼───┼───┤
        │ 7 │ 8 │ 9 │
        └───┴───┴───┘
        """
    )


def test_a_grid_in_plain_characters_and_where_there_is_little_room() -> None:
    assert screen("tictactoe", 4, 0, on=ASCII) == "[o]| 2 | 3\n---+---+---\n 4 | x | 6\n---+---+---\n 7 | 8 | 9"
    assert screen("tictactoe", 4, 0, on=Canvas(True, 12, 24)) == screen("tictactoe", 4, 0, on=ASCII)
    assert screen("tictactoe", 4, 0, on=Canvas(False, 80, 12)) == "[o]| 2 | 3\n 4 | x | 6\n 7 | 8 | 9"
    assert screen("tictactoe", 4, 0, on=Canvas(False, 8, 24)) == "o 2 3\n4 x 6\n7 8 9"


def test_a_winning_line_and_the_last_move_are_marked() -> None:
    assert screen("tictactoe", 0, 3, 1, 4, 2, on=ASCII, over=True) == draw(
        """
        *x*|*x*|[x]
        ---+---+---
         o | o | .
        ---+---+---
         . | . | .
        """
    )
    assert screen("connect4:4x4", 0, 1, 0, 1, 0, 1, 0, over=True) == draw(
        """
        │[●] ·  ·  · │
        │*●* ○  ·  · │
        │*●* ○  ·  · │
        │*●* ○  ·  · │
        └────────────┘
        """
    )


def test_columns_in_unicode_plain_and_narrow() -> None:
    moves = (3, 3, 0, 0, 0, 0, 0, 0)
    wide = draw(
        """
        │[○] ·  ·  ·  ·  ·  · │
        │ ●  ·  ·  ·  ·  ·  · │
        │ ○  ·  ·  ·  ·  ·  · │
        │ ●  ·  ·  ·  ·  ·  · │
        │ ○  ·  ·  ○  ·  ·  · │
        │ ●  ·  ·  ●  ·  ·  · │
        └─────────────────────┘
             2  3  4  5  6  7
        """
    )
    assert screen("connect4", *moves) == wide
    plain = wide.translate(str.maketrans("│·●○└─┘", "|.xo+-+"))
    assert screen("connect4", *moves, on=ASCII) == plain
    narrow = screen("connect4", *moves, on=Canvas(False, 20, 24)).splitlines()
    assert narrow[0] == "| o . . . . . .|"
    assert narrow[-1] == "    2 3 4 5 6 7"
    assert max(map(len, narrow)) <= 20


def test_a_diagonal_is_found_where_stones_fall() -> None:
    board = game("connect4:4x4")
    picture = ["...x", "..xo", ".xoo", "xoox"]
    state = position(board, "\n".join(picture))
    drawn = view(board).draw(Scene(state[0], None, True), ASCII).plain
    assert drawn.count("*x*") == 4


def test_lines_are_told_apart_by_more_than_colour() -> None:
    """Colour is an addition: with all styles dropped the boards of x and o, last move and line still differ."""
    console = Console(file=StringIO(), width=80, color_system="truecolor", force_terminal=True)
    before, state = moved(game("tictactoe"), (0, 3, 1, 4, 2))
    console.print(view(game("tictactoe")).draw(Scene(state, before, True), WIDE))
    coloured = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[1;31m" in coloured or "\x1b[1;7;31m" in coloured
    assert "*x*" in coloured and "[x]" in coloured


def test_a_terminal_that_is_too_narrow_is_told_so_in_one_line() -> None:
    board = game("connect4")
    picture = view(board).draw(Scene(board.starts()[0]), Canvas(False, 8, 24))
    said = too_narrow(picture, Canvas(False, 8, 24))
    assert said == "The terminal has 8 columns, this needs 9; widen it and type board."
    assert too_narrow(picture, Canvas(False, 9, 24)) is None


def test_a_grid_world() -> None:
    grid = gridworld(3, 3)
    start = grid.starts()[0]
    shown = view(grid)
    assert shown.draw(Scene(start), ASCII).plain.splitlines()[0] == " . | . | *"
    after, _, _ = grid.step(start[None], np.array([[2, 0]]), rng=np.random.default_rng(0))
    drawn = shown.draw(Scene(after[0], start), WIDE).plain
    assert "│[0]│ · │ * │" in drawn
    assert "│[1]│ · │ · │" in drawn
    assert shown.move(2) == "up"


def test_other_games_render_themselves() -> None:
    assert view(PENNIES).draw(Scene(PENNIES.starts()[0]), WIDE).plain == "round 0, sign 1"
    assert view(PENNIES).move(0) == "move 1"


@pytest.mark.parametrize(("encoding", "unicode"), [("utf-8", True), ("ascii", False), ("latin-1", False)])
def test_what_a_terminal_can_show(encoding: str, unicode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    console = Console(file=TextIOWrapper(open(os.devnull, "wb"), encoding), width=33, height=44)  # noqa: SIM115
    assert canvas_of(console) == Canvas(unicode, 33, 44)
    monkeypatch.setenv("TERM", "dumb")
    assert not canvas_of(console).unicode
    console.file.close()


def test_numbers_in_short() -> None:
    assert ranges([1, 2, 3, 5, 7, 8]) == "1-3 5 7-8"
    assert ranges([4]) == "4"
    assert ranges([]) == ""


# --- analysis --------------------------------------------------------------------------------------------


def test_analysis_of_a_position() -> None:
    board = game("tictactoe")
    knows = ModelOracle(graph("tictactoe"))
    state = position(board, "xx.\noo.\n...")
    chances = np.zeros(9)
    chances[[2, 8]] = 0.25, 0.75
    moves = MoveAnalysis(board.legal(state, 0)[0], chances, knows.values(state, 0)[0], knows.best(state, 0)[0], True)
    assert analysis(view(board), moves, ASCII).plain == draw(
        """
        cell  policy             value
           3   25.0% ##          wins   expert
           6    0.0%             draws
           7    0.0%             loses
           8    0.0%             loses
           9   75.0% ########    loses
        """
    )
    narrow = analysis(view(board), moves, Canvas(False, 30, 24)).plain.splitlines()
    assert narrow[0].endswith("(*: expert)")
    assert narrow[1] == "   3   25.0%  wins  *"
    bare = MoveAnalysis(moves.legal, None, None, None, True)
    assert analysis(view(board), bare, ASCII).plain.split() == ["cell", "3", "6", "7", "8", "9"]


def test_values_of_games_that_are_no_boards_are_numbers() -> None:
    grid = gridworld(2, 2)
    knows = oracle(grid, lambda: MarkovModel(grid))
    assert knows is not None and oracle(grid, lambda: None) is None
    start = grid.starts()
    values = knows.values(start, 0)[0]
    moves = MoveAnalysis(grid.legal(start, 0)[0], None, values, knows.best(start, 0)[0], False)
    said = analysis(view(grid), moves, ASCII).plain.splitlines()
    assert said[0] == " move  value"
    assert f"{values[3]:+.3f}" in said[4]
    assert any("expert" in line for line in said)


VERDICTS = [
    ("xx.\noo.\n...", 2, "the only move that wins"),
    ("xx.\noo.\n...", 5, "throws away a win: it is now a draw"),
    ("xx.\noo.\n...", 8, "turns a win into a loss"),
    ("xx.\n.o.\n...", 2, "the only move that draws"),
    ("xx.\n.o.\n...", 3, "throws away a draw: it now loses"),
    ("...\n...\n...", 0, "keeps the draw"),
    ("xox\noxo\nox.", 8, "the only legal move"),
    ("x.x\n.o.\no.x", 3, "loses, as every move does"),
]


@pytest.mark.parametrize(("picture", "action", "said"), VERDICTS)
def test_verdicts(picture: str, action: int, said: str) -> None:
    board = game("tictactoe")
    state = position(board, picture)
    seat = int(board.acting(state)[0, 1])
    values = ModelOracle(graph("tictactoe")).values(state, seat)[0]
    assert verdict(board, board.legal(state, seat)[0], values, action) == said


def test_verdicts_where_values_are_numbers() -> None:
    grid, legal = gridworld(2, 2), np.ones(4, dtype=np.bool_)
    assert verdict(grid, legal, np.array([0.5, 0.5, 0.25, 0.0]), 2) == "gives away 0.250"
    assert verdict(grid, legal, np.array([0.5, 0.5, 0.25, 0.0]), 1) == "one of the best moves"
    assert verdict(grid, legal, np.array([0.5, 0.4, 0.25, 0.0]), 0) == "the only best move"


def test_the_solver_is_an_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores become wins, draws and losses, and the highest are an expert's; columns score -2 -1 0 1 0 -1 -2."""
    scored = np.array([[-2.0, -1, 0, 1, 0, -1, -2]])
    monkeypatch.setattr("mail.terminal.analysis.scores", lambda game, states: scored)
    knows = SolverOracle(game("connect4"))
    start = game("connect4").starts()
    assert knows.values(start, 0).tolist() == [[-1, -1, 0, 1, 0, -1, -1]]
    assert knows.best(start, 0).tolist() == [[False, False, False, True, False, False, False]]
    assert not np.isfinite(knows.values(start, 1)).any()


def test_help_fits_its_terminal() -> None:
    for width in (20, 40, 80):
        said = help_text(view(game("connect4")), Canvas(False, width, 24)).plain
        assert "analysis" in said
    assert max(map(len, help_text(view(game("connect4")), ASCII).plain.splitlines())) <= 80
    assert "left right up down" in help_text(view(gridworld(3, 3)), ASCII).plain


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "tictactoe:4x4:3", "connect4:1x12:4", "tictactoe:7x8:4"])
@pytest.mark.parametrize("on", [Canvas(False, 120, 40), Canvas(True, 120, 40), Canvas(False, 40, 12)], ids=str)
def test_numbers_stand_where_the_stone_will_be(name: str, on: Canvas) -> None:
    played, rng = make(name), np.random.default_rng(0)
    display, start = view(played), played.start(1, rng=rng)
    column = display.noun == "column"
    empty = display.draw(Scene(start[0]), on).plain.splitlines()
    for action in range(played.spec.actions):
        after, _, _ = played.step(start, np.array([[action, -1]]), rng=rng)
        drawn = display.draw(Scene(after[0], start[0]), on).plain.splitlines()
        line = next(line for line in drawn if re.search("[x\u25cf]", line))
        number = empty[-1] if column else empty[drawn.index(line)]
        ends = {int(found[0]): found.end() for found in re.finditer(r"\d+", number)}
        assert re.search("[x\u25cf]", line).end() == ends[action + 1]  # type: ignore[union-attr]
        if not column:
            assert str(action + 1) not in re.findall(r"\d+", "\n".join(drawn))
