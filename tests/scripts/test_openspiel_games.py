"""The table of what becomes of OpenSpiel's games."""

from __future__ import annotations

from pathlib import Path

import pytest

import openspiel_games
from openspiel_games import Outcome, asked, main, table

WORKS = Outcome("openspiel:a", 0, "", 1.0, 0.9, 0.2)
REFUSED = Outcome("openspiel:b", 2, "nashmail train: openspiel:b has 3 players\n", 2.0, 1.9, 0.3)
TRACE = Outcome("openspiel:c", 1, "Traceback\nKeyError: 'n'\n", 2.0, 1.9, 0.3)
LATE = Outcome("openspiel:d", None, "", 20.0, 19.0, 5.0)


def test_what_is_answered_well() -> None:
    assert [outcome.good for outcome in (WORKS, REFUSED, TRACE, LATE)] == [True, True, False, False]
    assert not Outcome("openspiel:a", 0, "", 1.0, 0.9, 4.5).good


def test_the_table_counts() -> None:
    lines = table([WORKS, REFUSED, TRACE, LATE]).splitlines()
    assert lines[2] == "| `openspiel:a` | works | 1.0 | 0.9 | 0.20 |"
    assert lines[3] == "| `openspiel:b` | openspiel:b has 3 players | 2.0 | 1.9 | 0.30 |"
    assert lines[-1].startswith("4 games: 1 work, 1 are refused in one line, 2 are answered badly; at most 20.0 s")


def test_a_game_is_asked_for_in_a_process_of_its_own(tmp_path: Path) -> None:
    outcome = asked("openspiel:havannah(board_size=-1)", 60.0)
    assert outcome.good and outcome.status == 2 and "SIGSEGV" in outcome.words
    assert outcome.work > 0 and 0 < outcome.memory < 4


def test_a_bad_answer_is_the_exit_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for outcome, status in ((WORKS, 0), (TRACE, 1)):
        monkeypatch.setattr(openspiel_games, "asked", lambda name, limit, outcome=outcome: outcome)
        assert main(["nim", "--out", str(tmp_path / "table.md")]) == status
        assert (tmp_path / "table.md").read_text().startswith("| game |")
