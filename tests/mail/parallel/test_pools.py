"""Pools: the same results in this process and on Ray workers, through dead workers, errors and a full store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from games.base import GameError, NashmailError
from mail.parallel import ray_host, ray_link
from mail.parallel.pool import Local, Pool, PoolError
from mail.parallel.ray import RayPool

SHARDS = list(range(7))


def scaled(shared: float, shard: int) -> np.ndarray:
    """A task: an array that follows from both."""
    return shared * np.arange(shard + 1)


def pid(shared: float, shard: int) -> int:
    time.sleep(shared)
    return os.getpid()


def met(shared: str, shard: int) -> int:
    """A task that waits for another process to have it, too, for a minute at most."""
    home = Path(shared)
    (home / str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(list(home.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.getpid()


def failing(shared: type[Exception], shard: int) -> int:
    if shard == 3:
        raise shared("no such\nthing")
    return shard


def dying(marks: Path, shard: int) -> int:
    """Kills its own worker the first time it comes to an even shard, but never the test itself."""
    mark = marks / str(shard)
    if shard % 2 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return shard * shard


def large(shared: int, shard: int) -> np.ndarray:
    return np.full(shared, shard, dtype=np.uint8)


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.slow)])
def pool(request: pytest.FixtureRequest) -> Pool:
    return Local() if request.param == "local" else request.getfixturevalue("ray_pool")


@pytest.mark.slow
def test_results_come_in_shard_order(pool: Pool) -> None:
    completed: dict[int, np.ndarray] = {}
    results = pool.map(scaled, 0.5, SHARDS, on_result=lambda index, result: completed.update({index: result}))
    assert sorted(completed) == SHARDS
    for shard, result in zip(SHARDS, results, strict=True):
        assert np.array_equal(result, 0.5 * np.arange(shard + 1)) and np.array_equal(completed[shard], result)


def test_nothing_to_do(pool: Pool) -> None:
    assert pool.map(scaled, 1.0, []) == []


def test_an_error_names_shard_and_cause(pool: Pool) -> None:
    with pytest.raises(PoolError, match=r"^shard 4 of 7 failed: KeyError: 'no such\\nthing'$"):
        pool.map(failing, KeyError, SHARDS)
    with pytest.raises(PoolError, match=r"^shard 4 of 7 failed: ValueError: no such thing$"):
        pool.map(failing, ValueError, SHARDS)
    assert pool.map(failing, ValueError, [0, 1]) == [0, 1]  # and the pool lives on


def test_what_lands_before_an_error_is_kept(pool: Pool) -> None:
    completed: list[int] = []
    with pytest.raises(PoolError):
        pool.map(failing, ValueError, [0, 1, 2, 3], on_result=lambda index, result: completed.append(result))
    assert set(completed) <= {0, 1, 2} and completed


def test_what_fails_leaves_no_worker_behind(ray_pool: RayPool) -> None:
    """Ray's core aborts, and takes the next map with it, when a shard in flight ends while it is being cancelled. And
    a worker that has kept something of an abandoned map, like a solver's scores, would not report it again.
    """
    before = set(ray_pool.map(pid, 0.01, SHARDS))
    with pytest.raises(PoolError):
        ray_pool.map(failing, ValueError, SHARDS)
    assert before.isdisjoint(ray_pool.map(pid, 0.01, SHARDS))


def test_bad_input_in_a_task_passes_as_it_is(pool: Pool) -> None:
    with pytest.raises(GameError, match="no such\nthing"):
        pool.map(failing, GameError, SHARDS)


def test_ray_uses_its_workers(ray_pool: RayPool, tmp_path: Path) -> None:
    pids = set(ray_pool.map(met, str(tmp_path), SHARDS))
    assert len(pids) == 2 and os.getpid() not in pids


@pytest.mark.slow
def test_killed_workers_cost_nothing_but_time(ray_pool: RayPool, tmp_path: Path) -> None:
    assert ray_pool.map(dying, tmp_path, SHARDS) == [shard * shard for shard in SHARDS]
    assert sorted(int(mark.name) for mark in tmp_path.iterdir()) == [0, 2, 4, 6]


@pytest.mark.slow
def test_more_results_than_the_object_store_holds(ray_pool: RayPool) -> None:
    size = 15 << 20
    results = ray_pool.map(large, size, list(range(12)))  # 180 MiB in a store of 100
    assert [int(result[0]) for result in results] == list(range(12)) and all(len(result) == size for result in results)


def test_short_work_starts_no_ray() -> None:
    said: list[str] = []
    with RayPool(2, say=said.append) as pool:
        assert pool.map(pid, 0.0, SHARDS) == [os.getpid()] * len(SHARDS)
        assert pool._link is None
    assert said == ["the work was too short to be worth starting workers"]


def test_a_single_shard_starts_no_ray() -> None:
    with RayPool(2, patience=0.0) as pool:
        assert pool.map(pid, 0.0, [1]) == [os.getpid()]
        assert pool._link is None


def test_ray_that_does_not_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray raises a plain Exception where a process of its own is killed meanwhile."""
    message = "The current node timed out during startup.\\nThis could happen because ..."
    fault = f"import ray\ndef init(*a, **k): raise Exception('{message}')\nray.init = init\n"
    monkeypatch.setattr(ray_link, "_HOST", fault + ray_link._HOST)
    with RayPool(2, patience=0.0) as pool, pytest.raises(PoolError, match=r"^Ray did not start: The .* startup\. This"):
        pool.map(pid, 0.0, SHARDS)


@pytest.mark.slow
def test_what_ray_refuses_later_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = "import ray\ndef put(*a, **k): raise Exception('The store\\nis full.')\nray.put = put\n"
    monkeypatch.setattr(ray_link, "_HOST", fault + ray_link._HOST)
    with RayPool(2, patience=0.0) as pool, pytest.raises(PoolError, match=r"^Ray failed: The store is full\.$"):
        pool.map(pid, 0.0, SHARDS)


@pytest.mark.parametrize("workers", [0, -3])
def test_there_is_at_least_one_worker(workers: int) -> None:
    with pytest.raises(PoolError, match=f"--workers must be at least 1, not {workers}"):
        RayPool(workers)


@pytest.mark.parametrize(
    "address", ["nowhere", "host:", "host:port", ":1", "host:70000", "host:²", "\x1b[2J", "h" * 9999]
)
def test_addresses_are_host_and_port(address: str) -> None:
    with pytest.raises(PoolError, match="is HOST:PORT"):
        RayPool(2, address=address)


def test_an_address_where_nobody_answers() -> None:
    begun = time.perf_counter()
    with pytest.raises(PoolError, match=r"cannot connect to 127\.0\.0\.1:1 .*ray start --head"):
        RayPool(2, address="127.0.0.1:1")
    assert time.perf_counter() - begun < 15


@pytest.mark.parametrize("host", ["h" * 300, "a..b", "\x1b[2Jname", "h\0st"])
def test_names_that_no_host_can_have_are_one_line(host: str) -> None:
    with pytest.raises(PoolError, match=r"^cannot connect to ") as caught:
        RayPool(2, address=f"{host}:6379")
    assert len(str(caught.value)) < 200 and str(caught.value).isprintable()


def test_a_worker_with_other_versions_refuses() -> None:
    """Its results could differ in floating point; in a cluster nothing else would notice."""
    mine = ray_host.versions()
    ray_host.check_versions(dict(mine))
    with pytest.raises(PoolError, match=rf"^a worker on \S+ has numpy {mine['numpy']}, this run numpy 0\.1; install"):
        ray_host.check_versions({**mine, "numpy": "0.1"})


def test_every_port_is_on_the_loopback_address(ray_pool: RayPool) -> None:
    """Of all of Ray's processes and of the workers."""
    ray_pool.map(pid, 0.0, SHARDS)
    assert ray_pool._link is not None
    listening: list[str] = []
    for process in ray_link.processes(ray_pool._link._process.pid):
        held = {os.readlink(path) for path in Path(f"/proc/{process}/fd").iterdir() if path.is_symlink()}
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and f"socket:[{words[9]}]" in held:
                    listening.append(words[1].partition(":")[0])
    assert len(listening) >= 4
    assert set(listening) <= {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def test_pool_errors_are_one_line() -> None:
    assert issubclass(PoolError, NashmailError)


@pytest.mark.slow
@pytest.mark.faults
def test_a_node_is_removed_while_it_works(tmp_path: Path) -> None:
    """In a process of its own, since a driver can be in one cluster only."""
    script = textwrap.dedent(
        """
        import sys, threading, time
        from ray.cluster_utils import Cluster
        from mail.parallel.ray import RayPool
        from tests.mail.parallel.test_pools import pid

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        node = cluster.add_node(num_cpus=1)
        with RayPool(2, address=cluster.address, patience=0.0) as pool:
            first = set(pool.map(pid, 0.3, list(range(6))))
            threading.Timer(1.0, lambda: cluster.remove_node(node, allow_graceful=False)).start()
            second = pool.map(pid, 0.5, list(range(10)))
            print(len(first), len(second))
        cluster.shutdown()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=240, cwd=Path(__file__).parents[3]
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["2", "10"]
