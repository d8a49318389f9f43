"""The pool of many processes and machines: shards as Ray tasks.

What the shards share goes into the object store once; a bounded number of shards is in flight; a shard whose
worker or node dies is run again (tasks retry, and they are pure). There are no actors: what a worker needs to
keep, like a solver with its opening book, is a lazy global of its process that a new worker makes again.

Ray takes about two seconds to start, so it is only started once that much work has been done in this process
without it: short work never pays for it, long work loses a few seconds. Results are the same bits either way.
The only module that imports ray.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from types import TracebackType
from typing import Any, Self, TypeVar

from games.base import NashmailError
from mail.pool import Local, PoolError, failed

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")

START_UP = 2.0
"""Seconds that Ray takes to start, and so the work that is done without it first."""
RETRIES = 20
"""Times a shard is run again after its worker or node has died."""
_REACH = 10.0  # seconds within which a cluster must answer
_AHEAD = 2  # shards in flight per worker: one running, one waiting


class RayPool:
    """``workers`` processes on this machine, or those of the cluster at ``address`` (HOST:PORT)."""

    def __init__(
        self,
        workers: int,
        *,
        address: str | None = None,
        patience: float = START_UP,
        memory: int = 1 << 30,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """``patience``: seconds of work to do here before Ray is started. ``memory``: bytes of its object store.

        Raises PoolError for less than one worker, or an address where nobody answers.
        """
        if workers < 1:
            raise PoolError(f"--workers must be at least 1, not {workers}")
        if address is not None:
            _reach(address)
        self.workers, self.address, self.memory, self.say = workers, address, memory, say
        self._left = patience
        self._run: Any = None
        self._kept: tuple[Any, Any] | None = None  # what was put last, and its reference
        self._aside = ExitStack()  # Ray tells of dead workers on standard output, which belongs to results

    def map(
        self,
        task: Callable[[_Shared, _Shard], _Result],
        shared: _Shared,
        shards: Sequence[_Shard],
        *,
        landed: Callable[[int, _Result], None] | None = None,
    ) -> list[_Result]:
        """See ``Pool.map``."""
        results: dict[int, _Result] = {}

        def keep(index: int, result: _Result) -> None:
            results[index] = result
            if landed is not None:
                landed(index, result)

        begun = 0
        while begun < len(shards) and self._stays_here(len(shards) - begun):
            clock = time.perf_counter()
            try:
                result = Local().map(task, shared, shards[begun : begun + 1])[0]
            except PoolError as error:
                raise failed(begun, len(shards), error.__cause__ or error) from error.__cause__
            self._left -= time.perf_counter() - clock
            keep(begun, result)
            begun += 1
        if begun < len(shards):
            self._start()
            self._scatter(task, shared, list(enumerate(shards))[begun:], len(shards), keep)
        return [results[index] for index in range(len(shards))]

    def _stays_here(self, shards: int) -> bool:
        """Whether the next shard is done in this process: Ray is not up and not yet worth it."""
        return self._left > 0 or (shards == 1 and self._run is None)

    def _scatter(
        self,
        task: Callable[[_Shared, _Shard], _Result],
        shared: _Shared,
        todo: list[tuple[int, _Shard]],
        total: int,
        keep: Callable[[int, _Result], None],
    ) -> None:
        """Keep ``_AHEAD`` shards per worker in flight until all have landed."""
        import ray

        reference = self._put(shared)
        flying: dict[Any, int] = {}
        waiting = iter(todo)
        try:
            while True:
                while len(flying) < _AHEAD * self.workers and (entry := next(waiting, None)) is not None:
                    flying[self._run.remote(task, reference, entry[1])] = entry[0]
                if not flying:
                    return
                ready, _ = ray.wait(list(flying), num_returns=1)
                index = flying.pop(ready[0])
                keep(index, _fetch(ready[0], index, total))
        except BaseException:
            for left in flying:
                ray.cancel(left, force=True)
            raise

    def _put(self, shared: object) -> Any:
        """The reference to what all shards share, put once for each version."""
        import ray

        if self._kept is None or self._kept[0] is not shared:
            self._kept = (shared, ray.put(shared))
        return self._kept[1]

    def _start(self) -> None:
        """Start or join Ray, quietly; PoolError in one line where that fails."""
        if self._run is not None:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        self.say(f"joining the Ray cluster at {self.address}" if self.address else f"starting {self.workers} workers")
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical"}
        try:
            if self.address is not None:
                ray.init(address=self.address, **quiet)
            else:
                ray.init(num_cpus=self.workers, include_dashboard=False, object_store_memory=self.memory, **quiet)
        except (RuntimeError, ConnectionError, OSError, ValueError) as error:
            raise PoolError(f"Ray did not start: {_first_line(error)}") from error
        self._aside.enter_context(redirect_stdout(sys.stderr))
        self._run = ray.remote(max_retries=RETRIES, num_cpus=1)(_task)

    def close(self) -> None:
        """Stop the workers of this machine, or leave the cluster."""
        if self._run is not None:
            import ray

            ray.shutdown()
            self._aside.close()
            self._run = self._kept = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._run is None and self.workers > 1:
            self.say("the work was too short to be worth starting workers")
        self.close()


def _task(task: Callable[[Any, Any], Any], shared: Any, shard: Any) -> Any:
    """What a worker runs."""
    return task(shared, shard)


def _fetch(reference: Any, index: int, total: int) -> Any:
    """A landed shard's result. PoolError naming the shard where its task raised, or its worker died too often."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, NashmailError):
            raise cause from None
        raise failed(index, total, cause) from error
    except ray.exceptions.RayError as error:
        raise failed(index, total, error) from error


def _reach(address: str) -> None:
    """PoolError unless something listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise PoolError(f"a Ray address is HOST:PORT, not {address!r}")
    try:
        socket.create_connection((host, int(port)), timeout=_REACH).close()
    except OSError as error:
        raise PoolError(
            f"nobody answers at {address} ({error.strerror or 'timed out'}); start a head there with `ray start --head`"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def tell(line: str) -> None:
    """Say something on standard error."""
    print(line, file=sys.stderr, flush=True)
