"""Policies that come with the package: they are what they say, nothing beats them, and every command takes them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyspiel
import pytest

import pretrained as script
from agents.export.plan import plan
from agents.export.write import packed
from agents.tactics import Tactics
from games.base import as_enumerable
from games.registry import make
from mail.commands.cli import main
from mail.data.drops import Seat, proves
from mail.evaluation.certificate.proof import write_proofs
from mail.parallel.pool import Local
from mail.training import pretrained
from mail.training.profile import load_profile
from tests.pages.reading import ROOT
from tests.support import game

SMALL = "connect4:4x4"


def test_every_game_of_the_script_is_there() -> None:
    there = (*script.GAMES, pretrained.UNBEATABLE_GAME)
    assert pretrained.names() == sorted(pretrained.home(name).name for name in there)


@pytest.mark.parametrize("name", [name for name in script.GAMES if name.startswith("connect4")])
def test_the_checker_proves_both_seats(name: str, tmp_path: Path) -> None:
    """Without a graph: by a walk over all that an opponent can force, and once more by the checker's own rules."""
    profile, board = load_profile(f"pretrained:{name}"), as_enumerable(game(name))
    write_proofs(tmp_path, board, profile.policies, {0: 0.0, 1: 0.0}, pool=Local())
    done = subprocess.run([sys.executable, str(tmp_path / "check.py")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("proven, no opponent leaves it less than 0") == 2


@pytest.fixture(scope="module")
def unbeatable() -> Tactics:
    """The first player of 6x7."""
    policy = load_profile("unbeatable").policies[0]
    assert isinstance(policy, Tactics)
    return policy


def test_the_certificate_of_the_real_board_is_for_the_policy_that_is_there(unbeatable: Tactics) -> None:
    told = json.loads((pretrained.home("connect4") / script.CERTIFICATE).read_bytes())
    _, numbers = packed(plan(unbeatable.policy, game("connect4"), 0))
    assert told["policy"] == hashlib.sha256(numbers).hexdigest()
    assert (told["game"], told["rows"], told["columns"], told["in_a_row"]) == ("connect4", 6, 7, 4)
    assert (told["seat"], told["value"], told["tactics"]) == (0, 1.0, True)


def test_the_first_layers_of_its_proof_are_those_of_the_certificate(unbeatable: Tactics) -> None:
    """The whole walk takes minutes; ``nashmail exploit unbeatable`` makes it."""
    told = json.loads((pretrained.home("connect4") / script.CERTIFICATE).read_bytes())["positions"]
    seat = Seat(make("connect4"), unbeatable, 0, 1.0)  # type: ignore[arg-type]
    counts: list[int] = []
    assert proves(seat, limit=sum(told[:7]), pool=Local(), visit=lambda numbers: counts.append(len(numbers))) is None
    assert counts == told[:7] and counts[0] == 1


def test_it_wins_every_game_as_the_first_player(unbeatable: Tactics) -> None:
    """Against random play on OpenSpiel's board."""
    rng, rules, board = np.random.default_rng(0), pyspiel.load_game("connect_four"), game("connect4")
    for _ in range(20):
        state, states = rules.new_initial_state(), board.start(1, rng=rng)
        while not state.is_terminal():
            seat = state.current_player()
            if seat == 0:
                action = int(unbeatable.probabilities(board, states, 0)[0].argmax())
            else:
                action = int(rng.choice(state.legal_actions()))
            state.apply_action(action)
            states = board.step(states, np.array([[action, action]]), rng=rng)[0]
        assert state.returns() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["play", "connect4", "--against", "unbeatable", "--seat", "0"], "seat 0 alone; choose --seat 1"),
        (["play", "tictactoe", "--against", "unbeatable"], "plays connect4, not tictactoe"),
        (["match", "connect4", "unbeatable", "random"], "plays one seat alone"),
    ],
)
def test_it_has_one_seat_of_one_board(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1


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
