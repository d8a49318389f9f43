"""The run's side of Ray's process (``mail.parallel.ray_host``): start it, exchange messages, end it.

Its working directory is empty, because Ray lets workers import from there; modules come from this process's paths. Any
failure becomes a PoolError of one line, and no process or file is left behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from games.progress import report
from mail.parallel.pool import PoolError
from mail.parallel.ray_parts import GCS_SERVER, PARTS, RAYLET

_HOST = "from mail.parallel.ray_host import main; main()"  # imported, so that workers find it by its module name
_STARTED = {"gcs_server": PARTS[GCS_SERVER], "raylet": PARTS[RAYLET]}  # by the names of their processes
_LOOK = 0.1  # seconds between two checks of them
STARTS, JOINS = 120.0, 30.0  # seconds within which Ray must have started here, or been joined elsewhere
ENDS = 5.0  # seconds that Ray may take to shut down
_CORE = 1  # the exit status of Ray's core when it loses its connection to the raylet
_FOLDERS = ("NASHMAIL_CACHE", "XDG_CACHE_HOME", "TMPDIR")  # environment variables that may hold relative paths


def open_link(workers: int | None, address: str | None, memory: int) -> Link:
    """Start Ray here, or join the cluster at an address.

    A cluster may require a token. Ray requires one by default for heads, but does not send one by default when it
    joins. Sending one always would not work, because clusters without tokens refuse it. So it is sent only after a
    refusal.

    Args:
        workers: Number of processes on this machine.
        address: HOST:PORT of a cluster, or None.
        memory: Bytes of the object store on this machine.

    Raises:
        PoolError: Ray does not start or cannot be joined.
    """
    if address is None or "RAY_AUTH_MODE" in os.environ or not has_token():
        return Link(workers, address, memory)
    try:
        return Link(workers, address, memory, RAY_NUM_REDIS_GET_RETRIES="2")
    except PoolError as error:
        if "AuthenticationError" not in str(error):
            raise
    return Link(workers, address, memory, RAY_AUTH_MODE="token")


class Link:
    """A connection to Ray. ``mail.parallel.ray_host.Host`` describes the messages."""

    def __init__(self, workers: int | None, address: str | None, memory: int, **settings: str) -> None:
        """Start the process and wait for Ray.

        Args:
            workers: Worker processes on this machine; None for one per processor.
            address: The cluster's; None to start Ray here.
            memory: Bytes of the object store.
            settings: Further environment variables.

        Raises:
            PoolError: The process or Ray cannot be started.
        """
        self.address = address
        self._folder = tempfile.mkdtemp(prefix="nashmail-ray-")
        self._socket, theirs = socket.socketpair()
        self._connection = Connection(os.dup(self._socket.fileno()))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _HOST, str(theirs.fileno())],
                env={**environment(alone=address is None), **settings},
                cwd=self._folder,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in a terminal must reach the run only
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            self.send((workers, address, memory, paths()))
            self._await(JOINS if address else STARTS)
            self.receive("did not start")
        except BaseException:
            self._end()
            raise

    def arrives(self, seconds: float) -> bool:
        """Whether a message arrives within some time, or the process ends.

        Args:
            seconds: The time.
        """
        return self._connection.poll(seconds)

    def send(self, message: tuple[Any, ...]) -> None:
        """Send a message.

        Args:
            message: See ``mail.parallel.ray_host.Host``.

        Raises:
            PoolError: The process is gone.
        """
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._lost() from error

    def _await(self, seconds: float) -> None:
        """Wait for the first message. PoolError after ``seconds``, or when a part of Ray dies.

        Ray itself blocks its process meanwhile and would need half a minute to report a death.
        """
        deadline, died = time.monotonic() + seconds, ""
        seen: set[str] = set()
        while not self._connection.poll(_LOOK):
            report(seconds - (deadline - time.monotonic()), None, "seconds", step="start workers")
            there = processes(self._process.pid)
            if died and there[self._process.pid][1]:  # the process outlived the part
                raise PoolError(f"Ray did not start: its {_STARTED[died]} died")
            seen |= {name for name, _ in there.values() if name in _STARTED}
            died = min(seen - {name for name, running in there.values() if running}, default="")
            if time.monotonic() > deadline:
                where = f"at {self.address} does not answer" if self.address else "did not start"
                raise PoolError(f"Ray {where} within {seconds:.0f} seconds")

    def receive(self, refused: str = "failed") -> tuple[Any, ...]:
        """The next message.

        Args:
            refused: The verb of the error's message.

        Raises:
            PoolError: Ray has ended or refused something.
        """
        try:
            message: tuple[Any, ...] = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if message[0] == "refused":
            self._end()
            raise PoolError(f"Ray {refused}: {message[1]}")
        return message

    def close(self) -> None:
        """End Ray, or leave the cluster."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(ENDS)
            while self._socket.recv(1 << 16):  # until the other end is closed
                pass
        except OSError:
            pass
        finally:
            self._end()

    def _lost(self) -> PoolError:
        """The error to raise when the process has ended unexpectedly."""
        status = self._end()
        if status in PARTS:
            return PoolError(f"Ray's {PARTS[status]} died")
        if status == _CORE and self.address is None:
            return PoolError("Ray's raylet died")
        if self.address is not None:
            return PoolError(f"the Ray cluster at {self.address} was lost")
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
        return PoolError(f"the process of Ray {how}")

    def _end(self) -> int:
        """Kill what is left of the process and return its exit status."""
        if self._process.returncode is None:  # until it is waited for, its pid is its session's
            end_session(self._process.pid)
        status = self._process.wait()
        self._connection.close()
        self._socket.close()
        with suppress(OSError):
            os.rmdir(self._folder)
        return status


def environment(*, alone: bool) -> dict[str, str]:
    """The environment of Ray's process and its workers.

    Args:
        alone: Whether Ray is on this machine only.
    """
    ours = {name: os.path.abspath(os.environ[name]) for name in _FOLDERS if os.environ.get(name)}
    ours["PYTHONPATH"] = os.pathsep.join(path for path in paths() if os.pathsep not in path)
    if alone:  # all ports on the loopback address
        ours["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    return {**quiet, **os.environ, **ours}


def has_token() -> bool:
    """Whether a token for clusters is set, where Ray looks for one."""
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return given or os.path.exists(os.path.expanduser("~/.ray/auth_token"))


def paths() -> list[str]:
    """The module search path of this process, as absolute paths."""
    return list(dict.fromkeys(os.path.abspath(path) for path in sys.path))


def end_session(session: int) -> None:
    """Kill all processes of a session, and wait up to ``ENDS`` seconds until they are gone.

    Args:
        session: The session's number.
    """
    deadline = time.monotonic() + ENDS
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    while time.monotonic() < deadline:
        left = [pid for pid, (_, running) in processes(session).items() if running]
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def processes(session: int) -> dict[int, tuple[str, bool]]:
    """The processes of a session by pid: name, and whether it is running (False for a zombie).

    Empty without /proc. Ray's parts then end each other, more slowly.

    Args:
        session: The session's number.
    """
    members = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            before, _, after = (entry / "stat").read_text(errors="replace").rpartition(")")
            state, _, _, its = after.split()[:4]
            if int(its) == session:
                members[int(entry.name)] = before.partition("(")[2], state not in "ZX"
    return members
