"""The benchmark of exact Nash gaps: everybody computes the same. Nothing here tests speed."""

from __future__ import annotations

import pytest

from benchmarks import nash_gap
from benchmarks.results import Settings


def test_the_nash_gaps_of_a_small_board_are_those_of_openspiel() -> None:
    theirs = "connect_four(rows=3,columns=3,x_in_row=3)"
    result = nash_gap.run(Settings(repeats=2, seconds=0.01), ours="connect4:3x3:3", theirs=theirs)
    assert result.same_result is True
    assert result.repeats == 2
    assert set(result.units.values()) == {"seconds"}
    for peer in ("openspiel-python", "openspiel-c++"):
        for case in ("setup", "gap"):
            assert result.ours[case] > 0
            assert result.ratio()[f"{case}/{peer}"] == pytest.approx(result.peers[peer][case] / result.ours[case])


def test_other_values_are_not_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    right = nash_gap.nash_conv
    monkeypatch.setattr(nash_gap, "nash_conv", lambda graph, tables: right(graph, tables) + 1e-8)
    theirs = "connect_four(rows=3,columns=3,x_in_row=3)"
    result = nash_gap.run(Settings(repeats=1, seconds=0.01), ours="connect4:3x3:3", theirs=theirs)
    assert result.same_result is False
