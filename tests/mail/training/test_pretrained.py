"""Policies that come with the package: they are what they say, nothing beats them, and every command takes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pretrained as script
from games.base import as_enumerable
from mail.commands.cli import main
from mail.evaluation.certificate.proof import write_proofs
from mail.parallel.pool import Local
from mail.training import pretrained
from mail.training.profile import load_profile
from tests.pages.reading import ROOT
from tests.support import game

SMALL = "connect4:4x4"


def test_every_game_of_the_script_is_there() -> None:
    assert pretrained.names() == sorted(pretrained.home(name).name for name in script.GAMES)


@pytest.mark.parametrize("name", [name for name in script.GAMES if name.startswith("connect4")])
def test_the_checker_proves_both_seats(name: str, tmp_path: Path) -> None:
    """Without a graph: by a walk over all that an opponent can force, and once more by the checker's own rules."""
    profile, board = load_profile(f"pretrained:{name}"), as_enumerable(game(name))
    write_proofs(tmp_path, board, profile.policies, {0: 0.0, 1: 0.0}, pool=Local())
    done = subprocess.run([sys.executable, str(tmp_path / "check.py")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("proven, no opponent leaves it less than 0") == 2


@pytest.mark.parametrize("name", ["tictactoe", SMALL])
def test_its_gap_is_what_its_result_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gap", f"pretrained:{name}", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["policies"].values()
    told = json.loads((pretrained.home(name) / "result.json").read_bytes())["learners"]["mail-ntuple"]
    assert row["nash_gap"] == pytest.approx(told["nash_gap"], abs=1e-9)
    assert row["greedy_nash_gap"] == told["greedy_nash_gap"] == 0.0


def test_they_play(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", SMALL, "pretrained", "random", "--games", "4", "--json"]) == 0
    assert "pretrained" in capsys.readouterr().out
    assert main(["match", "connect4:3x4", "pretrained", "random", "--games", "4"]) == 2
    assert capsys.readouterr().err == (
        "nashmail match: no policies come with connect4:3x4; train some: nashmail train connect4:3x4\n"
    )


@pytest.mark.parametrize("other", ["pretrained:tictactoe", "pretrained:tictactoe:mail-ntuple"])
def test_all_its_names_are_one_entrant(other: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "tictactoe", "pretrained", other, "--games", "4"]) == 2
    assert capsys.readouterr().err.startswith(f"nashmail match: '{other}' is entered twice;")


def test_nothing_is_written_into_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(pretrained.home("tictactoe").rglob("*"))
    assert main(["export", "pretrained:tictactoe"]) == 2
    assert "--out" in capsys.readouterr().err and sorted(pretrained.home("tictactoe").rglob("*")) == before
    assert main(["export", "pretrained:tictactoe", "--out", str(tmp_path / "files")]) == 0
    assert (tmp_path / "files" / "seat0.safetensors").is_file()


def test_a_damaged_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = pretrained.home("tictactoe")
    for path in home.rglob("*.*"):
        copy = tmp_path / "tictactoe" / path.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes() if path.name != "mail-ntuple-0.safetensors" else path.read_bytes()[:-1])
    monkeypatch.setattr(pretrained, "_HOME", tmp_path)
    assert main(["gap", "pretrained:tictactoe"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_page_has_the_scripts_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--redraw"]) == 0
    assert capsys.readouterr().out in (ROOT / "docs" / "pretrained.md").read_text()
