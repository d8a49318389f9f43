"""The script that kills training on 6x7: what it counts, and workers that are killed for real."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kill
import mail.learners.base
from agents import Uniform, solver
from agents.storage.label_cache import LabelCache
from mail.data.decisions import Decisions
from mail.parallel.pool import Local
from mail.parallel.ray import RayPool
from tests.support import game

pytestmark = pytest.mark.skipif(not solver.installed(), reason="the extra `solver` is not installed")
FULL, BEST = [1, 2, 3, 4, 3, 2, 1], [solver.WORSE] * 3 + [4] + [solver.WORSE] * 3


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> kill.Noted:
    """The scores of a driver whose run is in ``tmp_path``, with two labels that completed."""
    monkeypatch.setenv("NASHMAIL_CACHE", str(tmp_path / "cache"))
    scores = kill.Noted(tmp_path, kill.Stamped(Local()))
    scores.receive(np.array([5, 6]), np.array([FULL, BEST], dtype=np.int8))
    return scores


def test_what_landed_is_in_the_ledger_and_in_the_file(noted: object, tmp_path: Path) -> None:
    assert kill.ledger(tmp_path) == [(5, True), (6, False)]
    assert kill.rows(tmp_path) == {5: FULL, 6: BEST}
    assert kill.inspect(tmp_path) == kill.Faults(lost=0, duplicated=0, repaid=0)


def test_lost_labels_are_counted(noted: object, tmp_path: Path) -> None:
    LabelCache.default().put("connect4", np.array([5]), np.array([BEST]))
    assert kill.inspect(tmp_path).lost == 1, "the scores of other moves were known"
    (tmp_path / "cache" / "scores.sqlite").unlink()
    assert kill.inspect(tmp_path).lost == 2


def test_labels_that_are_paid_twice_are_counted(noted: object, tmp_path: Path) -> None:
    resumed = kill.Noted(tmp_path, kill.Stamped(Local()))
    resumed.receive(np.array([6]), np.array([BEST], dtype=np.int8))
    assert kill.inspect(tmp_path).repaid == 0, "its shard began before"
    resumed.pool.map(pow, 2, [3])
    resumed.receive(np.array([6]), np.array([FULL], dtype=np.int8))
    assert kill.inspect(tmp_path).repaid == 0, "more than had completed"
    resumed.receive(np.array([5]), np.array([FULL], dtype=np.int8))
    assert kill.inspect(tmp_path) == kill.Faults(lost=0, duplicated=0, repaid=1)
    resumed.receive(np.array([5]), np.array([BEST], dtype=np.int8))
    assert kill.inspect(tmp_path) == kill.Faults(lost=0, duplicated=0, repaid=2)
    resumed.add(np.array([5]), np.array([FULL], dtype=np.int8))
    assert kill.inspect(tmp_path) == kill.Faults(lost=0, duplicated=1, repaid=2)


def test_only_workers_of_the_driver_are_found() -> None:
    words = ["bash", "-c", "exec -a ray::IDLE sleep 30 & exec -a ray::DashboardAgent sleep 30 & wait"]
    with subprocess.Popen(words, start_new_session=True) as driver:
        try:
            deadline = time.monotonic() + 20
            while not (found := kill.workers_of(driver.pid)) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert len(found) == 1 and kill.workers_of(found[0]) == []
            assert set(found) <= set(kill.workers_of(os.getpid()))
        finally:
            os.killpg(driver.pid, 9)


DRIVER = """
import sqlite3, sys, time
from pathlib import Path

place, faulty = Path(sys.argv[1]), sys.argv[2] == "faulty"
for folder in ("cache", "run"):
    (place / folder).mkdir(exist_ok=True)
file = sqlite3.connect(place / "cache" / "scores.sqlite", isolation_level=None)
file.execute("CREATE TABLE IF NOT EXISTS scores (position INTEGER PRIMARY KEY, scores BLOB)")
for position in range(file.execute("SELECT count(*) FROM scores").fetchone()[0], 60):
    file.execute("INSERT OR REPLACE INTO scores VALUES (?, ?)", (position, bytes(7)))
    with (place / "ledger").open("a") as ledger:
        ledger.write(f"completed {position} 1 {time.time()}\\n")
    time.sleep(0.005)
    if faulty and position == 30 and not (place / "run" / "gone").exists():
        file.execute("DELETE FROM scores WHERE position > 20")
        (place / "run" / "gone").touch()
        time.sleep(1)
(place / "run" / "result.json").write_text("done")
"""


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("faulty", [False, True])
def test_kills_go_on_over_runs_and_their_faults_are_added(faulty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for drivers, which have no workers; the faulty ones lose ten labels on the way."""

    def start(place: Path, games: int, *, workers: int) -> subprocess.Popen[bytes]:
        place.mkdir(exist_ok=True)
        kind = "faulty" if faulty and place.name != "whole" else "sound"
        return subprocess.Popen([sys.executable, "-S", "-c", DRIVER, str(place), kind])

    monkeypatch.setattr(kill, "start", start)
    monkeypatch.setattr(kill, "LONGEST", 0.5)
    monkeypatch.setattr(kill, "BY_TIME", 1.0 if faulty else 0.2)
    found = kill.killed(6, 1, 0, apart=20)
    assert found.driver == 6 and found.worker == 0 and found.runs >= 1 and found.amid >= 1
    assert found.sound is not faulty
    if faulty:
        assert found.lost >= 10 and found.different >= 1
    else:
        # A driver that is killed between file and ledger has one label completed that nobody wrote down.
        assert 60 * found.runs - found.driver <= found.labels <= 60 * found.runs


@pytest.mark.slow
@pytest.mark.faults
def test_workers_are_killed_while_they_label(
    ray_pool: RayPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of them, each when forty more labels have completed, in a round of games on 6x7."""
    monkeypatch.setattr(mail.learners.collect, "SHARD", 2)
    board = game("connect4")
    queried = solver.solver_expert(board, ties="first")[0]

    def played(pool: Any, place: Path) -> Decisions:
        place.mkdir()
        monkeypatch.setenv("NASHMAIL_CACHE", str(place / "cache"))
        solver.use(kill.Noted(place, pool))
        collector = mail.learners.collect.Collector("mail", board, 7, pool)
        return collector.round((queried, Uniform()), (queried, None), 200, seat=0, round_=0)

    class Killing(Local):
        """Ray's workers, of which some are killed; when their shards begin is not noted."""

        began, killed = 0.0, 0

        def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
            def keep(index: int, result: Any) -> None:
                on_result(index, result)
                if self.killed < 3 and len(kill.ledger(tmp_path / "killed")) >= 40 * (self.killed + 1):
                    self.killed += 1
                    kill.kill(kill.workers_of(os.getpid())[0])

            return ray_pool.map(task, shared, shards, on_result=keep)

    try:
        expected = played(kill.Stamped(Local()), tmp_path / "whole")
        pool = Killing()
        found = played(pool, tmp_path / "killed")
    finally:
        solver.use(None)
    assert pool.killed == 3
    for name, column in expected.arrays().items():
        assert np.array_equal(column, found.arrays()[name], equal_nan=column.dtype.kind == "f"), name
    assert kill.inspect(tmp_path / "killed") == kill.Faults(lost=0, duplicated=0, repaid=0)
    assert len(kill.ledger(tmp_path / "killed")) == len(kill.ledger(tmp_path / "whole")) > 120
    assert kill.rows(tmp_path / "killed") == kill.rows(tmp_path / "whole")
