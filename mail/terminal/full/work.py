"""Slow work beside the screen: one thread that does one thing after the other, so that keys are answered meanwhile.

One thread alone, because a solver's cache file belongs to the thread that opened it. It does not outlive the program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """One thing that is done beside the screen.

    Args:
        work: What is done.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work, self._finished = work, threading.Event()
        self._value: T
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do it, in whatever thread this is."""
        try:
            self._value = self._work()
        except BaseException as error:  # raised where the result is wanted
            self._error = error
        self._finished.set()

    @property
    def done(self) -> bool:
        return self._finished.is_set()

    def result(self) -> T:
        """What came of it. Waits for it, and raises what it raised."""
        self._finished.wait()
        if self._error is not None:
            raise self._error
        return self._value


class Worker:
    """The thread.

    Args:
        at_once: Whether everything is done where it is asked for instead, for tests of what is shown.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self._at_once = at_once
        self._jobs: SimpleQueue[Job[Any]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, work: Callable[[], T]) -> Job[T]:
        """Start a job after those before it.

        Args:
            work: What is done.
        """
        job = Job(work)
        if self._at_once:
            job.run()
            return job
        if self._thread is None:
            self._thread = threading.Thread(target=self._go, daemon=True)
            self._thread.start()
        self._jobs.put(job)
        return job

    def _go(self) -> None:
        while True:
            self._jobs.get().run()
