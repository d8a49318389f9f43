"""Who does the work: a pool maps a task over shards and gives the results back in shard order.

Results depend on the shards alone, so every pool gives the same bits; how many workers there are, where they
run and how often one of them died decides only how long it takes. ``Local`` is this process; ``mail.parallel.ray``
has the other one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeVar

from games.base import NashmailError

START_UP = 2.0
"""Seconds that Ray takes to start, and so the work that is done without it first."""

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")


class PoolError(NashmailError):
    """Workers that cannot be had, or a shard that failed on one of them."""


class Pool(Protocol):
    """``task`` and what it is given must be picklable, and a shard's result must follow from them alone."""

    @property
    def workers(self) -> int:
        """Processes that work at once."""

    def map(
        self,
        task: Callable[[_Shared, _Shard], _Result],
        shared: _Shared,
        shards: Sequence[_Shard],
        *,
        on_result: Callable[[int, _Result], None] | None = None,
    ) -> list[_Result]:
        """``[task(shared, shard) for shard in shards]``, wherever it is computed.

        ``landed(index, result)`` is called here, in whatever order shards finish: what a killed run keeps. Arrays in
        a result may be read-only. Raises PoolError, naming shard and cause, where a task raises anything but a
        NashmailError, which passes as it is.
        """


class Local:
    """In this process, one shard after the other."""

    workers = 1

    def map(
        self,
        task: Callable[[_Shared, _Shard], _Result],
        shared: _Shared,
        shards: Sequence[_Shard],
        *,
        on_result: Callable[[int, _Result], None] | None = None,
    ) -> list[_Result]:
        results = []
        for index, shard in enumerate(shards):
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


def failed(index: int, shards: int, kind: str, told: str) -> PoolError:
    """The error of a shard whose task raised an error of this kind."""
    return PoolError(f"shard {index + 1} of {shards} failed: {kind}: {' '.join(told.split()) or 'no message'}")
