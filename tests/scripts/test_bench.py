"""The benchmark command: the shape of what it prints, its arithmetic and its errors. Nothing here tests speed."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from games import NashmailError

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench.py"
KEYS = {"ours", "peers", "ratio", "same_result", "cited", "units", "seed", "repeats"}


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


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


def test_the_nash_gaps_of_a_small_board_are_those_of_openspiel(bench: ModuleType) -> None:
    theirs = "connect_four(rows=3,columns=3,x_in_row=3)"
    result = bench.nash_gap(bench.Settings(repeats=2, seconds=0.01), ours="connect4:3x3:3", theirs=theirs)
    assert result.same_result is True
    assert result.repeats == 2
    assert set(result.units.values()) == {"seconds"}
    for peer in ("openspiel-python", "openspiel-c++"):
        for case in ("setup", "gap"):
            assert result.ours[case] > 0
            assert result.ratio()[f"{case}/{peer}"] == pytest.approx(result.peers[peer][case] / result.ours[case])


def test_other_values_are_not_the_same_result(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    right = bench._gap
    monkeypatch.setattr(bench, "_gap", lambda graph, tables: right(graph, tables) + 1e-8)
    theirs = "connect_four(rows=3,columns=3,x_in_row=3)"
    result = bench.nash_gap(bench.Settings(repeats=1, seconds=0.01), ours="connect4:3x3:3", theirs=theirs)
    assert result.same_result is False


def test_scaling_counts_the_known_positions_and_prints_the_readmes_table(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    name = "connect4:3x4"
    monkeypatch.setitem(bench.BENCHMARKS, "scaling", partial(bench.scaling, sizes=[name]))
    assert bench.main(["scaling", "--json", "--seconds", "0.01"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == KEYS
    assert found["same_result"] is True
    units = {
        "positions": "positions",
        "all positions": "positions",
        "graph": "seconds",
        "minimax": "seconds",
        "nash-gap": "seconds",
        "memory": "MB",
        "gap memory": "MB",
    }
    assert found["units"] == {f"{name}/{case}": unit for case, unit in units.items()}
    assert (found["ours"][f"{name}/positions"], found["ours"][f"{name}/all positions"]) == (11_035, 12_031)
    assert min(found["ours"].values()) > 0
    assert found["ours"][f"{name}/memory"] <= found["ours"][f"{name}/gap memory"]
    assert found["cited"] == {"published": {f"{name}/all positions": 12_031}}
    assert (found["peers"], found["ratio"]) == ({}, {})

    table = sys.modules["bench_scaling"].markdown(
        {"large": {"all positions": 1e6, "graph": 2.0, "minimax": 0.01, "memory": 5000}}
    )
    head, rule, row = table.split("\n")
    assert row == "| large | 1,000,000 | 2 s | 10 ms | 5,000 MB | - | - |"
    assert head.count("|") == rule.count("|") == row.count("|")


@pytest.fixture
def made_up(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that measures nothing, registered as ``made-up``."""

    def run(settings: object) -> object:
        print("a peer says hello")
        return bench.Result(
            ours={"time": 2.0, "rate": 30.0, "alone": 1.0},
            peers={"peer": {"time": 8.0, "rate": 10.0}},
            units={"time": bench.SECONDS, "rate": bench.RATE, "alone": bench.RATE},
            repeats=1,
            same_result=False,
        )

    monkeypatch.setitem(bench.BENCHMARKS, "made-up", run)


def test_higher_ratios_are_better_for_times_and_for_rates(
    bench: ModuleType, made_up: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["made-up", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found.keys() == KEYS
    assert found["ratio"] == {"time/peer": 4.0, "rate/peer": 3.0}
    assert found["same_result"] is False
    assert "hello" in err  # and not on standard output


def test_what_cannot_be_measured_is_one_line_and_status_2(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(settings: object) -> object:
        raise NashmailError("there is no solver; install it")

    monkeypatch.setitem(bench.BENCHMARKS, "made-up", refuse)
    assert bench.main(["made-up", "--json"]) == 2
    assert capsys.readouterr() == ("", "bench.py: there is no solver; install it\n")


def test_the_table_shows_every_case_and_a_disagreement(bench: ModuleType, made_up: None) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(bench.picture("made-up", bench.BENCHMARKS["made-up"](bench.Settings())))
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
def test_wrong_usage_is_one_line_and_status_2(
    bench: ModuleType, argv: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        bench.main(argv)
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert word in err
