"""The benchmark command: the shape of what it prints, its arithmetic and its errors. Nothing here tests speed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import bench
from benchmarks.results import RATE, SECONDS, Result, Settings
from games import NashmailError

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench.py"
KEYS = {"ours", "peers", "ratio", "same_result", "cited", "units", "seed", "repeats"}


def test_play_prints_one_json_object_and_progress_elsewhere() -> None:
    command = [sys.executable, str(SCRIPT), "play", "--json", "--repeat", "1", "--seconds", "0.01", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == KEYS
    cases = {"tictactoe", "tictactoe+observe", "connect4", "connect4+observe"}
    assert found["ours"].keys() == found["units"].keys() == cases
    assert set(found["units"].values()) == {"moves/s"}
    assert found["peers"].keys() == {"pettingzoo", "openspiel"}
    assert found["ratio"].keys() == {f"{case}/{peer}" for case in cases for peer in found["peers"]}
    assert min(found["ours"].values()) > 0
    for peer, figures in found["peers"].items():
        assert figures.keys() == cases
        for case, figure in figures.items():
            assert figure > 0
            assert found["ratio"][f"{case}/{peer}"] == pytest.approx(found["ours"][case] / figure)
    assert found["same_result"] is None  # everybody draws other games
    assert found["cited"] == {}
    assert (found["seed"], found["repeats"]) == (3, 1)
    assert "moves/s" in done.stderr


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that measures nothing, called ``made-up``."""

    def run(name: str, settings: Settings) -> Result:
        print("a peer says hello")
        return Result(
            ours={"time": 2.0, "rate": 30.0, "alone": 1.0},
            peers={"peer": {"time": 8.0, "rate": 10.0}},
            units={"time": SECONDS, "rate": RATE, "alone": RATE},
            repeats=1,
            same_result=False,
        )

    monkeypatch.setattr(bench, "NAMES", ("made-up",))
    monkeypatch.setattr(bench, "measured", run)


def test_higher_ratios_are_better_for_times_and_for_rates(made_up: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["made-up", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found.keys() == KEYS
    assert found["ratio"] == {"time/peer": 4.0, "rate/peer": 3.0}
    assert found["same_result"] is False
    assert "hello" in err  # and not on standard output


def test_what_cannot_be_measured_is_one_line_and_status_2(
    made_up: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str, settings: Settings) -> Result:
        raise NashmailError("there is no solver; install it")

    monkeypatch.setattr(bench, "measured", refuse)
    assert bench.main(["made-up", "--json"]) == 2
    assert capsys.readouterr() == ("", "bench.py: there is no solver; install it\n")


def test_the_table_shows_every_case_and_a_disagreement(made_up: None) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(bench.picture("made-up", bench.measured("made-up", Settings())))
    text = console.export_text()
    for word in ("time, seconds", "rate, moves/s", "alone", "peer", "same result: NO"):
        assert word in text


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["nosuch"], "nash-gap"),
        ([], "NAME"),
        (["play", "--repeat", "0"], "--repeat"),
        (["play", "--repeat", "many"], "--repeat"),
        (["play", "--seed", "-1"], "--seed"),
        (["play", "--seconds", "0"], "--seconds"),
        (["play", "--nosuch"], "--nosuch"),
        (["play", "--table"], "--table"),
        (["nash-gap", "--big"], "--big"),
        (["play", "--quick"], "--quick"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(argv: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        bench.main(argv)
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert word in err
