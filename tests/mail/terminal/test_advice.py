"""Analysis, hints and verdicts in a session."""

from __future__ import annotations

import re

from agents import Uniform
from tests.mail.terminal.sitting import expert, knowing, sit
from tests.support import draw


def test_analysis_shows_probabilities_values_and_verdicts() -> None:
    _, second = expert("tictactoe")
    _, said = sit("tictactoe", second, "1", "analysis on", "2", "6", "q", **knowing("tictactoe"))
    table = draw(
        """
        cell  policy             value
           4    0.0%             loses in 1
           6    0.0%             loses in 1
           7  100.0% ##########  draws       expert
           8    0.0%             loses in 1
           9    0.0%             loses in 1
        """
    )
    assert table in said
    assert "You play cell 2. Keeps the draw; it threatens 1-2-3.\nThe opponent plays cell 3. " in said
    assert "The only move that draws; it blocks 1-2-3 and threatens 3-5-7.\n" in said
    assert "You play cell 6. Throws away a draw: it now loses; it lets o complete 3-5-7.\n" in said
    assert "The opponent plays cell 7. The only move that wins; it completes 3-5-7.\n" in said


def test_analysis_is_switched() -> None:
    _, said = sit(
        "tictactoe", Uniform(), "a", "5", "analysis off", "analysis perhaps", "a", "q", **knowing("tictactoe")
    )
    assert said.count("cell  policy") == 3  # switched on, the next turn, switched on again
    assert "Analysis is off." in said
    assert "Type analysis on, or analysis off." in said


def test_hints() -> None:
    _, second = expert("tictactoe")
    _, said = sit("tictactoe", second, "hint", "1", "2", "hint", "q", **knowing("tictactoe"))
    assert "All legal moves are equally good." in said
    assert "An expert plays cell 7; it blocks 3-5-7" in said
    _, said = sit("tictactoe", second, "hint", "q", advisers=expert("tictactoe"))
    assert "The policy prefers cell 1; no expert is available for this game." in said
    _, said = sit("tictactoe", second, "hint", "a", "q")
    assert "No hint is available: play against a run or an expert, or choose a smaller game." in said
    assert "No analysis is available" in said


def test_the_oracle_is_asked_for_once_and_only_when_needed() -> None:
    made: list[int] = []

    def oracle() -> None:
        made.append(1)

    sit("tictactoe", Uniform(), "5", "q", oracle=oracle)
    assert made == []
    sit("tictactoe", Uniform(), "hint", "5", "hint", "a", "q", oracle=oracle)
    assert made == [1]


def test_help_lists_every_word() -> None:
    _, said = sit("tictactoe", Uniform(), "?", "help", "q")
    for word in ("hint", "undo", "swap", "resign", "analysis", "save", "board", "help", "quit"):
        assert len(re.findall(rf"^{word}", said, re.MULTILINE)) == 2
