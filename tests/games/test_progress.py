"""Long work says how far it is to whoever listens, and to nobody else."""

from __future__ import annotations

import threading

import pytest

from games.progress import Phase, announce, heard, listening, phase, report


class Heard:
    """A listener that writes down."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def begin(self, phase: Phase) -> None:
        self.said.append(("begin", phase))

    def end(self, phase: Phase) -> None:
        self.said.append(("end", phase))

    def report(self, done: float, total: float | None, unit: str, step: str) -> None:
        self.said.append((done, total, unit, step))

    def announce(self, fact: object) -> None:
        self.said.append(fact)


def work() -> None:
    with phase("explore", learner="mail", seat=1):
        report(1, 2, "games")
        report(3, step="fit")
        announce("done")


def test_work_is_heard_in_order_and_only_inside() -> None:
    work()
    listener = Heard()
    with listening(listener):
        assert heard()
        work()
    work()
    assert not heard()
    this = Phase("explore", "mail", 1)
    assert listener.said == [("begin", this), (1, 2, "games", ""), (3, None, "", "fit"), "done", ("end", this)]


def test_a_phase_ends_by_an_error_too() -> None:
    listener = Heard()
    with listening(listener), pytest.raises(ValueError, match="no"), phase("clone"):
        raise ValueError("no")
    assert listener.said == [("begin", Phase("clone")), ("end", Phase("clone"))]


def test_another_thread_is_not_heard() -> None:
    listener = Heard()
    with listening(listener):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert listener.said == []
