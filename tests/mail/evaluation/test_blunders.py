"""Blunder rates: counted against plain search on late boards, held out from labels, nothing for the expert itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import Uniform, make_expert
from agents.solver import Scores, use
from agents.storage.label_cache import LabelCache
from games import Quotient
from mail.evaluation.blunders import SOURCES, blunders, canonical_keys, count_blunders, held_out
from mail.evaluation.intervals import wilson
from mail.parallel.pool import Local
from tests.agents.test_solver import late_positions, plain_move_scores
from tests.support import game, position

GAME = game("connect4")
NOTHING = np.zeros((0, 2), dtype=np.uint64)


@pytest.fixture(autouse=True)
def own_scores(tmp_path: Path):  # type: ignore[no-untyped-def]
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    use(Scores(LabelCache(tmp_path / "scores.sqlite")))
    yield
    use(None)


def test_rates_are_those_of_plain_search() -> None:
    pictures = [picture for picture in late_positions(empty=6, n=30, seed=5) if picture.count(".") % 2 == 0]
    states = np.concatenate([position(GAME, picture) for picture in pictures])
    found = count_blunders(GAME, Uniform(), 0, "random", states)
    for picture, ply, chance, greedy in zip(pictures, found.ply, found.chance, found.greedy, strict=True):
        values = {action: np.sign(score) for action, score in plain_move_scores(picture).items()}
        bad = {action: value < max(values.values()) for action, value in values.items()}
        assert ply == 42 - picture.count(".")
        assert chance == pytest.approx(np.mean(list(bad.values())))
        assert greedy == bad[min(bad)]  # the lowest of equally probable moves
    told = found.as_dict()
    assert told["positions"] == len(pictures) and told["rate"] == pytest.approx(found.chance.mean())
    assert told["greedy_interval"] == list(wilson(int(found.greedy.sum()), len(pictures)))
    assert sum(row["positions"] * row["rate"] for row in told["by_ply"]) == pytest.approx(found.chance.sum())


def test_held_out_positions_are_decisions_of_the_seat_that_were_not_labelled() -> None:
    random = (Uniform(), Uniform())
    for seat in (0, 1):
        first = held_out(GAME, random, seat, "random", NOTHING, 0, 60)
        assert len(first) == 60 and GAME.acting(first)[:, seat].all()
        keys = canonical_keys(GAME, first, seat)
        assert len(np.unique(keys, axis=0)) == 60
        again = held_out(GAME, random, seat, "random", keys, 0, 60)
        both = np.concatenate([keys, canonical_keys(GAME, GAME.images(again)[1], seat)])
        assert len(np.unique(both, axis=0)) == 120, "neither they nor their mirror images come again"
        assert (held_out(GAME, random, seat, "random", NOTHING, 0, 60) == first).all()
    assert (canonical_keys(GAME, first, seat) == canonical_keys(GAME, GAME.images(first)[1], seat)).all()
    assert (canonical_keys(GAME, first, seat) == Quotient(GAME).key(first)).all()


@pytest.mark.slow
def test_the_expert_never_blunders_and_random_play_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.evaluation.blunders._GAMES", 4)
    expert = make_expert("first", GAME)
    profile = (expert[0], Uniform())
    perfect = blunders(GAME, profile, 0, labelled_keys=NOTHING, seed=0, positions=5)
    assert [found.source for found in perfect] == list(SOURCES)
    assert all(not found.chance.any() and not found.greedy.any() and len(found.ply) == 5 for found in perfect)
    own, explored, random = blunders(GAME, profile, 1, labelled_keys=NOTHING, seed=0, positions=5)
    assert not own.chance.any(), "against perfect play the second seat has nothing left to give away"
    assert 0 < explored.chance.mean() < 1 and 0 < random.chance.mean() < 1


def test_scores_come_through_the_pool() -> None:
    pictures = [picture for picture in late_positions(empty=8, n=20, seed=6) if picture.count(".") % 2 == 0]
    states = np.concatenate([position(GAME, picture) for picture in pictures])
    pool = Counting()
    found = count_blunders(GAME, Uniform(), 0, "random", states, pool=pool)
    assert pool.positions == len(np.unique(canonical_keys(GAME, states, 0), axis=0))
    use(Scores(None))
    assert (count_blunders(GAME, Uniform(), 0, "random", states).chance == found.chance).all()


class Counting(Local):
    """A pool that counts the positions of its shards."""

    positions = 0

    def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
        self.positions += sum(map(len, shards))
        return super().map(task, shared, shards, on_result=on_result)


def test_no_positions_are_no_rate() -> None:
    told = count_blunders(GAME, Uniform(), 0, "own", GAME.starts()[:0]).as_dict()
    assert (told["positions"], told["rate"], told["by_ply"]) == (0, None, [])
