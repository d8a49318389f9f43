"""Who does the work: a pool maps a task over shards and gives the results back in shard order.

Results depend on the shards alone, so every pool gives the same bits. This is the pool of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")


class Pool(Protocol):
    """``task`` and what it is given must be picklable, and a shard's result must follow from them alone."""

    def map(
        self, task: Callable[[_Shared, _Shard], _Result], shared: _Shared, shards: Sequence[_Shard]
    ) -> list[_Result]:
        """``[task(shared, shard) for shard in shards]``, wherever it is computed."""


class Local:
    """In this process, one shard after the other."""

    def map(
        self, task: Callable[[_Shared, _Shard], _Result], shared: _Shared, shards: Sequence[_Shard]
    ) -> list[_Result]:
        return [task(shared, shard) for shard in shards]
