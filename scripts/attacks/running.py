"""A command of an attack, run in a separate process, and its outcome.

Most commands run in a copy of this process (``os.fork``), which has already imported everything, so that a case takes
milliseconds. Those in which the start of Python matters run the installed command. In both cases the command has its
own session, folder, environment and streams, and a time limit, and what it leaves behind is recorded. Needs ``fork``
(Linux, macOS).
"""

from __future__ import annotations

import io
import os
import resource
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

HOLD = 0.005  # seconds between checks of a process
MARK = "NASHMAIL_ATTACK"  # an environment variable of every process that a case starts
Expect = Literal["refuse", "accept", "either"]
Own = Literal["", "script", "module"]
Words = tuple[str, ...]
Stream = Literal["file", "closed", "full", "gone", "pipe"]


@dataclass(frozen=True)
class Strike:
    """A signal to the command, ``seconds`` after its start or after a file with this pattern exists."""

    signal: int
    seconds: float
    after: str = ""
    victim: str = ""
    """The receiver: the command itself, or the descendant whose command line contains this."""


@dataclass(frozen=True)
class Command:
    """The arguments of ``nashmail``, their environment, and the right outcome."""

    words: tuple[str, ...]
    expect: Expect = "refuse"
    stdin: bytes | None = b""
    """None closes it."""
    out: Stream = "file"
    """``full`` is a device without space, ``gone`` a pipe without reader."""
    err: Stream = "file"
    env: Mapping[str, str | None] = field(default_factory=dict)
    cwd: str = "."
    own: Own = ""
    """The program, if it starts a new Python: the installed script, or ``python -m mail``."""
    limits: Mapping[int, int] = field(default_factory=dict)
    """Limits of ``resource``; of memory, in addition to what the process has at its start."""
    seconds: float = 10.0
    memory: int = 4096
    """Limit of peak memory in MiB."""
    strike: Strike | None = None
    statuses: tuple[int, ...] = ()
    """Exit statuses that are right besides 0 and 2, which ``expect`` decides."""
    may_change: tuple[str, ...] = ()
    """Patterns of files that a refused command may change."""
    says: bool = True
    """Whether an accepted command must print something."""
    before: Callable[[], None] | None = None
    """Called in the copy of this process before the command."""

    def shell(self) -> str:
        """The command as typed in a shell."""
        words = " ".join(_quoted(word) for word in self.words)
        env = "".join(f"{key}={value!r} " if value is not None else f"env -u {key} " for key, value in self.env.items())
        return f"{env}nashmail {words}"[:300]


def _quoted(word: str) -> str:
    """A word for a shell, with control characters as escapes and the middle of long words omitted."""
    short = word if len(word) <= 90 else f"{word[:60]}...({len(word)} characters)"
    plain = ascii(short)[1:-1]
    return f"$'{plain}'" if plain != short else shlex.quote(short)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a command."""

    command: Command
    status: int
    """The exit status; minus the signal that ended it."""
    out: bytes
    err: bytes
    seconds: float
    memory: int
    """Peak memory in MiB."""
    hung: bool = False
    left: tuple[str, ...] = ()
    """Command lines of processes that were still running some time after its end."""


class Running:
    """A command that runs in a folder."""

    def __init__(
        self, command: Command, place: Path, main: Callable[[list[str]], int], number: int, patience: float
    ) -> None:
        self.command, self.place, self.limit = command, place, command.seconds * patience
        self.mark = f"{os.getpid()}-{number}"
        self.streams = place.parent / f"streams-{number}"
        self.streams.mkdir()
        (self.streams / "in").write_bytes(command.stdin or b"")
        self.begun = time.monotonic()
        self.struck, self.seen = command.strike is None, 0.0
        self.hung, self.looked, self.peak = False, 0.0, 0
        sys.stdout.flush()
        sys.stderr.flush()
        self.pipes = {name: os.pipe() for name in ("out", "err") if getattr(command, name) == "pipe"}
        self.pid = os.fork()
        if self.pid == 0:
            status = 70
            try:
                status = _child(command, place, self, main)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)

    def poll(self) -> Outcome | None:
        """The outcome, once it has ended."""
        pid, status, used = os.wait4(self.pid, os.WNOHANG)
        now = time.monotonic() - self.begun
        if pid == 0:
            self._strike(now)
            if now > self.limit and not self.hung:
                self.hung = True
                self._kill()
            if now - self.looked > 0.1:
                self.looked, self.peak = now, max(self.peak, resident(self.pid))
                if self.peak > self.command.memory:
                    self._kill()
            return None
        left = self._left()
        peak = max(self.peak, used.ru_maxrss // (1 if sys.platform == "linux" else 1024) // 1024)
        code = os.waitstatus_to_exitcode(status)
        out, err = (self._read(name) for name in ("out", "err"))
        return Outcome(self.command, code, out, err, now, peak, self.hung, left)

    def _read(self, name: str) -> bytes:
        """The output to a stream; for a pipe, as much as it holds."""
        if name in self.pipes:
            reading, writing = self.pipes[name]
            os.close(writing)
            os.set_blocking(reading, False)
            with open(reading, "rb") as pipe:
                return pipe.read() or b""
        path = self.streams / name
        return path.read_bytes() if path.exists() else b""

    def _strike(self, now: float) -> None:
        strike = self.command.strike
        if self.struck or strike is None:
            return
        if strike.after and not self.seen and any(self.place.glob(strike.after)):
            self.seen = now
        if now >= strike.seconds + self.seen and (self.seen or not strike.after):
            pids = [pid for pid in marked(self.mark) if strike.victim in _line(pid)] if strike.victim else [self.pid]
            for pid in pids[:1]:
                self.struck = True
                os.kill(pid, strike.signal)

    def _kill(self) -> None:
        for pid in (self.pid, *marked(self.mark)):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _left(self) -> tuple[str, ...]:
        """Processes of the command that outlive it by more than a moment; after a kill, by fifteen seconds."""
        if not self.command.own and not marked(self.mark):
            return ()
        patience = 15.0 if self.command.strike else 5.0
        end = time.monotonic() + patience
        while marked(self.mark) and time.monotonic() < end:
            time.sleep(0.05)
        found = marked(self.mark)
        lines = tuple(_line(pid) for pid in found)
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return lines


def resident(pid: int) -> int:
    """The present memory of a process in MiB (with /proc)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() >> 20
    except (OSError, IndexError):
        return 0


def marked(mark: str) -> list[int]:
    """Processes that have this mark in their environment (with /proc)."""
    found = []
    wanted = f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            held = wanted in path.read_bytes().split(b"\0")
            if held and (path.parent / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def _line(pid: int) -> str:
    """The command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def _child(command: Command, place: Path, running: Running, main: Callable[[list[str]], int]) -> int:
    """In the new process: set up the environment and run the command. Returns the exit status."""
    os.setsid()
    os.chdir(place / command.cwd)
    for key, value in {**command.env, MARK: running.mark}.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value
    _redirect(command, running)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    words = list(command.words)
    if command.own:
        script = Path(sys.executable).with_name("nashmail")
        started = [str(script), *words] if command.own == "script" else [sys.executable, "-m", "mail", *words]
        _limit(command.limits, 0)
        os.execve(started[0], started, dict(os.environ))
    if command.before is not None:
        command.before()
    _limit(command.limits, _virtual())
    return _like_python(lambda: main(words))


def _redirect(command: Command, running: Running) -> None:
    """Set up the standard streams of the command, in the system and in Python."""
    _open(0, None if command.stdin is None else os.open(running.streams / "in", os.O_RDONLY))
    for number, name, kind in ((1, "out", command.out), (2, "err", command.err)):
        if kind == "closed":
            _open(number, None)
        elif kind == "full":
            _open(number, os.open("/dev/full", os.O_WRONLY))
        elif kind == "gone":
            reading, writing = os.pipe()
            os.close(reading)
            _open(number, writing)
        elif kind == "pipe":
            _open(number, running.pipes[name][1])
        else:
            _open(number, os.open(running.streams / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    if command.own:
        return
    sys.stdin = None if command.stdin is None else _text(0, "r")
    sys.stdout = None if command.out == "closed" else _text(1, "w")
    sys.stderr = None if command.err == "closed" else _text(2, "w")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _text(number: int, mode: str) -> io.TextIOWrapper:
    errors = "backslashreplace" if number == 2 else "surrogateescape" if number == 0 else "strict"
    opened = open(  # noqa: SIM115 - it becomes a stream of the case
        number, mode, encoding="utf-8", errors=errors, closefd=False, buffering=1 if number == 2 else -1
    )
    assert isinstance(opened, io.TextIOWrapper)
    return opened


def _open(number: int, descriptor: int | None) -> None:
    if descriptor is None:
        os.close(number)
    elif descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    else:
        os.set_inheritable(number, True)


def _virtual() -> int:
    """The size of this process's address space in bytes."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _limit(limits: Mapping[int, int], has: int) -> None:
    for which, most in limits.items():
        most += has if which == resource.RLIMIT_AS else 0
        resource.setrlimit(which, (most, most))
    if resource.RLIMIT_FSIZE in limits:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python does at startup


def _like_python(work: Callable[[], int]) -> int:
    """Run the work and return the exit status that the interpreter would return."""
    status = 0
    try:
        status = work()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        with suppress(OSError, ValueError, AttributeError):
            traceback.print_exc()
        status = 1
    try:
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        status = 120
        with suppress(OSError, ValueError, AttributeError):
            print(f"Exception ignored in: <stdout>\n{type(error).__name__}: {error}", file=sys.stderr)
    return status
