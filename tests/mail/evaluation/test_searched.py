"""Bounds in games without an exact model or a solver: learned responses, and blunders by a deeper search."""

from __future__ import annotations

import numpy as np
import pytest

from agents import Uniform
from agents.expert import make as make_expert
from agents.experts.bots import move_values
from mail.evaluation import searched
from mail.parallel.pool import Local
from tests.support import game

NOTHING = np.zeros((0, 2), dtype=np.uint64)
SMALL = "openspiel:clobber(rows=3,columns=4)"


def test_a_search_values_moves_as_the_rules_do() -> None:
    """Two stones that can only take each other: whoever moves wins."""
    rules = game("openspiel:tic_tac_toe")
    states = np.full((1, 9), -1, dtype=np.int64)
    states[0, :4] = [0, 3, 1, 4]  # xx. oo. ... and x to move
    values = move_values(rules, states, 0, 300)
    assert values[0, 2] == 1.0  # proven
    assert values[0, 8] < 0.0 and np.isneginf(values[0, 0])


@pytest.mark.slow
def test_the_search_that_judges_finds_fewer_blunders_in_a_search_than_in_random_play() -> None:
    rules = game(SMALL)
    rates = {}
    for name, seats in (("search", make_expert("mcts:200", rules)), ("random", (Uniform(), Uniform()))):
        first = searched.search_blunders(rules, seats, 0, NOTHING, 400, 0)
        again = searched.search_blunders(rules, seats, 0, NOTHING, 400, 0, Local())
        assert [one.as_dict() for one in first] == [one.as_dict() for one in again]
        assert {one.source for one in first} == {"own", "random"}
        rates[name] = first[1].as_dict()["rate"]
        assert all((one.ply % 2 == 0).all() for one in first)  # seat 0 moves at even plies
    assert rates["search"] < rates["random"]


@pytest.mark.slow
def test_measures_say_what_made_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched, "GAMES", 8)
    monkeypatch.setattr(searched, "FRESH", 20)
    monkeypatch.setattr(searched, "POSITIONS", 3)
    seats, keys = (Uniform(), Uniform()), (NOTHING, NOTHING)
    words = {"labelled_keys": keys, "seed": 0, "pool": None}
    found = searched.searched_measures(game(SMALL), seats, expert_name="mcts:7", **words)  # type: ignore[arg-type]
    assert found["search_blunders"]["simulations"] == 70
    assert [one["games"] for one in found["responses"]] == [8, 8]
    assert all(-1 <= one["interval"][0] < one["interval"][1] <= 1 for one in found["responses"])
    hidden = game("openspiel:phantom_ttt")
    found = searched.searched_measures(hidden, seats, expert_name="first", **words)  # type: ignore[arg-type]
    assert set(found) == {"responses"}
