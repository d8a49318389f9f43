"""The benchmark of workers: what it counts and compares. Nothing here tests speed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import one_case, workers
from benchmarks.results import Settings
from games.base import States
from mail.parallel.pool import Local
from mail.parallel.ray import RayPool
from tests.support import game


@pytest.mark.slow
@pytest.mark.parametrize("case", ["gap", "certificate"])
def test_two_workers_compute_the_same(case: str, ray_pool: RayPool) -> None:
    sizes = one_case.Sizes(board="connect4:3x4", walked=3000)
    pools = one_case.Tally(Local()), one_case.Tally(ray_pool)
    found = [one_case.WORK[case](4, sizes)(pool) for pool in pools]
    assert np.array_equal(found[0], found[1]) and found[0].size
    assert pools[0].shards == pools[1].shards >= 1 and pools[0].bytes == pools[1].bytes > 0


def test_positions_have_a_dozen_stones_or_a_few_more() -> None:
    board = game("connect4")
    states: States = one_case.positions(board, 50, 3)
    stones = np.bitwise_count(states[:, 1])
    assert np.array_equal(np.unique(stones, return_counts=True), [range(12, 17), [10] * 5])
    assert board.acting(states).any(1).all() and len(np.unique(states, axis=0)) == 50
    assert np.array_equal(states, one_case.positions(board, 50, 3))


def test_the_result_compares_two_workers_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def contestant(case: str, count: int, seed: int, *, quick: bool) -> dict[str, float]:
        seconds = 8.0 if count == 1 else 5.0
        told = {
            "start-up": 3.0,
            "shards": 4,
            "bytes": 8000,
            "labels": 40,
            "written": 90.0,
            "sum": 7 + (case == "gap" and count == 2),
        }
        return {"seconds": seconds + seed, **told}

    monkeypatch.setattr(workers, "contestant", contestant)
    monkeypatch.setattr("agents.solver.installed", lambda: True)
    found = workers.run(Settings(repeats=3))
    assert found.ours["labels"] == 6.0 and found.peers["one worker"]["labels"] == 9.0
    assert found.ours["lost"] == pytest.approx(1 - 9 / 12) and found.ours["start-up"] == 3.0
    assert found.ours["gap: KB per shard"] == 2.0
    assert found.ours["gap: ceiling"] == 2.0 and "idle: ceiling" not in found.ours
    assert found.ours["written labels/s"] == 90.0
    assert found.peers["one worker"]["labels/s"] == pytest.approx(40 / 9)
    assert found.units.keys() == found.ours.keys()
    assert found.same_result is False, "the sweeps differed"
    monkeypatch.setattr("agents.solver.installed", lambda: False)
    assert not {"labels", "games", "labels/s"} & workers.run(Settings(repeats=1)).ours.keys()
