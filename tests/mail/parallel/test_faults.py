"""Parts of Ray that die, and signals: one line, the right exit status, nothing left behind, and a run to go on with."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mail.commands.cli import main
from mail.parallel import ray_link, signals
from mail.parallel.pool import PoolError
from mail.parallel.ray import RayPool

ROOT = Path(__file__).parents[3]

# `train` as the command line starts it, but its work is to sleep on two workers.
SCRIPT = """
import sys, time
from mail.parallel import signals
signals.end_at_once()
import mail.parallel.pool, mail.training.train
from mail.commands.cli import main

def nap(seconds, shard):
    time.sleep(seconds)

def train(run, *, prepared, pool, stream):
    pool.map(nap, 0.05, [0, 1], on_result=lambda index, result: print("working", flush=True))
    pool.map(nap, 0.1, range(1000))

mail.parallel.pool.START_UP, mail.training.train.train = 0.0, train
status = main(["train", "rps", "--workers", "2", "--out", sys.argv[1]])
signals.ignore()
sys.exit(status)
"""
RESUME = "`nashmail train rps --workers 2 --out run --resume` continues it"
SMALL = ["train", "tictactoe", "--learner", "bc-tabular", "--explorer", "uniform", "--episodes", "5000", "--out"]


@pytest.fixture
def training(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that trains on Ray's workers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", SCRIPT, "run"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def host(process: subprocess.Popen[str]) -> int:
    """The process that Ray lives in."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(waited(lambda: children.read_text().split(), process)[0])


def part(name: str, session: int, process: subprocess.Popen[str]) -> int:
    """The process of this part of Ray."""

    def found() -> list[int]:
        return [pid for pid, (called, runs) in ray_link.processes(session).items() if runs and called.startswith(name)]

    return int(waited(found, process)[0])


def waited(found: object, process: subprocess.Popen[str]) -> list[int]:
    deadline = time.monotonic() + 60
    while not (result := found()):  # type: ignore[operator]
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    return list(result)


def ended(process: subprocess.Popen[str], session: int) -> str:
    """What a process said last, which ended soon and left nothing behind."""
    begun = time.monotonic()
    told = process.communicate(timeout=60)[1].splitlines()
    assert time.monotonic() - begun < 30
    assert not [pid for pid, (_, runs) in ray_link.processes(session).items() if runs]
    assert told[:-1] == ["starting 2 workers"]
    return told[-1]


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raylet", "Ray's raylet died"),
        ("gcs_server", "Ray's GCS server died"),
        ("ray::RuntimeEnv", "Ray's agent died"),
        ("python", "the process of Ray was killed by SIGKILL"),
    ],
)
def test_a_part_of_ray_dies(name: str, said: str, training: subprocess.Popen[str]) -> None:
    session = host(training)
    assert training.stdout is not None and training.stdout.readline() == "working\n"
    os.kill(session if name == "python" else part(name, session, training), signal.SIGKILL)
    assert ended(training, session) == f"nashmail train: {said}; {RESUME}"
    assert training.returncode == 2


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(("name", "said"), [("raylet", "raylet died"), ("gcs_server", "GCS server died")])
def test_a_part_dies_while_ray_starts(name: str, said: str, training: subprocess.Popen[str]) -> None:
    session = host(training)
    os.kill(part(name, session, training), signal.SIGKILL)
    line = ended(training, session)
    assert line.startswith("nashmail train: Ray") and f"{said}; {RESUME}" in line
    assert training.returncode == 2


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize(("number", "status", "word"), [(15, 143, "terminated"), (2, 130, "interrupted")])
def test_a_signal_ends_training_on_workers(
    number: int, status: int, word: str, training: subprocess.Popen[str]
) -> None:
    session = host(training)
    assert training.stdout is not None and training.stdout.readline() == "working\n"
    training.send_signal(number)
    assert ended(training, session) == f"nashmail train: {word}; {RESUME}"
    assert training.returncode == status


@pytest.mark.slow
@pytest.mark.faults
def test_a_killed_run_leaves_nothing_behind(training: subprocess.Popen[str]) -> None:
    session = host(training)
    assert training.stdout is not None and training.stdout.readline() == "working\n"
    place = Path(os.readlink(f"/proc/{session}/cwd"))
    assert place.exists() and not list(place.iterdir())
    training.kill()
    deadline = time.monotonic() + 15
    while place.exists() or any(runs for _, runs in ray_link.processes(session).values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_sigterm_ends_training_in_one_line(tmp_path: Path) -> None:
    """Without Ray; the run goes on afterwards."""
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "mail", *SMALL, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        waited(lambda: list(folder.glob("decisions/**/*.npz")), process)
        process.terminate()
        out, told = process.communicate(timeout=60)
    assert process.returncode == 143 and out == ""
    assert told == f"nashmail train: terminated; `nashmail {' '.join(SMALL)} {folder} --resume` continues it\n"
    assert not (folder / "result.json").exists()
    assert main([*SMALL, str(folder), "--resume", "--json"]) == 0
    assert json.loads((folder / "result.json").read_bytes())


DEAF = """
import os, sys, time
from mail.parallel import signals
signals.end_at_once()
import mail.commands.games
from mail.commands.cli import main

class Deaf:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(1)

def run(args):
    Deaf()
    time.sleep(30)
    return 0

mail.commands.games.run = run
sys.exit(main(["games"]))
"""


@pytest.mark.parametrize(("number", "status", "word"), [(15, 143, "terminated"), (2, 130, "interrupted")])
def test_a_signal_that_comes_where_nothing_can_be_raised_comes_again(number: int, status: int, word: str) -> None:
    command = [sys.executable, "-c", DEAF, str(number)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=25)
    assert done.returncode == status and done.stderr == f"nashmail games: {word}\n"


# --- where modules come from -----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that holds modules by the names of ours and others, which say when they were loaded."""
    for name in ("games", "agents", "numpy", "cloudpickle"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'a').write({name!r})")
    return tmp_path


@pytest.mark.parametrize("paths", [str(ROOT), f"{ROOT}:", f".:{ROOT}"])
def test_the_working_folder_is_not_on_the_commands_path(paths: str, folder: Path) -> None:
    command = [sys.executable, "-m", "mail", "games", "--json"]
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not (folder / "loaded").exists()


def test_where_the_package_is_can_be_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    signals.drop_working_directory()
    assert sys.path[0] == ""


def paths(shared: None, shard: int) -> list[str]:
    """A pool's task: where a worker finds its modules, and where it is."""
    return [*sys.path, os.getcwd()]


@pytest.mark.slow
def test_the_working_folder_is_not_on_the_workers_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with RayPool(2, patience=0.0, memory=100 << 20) as pool:
        for found in pool.map(paths, None, [0, 1]):
            assert str(folder) not in found and str(ROOT) in found
            left = found[-1]
    assert not (folder / "loaded").exists() and not Path(left).exists()


# --- heads that do not answer ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.faults
def test_a_head_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It greets and answers pings as a Ray head does, and nothing else."""
    monkeypatch.setattr(ray_link, "JOINS", 3.0)
    frames = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + bytes([0, 0, 8, 6, 1, 0, 0, 0, 0]) + b"nashmail"
    kept: list[socket.socket] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return
                kept[-1].sendall(frames)

        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with (
            RayPool(2, address=address, patience=0.0) as pool,
            pytest.raises(PoolError, match=f"^Ray at {address} does not answer within 3 seconds$"),
        ):
            pool.map(paths, None, [0, 1])
        server.shutdown(socket.SHUT_RDWR)
    for connection in kept:
        connection.close()
