"""The process that Ray lives in (``mail.parallel.ray_host``), as a run sees it: started, spoken to, and ended with all
its own.

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

from mail.parallel.pool import PoolError
from mail.parallel.ray_parts import GCS_SERVER, PARTS, RAYLET

_HOST = "from mail.parallel.ray_host import main; main()"  # as a module that workers import, not as __main__
_STARTED = {"gcs_server": PARTS[GCS_SERVER], "raylet": PARTS[RAYLET]}  # what their processes are called
_LOOK = 0.1  # seconds between two looks at them
STARTS, JOINS = 120.0, 30.0  # seconds within which Ray must have started here, or been joined elsewhere
ENDS = 5.0  # seconds that Ray gets to end by itself
_CORE = 1  # the status with which Ray's core ends the process itself, when its connection to the raylet is gone
_FOLDERS = ("NASHMAIL_CACHE", "XDG_CACHE_HOME", "TMPDIR")  # what the environment may give relative to where we are


def opened(workers: int | None, address: str | None, memory: int) -> Link:
    """Ray, started here or joined; PoolError where that fails.

    A cluster may want a token, which Ray makes the default for heads and not for who joins them. Who has one cannot
    show it to be safe: workers that want none are refused by those who do. So it is shown when it was asked for.
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
    """Ray with so many workers here, or at an address; see ``mail.parallel.ray_host.Host`` for what can be sent and
    received.
    """

    def __init__(self, workers: int | None, address: str | None, memory: int, **settings: str) -> None:
        """``settings``: further environment variables. PoolError where Ray does not start, or nobody answers."""
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
                start_new_session=True,  # Ctrl-C in a terminal is for the run alone
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

    def send(self, message: tuple[Any, ...]) -> None:
        """PoolError where nobody is there to receive it."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._lost() from error

    def _await(self, seconds: float) -> None:
        """Wait for the first message. PoolError after so many seconds, or when a part of Ray dies meanwhile: Ray, which
        waits for it and lets nothing else run in its process, would take half a minute to say so.
        """
        deadline, died = time.monotonic() + seconds, ""
        seen: set[str] = set()
        while not self._connection.poll(_LOOK):
            there = processes(self._process.pid)
            if died and there[self._process.pid][1]:  # it has outlived the part, which so did not die with it
                raise PoolError(f"Ray did not start: its {_STARTED[died]} died")
            seen |= {name for name, _ in there.values() if name in _STARTED}
            died = min(seen - {name for name, running in there.values() if running}, default="")
            if time.monotonic() > deadline:
                where = f"at {self.address} does not answer" if self.address else "did not start"
                raise PoolError(f"Ray {where} within {seconds:.0f} seconds")

    def receive(self, refused: str = "failed") -> tuple[Any, ...]:
        """The next message. PoolError where Ray has ended, or ``refused`` something."""
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
        """What is said when the process has ended, which nobody asked it to."""
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


def has_token() -> bool:
    """Whether there is a token to show to a cluster, where Ray looks for it."""
    given = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return given or os.path.exists(os.path.expanduser("~/.ray/auth_token"))


def paths() -> list[str]:
    """Where this process finds its modules."""
    return list(dict.fromkeys(os.path.abspath(path) for path in sys.path))


def end_session(session: int) -> None:
    """Kill all processes of a session, and wait until they are gone, but not for long."""
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
    """The processes of a session: name, and whether it still runs or only waits to be waited for.

    None where there is no /proc: there, Ray's parts end each other, and take their time.
    """
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            before, _, after = (entry / "stat").read_text(errors="replace").rpartition(")")
            state, _, _, its = after.split()[:4]
            if int(its) == session:
                found[int(entry.name)] = before.partition("(")[2], state not in "ZX"
    return found
