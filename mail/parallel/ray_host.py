"""The process that Ray lives in, apart from the run it works for; and what Ray's workers run.

Ray's core ends or aborts the process that loaded it when one of its parts dies, takes signals for itself and writes
to its standard error. So a run never loads it: it starts this process (``mail.parallel.ray_link``), which starts or
joins Ray, sends shards to the workers and hands back what they found. What tasks, shards and results are is none of its
business: they pass through as bytes, packed by the run and by the workers. This process ends when its connection does,
and with an exit status that says so when a part of Ray died.

The only module that imports ray.
"""

from __future__ import annotations

import os
import platform
import select
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, NoReturn

import ray

import psutil  # isort: skip  # which Ray brings

from mail.parallel.ray_parts import DASHBOARD_AGENT, ENVIRONMENT_AGENT, GCS_SERVER, PARTS, RAYLET

RETRIES = 20
"""Times a shard is run again after its worker or node has died."""
_BITS = ("nashmail", "numpy", "torch")  # distributions whose versions decide the bits of results
_LOOK = 0.05  # seconds between two looks at Ray's parts
_STARTS = 30.0  # seconds within which all of them are there
_ENDS = 5.0  # seconds that Ray may take to end

# --- what a worker runs ----------------------------------------------------------------------------------

_kept: dict[int, Any] = {}  # of a worker: the task and what it shares with all shards, unpacked, under its number


def run_shard(number: int, shared: tuple[dict[str, str], list[str], Any], shard: bytes) -> tuple[Any, ...]:
    """What became of a shard: ``("result", packed)``, ``("refused", packed error)`` for a NashmailError, else
    ``("failed", class, message, traceback)``.

    ``shared``, which ``number`` stands for: the versions that this process must have, where the run finds its modules,
    and the bytes of the packed task and what its shards share.
    """
    import cloudpickle

    from games.base import NashmailError

    try:
        if number not in _kept:
            wanted, paths, packed = shared
            check_versions(wanted)
            sys.path.extend(path for path in paths if path not in sys.path)
            _kept.clear()
            _kept[number] = cloudpickle.loads(packed)
        task, common = _kept[number]
        return "result", cloudpickle.dumps(task(common, cloudpickle.loads(shard)))
    except NashmailError as error:
        return "refused", cloudpickle.dumps(error)
    except Exception as error:
        return "failed", type(error).__name__, str(error), traceback.format_exc()


def check_versions(wanted: dict[str, str]) -> None:
    """PoolError where the results of this process would have other bits."""
    from mail.parallel.pool import PoolError

    mine = versions()
    if mine != wanted:
        here = ", ".join(f"{name} {mine[name]}" for name in mine if mine[name] != wanted[name])
        there = ", ".join(f"{name} {wanted[name]}" for name in mine if mine[name] != wanted[name])
        raise PoolError(f"a worker on {platform.node()} has {here}, this run {there}; install the same there")


@cache
def versions() -> dict[str, str]:
    """The versions of this process; "none" for what is not there."""
    found = {}
    for name in _BITS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


# --- the process -----------------------------------------------------------------------------------------


class Host:
    """Ray, at the other end of a connection.

    Takes ``("share", number, packed)``, ``("shard", (map, index), packed)``, ``("drop",)`` and ``("processors",)``;
    answers with ``("landed", (map, index), outcome)`` and ``("processors", how many)``.
    """

    def __init__(self, connection: Connection, paths: list[str]) -> None:
        self.connection = connection
        self._terms = versions(), paths
        self._run: Any = ray.remote(max_retries=RETRIES, num_cpus=1)(run_shard)
        self._shared: tuple[int, Any] = (0, None)
        self._flying: dict[tuple[int, int], Any] = {}
        self._out: SimpleQueue[tuple[Any, ...]] = SimpleQueue()  # Ray's threads never wait until the run reads
        threading.Thread(target=self._answer, daemon=True).start()

    def serve(self) -> None:
        """Do what is asked for until the connection ends; ``("refused", why)`` for what Ray cannot do."""
        while True:
            try:
                kind, *words = self.connection.recv()
            except (EOFError, OSError):
                return
            try:
                self._do(kind, words)
            except Exception as error:
                time.sleep(1.0)  # where a part of Ray has died, that is what is to be said, and another thread does
                self._out.put(("refused", one_line(error)))

    def _do(self, kind: str, words: list[Any]) -> None:
        if kind == "share":
            import numpy as np  # while the workers start

            packed = np.frombuffer(words[1], dtype=np.uint8)  # which workers need not copy
            self._shared = words[0], ray.put((*self._terms, packed))
        elif kind == "shard":
            self._fly(*words)
        elif kind == "drop":
            self._drop()
        else:
            self._out.put(("processors", processors()))

    def _fly(self, key: tuple[int, int], shard: bytes) -> None:
        reference = self._run.remote(*self._shared, shard)
        self._flying[key] = reference
        reference.future().add_done_callback(partial(self._landed, key))

    def _landed(self, key: tuple[int, int], future: Any) -> None:
        self._flying.pop(key, None)
        error = future.exception()
        outcome = future.result() if error is None else ("failed", "RuntimeError", rays_own(error), "")
        self._out.put(("landed", key, outcome))

    def _drop(self) -> None:
        """Nobody waits any longer for the shards in flight."""
        while self._flying:
            ray.cancel(self._flying.popitem()[1], force=True)

    def _answer(self) -> None:
        """The thread that sends."""
        try:
            while True:
                self.connection.send(self._out.get())
        except OSError:
            return


def processors() -> int:
    """Those of all nodes together; 1 where that is not to be known."""
    try:
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    except Exception:  # the head is gone; whoever waits for a shard will be told
        return 1
    return max(1, int(resources.get("CPU", 1)))


def rays_own(error: BaseException) -> str:
    """An error of Ray itself, cut to the line that matters: like a module that another machine does not have."""
    cause = getattr(error, "cause", None) or error
    lines = [line for line in str(cause).splitlines() if line.strip()] or [type(cause).__name__]
    return lines[-1 if any("Traceback" in line for line in lines) else 0]


def one_line(error: BaseException) -> str:
    """An error of Ray's, and what it follows from."""
    why = f": {rays_own(error.__cause__)}" if error.__cause__ else ""
    return (" ".join(str(error).split()) or type(error).__name__) + why


class Watch(threading.Thread):
    """Ends the process when a part of Ray that it started has died, or, while Ray starts, when nobody waits for it.

    Ray itself notices after up to a minute, and says so in its own way.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self.descriptor, self.started, self.over = descriptor, threading.Event(), threading.Event()

    def run(self) -> None:
        me, begun = psutil.Process(), time.monotonic()
        parts: dict[int, Any] = {}
        handles: dict[int, int] = {}  # what can be read when a part has ended, where there is such a thing
        while not self.over.is_set():
            if len(parts) < len(PARTS) and time.monotonic() - begun < _STARTS:
                for part in me.children(recursive=True):
                    if (status := part_of(part)) and status not in parts:
                        parts[status] = part
                        with suppress(AttributeError, OSError):
                            handles[os.pidfd_open(part.pid)] = status
            ended = {handles[handle] for handle in select.select(list(handles), [], [], _LOOK)[0]}
            ended |= {status for status, part in parts.items() if not runs(part)}
            if ended and not self.over.is_set():
                os._exit(min(ended))
            if not self.started.is_set() and hung_up(self.descriptor):
                leave(1)


def runs(process: Any) -> bool:
    """Whether a process has not ended; one that only waits to be waited for has."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def part_of(process: Any) -> int:
    """Which of ``mail.parallel.ray_parts.PARTS`` a process is; 0 for another."""
    try:
        name = process.name()
        if name in ("raylet", "gcs_server"):  # those that have ended, too, which have no command line
            return RAYLET if name == "raylet" else GCS_SERVER
        words = process.cmdline()
    except psutil.Error:
        return 0
    first = words[0] if words else ""
    if first == "ray::DashboardAgent" or any(word.endswith("/dashboard/agent.py") for word in words):
        return DASHBOARD_AGENT
    if first == "ray::RuntimeEnvAgent" or any(word.endswith("/runtime_env/agent/main.py") for word in words):
        return ENVIRONMENT_AGENT
    return 0


def leave(status: int) -> NoReturn:
    """End the process, those that it started, and its working folder: a run that was killed can no longer do it."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    with suppress(OSError):  # unless it is empty, it is somebody else's
        os.rmdir(os.getcwd())
    os._exit(status)


def hung_up(descriptor: int) -> bool:
    """Whether nobody is left at the other end of this socket."""
    with socket.socket(fileno=os.dup(descriptor)) as caller:
        ready = select.select([caller], [], [], 0)[0]
        return bool(ready) and not caller.recv(1, socket.MSG_PEEK)


def start(workers: int | None, address: str | None, memory: int) -> None:
    """Start Ray on this machine, or join it at the address."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical"}
    if address is not None:
        ray.init(address=address, **quiet)
    else:
        ray.init("local", num_cpus=workers, include_dashboard=False, object_store_memory=memory, **quiet)


def main() -> None:
    """What the process does; its argument is the descriptor of its end of the connection."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    connection, watch = Connection(descriptor), Watch(descriptor)
    workers, address, memory, paths = connection.recv()
    watch.start()
    try:
        start(workers, address, memory)
    except BaseException as error:  # Ray raises Exception itself, and SystemExit
        connection.send(("refused", one_line(error)))
        os._exit(1)
    watch.started.set()
    connection.send(("ready",))
    Host(connection, paths).serve()
    watch.over.set()
    threading.Timer(_ENDS, leave, [1]).start()
    ray.shutdown()
    leave(0)
