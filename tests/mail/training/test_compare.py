"""Comparisons: the grid's cells, what is refused before anything runs, failures as rows, and going on after a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mail
from games import NashmailError
from mail.commands.cli import main
from mail.learners.base import LEARNERS
from mail.training.compare import cells as cells_module
from mail.training.compare.cells import run_cells
from mail.training.compare.grid import Cell, Grid, read_grid
from mail.training.compare.run import compare
from mail.training.compare.summary import spread, summarize
from mail.training.config import RunError

GAME = "tictactoe:2x3"
GRID = Grid(GAME, ("mail", "bc-tabular"), ("counts", "uniform"), (20,), 2)
QUICK = ["compare", GAME, "--learners", "bc-tabular,mail-tabular", "--budgets", "12", "--seeds", "2"]


@pytest.fixture
def failing() -> Iterator[str]:
    """A learner that fails when it learns."""

    class Broken:
        def __init__(self, options: Any) -> None:
            pass

        def learn(self, *words: Any, **named: Any) -> Any:
            raise ZeroDivisionError("no\nluck")

    mail.register_learner("broken", Broken)
    yield "broken"
    del LEARNERS.entries["broken"]


def without_clock(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "cpu_seconds"} for row in rows]


def test_learners_without_an_explorer_appear_once() -> None:
    entrants = {(cell.learner, cell.explorer) for cell in GRID.cells()}
    assert entrants == {("mail", "counts"), ("mail", "uniform"), ("bc-tabular", "")}
    assert len(GRID.cells()) == 6


def test_keys_tell_cells_apart_and_are_stable() -> None:
    cells = GRID.cells()
    assert len({cell.key for cell in cells}) == len(cells)
    assert Cell(GAME, "bc", "", 5, 0).key == Cell(GAME, "bc", "", 5, 0).key
    assert Cell(GAME, "bc", "", 5, 0).key != Cell(GAME, "bc", "", 5, 0, episodes=7).key


def test_every_learner_spends_the_budget_and_rows_are_tidy() -> None:
    rows = mail.compare(GAME, learners=("mail-tabular", "bc-tabular"), budgets=(12, 20), seeds=2)
    assert [(row["learner"], row["budget"], row["seed"]) for row in rows] == [
        (name, budget, seed) for name in ("mail-tabular", "bc-tabular") for budget in (12, 20) for seed in (0, 1)
    ]
    for row in rows:
        assert row["labels"] == 2 * row["budget"]
        assert row["steps"] >= row["games"] > 0
        assert row["nash_gap"] == pytest.approx(row["exploitability_0"] + row["exploitability_1"])
        assert -1e-9 <= row["value_gap_0"] <= row["exploitability_0"] + 1e-9
        assert not row["failed"]
    assert rows[-1]["knows"] == "expert labels"


def test_a_killed_comparison_goes_on_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(GAME, ("mail-tabular", "bc-tabular"), budgets=(40, 20), seeds=3)
    whole = compare(grid, tmp_path / "whole")
    child = os.fork()
    if child == 0:
        try:
            compare(grid, tmp_path / "killed")
        finally:
            os._exit(0)
    while not list((tmp_path / "killed").rglob("*.json")):
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    there = {path.stem for path in (tmp_path / "killed").rglob("*.json")}
    ran: list[str] = []
    real = cells_module._measured
    monkeypatch.setattr(cells_module, "_measured", lambda cell: ran.append(cell.key) or real(cell))
    again = compare(grid, tmp_path / "killed")
    assert set(ran) == {cell.key for cell in grid.cells()} - there
    assert without_clock(again) == without_clock(whole)


def test_a_damaged_cell_is_refused(tmp_path: Path) -> None:
    cell = GRID.cells()[-1]
    run_cells([cell], tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text()[:-20])
    with pytest.raises(RunError, match="truncated or was edited; delete it"):
        run_cells([cell], tmp_path)


def test_a_failed_cell_is_a_row_and_the_others_finish(failing: str, tmp_path: Path, capsys: Any) -> None:
    words = ["compare", GAME, "--learners", f"{failing},bc-tabular", "--budgets", "12", "--seeds", "2"]
    assert main([*words, "--out", str(tmp_path), "--json"]) == 1
    out, err = capsys.readouterr()
    rows = json.loads(out)["rows"]
    assert [row["failed"] for row in rows] == ["ZeroDivisionError: no luck"] * 2 + ["", ""]
    assert rows[2]["nash_gap"] is not None is not rows[3]["nash_gap"]
    assert "failed: broken, budget 12, seed 0: ZeroDivisionError: no luck" in err
    assert len(list((tmp_path / "cells").iterdir())) == 2, "a failed cell is tried again"


def test_what_a_command_leaves_and_says(tmp_path: Path, capsys: Any) -> None:
    assert main([*QUICK, "--out", str(tmp_path), "--csv", str(tmp_path / "my.csv")]) == 0
    said = capsys.readouterr().out
    assert "bc-tabular" in said and "Nash gap" in said and "expert, labels" in said
    assert {path.name for path in tmp_path.iterdir()} == {"cells", "summary.json", "my.csv", "figure.png"}
    lines = (tmp_path / "my.csv").read_text().splitlines()
    assert len(lines) == 5 and lines[0].startswith("game,expert,symmetry,learner,explorer,budget,seed,key,knows,labels")


def test_the_tables_in_a_narrow_terminal(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["compare", GAME, "--learners", "bc-tabular,mail-tabular", "--budgets", "6", "--seeds", "1"]
    monkeypatch.setenv("COLUMNS", "40")
    assert main([*words, "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    assert re.search(r"^bc-tabular\n  labels: 12; distinct: \d+;", out, re.MULTILINE)
    assert re.search(r"^  +.*Nash gap: \d[.]\d{4}$", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("game = 'tictactoe'\nspeed = 3", "unknown keys: speed; there are: game, learners"),
        ("game = ", "is not TOML"),
        ("seeds = 3", "names no game"),
        ("game = 'tictactoe'\nseeds = '3'", "seeds cannot be '3'"),
        ("game = 'tictactoe'\nlearners = ['nope']", "no learner is called 'nope'"),
        ("game = 'tictactoe'\nlearners = [1]", "name at least one of the learners"),
        ("game = 'tictactoe'\nbudgets = [-1]", "--budgets must be 0 or more"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(text: str, message: str, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(text)
    assert main(["compare", "--config", str(path), "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert message in err and len(err.splitlines()) == 1 and not out
    assert not (tmp_path / "out").exists()


def test_options_replace_what_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(f'game = "{GAME}"\nlearners = ["bc"]\nbudgets = [5]\nseeds = 3')
    assert read_grid(path, seeds=2) == Grid(GAME, ("bc",), budgets=(5,), seeds=2)


@pytest.mark.parametrize(
    ("game", "words", "message"),
    [
        ("connect4", [], "has no exact model"),
        ("rps", ["--learners", "bc-ntuple"], "rps is no board"),
        (GAME, ["--expert", "vertex"], "vertex"),
        (GAME, ["--budgets", "many"], "whole numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    game: str, words: list[str], message: str, tmp_path: Path, capsys: Any
) -> None:
    assert main(["compare", game, "--seeds", "1", "--out", str(tmp_path / "out"), *words]) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_few_seeds_show_their_points_and_many_an_interval() -> None:
    row = {"game": GAME, "learner": "a", "explorer": "", "budget": 1, "knows": "labels", "failed": ""}
    few = [{**row, **dict.fromkeys(("nash_gap", *_others()), value)} for value in (0.5, 0.25)]
    assert spread(summarize(few)["entrants"]["a"]["measures"]["nash_gap"]) == "0.5000; 0.2500"
    many = [{**row, **dict.fromkeys(("nash_gap", *_others()), float(value))} for value in range(8)]
    assert spread(summarize(many)["entrants"]["a"]["measures"]["nash_gap"]).startswith("3.5000 [")


def _others() -> tuple[str, ...]:
    from mail.training.compare.summary import MEASURES

    return MEASURES


def test_an_entrant_without_a_finished_cell_is_no_obstacle(failing: str) -> None:
    with pytest.raises(NashmailError):
        mail.compare(GAME, learners=("nope",))
    rows = mail.compare(GAME, learners=(failing, "bc-tabular"), budgets=(12,), seeds=1)
    found = summarize(rows)
    assert found["entrants"][failing]["failed"] == 1
    assert found["improvement"] == {}
