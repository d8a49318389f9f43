"""Which of OpenSpiel's games work: the four kinds of answers, and games that end their process."""

from __future__ import annotations

import sys

import pytest

from games.adapters import survey
from games.base import GameError
from games.registry import make


@pytest.mark.slow
def test_every_kind_of_answer() -> None:
    asked = ["kuhn_poker", "breakthrough", "phantom_ttt", "blackjack", "matrix_rps", "havannah(board_size=-1)"]
    told: list[survey.Answer] = []
    answers = survey.survey(asked, on_answer=told.append)
    assert [answer.kind for answer in answers] == ["exact", "bounds", "play", "no", "exact", "no"]
    assert sorted(answer.name for answer in told) == sorted(answer.name for answer in answers)
    kuhn, breakthrough, phantom, blackjack, matrix, havannah = answers
    assert kuhn.positions == 12
    assert " positions" in breakthrough.reason  # and the time to list them, where the machine allowed an estimate
    assert phantom.reason.endswith(" positions")
    assert blackjack.reason == "has 1 players; only games for two fit"
    assert matrix.name == "simultaneous:matrix_rps"
    assert "SIGSEGV" in havannah.reason
    assert make(matrix.name).spec.actions == 3
    assert not any("\n" in answer.reason for answer in answers)


@pytest.mark.slow
def test_a_process_that_dies_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    (found,) = survey.survey(["kuhn_poker"])
    assert found.kind == "no" and "ended without an answer (status 1" in found.reason
    monkeypatch.undo()
    monkeypatch.setattr(survey, "LATE", 0.01)
    (found,) = survey.survey(["kuhn_poker"])
    assert found.kind == "no" and "no answer within" in found.reason


def test_what_there_is() -> None:
    names = survey.all_names()
    assert {"kuhn_poker", "chess", "python_tic_tac_toe"} <= set(names) and len(names) > 90


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("x is too large to enumerate: an estimate of 2 billion positions, 3 TB and 2 days (from 1 in 0.1 s); choose",
         "2 billion positions, 2 days to list"),
        ("x is too large to enumerate: an estimate of 1e40 positions, 3 TB and 90 years (from 1 in 0.1 s); choose",
         "1e40 positions"),
        ("x is too large to enumerate: at least 20,001 positions, 4 GB and 39 days (from 1 in 0.1 s); choose",
         "at least 20,001 positions, 39 days to list"),
        ("x is too large to enumerate: chance alone can begin in about 1e39 ways; choose", "chance alone can begin in"
         " about 1e39 ways"),
    ],
)  # fmt: skip
def test_a_refusal_in_short(refusal: str, said: str) -> None:
    assert survey._size(refusal) == said


def test_answers_here() -> None:
    assert survey.answer("connect_four").kind == "bounds"
    assert survey.answer("tic_tac_toe") == survey.Answer("openspiel:tic_tac_toe", "exact", 4520)
    assert survey.answer("bargaining").reason == "is not zero-sum; only zero-sum games fit"
    with pytest.raises(GameError):
        make("openspiel:bargaining")
