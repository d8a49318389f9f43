"""The events of a run, and the stream that hands them to everyone who wants them.

Long work says how far it is (``games.progress``); a ``Stream`` makes that events and gives each to its sinks: the
screen of ``nashmail train``, the file that ``nashmail watch`` reads (``mail.training.progress.status``), the callback
of ``mail.train``, TensorBoard. Events tell of a run and never change it.

    with Stream([print]) as stream:
        train(run, stream=stream)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from games.progress import Phase, listening

OFTEN = 0.1
"""Fewest seconds between two ``Advanced`` events of a phase, and between two of its steps."""


@dataclass(frozen=True)
class Began:
    """A phase began: the last one of the event's ``phases``."""


@dataclass(frozen=True)
class Ended:
    """The last one of the event's ``phases`` ended."""

    lasted: float
    """Seconds."""


@dataclass(frozen=True)
class Advanced:
    """The last one of the event's ``phases``, or a step of it, has come so far."""

    done: float
    """How much is done."""
    total: float | None
    """How much there is, or the most there may be; None if that is not known."""
    unit: str
    """What is counted: ``games``, ``positions``, ``passes``."""
    step: str = ""
    """Of which step this is, such as ``fit``; empty for the phase itself."""


@dataclass(frozen=True)
class Logged:
    """A round ended: a line of ``metrics.jsonl``."""

    learner: str
    """Its learner."""
    seat: int
    """The seat that learned."""
    values: Mapping[str, float]
    """The budget so far (``games``, ``labels``, ``distinct_labels``), and what the explorer tells."""


@dataclass(frozen=True)
class Bounds:
    """What any learner needs at least, by seat; empty where that is not known (``mail.evaluation.exact.limits``)."""

    labels: tuple[int, ...]
    """Distinct positions of the expert that can be reached."""
    games: tuple[int | None, ...]
    """Fewest games that come to all of them; None where the expert randomises."""


@dataclass(frozen=True)
class Measured:
    """A learner's policies were measured."""

    learner: str
    """The learner."""
    values: Mapping[str, Any]
    """Its row in ``result.json``."""


@dataclass(frozen=True)
class PointMeasured:
    """A point of a curve: a clone of a seat's first labels was measured."""

    learner: str
    """The learner."""
    seat: int
    """The seat."""
    labels: int
    """How many labels."""
    exploitability: float
    """In units of reward."""


Fact = Began | Ended | Advanced | Logged | Bounds | Measured | PointMeasured


@dataclass(frozen=True)
class Event:
    """What happened in a run, when, and in which of its phases."""

    seconds: float
    """Since the stream began."""
    phases: tuple[Phase, ...]
    """The phases that it happened in, the outermost first."""
    fact: Fact
    """What happened."""


Sink = Callable[[Event], object]
"""Takes events, in the thread that trains. What it raises ends the run, which can be resumed."""


class Stream:
    """Turns what long work says into events while it is entered, and hands them to sinks in order.

    May be entered again.
    """

    def __init__(self, sinks: Iterable[Sink] = ()) -> None:
        """Start the clock.

        Args:
            sinks: Take every event.
        """
        self.sinks = list(sinks)
        self.lasted: list[tuple[Phase, float]] = []
        """The phases that have ended, without those inside of others, and their seconds."""
        self._begun = time.perf_counter()
        self._open: list[tuple[Phase, float]] = []
        self._due = [0.0, 0.0]  # of the phase, of its steps
        self._entered: list[AbstractContextManager[None]] = []

    def __enter__(self) -> Self:
        self._entered.append(listening(self))
        self._entered[-1].__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.pop().__exit__(kind, error, trace)

    # --- what is heard (``games.progress.Listener``) --------------------------------------------------------

    def begin(self, phase: Phase) -> None:
        """See ``games.progress.Listener``."""
        self._open.append((phase, time.perf_counter()))
        self._due = [0.0, 0.0]
        self._emit(Began())

    def end(self, phase: Phase) -> None:
        """See ``games.progress.Listener``."""
        lasted = time.perf_counter() - self._open[-1][1]
        self._emit(Ended(lasted))
        self._open.pop()
        self._due = [0.0, 0.0]
        if not self._open:
            self.lasted.append((phase, lasted))

    def report(self, done: float, total: float | None, unit: str, step: str) -> None:
        """See ``games.progress.Listener``. Passed on every ``OFTEN`` seconds."""
        now, which = time.perf_counter(), bool(step)
        if now >= self._due[which]:
            self._due[which] = now + OFTEN
            self._emit(Advanced(done, total, unit, step))

    def announce(self, fact: object) -> None:
        """See ``games.progress.Listener``."""
        if isinstance(fact, Fact):
            self._emit(fact)

    def _emit(self, fact: Fact) -> None:
        event = Event(time.perf_counter() - self._begun, tuple(phase for phase, _ in self._open), fact)
        for sink in self.sinks:
            sink(event)
