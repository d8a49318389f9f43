"""What ``nashmail train`` shows while it works: on a terminal a bar that moves, elsewhere a plain line now and then.

Both are sinks of the run's events (``mail.training.progress.events``).
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from mail.terminal.boards import canvas_of
from mail.terminal.progress.words import amount, budget, clock, details, place
from mail.training.progress.events import Ended, Event
from mail.training.progress.state import State

RARELY = 30.0
"""Seconds between two plain lines."""
_LASTING = 2.0  # seconds of a phase that gets a line of its own when it ends
_WIDE = 70  # columns from which the amounts stand beside the bar
_INSIDE = "learn"  # phases that are only a frame for others


class Display(Protocol):
    """A sink to be entered while a run works."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __call__(self, event: Event) -> None:
        """Take an event.

        Args:
            event: The event.
        """


def display(*, quiet: bool) -> Display:
    """What suits standard error: bars, plain lines, or nothing.

    Args:
        quiet: Whether to show nothing.
    """
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    if quiet:
        return Nothing()
    return Bars(console) if console.is_terminal and not console.is_dumb_terminal else Lines()


class Nothing:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, event: Event) -> None:
        return None


class Lines(Nothing):
    """Plain lines on standard error, rarely."""

    def __init__(self) -> None:
        self.state, self._due = State(), RARELY

    def __call__(self, event: Event) -> None:
        self.state(event)
        if event.seconds < self._due or not self.state.phases or isinstance(event.fact, Ended):
            return
        self._due = event.seconds + RARELY
        last = self.state.phases[-1]
        parts = [place(self.state.phases)]
        if last.unit:
            parts.append(amount(last.done, last.total, last.unit))
        print(", ".join([f"{clock(event.seconds)} {parts[0]}", *parts[1:], *details(self.state)]), file=sys.stderr)
        sys.stderr.flush()


class Bars:
    """The present phase with its bar, and a line for each that took a while."""

    def __init__(self, console: Console) -> None:
        """Draw nothing yet.

        Args:
            console: Where to draw.
        """
        self.console, self.state = console, State()
        self._unicode = canvas_of(console).unicode
        self._progress = Progress(*_columns(console.width), console=console, auto_refresh=False)
        self._task = self._progress.add_task("", total=None, amount="")
        self._at: tuple[str, float] = ("", -1.0)  # the phase of the bar, and when it began
        self._live = Live(
            get_renderable=self._picture, console=console, refresh_per_second=4, transient=True, redirect_stdout=False
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        if isinstance(event.fact, Ended):
            self._over(event.fact.lasted)
        self.state(event)
        if not self.state.phases:
            return
        last = self.state.phases[-1]
        if self._at != (at := (place(self.state.phases), last.begun)):
            self._at = at
            self._progress.reset(self._task, total=last.total, amount="")
        self._progress.update(
            self._task,
            completed=last.done,
            total=last.total,
            amount=amount(last.done, last.total, last.unit) if last.unit else "",
        )

    def _over(self, lasted: float) -> None:
        """A line for the phase that ends, if it took a while."""
        last = self.state.phases[-1]
        if lasted < _LASTING or last.name in _INSIDE:
            return
        mark = "\N{CHECK MARK} " if self._unicode else "- "
        logged = self.state.logged.get((self.state.learner(), -1 if last.seat is None else last.seat))
        come = budget(logged, self.state.bounds, last.seat or 0) if logged else ""
        if not come and last.unit:
            come = amount(last.done, None, last.unit)
        line = f"{mark}{place(self.state.phases)}, {clock(lasted)}" + (f": {come}" if come else "")
        self._live.console.print(Text(line, style="green"), no_wrap=True, overflow="ellipsis")

    def _picture(self) -> Group:
        lines = [Text(f"  {line}", no_wrap=True, overflow="ellipsis", style="dim") for line in details(self.state)]
        if self.console.width < _WIDE and self.state.phases and (last := self.state.phases[-1]).unit:
            lines.insert(0, Text(f"  {amount(last.done, last.total, last.unit)}", no_wrap=True, overflow="ellipsis"))
        heading = Text(place(self.state.phases), style="bold", no_wrap=True, overflow="ellipsis")
        return Group(heading, self._progress.get_renderable(), *lines)


def _columns(width: int) -> list[ProgressColumn]:
    """The bar and what stands beside it, as wide as there is room."""
    times = [TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()]
    if width < _WIDE:
        return [BarColumn(max(4, width - 25)), *times]
    return [BarColumn(30), TextColumn("{task.fields[amount]}", markup=False), *times]
