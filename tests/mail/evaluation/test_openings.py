"""The suite of drawn openings: what its file holds, and what perfect and bad second seats keep of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import Uniform, make_expert
from agents.solver import Scores, scores, shared, use
from agents.storage.label_cache import LabelCache
from mail.evaluation.arena.openings import play_openings, positions, suite
from mail.evaluation.blunders import canonical_keys
from tests.mail.evaluation.test_blunders import Counting
from tests.support import game

GAME = game("connect4")


@pytest.fixture
def solver(tmp_path: Path):  # type: ignore[no-untyped-def]
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    use(Scores(LabelCache(tmp_path / "scores.sqlite")))
    yield
    use(None)


def test_the_file_holds_two_hundred_positions_of_the_second_seat() -> None:
    states = positions(GAME, suite())
    assert len(states) == 200 and list(suite()) == sorted(suite())
    assert GAME.acting(states)[:, 1].all() and (np.bitwise_count(states[:, 1]) == 7).all()
    assert len(np.unique(canonical_keys(GAME, states, 1), axis=0)) == 200


def test_every_opening_is_drawn(solver: None) -> None:
    assert (scores(GAME, positions(GAME, suite()), best_only=True).max(1) == 0).all()


@pytest.mark.slow
def test_a_perfect_second_seat_holds_them_and_loses_last(solver: None) -> None:
    found = play_openings(make_expert("first", GAME)[1], suite()[:2])
    assert (found.openings, found.drawn, found.moves_to_loss, found.from_start) == (2, 2, None, 20)
    assert found.as_dict()["value_lost"] == 0.0


def test_the_solver_computes_through_the_pool(solver: None) -> None:
    pool = Counting()
    found = play_openings(Uniform(), suite()[::40], pool=pool)
    assert found == play_openings(Uniform(), suite()[::40])
    assert pool.positions == shared().solved > 0


def test_a_bad_second_seat_gives_them_away(solver: None) -> None:
    found = play_openings(Uniform(), suite()[::20])  # greedy: always the lowest column
    told = found.as_dict()
    assert found.drawn < 5 and found.from_start <= 6 and found.moves_to_loss is not None
    assert told["value_lost"] == 1 - found.drawn / 10
    assert 0 <= told["interval"][0] <= told["value_lost"] <= told["interval"][1] <= 1
