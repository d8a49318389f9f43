"""``nashmail train`` and ``gap`` refuse what is wrong in one line, and harm nothing that is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from games import NashmailError
from mail.commands.cli import main
from tests.mail.training.quick_runs import SMALL, contents


def refused(words: list[str], capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Status 2, one line on standard error, nothing on standard output, no file made or changed; the line."""
    monkeypatch.chdir(folder)
    before, folders = contents(folder), sorted(folder.rglob("*"))
    capsys.readouterr()
    try:
        status: Any = main(words)
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1, err
    assert "Traceback" not in err
    assert err.startswith("nashmail")
    assert contents(folder) == before
    assert sorted(folder.rglob("*")) == folders
    return err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dance"], "dance"),
        (["--nosuch"], "COMMAND"),
        (["train"], "GAME"),
        (["train", "tictactoe", "--nosuch"], "--nosuch"),
        (["train", "chess"], "no game is called 'chess'; the games are: "),
        (["train", "tictactoe:0x3"], "a board needs"),
        (["train", "tictactoe:axb"], "ROWSxCOLUMNS"),
        (
            ["train", "tictactoe", "--learner", "nope"],
            "no learner is called 'nope'; the learners are: airl, airl-deep, bc, ",
        ),
        (["train", "tictactoe", "--learner", "mail,nope"], "no learner is called 'nope'"),
        (["train", "tictactoe", "--learner", "bc,bc"], "none twice"),
        (["train", "tictactoe", "--learner", ","], "at least one learner"),
        (["train", "tictactoe", "--explorer", "nope"], "no explorer is called 'nope'; the explorers are: counts, "),
        (
            ["train", "tictactoe", "--expert", "nope"],
            "no expert is called 'nope'; the experts are: cfr+, dcfr, few, first, ",
        ),
        (["train", "tictactoe", "--episodes", "0"], "--episodes must be at least 1, not 0"),
        (["train", "tictactoe", "--episodes", "-3"], "--episodes must be at least 1, not -3"),
        (["train", "tictactoe", "--labels", "-3"], "--labels must be 0 or more, not -3"),
        (["train", "tictactoe", "--episodes", "many"], "--episodes"),
        (["train", "tictactoe", "--episodes", "2.5"], "--episodes"),
        (["train", "tictactoe", "--seed", "-1"], "--seed must be 0 or more, not -1"),
        (["train", "tictactoe", "--seed", "x"], "--seed"),
        (["train", "tictactoe", "--workers", "-1"], "--workers"),
        (["train", "tictactoe", "--workers", "0"], "--workers"),
        (["train", "tictactoe", "--workers", "two"], "--workers"),
        (["train", "tictactoe", "--device", "abacus"], "--device abacus"),
        (["train", "tictactoe", "--resume", "--force"], "not allowed with"),
        (["train", "tictactoe", "--resume"], "there is no run in"),
        (["train", "tictactoe", "--resume", "--out", "missing"], "there is no run in missing"),
        (["train", "tictactoe", "--out", "papers"], "papers exists and is not a run"),
        (["train", "tictactoe", "--out", "papers", "--force"], "papers exists and is not a run"),
        (["train", "tictactoe", "--out", "papers", "--resume"], "there is no run in papers"),
        (["train", "tictactoe", "--out", "notes.txt"], "notes.txt exists and is not a run"),
        (["train", "tictactoe", "--out", "notes.txt", "--force"], "notes.txt exists and is not a run"),
        (["train", "tictactoe", "--out", "notes.txt", "--resume"], "there is no run in notes.txt"),
        (["gap"], "RUN"),
        (["gap", "missing"], "there is no run in missing"),
        (["gap", "missing:bc"], "there is no run in missing"),
        (["gap", "papers"], "there is no run in papers"),
        (["gap", "notes.txt"], "there is no run in notes.txt"),
        (["gap", ""], "may not be empty"),
    ],
)
def test_wrong_usage_is_one_line(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    (tmp_path / "notes.txt").write_text("notes")
    assert says in refused(words, capsys, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (SMALL, "holds a run; add --resume to continue it or --force"),
        ([*SMALL[:2], "--resume"], "was started with another seed"),
        ([*SMALL[:-1], "6", "--resume"], "was started with another seed"),
        ([*SMALL, "--symmetry", "--resume"], "was started with another symmetry"),
        ([*SMALL, "--learner", "mail", "--resume"], "was started with another learners"),
        (["train", "chess", "--force"], "no game is called 'chess'"),
        ([*SMALL, "--force", "--episodes", "0"], "--episodes must be at least 1"),
    ],
)
def test_a_run_that_is_there_is_not_harmed(
    words: list[str],
    says: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    assert says in refused([*words, "--out", "run"], capsys, tmp_path, monkeypatch)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


@pytest.mark.parametrize("command", ["gap", "train"])
@pytest.mark.parametrize("damage", [cut, garbage])
@pytest.mark.parametrize("name", ["config.json", "result.json", "policies/mail-0.json", "policies/mail-1.safetensors"])
def test_a_damaged_run_is_told_in_one_line(
    command: str,
    damage: Callable[[Path], None],
    name: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the file's name; a whole run that is asked to go on reads no policies."""
    shutil.copytree(whole, tmp_path / "run")
    damage(tmp_path / "run" / name)
    if command == "gap":
        assert name in refused(["gap", "run", "--json"], capsys, tmp_path, monkeypatch)
    elif name.endswith("result.json") or name.startswith("config"):
        assert name in refused([*SMALL, "--out", "run", "--resume", "--json"], capsys, tmp_path, monkeypatch)


@pytest.mark.slow
def test_gap_measures_one_game_at_a_time(
    whole: Path,
    other_game: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = refused(["gap", str(whole), str(other_game)], capsys, tmp_path, monkeypatch)
    assert f"{other_game} plays tictactoe:2x2:2, not tictactoe:2x3" in line
    assert "dagger" in refused(["gap", f"{whole}:dagger"], capsys, tmp_path, monkeypatch)


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NashmailError, match="no game is called 'chess'"):
        main(["train", "chess", "--debug"])
    assert capsys.readouterr() == ("", "")
