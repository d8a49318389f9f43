"""Wins by zugzwang, named from the solver's line: what is said is held against play on the board."""

from __future__ import annotations

import numpy as np
import pytest

from mail.data.game_text import follow
from mail.terminal.advice import Advice
from mail.terminal.analysis import ModelOracle, moves_to_end
from mail.terminal.boards import view
from mail.terminal.zugzwang import zugzwang
from tests.mail.terminal.sitting import knowing
from tests.support import game, graph

BOARD = "connect4:4x4"


def said(moves: str, column: int, name: str = BOARD) -> str:
    """What is said of a column, from 1, after these moves."""
    oracle, states, seat = ModelOracle(graph(name)), follow(game(name), moves, seed=None).states[-1], len(moves) % 2
    scores = oracle.scores(states, seat)
    assert scores is not None
    ends = moves_to_end(game(name).spec.longest, len(moves), scores[0])
    return zugzwang(game(name), oracle, states, seat, column - 1, ends=int(ends[column - 1]))


def test_the_other_side_must_fill_the_cell_below_a_threat() -> None:
    """After column 2 everything but column 1 fills up; o's three lie open there, one row above the ground."""
    end = follow(game(BOARD), "442343433222", seed=None).states[-1]
    assert game(BOARD).render(end[0]) == ".oxx\n.xox\n.ooo\n.xox"
    assert game(BOARD).legal(end, 0)[0].tolist() == [True, False, False, False]  # x has to move, and there alone
    assert follow(game(BOARD), "44234343322211", seed=None).record.result == -1.0
    assert (
        said("442343433", 2) == "zugzwang decides: in the end x must fill column 1, and o completes columns 1-4 level"
    )


@pytest.mark.slow
def test_all_columns_that_are_left_are_named_and_the_loser_hears_it_too() -> None:
    assert "x must fill column 1 or 5, and o completes columns 1-4 level" in said("3324225", 2, "connect4:4x5")
    assert "in the end o must fill column 2, and x completes columns 1-4 level" in said("433441311", 1)


@pytest.mark.parametrize(
    ("name", "moves", "column"),
    [
        ("connect4:4x5", "2233", 4),  # two threats at once
        ("connect4:4x5", "223344", 5),  # a win at once
        ("connect4:4x5", "", 3),  # no win
        ("tictactoe", "1245", 7),  # a board on which any cell may be filled
    ],
)
def test_other_wins_are_none(name: str, moves: str, column: int) -> None:
    assert said(moves, column, name) == ""


def test_hints_and_verdicts_say_so() -> None:
    known = knowing(BOARD)
    advice = Advice(game(BOARD), view(game(BOARD)), known["advisers"], known["oracle"])
    states = follow(game(BOARD), "442343433", seed=None).states[-1]
    clause = "; zugzwang decides: in the end x must fill column 1, and o completes columns 1-4 level."
    assert advice.hint(states, 1).startswith("An expert plays column 2, which wins in 3")
    assert advice.hint(states, 1).endswith(clause)
    assert advice.verdict(states, 1, 1) == f"The only move that wins{clause}"
    assert "zugzwang" not in advice.verdict(states, 1, 0)


FOUND = ["34334322", "3323422", "442343433", "41334", "3324224", "23334", "342", "24411121", "4133234", "433441311"]


@pytest.mark.parametrize("moves", FOUND)
def test_by_the_rules_alone_every_move_that_is_left_loses_at_once(moves: str) -> None:
    oracle = ModelOracle(graph(BOARD))
    line = moves
    while not (played := follow(game(BOARD), line, seed=None)).over:
        line += str(int(oracle.best(played.states[-1], len(line) % 2)[0].argmax()) + 1)
    assert said(moves, int(line[len(moves)])).startswith("zugzwang decides")
    assert played.record.result == (1.0 if len(line) % 2 else -1.0)
    for left in _legal(line[:-2]):
        answers = [follow(game(BOARD), line[:-2] + left + answer, seed=None) for answer in _legal(line[:-2] + left)]
        assert any(answer.over and answer.record.result for answer in answers)


def _legal(moves: str) -> list[str]:
    states = follow(game(BOARD), moves, seed=None).states[-1]
    return [str(action + 1) for action in np.flatnonzero(game(BOARD).legal(states, len(moves) % 2)[0])]
