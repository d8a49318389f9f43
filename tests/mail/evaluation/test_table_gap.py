"""A stranger's policy, as a table file, can be measured, matched and played against."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents import Uniform
from agents.storage.tables import write_table
from games import Board, GameGraph, make
from mail.commands.cli import main


@pytest.fixture
def table(tmp_path: Path) -> str:
    game = make("tictactoe")
    assert isinstance(game, Board)
    write_table(tmp_path / "mine.csv", Uniform(), GameGraph(game))
    return str(tmp_path / "mine.csv")


def test_its_gap_is_measured(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gap", table, "--game", "tictactoe", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policies"][table]["nash_gap"] == pytest.approx(1.9196593915343916, abs=1e-12)


@pytest.mark.parametrize(
    "game", ["openspiel:tic_tac_toe", pytest.param("pettingzoo:tictactoe", marks=pytest.mark.slow)]
)
def test_its_gap_is_that_of_any_backend(game: str, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gap", table, "--game", game, "--json"]) == 0
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["game"] == game
    assert told["policies"][table]["nash_gap"] == pytest.approx(1.9196593915343916, abs=1e-12)


@pytest.mark.slow
def test_its_gap_is_measured_beside_a_run_that_learned_up_to_symmetry(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    assert main(["train", "tictactoe", "--symmetry", "--learner", "bc", "--episodes", "5", "--out", run]) == 0
    capsys.readouterr()
    assert main(["gap", run, table, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policies"][table]["nash_gap"] == pytest.approx(1.9196593915343916, abs=1e-12)


@pytest.mark.parametrize("words", [[""], ["", "--game", "tictactoe"], ["TABLE", "", "--game", "tictactoe"]])
def test_an_empty_name_is_refused(words: list[str], table: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["gap", *(table if word == "TABLE" else word for word in words)])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "may not be empty" in told and told.count("\n") == 1


def test_another_librarys_game_that_is_too_large_is_refused(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gap", table, "--game", "openspiel:connect_four"]) == 2
    assert "openspiel:connect_four cannot be enumerated" in capsys.readouterr().err
    assert main(["match", "openspiel:connect_four", table, "random", "--games", "1"]) == 2
    assert "has too many positions for a table" in capsys.readouterr().err


def test_it_enters_a_match(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "tictactoe", table, "expert", "--games", "5", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["results"]
    assert (first["wins"], second["losses"]) == (0, 0)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "1 of 4,520 positions"),
        (lambda text: text.replace(".../.../...,0.1", ".../.../...,-0.1", 1), "line"),
        (lambda text: text.replace("\nx", "\nz", 1), "line"),
    ],
)
def test_a_bad_table_is_one_line(table: str, capsys: pytest.CaptureFixture[str], edit: object, says: str) -> None:
    path = Path(table)
    path.write_text(edit(path.read_text()))  # type: ignore[operator]
    assert main(["gap", table, "--game", "tictactoe"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and says in shown.err


def test_a_table_without_a_game_asks_for_it(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gap", table]) == 2
    assert "--game NAME" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("game", "instead"),
    [
        ("connect4", "`nashmail exploit` searches for a refutation"),
        ("connect4:7x4", "with --learned GAMES learns a response"),
    ],
)
def test_a_table_of_a_game_that_is_too_large_is_refused_before_it_is_read(
    game: str, instead: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("no table")
    assert main(["gap", str(table), "--game", game]) == 2
    told = capsys.readouterr().err
    assert f"{game} cannot be enumerated, so it has no exact Nash gap" in told and instead in told
    assert told.count("\n") == 1


def test_a_table_of_a_board_that_is_measured_without_tables_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_text("no table")
    assert main(["gap", str(tmp_path / "table.csv"), "--game", "connect4:5x5"]) == 2
    told = capsys.readouterr().err
    assert "connect4:5x5 has too many positions for a table" in told and told.count("\n") == 1
