"""The process in which Ray runs, separate from the run it works for; and the code of Ray's workers.

Ray's core ends or aborts its process when one of Ray's parts dies, handles signals itself and writes to standard error.
So a run never loads it. The run starts this process (``mail.parallel.ray_link``), which starts or joins Ray, sends
shards to the workers and returns their results. Tasks, shards and results pass through as bytes, pickled by the run and
by the workers. This process ends when its connection is closed. If a part of Ray died, its exit status says which one.

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

import psutil  # isort: skip  # a dependency of Ray

from mail.parallel.ray_parts import DASHBOARD_AGENT, ENVIRONMENT_AGENT, GCS_SERVER, PARTS, RAYLET

RETRIES = 20
"""How often a shard runs again after its worker or node has died."""
_VERSIONED = ("nashmail", "numpy", "torch")  # distributions whose versions affect floating-point results
_LOOK = 0.05  # seconds between two checks of Ray's parts
_STARTS = 30.0  # seconds within which all parts have started
_ENDS = 5.0  # seconds that Ray may take to shut down

# --- the code of a worker --------------------------------------------------------------------------------

_kept: dict[int, Any] = {}  # in a worker: the unpickled task and shared argument, by number


def run_shard(number: int, shared: tuple[dict[str, str], list[str], Any], shard: bytes) -> tuple[Any, ...]:
    """Run one shard in a worker.

    Args:
        number: Identifies ``shared``, which is unpickled once.
        shared: The versions that this process must have, the run's module paths, and the pickled task and shared
            argument.
        shard: The pickled shard.

    Returns:
        ``("result", pickled result)``, ``("refused", pickled error)`` for a NashmailError, or
        ``("failed", class, message, traceback)``.
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
    """Refuse other versions than the run's, which could change floating-point results.

    Args:
        wanted: The run's, by name.

    Raises:
        PoolError: This process has others.
    """
    from mail.parallel.pool import PoolError

    mine = versions()
    if mine != wanted:
        here = ", ".join(f"{name} {mine[name]}" for name in mine if mine[name] != wanted[name])
        there = ", ".join(f"{name} {wanted[name]}" for name in mine if mine[name] != wanted[name])
        raise PoolError(f"a worker on {platform.node()} has {here}, this run {there}; install the same there")


@cache
def versions() -> dict[str, str]:
    """The versions in this process; "none" for a distribution that is not installed."""
    installed = {}
    for name in _VERSIONED:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "none"
    return installed


# --- the process -----------------------------------------------------------------------------------------


class Host:
    """Ray, at the other end of a connection.

    Receives ``("share", number, pickled)``, ``("shard", index, pickled)`` and ``("processors",)``; sends
    ``("completed", index, outcome)`` and ``("processors", count)``.

    Args:
        connection: To the run.
        paths: From which workers import.
    """

    def __init__(self, connection: Connection, paths: list[str]) -> None:
        self.connection = connection
        self._terms = versions(), paths
        self._run: Any = ray.remote(max_retries=RETRIES, num_cpus=1)(run_shard)
        self._shared: tuple[int, Any] = (0, None)
        self._out: SimpleQueue[tuple[Any, ...]] = SimpleQueue()  # so that Ray's threads never wait for the run
        threading.Thread(target=self._answer, daemon=True).start()

    def serve(self) -> None:
        """Handle messages until the connection is closed; answer ``("refused", why)`` if Ray raises an error."""
        while True:
            try:
                kind, *words = self.connection.recv()
            except (EOFError, OSError):
                return
            try:
                self._do(kind, words)
            except Exception as error:
                time.sleep(1.0)  # if a part of Ray has died, the other thread reports that instead
                self._out.put(("refused", one_line(error)))

    def _do(self, kind: str, words: list[Any]) -> None:
        if kind == "share":
            import numpy as np  # while the workers start

            packed = np.frombuffer(words[1], dtype=np.uint8)  # workers read it without a copy
            self._shared = words[0], ray.put((*self._terms, packed))
        elif kind == "shard":
            self._fly(*words)
        else:
            self._out.put(("processors", processors()))

    def _fly(self, index: int, shard: bytes) -> None:
        self._run.remote(*self._shared, shard).future().add_done_callback(partial(self._completed, index))

    def _completed(self, index: int, future: Any) -> None:
        error = future.exception()
        outcome = future.result() if error is None else ("failed", "RuntimeError", ray_message(error), "")
        self._out.put(("completed", index, outcome))

    def _answer(self) -> None:
        """The thread that sends."""
        try:
            while True:
                self.connection.send(self._out.get())
        except OSError:
            return


def processors() -> int:
    """The processors of all nodes together; 1 if unknown."""
    try:
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    except Exception:  # the head is gone; waiting for a shard will report it
        return 1
    return max(1, int(resources.get("CPU", 1)))


def ray_message(error: BaseException) -> str:
    """The line of Ray's own error that matters, for example a module that another machine lacks.

    Args:
        error: The error.
    """
    cause = getattr(error, "cause", None) or error
    lines = [line for line in str(cause).splitlines() if line.strip()] or [type(cause).__name__]
    return lines[-1 if any("Traceback" in line for line in lines) else 0]


def one_line(error: BaseException) -> str:
    """An error of Ray and its cause, in one line.

    Args:
        error: The error.
    """
    why = f": {ray_message(error.__cause__)}" if error.__cause__ else ""
    return (" ".join(str(error).split()) or type(error).__name__) + why


class Watchdog(threading.Thread):
    """Ends the process when a part of Ray that it started has died, or when the run is gone while Ray starts.

    Ray itself notices only after up to a minute.

    Args:
        descriptor: Of the socket to the run.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self.descriptor, self.started, self.over = descriptor, threading.Event(), threading.Event()

    def run(self) -> None:
        me, begun = psutil.Process(), time.monotonic()
        parts: dict[int, Any] = {}
        handles: dict[int, int] = {}  # pidfds, readable when a part has ended (on Linux)
        while not self.over.is_set():
            if len(parts) < len(PARTS) and time.monotonic() - begun < _STARTS:
                for part in me.children(recursive=True):
                    if (status := part_status(part)) and status not in parts:
                        parts[status] = part
                        with suppress(AttributeError, OSError):
                            handles[os.pidfd_open(part.pid)] = status
            ended = {handles[handle] for handle in select.select(list(handles), [], [], _LOOK)[0]}
            ended |= {status for status, part in parts.items() if not is_running(part)}
            if ended and not self.over.is_set():
                os._exit(min(ended))
            if not self.started.is_set() and is_closed(self.descriptor):
                end_process(1)


def is_running(process: Any) -> bool:
    """Whether a process is running. Zombies are not.

    Args:
        process: A ``psutil.Process``.
    """
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def part_status(process: Any) -> int:
    """The exit status in ``mail.parallel.ray_parts.PARTS`` of a process; 0 if it is none of the parts.

    Args:
        process: A ``psutil.Process``.
    """
    try:
        name = process.name()
        if name in ("raylet", "gcs_server"):  # zombies, too, which have no command line
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


def end_process(status: int) -> NoReturn:
    """End this process and its descendants and remove its working directory, which a killed run no longer can.

    Args:
        status: The exit status.
    """
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    with suppress(OSError):  # not empty: it is not ours
        os.rmdir(os.getcwd())
    os._exit(status)


def is_closed(descriptor: int) -> bool:
    """Whether the other end of a socket is closed.

    Args:
        descriptor: Of the socket.
    """
    with socket.socket(fileno=os.dup(descriptor)) as caller:
        ready = select.select([caller], [], [], 0)[0]
        return bool(ready) and not caller.recv(1, socket.MSG_PEEK)


def start(workers: int | None, address: str | None, memory: int) -> None:
    """Start Ray on this machine, or join a cluster.

    Args:
        workers: Worker processes on this machine; None for one per processor.
        address: The cluster's; None to start Ray here.
        memory: Bytes of the object store.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "critical"}
    if address is not None:
        ray.init(address=address, **quiet)
    else:
        ray.init("local", num_cpus=workers, include_dashboard=False, object_store_memory=memory, **quiet)


def main() -> None:
    """Run the process. Its argument is the file descriptor of its end of the connection."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    connection, watch = Connection(descriptor), Watchdog(descriptor)
    workers, address, memory, paths = connection.recv()
    watch.start()
    try:
        start(workers, address, memory)
    except BaseException as error:  # Ray raises Exception itself and SystemExit
        connection.send(("refused", one_line(error)))
        os._exit(1)
    watch.started.set()
    connection.send(("ready",))
    Host(connection, paths).serve()
    watch.over.set()
    threading.Timer(_ENDS, end_process, [1]).start()
    ray.shutdown()
    end_process(0)
