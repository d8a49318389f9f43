"""Faults of Ray: unreachable or foreign addresses; parts that die while it starts; signals to the driver."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from pathlib import Path

import numpy as np

from attacks.fixture import TRAIN, Case, Fixture, Script, plainly, simple
from attacks.mutations import TITLE
from attacks.rounds import same
from attacks.running import Command, Strike

KIND = "clusters"
ADDRESSES = (
    "",
    "x",
    ":",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:-1",
    "127.0.0.1:99999",
    "127.0.0.1:x",
    "127.0.0.1:1",
    "http://127.0.0.1:1",
    "h" * 300 + ":6379",
    "nobody.invalid:6379",
    "auto",
    TITLE,
    "[::1]:1",
    "ray://127.0.0.1:1",
    "127.0.0.1:1\n",
    "\x00:1",
)
_PARTS = ("gcs_server", "raylet/raylet", "dashboard/agent.py")


def _at_once() -> None:
    """Start workers with the first piece of work, however short."""
    from mail.parallel import pool

    plainly()
    pool.START_UP = 0.0


def cases(fixture: Fixture, rng: np.random.Generator) -> list[Case]:
    """A few of the slow cases."""
    found = []
    for address in ADDRESSES:
        command = Command(("gap", "done", "--ray-address", address), "refuse", seconds=20.0)
        found.append(
            simple(
                KIND,
                f"{KIND}: --ray-address {ascii(address)[1:40]}",
                12,
                command,
                lambda place, fixture: fixture.copy("done", place / "done"),
            )
        )
    for label, greeting in {
        "a settings frame and nothing more": struct.pack(">I", 0)[1:] + b"\x04\0" + b"\0" * 4,
        "nothing": b"",
        "HTTP": b"HTTP/1.1 200 OK\r\n\r\n",
    }.items():
        found.append(_server(label, greeting))
    for part in _PARTS:
        found.append(_dies(part, float(rng.uniform(0.0, 0.6))))
    for which in (signal.SIGTERM, signal.SIGINT):
        found.append(_signalled(which, float(rng.uniform(1.0, 6.0))))
    found.append(_shadowed())
    return found


def _server(label: str, greeting: bytes) -> Case:
    """A server that is not Ray."""

    def script(place: Path, fixture: Fixture) -> Script:
        fixture.copy("done", place / "done")
        listening = socket.create_server(("127.0.0.1", 0))
        pid = os.fork()
        if pid == 0:
            _answer(listening, greeting)
        port = listening.getsockname()[1]
        listening.close()
        try:
            yield [
                Command(("gap", "done", "--ray-address", f"127.0.0.1:{port}"), "refuse", seconds=60.0, before=_at_once)
            ]
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return []

    return Case(KIND, f"{KIND}: --ray-address of a server that sends {label}", script, 12, slow=True)


def _answer(listening: socket.socket, greeting: bytes) -> None:
    """Greet every client, and keep the connection open."""
    held = []
    try:
        while True:
            connection, _ = listening.accept()
            connection.sendall(greeting)
            held.append(connection)
    finally:
        os._exit(0)


def _dies(part: str, seconds: float) -> Case:
    """A part of Ray is killed as soon as it exists."""

    def script(place: Path, fixture: Fixture) -> Script:
        words = (*TRAIN, "--out", "run", "--workers", "2")
        strike = Strike(signal.SIGKILL, seconds, victim=part)
        (outcome,) = yield [
            Command(words, "either", strike=strike, seconds=90.0, before=_at_once, may_change=("run", "run/*"))
        ]
        if outcome.status == 0:
            return same(place / "run", fixture.folder / "done")
        yield [Command((*TRAIN, "--out", "run", "--resume"), "accept", before=plainly, seconds=30.0)]
        return same(place / "run", fixture.folder / "done")

    return Case(KIND, f"{KIND}: {part} is killed {seconds:.1f} s after it is there", script, 12, slow=True)


def _signalled(which: signal.Signals, seconds: float) -> Case:
    """The driver receives a signal while Ray starts or works."""

    def script(place: Path, fixture: Fixture) -> Script:
        words = (*TRAIN, "--out", "run", "--workers", "2")
        right = (130,) if which == signal.SIGINT else (143,)
        yield [
            Command(words, "either", strike=Strike(int(which), seconds), statuses=right, seconds=60.0, before=_at_once)
        ]
        return []

    return Case(KIND, f"{KIND}: {which.name} to a driver with workers after {seconds:.1f} s", script, 12, slow=True)


def _shadowed() -> Case:
    """Workers import what the driver imports, and nothing from the working directory."""

    def script(place: Path, fixture: Fixture) -> Script:
        for name in ("games", "mail", "agents", "numpy"):
            (place / name).mkdir()
            (place / name / "__init__.py").write_text(
                f"open({str(place / 'ran')!r}, 'w').write('')\nraise SystemExit(3)\n"
            )
        yield [Command((*TRAIN, "--out", "run", "--workers", "2"), "accept", seconds=60.0, before=_at_once)]
        time.sleep(0.1)
        bad = same(place / "run", fixture.folder / "done")
        return [*bad, "code in the working folder ran"] if (place / "ran").exists() else bad

    return Case(KIND, f"{KIND}: packages in the working folder of a run with workers", script, 11, slow=True)
