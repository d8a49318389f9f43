"""How far long work has come: whoever works long says so, and whoever wants to know listens.

Work calls ``report`` often, and wraps its parts in ``phase``. Nobody listens unless ``listening`` says so, and then a
call costs a fraction of a microsecond. What is said never enters a result. Listeners are those of the present context
(``contextvars``): two runs in two threads do not hear each other, and a worker process hears nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Phase:
    """A part of long work, such as exploring for one seat."""

    name: str
    """What is done: ``explore``, ``clone``, ``measure``."""
    learner: str = ""
    """For which learner; empty for none."""
    seat: int | None = None
    """For which seat; None for both or none."""


class Listener(Protocol):
    """Hears how far work has come. What it raises ends the work."""

    def begin(self, phase: Phase) -> None:
        """A phase begins, inside those that have begun and not ended.

        Args:
            phase: The phase.
        """

    def end(self, phase: Phase) -> None:
        """The innermost phase ends, also by an error.

        Args:
            phase: The phase.
        """

    def report(self, done: float, total: float | None, unit: str, step: str) -> None:
        """The innermost phase, or a step of it, has come so far. Called often.

        Args:
            done: How much is done.
            total: How much there is, or most; None where that is not known.
            unit: What is counted, in the plural.
            step: Of which step; empty for the phase.
        """

    def announce(self, fact: object) -> None:
        """Something has happened.

        Args:
            fact: What.
        """


PART = 1 << 15
"""Rows of a table that are worked on between two reports: a few milliseconds, and they fit a processor's cache."""
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Let a listener hear the work inside, and nobody else.

    Args:
        listener: The listener; None for nobody.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def heard() -> bool:
    """Whether anybody listens."""
    return _LISTENER.get() is not None


@contextmanager
def phase(name: str, *, learner: str = "", seat: int | None = None) -> Iterator[None]:
    """Call the work inside a phase.

    Args:
        name: What is done.
        learner: For which learner.
        seat: For which seat.
    """
    listener = _LISTENER.get()
    if listener is None:
        yield
        return
    this = Phase(name, learner, seat)
    listener.begin(this)
    try:
        yield
    finally:
        listener.end(this)


def report(done: float, total: float | None = None, unit: str = "", *, step: str = "") -> None:
    """Say how far the innermost phase has come, or a step of it. Cheap enough for a loop whose turns take microseconds.

    Args:
        done: How much is done.
        total: How much there is, or most; None where that is not known.
        unit: What is counted, in the plural.
        step: Of which step, such as ``fit``, where it is not of the whole phase.
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener.report(done, total, unit, step)


def in_parts(rows: int, *, step: str) -> Iterator[slice]:
    """Cut the rows of a large table into slices that are worked on in turn, and say how far that is.

    Args:
        rows: How many there are.
        step: What is done with them, as for ``report``.

    Yields:
        Slices of at most ``PART`` rows.
    """
    for start in range(0, rows, PART):
        report(start, rows, "rows", step=step)
        yield slice(start, min(start + PART, rows))


def announce(fact: object) -> None:
    """Tell a fact, such as the measures of a learner.

    Args:
        fact: The fact, for listeners that know its type.
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener.announce(fact)
