"""What a run is doing, folded from its events: its open phases, how far each is, the latest measures."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from mail.training.progress.events import Advanced, Began, Bounds, Ended, Event, Logged, Measured, PointMeasured

CLONE_GAP = "clone_exploitability"
"""What explorers call the exploitability of their clone, in the values that they log."""


@dataclass
class OpenPhase:
    """A phase that has begun and not ended."""

    name: str
    learner: str
    seat: int | None
    begun: float
    """Seconds of the stream."""
    done: float = 0.0
    total: float | None = None
    unit: str = ""
    step: str = ""
    """The step that it is in, such as ``fit``; empty for none that was told of ..."""
    step_done: float = 0.0
    """... and how far that is."""
    step_total: float | None = None
    step_unit: str = ""


@dataclass
class State:
    """A sink that keeps what the last events said."""

    seconds: float = 0.0
    """Of the last event."""
    phases: list[OpenPhase] = field(default_factory=list)
    """The outermost first."""
    bounds: Bounds = field(default_factory=lambda: Bounds((), ()))
    logged: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)
    """The last values of each learner and seat."""
    gaps: dict[str, float] = field(default_factory=dict)
    """The last value of each kind: ``clone_exploitability`` while exploring, ``exploitability`` of a point of a curve,
    ``nash_gap`` of a learner; in units of reward."""
    gap_of: str = ""
    """The last kind."""

    def __call__(self, event: Event) -> None:
        """Take an event.

        Args:
            event: The event.
        """
        self.seconds, fact = event.seconds, event.fact
        match fact:
            case Began():
                phase = event.phases[-1]
                self.phases.append(OpenPhase(phase.name, phase.learner, phase.seat, event.seconds))
            case Ended():
                self.phases.pop()
            case Advanced(step="") if self.phases:
                last = self.phases[-1]
                last.done, last.total, last.unit = fact.done, fact.total, fact.unit
            case Advanced() if self.phases:
                last = self.phases[-1]
                last.step, last.step_unit = fact.step, fact.unit
                last.step_done, last.step_total = fact.done, fact.total
            case Bounds():
                self.bounds = fact
            case Logged():
                self.logged[fact.learner, fact.seat] = dict(fact.values)
                self._gap(CLONE_GAP, fact.values.get(CLONE_GAP))
            case Measured():
                self._gap("nash_gap", fact.values.get("nash_gap"))
            case PointMeasured():
                self._gap("exploitability", fact.exploitability)

    def _gap(self, kind: str, value: Any) -> None:
        if value is not None and math.isfinite(value):
            self.gaps[kind], self.gap_of = float(value), kind

    def learner(self) -> str:
        """The learner that the run is at; empty for none."""
        return next((phase.learner for phase in reversed(self.phases) if phase.learner), "")

    def seat(self) -> int | None:
        """The seat that the run is at; None for both or none."""
        return next((phase.seat for phase in reversed(self.phases) if phase.seat is not None), None)
