"""The table of boards: cells run the real command, are kept, and are what the pages show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import boards

ROOT = Path(__file__).parents[2]


def cell(labels: int, gap: float = 0.0, greedy: float = 0.0) -> boards.Cell:
    return {
        "learner": "mail-ntuple",
        "labels": labels,
        "distinct_labels": labels,
        "games": 1,
        "nash_gap": gap,
        "greedy_nash_gap": greedy,
        "seconds": 2.0,
        "cpu_seconds": 2.0,
    }


def test_a_row_has_the_mean_of_labels_and_the_worst_gaps() -> None:
    rows = boards.table({"tictactoe": {"0": cell(2, 0.01), "1": cell(6, 0.002, 2.0)}}).splitlines()
    assert rows[2] == "| `tictactoe` | `mail-ntuple` | 2 | 4 (2-6) | 0.0100 | 2.0000 | 2 |"


def test_cells_that_are_there_are_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[str, int]] = []
    monkeypatch.setattr(boards, "trained", lambda game, seed, knowledge: ran.append((game, seed)) or cell(3))
    out = tmp_path / "boards.json"
    words = ["--games", "tictactoe", "--out", str(out)]
    assert boards.main([*words, "--seeds", "1"]) == 0
    assert boards.main([*words, "--seeds", "2"]) == 0
    assert ran == [("tictactoe", 0), ("tictactoe", 1)]
    assert boards.main([*words, "--redraw"]) == 0
    assert len(ran) == 2 and "| 2 | 3 (3-3) |" in capsys.readouterr().out


@pytest.mark.slow
def test_a_cell_is_the_command() -> None:
    """Tic-Tac-Toe by default: an exact greedy gap of 0, and times that were measured."""
    found = boards.trained("tictactoe", 0)
    assert found["greedy_nash_gap"] == 0.0 and found["nash_gap"] < 0.02 and found["labels"] > 0
    assert found["cpu_seconds"] > 0 and found["seconds"] > 0


def test_a_command_that_fails_is_named() -> None:
    with pytest.raises(SystemExit, match=r"nashmail train nope --seed 0 .* ended with status 2: .*nope"):
        boards.trained("nope", 0)


@pytest.mark.parametrize(
    ("page", "knowledge"), [("README.md", "all"), ("docs/results.md", "all"), ("docs/results.md", "play")]
)
def test_pages_show_what_was_measured(page: str, knowledge: str) -> None:
    data = json.loads((ROOT / "docs" / "figures" / boards.FILES[knowledge]).read_bytes())
    assert boards.table(data) in (ROOT / page).read_text(encoding="utf-8")
