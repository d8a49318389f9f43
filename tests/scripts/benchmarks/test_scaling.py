"""The benchmark of growing boards: it counts the known positions. Nothing here tests speed."""

from __future__ import annotations

import json

import pytest

import bench
from benchmarks import one_size, scaling


@pytest.mark.slow
def test_scaling_counts_the_known_positions_and_prints_the_readmes_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "connect4:3x4"
    monkeypatch.setattr(scaling, "SIZES", (name,))
    assert bench.main(["scaling", "--json", "--seconds", "0.01"]) == 0
    found = json.loads(capsys.readouterr().out)
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

    table = scaling.markdown({"large": {"all positions": 1e6, "graph": 2.0, "minimax": 0.01, "memory": 5000}})
    head, rule, row = table.split("\n")
    assert row == "| large | 1,000,000 | 2 s | 10 ms | 5,000 MB | - | - | - |"
    assert head.count("|") == rule.count("|") == row.count("|")


def test_large_boards_are_measured_ply_by_ply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_size, "BIG", ("connect4:3x4",))
    found = one_size.one_size("connect4:3x4", 0, 0.0)
    assert (found["positions"], found["all positions"]) == (11_035, 12_031)
    assert min(found.values()) > 0 and "n-tuple gap" in found and "nash-gap" in found
