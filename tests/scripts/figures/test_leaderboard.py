"""The leaderboard: stored cells are what their keys say, and the page holds the tables that are made of them."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from figures.field import leaderboard
from figures.field.leaderboard import BEGIN, END, FIELD, LeaderboardGame, Part
from mail.learners import names
from mail.parallel.pool import Local
from mail.training.compare.cells import identity, run_cells
from mail.training.compare.grid import Cell

ROOT = Path(__file__).parents[3]
STORED = ROOT / "docs" / "figures"
SMALL = (LeaderboardGame("tictactoe:2x2:2", 20, 50, (Part(("bc-tabular", "dagger"), 2),)),)


def test_every_stored_cell_is_under_its_own_key() -> None:
    rows = leaderboard.stored(STORED)
    assert len(rows) > 100
    names_of = [one.name for one in fields(Cell)]
    for key, row in rows.items():
        cell = Cell(**{name: row[name] for name in names_of})
        assert cell.key == key and row["version"]
        assert row.items() >= identity(cell).items()


def test_the_field_names_learners_and_six_games() -> None:
    assert len({entry.game for entry in FIELD}) == 6
    assert {name for entry in FIELD for part in entry.parts for name in part.learners} <= set(names())


def test_a_learner_that_cannot_learn_a_game_has_its_reason() -> None:
    entry = LeaderboardGame("rps", 20, 50, (Part(tuple(name for name in names() if name != "mail-walk")),))
    assert leaderboard.refusals(entry) == {"mail-walk": "needs a board on which discs fall, unlike rps"}


def test_a_learner_that_could_run_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    entry = LeaderboardGame("rps", 20, 50, (Part(tuple(name for name in names() if name != "mail-bro")),))
    assert leaderboard.refusals(entry) == {}
    assert "rps: mail-bro has no cells" in capsys.readouterr().out


def test_the_page_holds_the_tables_of_the_stored_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leaderboard, "picture", lambda *data: None)
    out = tmp_path / "figures"
    out.mkdir()
    shutil.copy(STORED / "leaderboard.json", out)
    shutil.copy(ROOT / "docs" / "leaderboard.md", tmp_path)
    leaderboard.redraw(out)
    assert (tmp_path / "leaderboard.md").read_text() == (ROOT / "docs" / "leaderboard.md").read_text()


def test_stored_cells_are_not_run_again_and_a_learner_can_be_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leaderboard, "FIELD", SMALL)
    monkeypatch.setattr(leaderboard, "picture", lambda *data: None)
    ran: list[Any] = []
    real = run_cells
    monkeypatch.setattr(
        leaderboard, "run_cells", lambda cells, *rest, **more: ran.append(cells) or real(cells, *rest, **more)
    )
    out, page = tmp_path / "figures", tmp_path / "leaderboard.md"
    out.mkdir()
    page.write_text(f"before\n{BEGIN}old\n{END}\nafter\n")
    leaderboard.make(2, out, Local())
    assert [len(cells) for cells in ran] == [4]
    first = page.read_text()
    assert (
        first.startswith("before\n") and first.endswith("\nafter\n") and "`bc-tabular`" in first and "old" not in first
    )
    shutil.rmtree(out / "leaderboard-cells")
    more = replace(SMALL[0], parts=(*SMALL[0].parts, Part(("mail-bro",), 1)))
    monkeypatch.setattr(leaderboard, "FIELD", (more,))
    leaderboard.make(2, out, Local())
    assert [cell.learner for cell in ran[1]] == ["mail-bro"]
    assert "`mail-bro`" in page.read_text()
