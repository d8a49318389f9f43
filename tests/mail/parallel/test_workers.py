"""Runs and measures through pools: the same bits whoever works, through kills, on one machine and on a cluster."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mail.evaluation.certificate.layers
import mail.evaluation.tabulate
import mail.learners.base
import mail.training.train
from agents import Uniform, expert
from agents import tabulate as tabulate_here
from agents.network import Architecture, NetworkPolicy, PolicyNet
from mail.commands.cli import main
from mail.data.rollout import play_shard
from mail.evaluation.certificate.walk import certify
from mail.evaluation.tabulate import policy_table
from mail.learners.collect import Collector
from mail.parallel.open import pool_for
from mail.parallel.pool import Local, PoolError
from mail.parallel.ray import RayPool
from mail.training.folder import Config, Run
from tests.mail.parallel.small import SHARD, STATEMENTS, cut
from tests.mail.training.test_kill import contents
from tests.support import game, graph

pytestmark = pytest.mark.usefixtures("small_shards")
ROOT = Path(__file__).parents[3]
CONFIG = Config("tictactoe", explorer="uniform", episodes=32, points=1)
SCRIPT = f"""
import sys
from pathlib import Path
import mail.learners.base
import mail.training.train
from mail.parallel.ray import RayPool
from mail.training.folder import Config, Run

{STATEMENTS}
folder = Path(sys.argv[1])
begun = (folder / "config.json").exists()
config = Config("tictactoe", explorer="uniform", episodes=32, points=1)
run = Run.resume(folder) if begun else Run.create(folder, config)
with RayPool(int(sys.argv[2]), patience=0.0) as pool:
    mail.training.train.train(run, pool=pool)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The run as one process makes it."""
    folder = tmp_path_factory.mktemp("run") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        cut(patch)
        mail.training.train.train(Run.create(folder, CONFIG))
    return contents(folder)


class Tired(Local):
    """Breaks down after so many shards."""

    def __init__(self, shards: int) -> None:
        self.left = shards

    def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
        def counted(shared: Any, shard: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return task(shared, shard)

        return super().map(counted, shared, shards, on_result=on_result)


def together(shared: object, shard: int) -> tuple[object, int]:
    """A task that sends back what it was sent."""
    return shared, shard


def network(name: str) -> NetworkPolicy:
    spec = game(name).spec
    rng = np.random.default_rng(3)
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, Architecture(4, 1, 16), rng=rng))


# --- runs ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.equal_results
def test_two_workers_make_the_run_that_one_process_makes(
    ray_pool: RayPool, whole: dict[str, bytes], tmp_path: Path
) -> None:
    mail.training.train.train(Run.create(tmp_path / "run", CONFIG), pool=ray_pool)
    assert contents(tmp_path / "run") == whole
    assert json.loads((tmp_path / "run" / "clock.json").read_bytes())["workers"] == 2
    assert any("mail-0/000000.npz" in name for name in whole) and not any("shards" in name for name in whole)


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("shards", [0, 1, 2, 3, 5, 11])
def test_a_round_goes_on_with_the_shards_that_landed(
    shards: int, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    with pytest.raises(KeyboardInterrupt):
        mail.training.train.train(run, pool=Tired(shards))
    played: list[Any] = []
    real = play_shard
    monkeypatch.setattr(
        mail.learners.collect, "play_shard", lambda match, shard: played.append(shard) or real(match, shard)
    )
    mail.training.train.train(Run.resume(tmp_path / "run"))
    again = [shard for shard in played if shard.stage == "mail/play"]
    assert contents(tmp_path / "run") == whole
    assert len(again) == 2 * CONFIG.episodes // SHARD - shards, "what has completed is not played again"


def test_parts_of_a_round_that_is_whole_are_swept_away(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    collector = Collector("mail", game("tictactoe"), 0, Local(), run.journal)
    decisions = collector.round((Uniform(), Uniform()), (Uniform(), None), 9, seat=0, round_=0)
    before = contents(tmp_path / "run")
    run.journal.store_shard("mail", 0, 0, 1, decisions)  # killed between the round's file and the removal
    assert contents(tmp_path / "run") != before
    Run.resume(tmp_path / "run")
    assert contents(tmp_path / "run") == before


@contextmanager
def started(script: str, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs this script; killed at the end, if it still runs then."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.faults
def test_more_workers_than_shards_make_the_same_run(whole: dict[str, bytes], tmp_path: Path) -> None:
    """And than processors."""
    with started(SCRIPT, str(tmp_path / "run"), "4") as process:
        assert process.wait(timeout=120) == 0
    assert contents(tmp_path / "run") == whole


@pytest.mark.slow
@pytest.mark.faults
def test_the_driver_is_killed_and_resumes_with_workers(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Two kills between shards of the first round and of a later one; then to the end."""
    folder = tmp_path / "run"
    for files in (1, 5):
        with started(SCRIPT, str(folder), "2") as process:
            until(partial(holds, folder, files), process)
            os.kill(process.pid, signal.SIGKILL)
    assert not (folder / "result.json").exists()
    with started(SCRIPT, str(folder), "2") as process:
        assert process.wait(timeout=120) == 0
    assert contents(folder) == whole


def holds(folder: Path, files: int) -> bool:
    """Whether so many rounds and shards are stored."""
    try:
        return len(list(folder.glob("decisions/**/*.npz"))) >= files
    except FileNotFoundError:  # a folder of shards went while it was listed
        return False


def until(done: Callable[[], bool], process: subprocess.Popen[str], *, seconds: float = 60.0) -> None:
    """Wait; a process that ends before, or too long a time, fails."""
    deadline = time.monotonic() + seconds
    while not done():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)


# --- sweeps and walks ------------------------------------------------------------------------------------


@pytest.mark.equal_results
def test_a_sweep_has_the_same_bits_by_workers(ray_pool: RayPool) -> None:
    model, policy = graph("connect4:3x4"), network("connect4:3x4")
    for seat in (0, 1):
        found = policy_table(model, policy, seat)
        assert policy_table(model, policy, seat, pool=ray_pool).tobytes() == found.tobytes()
        assert tabulate_here(model, policy, seat, at_once=mail.evaluation.tabulate.ROWS).tobytes() == found.tobytes()
        np.testing.assert_allclose(tabulate_here(model, policy, seat), found, rtol=0, atol=1e-12)  # other batches


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("seat", [0, 1])
def test_a_walk_is_the_same_by_workers(seat: int, ray_pool: RayPool) -> None:
    board = graph("connect4:4x4").game
    for policy in (network("connect4:4x4"), expert.make("uniform", graph("connect4:4x4"))[seat]):
        found = [certify(board, policy, seat, game_value=0.0, pool=pool) for pool in (None, ray_pool)]
        assert found[0] == found[1]


def test_what_cannot_be_sent_is_one_line(ray_pool: RayPool) -> None:
    with socket.socket() as open_, pytest.raises(PoolError, match="cannot be sent to workers, so use one: "):
        ray_pool.map(together, open_, [1, 2])


# --- the command -----------------------------------------------------------------------------------------


def test_one_worker_is_this_process() -> None:
    with pool_for(1) as pool, pool_for(None) as other:
        assert type(pool) is type(other) is Local


@pytest.mark.parametrize("command", ["train tictactoe", "gap run", "exploit run", "match tictactoe expert random"])
def test_there_is_at_least_one_worker(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--workers", "0"]) == 2
    assert capsys.readouterr().err == f"nashmail {command.split()[0]}: --workers must be at least 1, not 0\n"


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "tictactoe", "--ray-address", "127.0.0.1:1", "--out", str(tmp_path / "run")]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "cannot connect to 127.0.0.1:1" in told and told.count("\n") == 1 and not (tmp_path / "run").exists()


SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None, SETTINGS, SETTINGS * 10_000])
def test_an_answer_that_is_not_rays_is_refused(answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray itself would try for minutes; ``None`` never answers, and settings alone are no answer either."""
    monkeypatch.setattr("mail.parallel.ray._REACH", 0.2)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        if answer is not None:
            import threading

            def serve() -> None:
                connection = server.accept()[0]
                connection.recv(1000)
                connection.sendall(answer)
                connection.close()

            threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(PoolError, match="is not a Ray head"):
            RayPool(2, address=f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.slow
def test_short_runs_and_one_worker_load_no_ray(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from mail.commands.cli import main
        words = "train tictactoe --learner bc-tabular --episodes 2 --workers".split()
        assert main([*words, "1", "--out", sys.argv[1] + "/one"]) == 0
        assert "mail.parallel.ray" not in sys.modules
        assert main([*words, "3", "--out", sys.argv[1] + "/three"]) == 0
        assert "mail.parallel.ray" in sys.modules and "ray" not in sys.modules
        """
    )
    with started(script, str(tmp_path)) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert "the work was too short to be worth starting workers" in told
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


@contextmanager
def machines(folder: str) -> Iterator[str]:
    """A head and a second machine's raylet, both here, started as the README starts them; the head's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    ray = str(Path(sys.executable).with_name("ray"))
    words = ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats", "--block"]
    head = [ray, "start", "--head", f"--port={port}", f"--temp-dir={folder}", "--include-dashboard=false", *words]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in (head, [ray, "start", f"--address={address}", *words]):
            # Ray's heads ask for a token, and machines that join one show it when they are told to.
            environment = os.environ if command is head else {**os.environ, "RAY_AUTH_MODE": "token"}
            quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            processes.append(subprocess.Popen(command, env=environment, **quiet))
            deadline = time.monotonic() + 60
            while not listens(port) and time.monotonic() < deadline:
                time.sleep(0.1)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=60)


def listens(port: int) -> bool:
    """Whether anybody does, on this machine."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
@pytest.mark.faults
def test_two_machines_are_joined_to_one_run(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Then once more by a driver with another version of Ray, which is told so in one line."""
    joined = textwrap.dedent(
        f"""
        import sys, time
        from functools import partial
        import mail.learners.collect
        import mail.parallel.pool
        import mail.training.folder
        from mail.parallel import ray as ray_pool, ray_link
        from mail.commands.cli import main

        exec({STATEMENTS!r})
        mail.training.folder.Config = partial(mail.training.folder.Config, points=1)
        mail.parallel.pool.START_UP = 0.0
        if sys.argv[3:]:
            ray_link._HOST = f"import ray; ray.__version__ = {{sys.argv[3]!r}}; {{ray_link._HOST}}"
        start = ray_pool.RayPool._started

        def both(pool):
            link = start(pool)
            while pool.workers < 2:
                time.sleep(0.1)
            return link

        ray_pool.RayPool._started = both
        words = "train tictactoe --explorer uniform --episodes 32 --json --ray-address".split()
        sys.exit(main([*words, sys.argv[1], "--out", sys.argv[2]]))
        """
    )
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder, machines(folder) as address:
        with started(joined, address, str(tmp_path / "run")) as process:
            out, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
        assert json.loads(out)["run"] == str(tmp_path / "run") and f"joining the Ray cluster at {address}" in told
        assert json.loads((tmp_path / "run" / "clock.json").read_bytes())["workers"] == 2
        with started(joined, address, str(tmp_path / "other"), "0.0.1") as process:
            out, told = process.communicate(timeout=120)
        assert process.returncode == 2 and out == ""
        assert "Ray did not start: Version mismatch: The cluster was started with: Ray: " in told.splitlines()[-1]
    assert contents(tmp_path / "run") == whole
