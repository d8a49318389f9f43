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
import platform
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stdout
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Self, TypeVar

from games.base import NashmailError
from mail.pool import START_UP, Local, PoolError, failed

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")

RETRIES = 20
"""Times a shard is run again after its worker or node has died."""
_REACH = 10.0  # seconds within which a cluster must answer
_AHEAD = 2  # shards in flight per worker: one running, one waiting
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # HTTP/2 with default settings
_SETTINGS = 4  # the kind of frame that answers it
_BITS = ("nashmail", "numpy", "torch")  # distributions whose versions decide the bits of results


class RayPool:
    """``workers`` processes on this machine, or as many of the cluster at ``address`` (HOST:PORT), None being all."""

    def __init__(
        self,
        workers: int | None,
        *,
        address: str | None = None,
        patience: float = START_UP,
        memory: int = 1 << 30,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """``patience``: seconds of work to do here before Ray is started. ``memory``: bytes of its object store.

        Raises PoolError for less than one worker, or an address where nobody answers.
        """
        if workers is not None and workers < 1:
            raise PoolError(f"--workers must be at least 1, not {workers}")
        if address is not None:
            _reach(address)
        self.address, self.memory, self.say = address, memory, say
        self._workers = 1 if workers is None and address is None else workers
        self._left = patience
        self._run: Any = None
        self._kept: tuple[Any, Any] | None = None  # what was put last, and its reference
        self._aside = ExitStack()  # Ray tells of dead workers on standard output, which belongs to results

    @property
    def workers(self) -> int:
        """Processes that work at once; of a whole cluster, the processors that it has now."""
        if self._workers is not None:
            return self._workers
        if self._run is None:
            return 1
        import ray

        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        return max(1, int(resources.get("CPU", 1)))

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
        """Whether the next of so many shards is done in this process: it is the only one, or Ray not yet worth it."""
        return shards == 1 or (self._left > 0 and self._run is None)

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

        reference, versions, most = self._put(shared), _versions(), _AHEAD * self.workers
        flying: dict[Any, int] = {}
        waiting = iter(todo)
        try:
            while True:
                while len(flying) < most and (entry := next(waiting, None)) is not None:
                    flying[self._run.remote(task, reference, entry[1], versions)] = entry[0]
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
            try:
                self._kept = (shared, ray.put(shared))
            except TypeError as error:
                raise PoolError(f"this cannot be sent to workers, so use one: {_one_line(error)}") from error
        return self._kept[1]

    def _start(self) -> None:
        """Start or join Ray, quietly; PoolError in one line where that fails."""
        if self._run is not None:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        self.say(f"joining the Ray cluster at {self.address}" if self.address else f"starting {self._workers} workers")
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical"}
        try:
            if self.address is not None:
                ray.init(address=self.address, **quiet)
            else:
                ray.init(
                    "local", num_cpus=self._workers, include_dashboard=False, object_store_memory=self.memory, **quiet
                )
        except Exception as error:  # Ray raises this very class, too
            raise PoolError(f"Ray did not start: {_one_line(error)}") from error
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
        if kind is None and self._run is None and self._workers != 1:
            self.say("the work was too short to be worth starting workers")
        self.close()


def _task(task: Callable[[Any, Any], Any], shared: Any, shard: Any, versions: dict[str, str]) -> Any:
    """What a worker runs. PoolError where its results would have other bits."""
    mine = _versions()
    if mine != versions:
        here = ", ".join(f"{name} {mine[name]}" for name in mine if mine[name] != versions[name])
        there = ", ".join(f"{name} {versions[name]}" for name in mine if mine[name] != versions[name])
        raise PoolError(f"a worker on {platform.node()} has {here}, this run {there}; install the same there")
    return task(shared, shard)


@cache
def _versions() -> dict[str, str]:
    """The versions of this process; "none" for what is not there."""
    found = {}
    for name in _BITS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _fetch(reference: Any, index: int, total: int) -> Any:
    """A landed shard's result. PoolError naming the shard where its task raised, or its worker died too often."""
    import ray

    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, NashmailError):
            raise cause from None
        told = _rays_own(cause) if isinstance(cause, ray.exceptions.RayError) else cause
        raise failed(index, total, told) from error
    except ray.exceptions.RayError as error:
        raise failed(index, total, _rays_own(error)) from error


def _rays_own(error: BaseException) -> BaseException:
    """An error of Ray itself, cut to the line that matters: like a module that another machine does not have."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return RuntimeError(lines[-1 if any("Traceback" in line for line in lines) else 0])


def _reach(address: str) -> None:
    """PoolError unless something listens at HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise PoolError(f"a Ray address is HOST:PORT, not {address!r}")
    try:
        with socket.create_connection((host, int(port)), timeout=_REACH) as connection:
            if not _speaks(connection):
                raise PoolError(f"what answers at {address} is no Ray head; start one with `ray start --head`")
    except OSError as error:
        raise PoolError(
            f"nobody answers at {address} ({error.strerror or 'timed out'}); start a head there with `ray start --head`"
        ) from error


def _speaks(connection: socket.socket) -> bool:
    """Whether the other side greets like a gRPC server, as Ray heads do; Ray itself would wait for minutes."""
    try:
        connection.sendall(_HELLO)
        answer = b""
        while len(answer) < 4 and (more := connection.recv(64)):
            answer += more
    except OSError:
        return False
    return len(answer) >= 4 and answer[3] == _SETTINGS


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def tell(line: str) -> None:
    """Say something on standard error."""
    print(line, file=sys.stderr, flush=True)
