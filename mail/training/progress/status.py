"""``progress.json``: how far a run is and which process trains, for ``nashmail watch``. Gone once the run is finished.

It is written at most once a second and never read by training, so results do not depend on it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from agents.storage.atomic import write_atomic
from agents.storage.reading import Unreadable, parse_json, read_bytes
from agents.storage.shapes import count, flag, misfit, null, number, seat, word
from mail.training.progress.events import Bounds, Ended, Event, Stream
from mail.training.progress.state import OpenPhase, State

NAME = "progress.json"
EVERY = 1.0
"""Fewest seconds between two writes."""
_MOST = 1 << 20  # bytes of the file
_PHASE = {
    "name": word,
    "learner": word,
    "seat": (seat, null),
    "begun": number,
    **{f"{part}{key}": kind for part in ("", "step_") for key, kind in (("done", number), ("unit", word))},
    **dict.fromkeys(("total", "step_total"), (number, null)),
    "step": word,
}
_STATUS = {
    "pid": count,
    "birth": count,
    "host": word,
    "time": number,
    "seconds": number,
    "stopped": flag,
    "phases": [_PHASE],
    "bounds": {"labels": [count], "games": [(count, null)]},
    "gaps": {"*": number},
    "gap_of": word,
    "logged": [{"learner": word, "seat": seat, "values": {"*": number}}],
}


class StatusFile:
    """A sink that writes ``progress.json``."""

    def __init__(self, folder: Path) -> None:
        """Write nothing yet.

        Args:
            folder: The run's.
        """
        self.path, self.state = folder / NAME, State()
        self._due = 0.0
        self._at: list[OpenPhase] = []  # the phases before those that an error has ended
        self._process = {"pid": os.getpid(), "birth": birth(os.getpid()), "host": platform.node()}

    @contextmanager
    def of(self, stream: Stream) -> Iterator[None]:
        """Follow a stream. The file is removed at the end, or says that the run stopped if that is an error.

        Args:
            stream: The stream, none of whose phases is open.
        """
        stream.sinks.append(self)
        try:
            yield
        except BaseException:
            self._write(stopped=True)
            raise
        else:
            self.path.unlink(missing_ok=True)
        finally:
            stream.sinks.remove(self)

    def __call__(self, event: Event) -> None:
        """Take an event, and write if it is time.

        Args:
            event: The event.
        """
        self.state(event)
        if not isinstance(event.fact, Ended):
            self._at = list(self.state.phases)
        if event.seconds >= self._due:
            self._due = event.seconds + EVERY
            self._write(stopped=False)

    def _write(self, *, stopped: bool) -> None:
        """Write the state. A disk on which that fails does not end the run here: its results tell."""
        state = self.state
        values = {
            **self._process,
            "time": time.time(),
            "seconds": state.seconds,
            "stopped": stopped,
            "phases": [asdict(phase) for phase in (self._at if stopped else state.phases)],
            "bounds": asdict(state.bounds),
            "gaps": state.gaps,
            "gap_of": state.gap_of,
            "logged": [
                {
                    "learner": learner,
                    "seat": seat,
                    "values": {key: x for key, x in row.items() if isfinite(x)},
                }
                for (learner, seat), row in state.logged.items()
            ],
        }
        with suppress(OSError):
            write_atomic(self.path, json.dumps(values).encode())


@dataclass(frozen=True)
class Status:
    """What ``progress.json`` says."""

    values: dict[str, Any]
    alive: bool | None
    """Whether the process that trains is running; None if it is on another machine."""


def read_status(folder: Path) -> Status | None:
    """How far an unfinished run is.

    Args:
        folder: The run's.

    Returns:
        The status; None if there is none, or it cannot be read.
    """
    try:
        values = parse_json(read_bytes(folder / NAME, most=_MOST))
    except (Unreadable, ValueError):
        return None
    if misfit(values, _STATUS) or not isinstance(values, dict):
        return None
    if values["stopped"]:
        return Status(values, False)
    if values["host"] != platform.node():
        return Status(values, None)
    return Status(values, birth(values["pid"]) == values["birth"] and _running(values["pid"]))


def state_of(values: dict[str, Any]) -> State:
    """The state that was written.

    Args:
        values: Those of a ``Status``.
    """
    return State(
        seconds=values["seconds"],
        phases=[OpenPhase(**phase) for phase in values["phases"]],
        bounds=Bounds(tuple(values["bounds"]["labels"]), tuple(values["bounds"]["games"])),
        logged={(row["learner"], row["seat"]): row["values"] for row in values["logged"]},
        gaps=values["gaps"],
        gap_of=values["gap_of"] if values["gap_of"] in values["gaps"] else "",
    )


def birth(process: int) -> int:
    """When a process was started, in ticks since the machine was: tells it from a later one of the same number.

    Args:
        process: Its number.

    Returns:
        The ticks; 0 where there is no such process, or no ``/proc``.
    """
    try:
        return int(Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def _running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # it is another user's
    return True
