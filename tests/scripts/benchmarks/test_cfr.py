"""The benchmark of CFR+: everybody's average has the same Nash gap. Nothing here tests speed."""

from __future__ import annotations

import pytest

from agents.cfr import RULES
from benchmarks import cfr
from benchmarks.results import Settings

CASES = {"setup", "iterations", "gap"}


def test_the_averages_of_a_small_game_are_those_of_openspiel() -> None:
    result = cfr.run(Settings(seconds=0.01), theirs="kuhn_poker", own="kuhn", iterations=10)
    assert result.same_result is True
    assert result.ours.keys() == CASES | {"gap 0.01", "own poker", "equilibrium"} == result.units.keys()
    assert all(figures.keys() == CASES for figures in result.peers.values())
    assert min(result.ours.values()) > 0


def test_another_average_is_not_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RULES, "cfr+", RULES["cfr"])
    result = cfr.run(Settings(seconds=0.01), theirs="kuhn_poker", own="kuhn", iterations=10)
    assert result.same_result is False
