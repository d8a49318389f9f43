"""The events of a run: their order, what they say, and that they change nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import mail
from games.progress import Phase, phase, report
from mail.training.folder import Run
from mail.training.progress import events
from mail.training.progress.events import Advanced, Began, Bounds, Ended, Event, Logged, Measured, PointMeasured, Stream
from mail.training.progress.state import State
from mail.training.progress.status import NAME, read_status
from mail.training.train import train
from tests.mail.training.quick_runs import QUICK, same_run


def follow(work: Callable[[], object]) -> list[Event]:
    """The events of some work."""
    seen: list[Event] = []
    with Stream([seen.append]):
        work()
    return seen


def test_reports_are_passed_on_at_most_so_often_and_those_of_steps_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("mail.training.progress.events.time.perf_counter", lambda: now[0])

    def work() -> None:
        with phase("explore", learner="mail", seat=0):
            for turn in range(1, 31):
                now[0] += events.OFTEN / 10
                report(turn, 30, "games")
                report(turn, step="fit")

    seen = follow(work)
    assert {event.phases for event in seen} == {(Phase("explore", "mail", 0),)}
    assert isinstance(seen[0].fact, Began)
    last = seen[-1].fact
    assert isinstance(last, Ended)
    assert last.lasted == pytest.approx(3 * events.OFTEN)
    advanced = [event.fact for event in seen if isinstance(event.fact, Advanced)]
    for step in ("", "fit"):
        done = [fact.done for fact in advanced if fact.step == step]
        assert done[0] == 1
        assert len(done) in (3, 4)


def test_a_state_is_what_the_last_events_said() -> None:
    state = State()

    def work() -> None:
        with phase("learn", learner="mail"), phase("explore", seat=1):
            report(3, 9, "games")
            report(2, None, "steps", step="fit")

    seen = follow(work)
    for event in seen[:-2]:
        state(event)
    assert [one.name for one in state.phases] == ["learn", "explore"]
    assert (state.learner(), state.seat()) == ("mail", 1)
    last = state.phases[-1]
    assert (last.done, last.total, last.unit, last.step, last.step_done) == (3, 9, "games", "fit", 2)
    for event in seen[-2:]:
        state(event)
    assert state.phases == []


def test_a_run_tells_its_phases_rounds_and_measures_and_is_the_same(tmp_path: Path) -> None:
    train(Run.create(tmp_path / "silent", QUICK))
    seen: list[Event] = []
    words = {"explorer": QUICK.explorer, "episodes": QUICK.episodes, "seed": QUICK.seed, "points": QUICK.points}
    result = mail.train(QUICK.game, tmp_path / "told", progress=seen.append, **words)  # type: ignore[arg-type]
    same_run(tmp_path / "silent", tmp_path / "told")
    begun = [event.phases[-1] for event in seen if isinstance(event.fact, Began)]
    assert [one.name for one in begun if not one.learner] == ["prepare", "bounds", "measure experts", "draw"]
    of_mail = [(one.name, one.seat) for one in begun if one.learner == "mail"]
    assert of_mail == [
        *[("learn", None), ("explore", 0), ("explore", 1), ("clone", None)],
        *[("measure", None), ("curve", None)],
    ]
    assert [event.seconds for event in seen] == sorted(event.seconds for event in seen)
    facts = [event.fact for event in seen]
    lines = [json.loads(line) for line in (tmp_path / "told" / "metrics.jsonl").read_text().splitlines()]
    assert [
        {"learner": one.learner, "seat": one.seat, **one.values} for one in facts if isinstance(one, Logged)
    ] == lines
    least = result["limits"]
    assert Bounds(tuple(least["reachable_labels"]), tuple(least["least_games"])) in facts
    measured = {one.learner: dict(one.values) for one in facts if isinstance(one, Measured)}
    assert measured == result["learners"]
    points = [one for one in facts if isinstance(one, PointMeasured)]
    assert [(one.learner, one.seat) for one in points] == [("mail", 0), ("mail", 1), ("bc", 0), ("bc", 1)]
    phases = json.loads((tmp_path / "told" / "clock.json").read_bytes())["phases"]
    assert [one["name"] for one in phases][:3] == ["prepare", "bounds", "learn"]


def test_what_a_callback_raises_ends_the_run_which_can_be_resumed(tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event.fact, Logged) and event.fact.seat == 1:
            status = read_status(tmp_path / "run")
            assert status is not None
            assert status.alive
            assert status.values["pid"] == os.getpid()
            raise KeyboardInterrupt

    run = Run.create(tmp_path / "run", QUICK)
    with pytest.raises(KeyboardInterrupt):
        train(run, stream=Stream([stop]))
    status = read_status(tmp_path / "run")
    assert status is not None
    assert status.alive is False
    assert [one["name"] for one in status.values["phases"]] == ["learn", "explore"]
    train(Run.resume(tmp_path / "run"))
    train(Run.create(tmp_path / "whole", QUICK))
    assert not (tmp_path / "run" / NAME).exists()
    same_run(tmp_path / "run", tmp_path / "whole")


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"pid": "1"}', b"\xff"])
def test_a_status_that_cannot_be_read_is_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / NAME).write_bytes(damage)
    assert read_status(tmp_path) is None
