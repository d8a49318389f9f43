"""A pool maps a task over shards and returns the results in shard order.

Results depend on the shards only, so every pool gives the same bits. The number of workers, their machines and their
deaths affect only the time it takes. ``Local`` is this process; ``mail.parallel.ray`` has the pool of many processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType, TracebackType
from typing import Protocol, Self, TypeVar

from games.base import NashmailError
from games.progress import report

START_UP = 2.0
"""Seconds that Ray takes to start. A pool works without Ray for so long first."""

BY_VALUE: list[ModuleType] = []
"""Modules that workers cannot import: what is defined there is sent to them by value."""

All = TypeVar("All")
"""What all shards share."""
Part = TypeVar("Part")
"""A shard."""
Out = TypeVar("Out")
"""The result of a shard."""
Task = Callable[[All, Part], Out]
OnResult = Callable[[int, Out], None]


class PoolError(NashmailError):
    """The pool cannot start or lost its workers, or a shard failed."""


class Pool(Protocol):
    """A map over shards. Tasks and their arguments must be picklable, and a result must depend on them alone.

    Scores that a solver computes in a worker are saved by this process (``mail.parallel.solver_labels``).
    """

    @property
    def workers(self) -> int:
        """The number of processes that work at the same time."""

    def map(
        self, task: Task[All, Part, Out], shared: All, shards: Sequence[Part], *, on_result: OnResult[Out] | None = None
    ) -> list[Out]:
        """``[task(shared, shard) for shard in shards]``, wherever it is computed.

        Args:
            task: A picklable function.
            shared: The argument that all shards share; sent once.
            shards: The other argument, one per call.
            on_result: Called in this process as ``on_result(index, result)`` for each result, in the order in which
                shards complete. A run saves results here, so that they survive if it is killed.

        Returns:
            The results in the order of ``shards``. Arrays in them may be read-only.

        Raises:
            PoolError: A task raised an error (the message names shard and cause), or the workers were lost.
            NashmailError: Raised by a task; passed on unchanged.
        """


class Local:
    """The pool of this process: one shard after another."""

    workers = 1

    def map(
        self, task: Task[All, Part, Out], shared: All, shards: Sequence[Part], *, on_result: OnResult[Out] | None = None
    ) -> list[Out]:
        results = []
        for index, shard in enumerate(shards):
            if len(shards) > 1:
                report(index, len(shards), "shards", step="pool")
            try:
                results.append(task(shared, shard))
            except NashmailError:
                raise
            except Exception as error:
                raise failed(index, len(shards), type(error).__name__, str(error)) from error
            if on_result is not None:
                on_result(index, results[-1])
        return results

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def failed(index: int, shards: int, kind: str, message: str) -> PoolError:
    """The error for a shard whose task raised an exception.

    Args:
        index: The shard's number, from 0.
        shards: How many there are.
        kind: The name of the exception's class.
        message: Its message.
    """
    return PoolError(f"shard {index + 1} of {shards} failed: {kind}: {' '.join(message.split()) or 'no message'}")
