"""Labels of the solver by workers: written down once, by the process that learns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents import Uniform, solver
from agents.storage.label_cache import LabelCache
from games.base import States
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.parallel import solver_labels as labels
from mail.parallel.pool import Local
from mail.parallel.ray import RayPool
from tests.support import game

pytestmark = pytest.mark.usefixtures("small_shards")


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """The driver's file of scores; that of the workers is the session's."""
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    path = tmp_path / "scores.sqlite"
    solver.use(solver.Scores(LabelCache(path)))
    yield path
    solver.use(None)


def late_positions(n: int) -> States:
    """Positions of 6x7 with 20 stones, which are solved at once."""
    board, rng = game("connect4"), np.random.default_rng(8)
    states = board.start(8 * n, rng=rng)
    for ply in range(20):
        actions = np.full((len(states), 2), -1)
        legal = board.legal(states, ply % 2)
        actions[:, ply % 2] = (rng.random(legal.shape) * legal).argmax(1)
        states, _, done = board.step(states, actions, rng=rng)
        states = states[~done]
    return states[:n]


def test_labels_of_workers_are_written_down_here(ray_pool: RayPool, cache: Path) -> None:
    board, states = game("connect4"), late_positions(70)
    found = labels.scores(ray_pool, board, states, best_only=True)
    assert solver.shared().solved == 0, "the workers did"
    solver.use(solver.Scores(LabelCache(cache)))
    assert len(solver.shared().unknown(states, best_only=True)) == 0
    assert np.array_equal(solver.scores(board, states, best_only=True), found) and solver.shared().solved == 0
    solver.use(solver.Scores(None))
    assert np.array_equal(solver.scores(board, states, best_only=True), found) and solver.shared().solved > 0


def test_what_takes_long_is_labelled_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, late = game("connect4"), late_positions(40)
    later = board.step(late, actions := np.where(board.acting(late), board.legal(late, 0).argmax(1)[:, None], -1),
                       rng=np.random.default_rng(0))  # fmt: skip
    assert (actions[:, 1] == -1).all()
    mixed = np.concatenate([later[0][~later[2]], late, board.images(late)[1]])
    seen: list[States] = []
    real = labels._solve
    monkeypatch.setattr(labels, "_solve", lambda shared, states: seen.append(states) or real(shared, states))
    found = labels.scores(Local(), board, mixed, best_only=True)
    stones = np.bitwise_count(np.concatenate(seen)[:, 1])
    assert len(seen) > 2 and (np.diff(stones) >= 0).all() and set(stones.tolist()) == {20, 21}
    assert len(stones) == len(np.unique(solver._canonical(mixed)[0])), "each once, mirror images too"
    solver.use(solver.Scores(None))
    assert np.array_equal(solver.scores(board, mixed, best_only=True), found)


def test_games_played_by_workers_bring_their_labels(ray_pool: RayPool, cache: Path) -> None:
    board = game("connect4")
    asked = solver.solver_expert(board, ties="first")[0]

    def played(pool: Any) -> bytes:
        collector = Collector("mail", board, 7, pool)
        return collector.round((asked, Uniform()), (asked, None), 12, seat=0, round_=0).label.tobytes()

    expected = played(ray_pool)
    assert solver.shared().solved == 0
    solver.use(solver.Scores(LabelCache(cache)))
    assert played(Local()) == expected and solver.shared().solved == 0, "no label is paid twice"


@pytest.mark.slow
@pytest.mark.parametrize(("explorer", "rounds"), [("uniform", [16, 32, 32, 40]), ("expert", [16, 32])])
def test_rounds_hold_what_will_be_played_anyway(
    explorer: str, rounds: list[int], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 6x7, where labels are slow; two solvers play one game over and over, and patience ends as it did."""
    board, seen = game("connect4"), []
    real = Collector.round
    monkeypatch.setattr(Collector, "round", lambda self, *a, **k: seen.append(a[2]) or real(self, *a, **k))
    learner = Mail(Options(), explorer=explorer)
    collector = Collector("mail", board, 0)
    learner.explore(collector, solver.solver_expert(board, ties="first"), Budget(120, patience=0.5), 0)
    assert seen == rounds


def test_what_is_known_as_well_stays(cache: Path) -> None:
    board, states = game("connect4"), late_positions(20)
    full = solver.shared().of(states)
    differing = np.flatnonzero([len(set(row[row != solver.ILLEGAL])) > 1 for row in full])[:3]
    states, full = states[differing], full[differing]
    position, mirrored = solver._canonical(states)
    partial = np.where(full == full.max(1, keepdims=True), full, solver.WORSE).astype(np.int8)
    partial[mirrored] = partial[mirrored, ::-1]
    solver.use(solver.Scores(LabelCache(cache)))
    solver.shared().receive(position, partial)
    assert np.array_equal(solver.shared().of(states), full) and solver.shared().solved == 0
    assert len(solver.shared().unknown(states)) == 0
    solver.use(solver.Scores(None))
    solver.shared().receive(position[:1], partial[:1])
    assert solver.shared().unknown(states).tolist() == [0, 1, 2]
    assert solver.shared().unknown(states, best_only=True).tolist() == [1, 2]
    solver.scores(board, states, best_only=True)
    assert solver.shared().solved == 2
