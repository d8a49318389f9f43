"""Clones on the way: few, about equally far apart, and each what it was when it was kept."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from agents.policy import Uniform
from mail.evaluation import exact
from mail.learners.snapshots import MOST, Snapshot, Snapshots, at_steps
from mail.parallel.pool import Local
from mail.training import evaluate
from mail.training.folder import Config, Run
from mail.training.learn import learn
from mail.training.train import prepare


def test_snapshots_stay_few_and_about_equally_far_apart() -> None:
    snapshots = Snapshots()
    for labels in range(1000):
        snapshots.add(labels, Uniform())
    kept = [one.labels for one in snapshots.kept]
    assert MOST // 2 <= len(kept) <= MOST
    assert kept[0] == 1 and {after - before for before, after in pairwise(kept)} == {64}


def test_a_clone_that_was_not_trained_on_is_kept_once_and_an_untrained_one_never() -> None:
    snapshots, first, second = Snapshots(), Uniform(), Uniform()
    for labels, policy in ((0, first), (3, None), (4, first), (5, first), (5, second)):
        snapshots.add(labels, policy)
    assert snapshots.kept == [Snapshot(4, first), Snapshot(5, second)]


def test_a_step_takes_the_last_snapshot_until_then() -> None:
    kept = [Snapshot(labels, Uniform()) for labels in (4, 5, 9)]
    assert [one.labels for one in at_steps(kept, [2, 4, 7, 8, 20])] == [4, 5, 9]
    assert at_steps([], [2, 4]) == []


@pytest.mark.parametrize("learner", ["mail-ntuple", "dagger", "mail-bro"])
def test_a_curve_is_measured_from_them_without_another_fit(
    learner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config("connect4:3x3:3", (learner,), explorer="mistakes", episodes=80, points=4)
    run, prepared = Run.create(tmp_path / "run", config), prepare(config)
    learned = learn(run, prepared, pool=Local())
    monkeypatch.setattr(evaluate, "cloned", None)
    limits = exact.limits(prepared.context.learned_model, config.expert)
    found = evaluate.evaluate(run, prepared.context, learned, limits, pool=Local())
    for seat, curve in enumerate(found.curves[learner]):
        labels = [point["labels"] for point in curve]
        assert labels == sorted(set(labels)) and labels[-1] == learned[learner].labels[seat]
        assert set(labels[:-1]) <= {one.labels for one in learned[learner].snapshots[seat]}
    assert max(len(curve) for curve in found.curves[learner]) > 1
