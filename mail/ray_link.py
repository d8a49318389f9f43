"""The process that Ray lives in (``mail.ray_host``), as a run sees it: started, spoken to, and ended with all its own.

Its working folder is an empty one, since Ray lets workers import from there; modules are found where this process
finds them. Whatever happens to it comes out as PoolError here, in one line, and nothing of it stays behind.
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

from mail.pool import PoolError

_HOST = "from mail.ray_host import main; main()"  # as a module that workers import, not as __main__
STARTS, JOINS = 120.0, 30.0  # seconds within which Ray must have started here, or been joined elsewhere
ENDS = 5.0  # seconds that Ray gets to end by itself
PARTS = {41: "dashboard agent", 42: "runtime environment agent", 43: "GCS server", 44: "raylet"}
"""Exit statuses of the process: which part of Ray died. In this order: an agent that dies takes its raylet along."""
_FOLDERS = ("NASHMAIL_CACHE", "XDG_CACHE_HOME", "TMPDIR")  # what the environment may give relative to where we are


class Link:
    """Ray with so many workers here, or at an address; see ``mail.ray_host.Host`` for what can be sent and received."""

    def __init__(self, workers: int | None, address: str | None, memory: int) -> None:
        """PoolError where Ray does not start, or the address doesn't answer."""
        self.address = address
        self._folder = tempfile.mkdtemp(prefix="nashmail-ray-")
        self._socket, theirs = socket.socketpair()
        self._connection = Connection(os.dup(self._socket.fileno()))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _HOST, str(theirs.fileno())],
                env=environment(alone=address is None),
                cwd=self._folder,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in a terminal is for the run alone
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            self.send((workers, address, memory, paths()))
            told = self.receive(JOINS if address else STARTS)
        except BaseException:
            self._end()
            raise
        if told[0] == "refused":
            self._end()
            raise PoolError(f"Ray did not start: {told[1]}")

    def send(self, message: tuple[Any, ...]) -> None:
        """PoolError where nobody is there to receive it."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._lost() from error

    def receive(self, seconds: float | None = None) -> tuple[Any, ...]:
        """The next message. PoolError where Ray has ended, or sends nothing within these seconds."""
        try:
            if not self._connection.poll(seconds):
                self._end()
                where = f"at {self.address} does not answer" if self.address else "did not start"
                raise PoolError(f"Ray {where} within {seconds:.0f} seconds")
            message: tuple[Any, ...] = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
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
        """What is said when the process has ended, which nobody asked it to."""
        status = self._end()
        if status in PARTS:
            return PoolError(f"Ray's {PARTS[status]} died")
        if self.address is not None:
            return PoolError(f"the Ray cluster at {self.address} was lost")
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
        return PoolError(f"the process of Ray {how}")

    def _end(self) -> int:
        """Kill whatever is left of it; its exit status."""
        if self._process.returncode is None:  # until somebody waits for it, its number is its session's
            end_session(self._process.pid)
        status = self._process.wait()
        self._connection.close()
        self._socket.close()
        with suppress(OSError):
            os.rmdir(self._folder)
        return status


def environment(*, alone: bool) -> dict[str, str]:
    """The environment of Ray's process and of the workers that it starts."""
    ours = {name: os.path.abspath(os.environ[name]) for name in _FOLDERS if os.environ.get(name)}
    ours["PYTHONPATH"] = os.pathsep.join(path for path in paths() if os.pathsep not in path)
    if alone:  # all ports on the loopback address
        ours["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    return {**quiet, **os.environ, **ours}


def paths() -> list[str]:
    """Where this process finds its modules."""
    return list(dict.fromkeys(os.path.abspath(path) for path in sys.path))


def end_session(session: int) -> None:
    """Kill all processes of a session, and wait until they are gone, but not for long."""
    deadline = time.monotonic() + ENDS
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    while (left := members(session)) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def members(session: int) -> list[int]:
    """The processes of a session that still run; none where there is no /proc: there, Ray's parts watch each other."""
    if sys.platform != "linux":
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                state, _, _, its = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:4]
                if int(its) == session and state not in (b"Z", b"X"):
                    found.append(int(entry.name))
    return found
