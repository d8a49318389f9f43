"""``--csv``: what a command prints as a table, with all digits, and what it refuses before it works."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mail.commands.cli import main
from mail.commands.line.csv_file import as_csv
from tests.mail.training.quick_runs import SMALL


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_lists_and_mappings_are_columns_and_several_tables_are_named() -> None:
    row = {"name": "a,b", "pair": [0.1, None], "knows": ["rules", "model"], "at": {"low": 1}}
    assert as_csv({"one": [row]}).decode() == 'name,pair_0,pair_1,knows,at_low\n"a,b",0.1,,rules model,1\n'
    assert as_csv({"one": [{"x": 1}], "two": [{"y": 2}]}).decode() == "table,x,y\none,1,\ntwo,,2\n"


@pytest.mark.slow
def test_every_table_has_the_numbers_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, file = tmp_path / "run", tmp_path / "table.csv"
    assert main([*SMALL, "--out", str(run), "--json", "--csv", str(file)]) == 0
    learners = json.loads(capsys.readouterr().out)["learners"]
    rows = read(file)
    assert [row["policy"] for row in rows] == list(learners)
    for row in rows:
        assert float(row["nash_gap"]) == learners[row["policy"]]["nash_gap"]
        assert float(row["exploitability_1"]) == learners[row["policy"]]["exploitability"][1]
    assert main(["gap", f"{run}:mail", "--csv", str(file)]) == 0
    assert float(read(file)[0]["nash_gap"]) == learners["mail"]["nash_gap"]
    words = ["match", "tictactoe:2x3", f"{run}:mail", "random", "--games", "20", "--csv", str(file), "--ratings"]
    assert main(words) == 0
    assert [row["table"] for row in read(file)] == ["results"] * 2 + ["ratings"] * 2
    assert main(["learners", "--csv", str(file)]) == 0
    assert {row["table"] for row in read(file)} == {"learners", "explorers", "cloners", "experts"}


def test_a_file_that_cannot_be_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path, "/dev/null", tmp_path / "no" / "table.csv", "a\0b", tmp_path / ("a" * 300)):
        assert main([*SMALL, "--out", str(tmp_path / "run"), "--csv", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()
