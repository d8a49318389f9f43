"""The words for how far a run is, which the screen of ``nashmail train`` and that of ``nashmail watch`` share."""

from __future__ import annotations

from mail.training.progress.events import Bounds
from mail.training.progress.state import CLONE_GAP, OpenPhase, State

PHASES = {
    "prepare": "list and solve the game",
    "bounds": "count what can be reached",
    "measure experts": "measure the experts",
    "curve": "measure parts of the labels",
    "draw": "draw the figure",
}
"""Phases that are called otherwise than they are named."""
GAPS = {CLONE_GAP: "exploitability of the clone", "exploitability": "of part of the labels", "nash_gap": "Nash gap"}
STEPS = {"pool": "", "workers": "", "list": "positions listed"}
"""Steps that are called otherwise than they are named; empty where the unit says enough."""


def place(phases: list[OpenPhase]) -> str:
    """Which part of a run this is, such as ``mail: explore, seat 0``.

    Args:
        phases: The open phases, the outermost first.
    """
    if not phases:
        return "load libraries"
    learner = next((phase.learner for phase in reversed(phases) if phase.learner), "")
    seat = next((phase.seat for phase in reversed(phases) if phase.seat is not None), None)
    words = PHASES.get(phases[-1].name, phases[-1].name) + ("" if seat is None else f", seat {seat}")
    return f"{learner}: {words}" if learner else words


def amount(done: float, total: float | None, unit: str) -> str:
    """How much of something is done, such as ``312 of 1,000 games``.

    Args:
        done: How much.
        total: How much there is; None where not known.
        unit: Of what.
    """
    if total is None:
        return f"{done:,.0f} {unit.removesuffix('s') if done == 1 else unit}".rstrip()
    return f"{done:,.0f} of {total:,.0f} {unit}".rstrip()


def step(phase: OpenPhase) -> str:
    """The step that a phase is in, such as ``fit: 300 of 2,000 steps``; empty for none.

    Args:
        phase: The phase.
    """
    if not phase.step:
        return ""
    name = STEPS.get(phase.step, phase.step)
    return (f"{name}: " if name else "") + amount(phase.step_done, phase.step_total, phase.step_unit)


def coverage(distinct: float, bounds: Bounds, seat: int) -> str:
    """The positions with a label, against those that can be reached where that is known.

    Args:
        distinct: How many have one.
        bounds: What any learner needs.
        seat: Whose positions.
    """
    if seat >= len(bounds.labels) or not bounds.labels[seat]:
        return amount(distinct, None, "positions")
    return f"{distinct:,.0f} of {bounds.labels[seat]:,} positions ({distinct / bounds.labels[seat]:.0%})"


def budget(values: dict[str, float], bounds: Bounds, seat: int) -> str:
    """What was spent for a seat and what came of it.

    Args:
        values: The last that was logged.
        bounds: What any learner needs.
        seat: The seat.
    """
    parts = [amount(values[key], None, key) for key in ("games", "labels") if key in values]
    if "distinct_labels" in values:
        parts.append(coverage(values["distinct_labels"], bounds, seat))
    return ", ".join(parts)


def gap(kind: str, value: float) -> str:
    """The latest measure.

    Args:
        kind: As ``State.gap_of``.
        value: In units of reward.
    """
    return f"{value:z.4f} ({GAPS.get(kind, kind)})"


def details(state: State) -> list[str]:
    """The lines below a bar: budget and coverage, the latest gap, the present step.

    Args:
        state: What the run is doing.
    """
    learner, seat = state.learner(), state.seat()
    lines = []
    for which in (0, 1) if seat is None else (seat,):
        if (values := state.logged.get((learner, which))) and state.phases[-1].name != "measure":
            lines.append(f"seat {which}: " + budget(values, state.bounds, which))
    if state.gap_of:
        lines.append(f"latest gap: {gap(state.gap_of, state.gaps[state.gap_of])}")
    if state.phases and (now := step(state.phases[-1])):
        lines.append(now)
    return lines


def clock(seconds: float) -> str:
    """A time as 0:01:02.

    Args:
        seconds: The time.
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
