"""Two Ray workers against one process, each kind of work apart: the work of ``bench.py workers``, and, run by itself,
of one contestant: ``python scripts/bench_workers.py CASE WORKERS SEED full|quick``.

Every contestant is a process of its own with a cache of labels of its own, which starts empty. One worker is this
process itself, without Ray, as ``--workers 1`` is. Ray's start, the loading of torch and of the solver's book are over
before a case's clock starts; ``start-up`` says what they took with two workers, ``start-up`` of one worker is that of
the process alone. Cases, in seconds:

``labels``       the best moves of distinct random positions of 6x7 Connect Four with 12 to 16 stones, by the solver
``games``        a round of exploration games on 6x7, the solver in seat 0, uniform play opposite, every decision asked
``gap``          the sweep of an exact Nash gap: a network asked at every position of seat 0 of connect4:4x5
``certificate``  a walk over what the second seat can force against a network of 6x7, up to a number of positions; its
                 three likeliest moves count as equally likely, so that the walk grows wide early
``response``     a learned best response to a network in seat 0 of 6x7: games through the pool, gradient steps not
``idle``         shards that sleep for a second and return a megabyte: what of their time is lost is Ray's; the
                 machine's load has no part in it
``empty``        shards that do nothing: what a shard costs whoever sends and takes it back

Networks have random weights and the architecture that ``train`` takes for the board. Beside the cases, from the same
runs: ``KB per shard`` of each (arrays sent out and back; what shards share goes once), ``labels/s``, ``written
labels/s`` (of the driver taking in labels that workers computed, the file included), ``lost`` (the share of the time
of one-second shards that is Ray's). ``ceiling`` of a case: how many times the work of one process two processes do in
the same time that know nothing of each other, each with the whole case: what the machine itself leaves to be gained.
``same_result``: check sums of all results agree.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import games
from agents import solver
from agents.network import NetworkPolicy, PolicyNet
from agents.policy import Uniform
from agents.storage.label_cache import LabelCache
from games.base import Enumerable, Floats, Game, Model, States
from games.graph import GameGraph
from mail.clone.presets import preset
from mail.evaluation.best_response import learned, payoffs
from mail.evaluation.certificate.walk import certify
from mail.evaluation.tabulate import policy_table
from mail.learners.collect import Collector
from mail.parallel import solver_labels
from mail.parallel.pool import Local, Pool
from mail.parallel.ray import RayPool
from mail.parallel.streams import stream

CASES = ("labels", "games", "gap", "certificate", "response", "idle", "empty")
BUSY = CASES[:5]  # those that keep a processor busy
NEED_SOLVER = ("labels", "games")


@dataclass(frozen=True)
class Sizes:
    """How much of each kind of work is done."""

    positions: int = 1600
    games: int = 4096
    board: str = "connect4:4x5"
    walked: int = 300_000
    learned: int = 2048
    naps: int = 8
    empties: int = 2000


SIZES = {
    "full": Sizes(),
    "quick": Sizes(positions=48, games=96, board="connect4:4x4", walked=20_000, learned=256, naps=2, empties=50),
}


@dataclass
class Tally(Local):
    """A pool that counts, beside doing what ``inner`` does, the shards and the bytes of their arrays."""

    inner: Pool = field(default_factory=Local)
    shards: int = 0
    bytes: int = 0

    @property
    def workers(self) -> int:  # type: ignore[override]
        return self.inner.workers

    def map(self, task: Any, shared: Any, shards: Any, *, on_result: Any = None) -> list[Any]:
        found = self.inner.map(task, shared, shards, on_result=on_result)
        self.shards += len(shards)
        self.bytes += sum(size(shard) for shard in shards) + sum(size(result) for result in found)
        return found


def size(value: Any) -> int:
    """Bytes of the arrays in a shard or a result."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple | list):
        return sum(size(part) for part in value)
    return sum(size(part) for part in vars(value).values()) if hasattr(value, "__dict__") else 0


def measured(seed: int, repeats: int | None = None, *, quick: bool = False) -> dict[str, Any]:
    """The fields of a benchmark's result; cases that need the solver are left out where it is not installed."""
    cases = [case for case in CASES if solver.installed() or case not in NEED_SOLVER]
    runs: dict[tuple[str, int], list[dict[str, Any]]] = {}
    ceilings: dict[str, list[float]] = {}
    for repeat in range(repeats or 3):
        for case in cases:
            for workers in (1, 2):
                found = contestant(case, workers, seed + repeat, quick=quick)
                runs.setdefault((case, workers), []).append(found)
                told = f"{found['seconds']:.3g} s, check sum {found['sum']}"
                print(f"repeat {repeat}: {case}, {workers} worker(s): {told}", file=sys.stderr, flush=True)
            if case in BUSY:
                beside = side_by_side(case, seed + repeat, quick=quick)
                ceilings.setdefault(case, []).append(2 * runs[case, 1][-1]["seconds"] / beside)
                print(f"repeat {repeat}: {case}, twice at once: {beside:.3g} s", file=sys.stderr, flush=True)

    def middle(case: str, workers: int, what: str) -> float:
        return median(run[what] for run in runs[case, workers])

    ours = {case: middle(case, 2, "seconds") for case in cases}
    peer = {case: middle(case, 1, "seconds") for case in cases}
    ours["start-up"] = median(run["start-up"] for (_, workers), found in runs.items() if workers == 2 for run in found)
    units = dict.fromkeys(ours, "seconds")
    for case in cases:
        ours[f"{case}: KB per shard"] = middle(case, 2, "bytes") / middle(case, 2, "shards") / 1000
        units[f"{case}: KB per shard"] = "KB"
        if case in ceilings:
            ours[f"{case}: ceiling"] = median(ceilings[case])
            units[f"{case}: ceiling"] = "times one process"
    if "labels" in cases:
        ours["labels/s"] = median(run["labels"] / run["seconds"] for run in runs["labels", 2])
        peer["labels/s"] = median(run["labels"] / run["seconds"] for run in runs["labels", 1])
        units["labels/s"] = "labels/s"
        ours["written labels/s"] = middle("labels", 2, "written")
        units["written labels/s"] = "labels/s"
    ours["lost"] = 1.0 - peer["idle"] / (2 * ours["idle"])
    units["lost"] = "of one-second shards"
    same = all(
        one["sum"] == two["sum"] for case in cases for one, two in zip(runs[case, 1], runs[case, 2], strict=True)
    )
    return {
        "ours": ours,
        "peers": {"one worker": peer},
        "units": units,
        "repeats": repeats or 3,
        "same_result": same,
    }


def contestant(case: str, workers: int, seed: int, *, quick: bool) -> dict[str, Any]:
    """One case measured in a process of its own, with an empty cache."""
    command = [sys.executable, str(Path(__file__).resolve()), case, str(workers), str(seed)]
    with tempfile.TemporaryDirectory() as folder:
        own = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NASHMAIL_CACHE": folder}
        command.append("quick" if quick else "full")
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def side_by_side(case: str, seed: int, *, quick: bool) -> float:
    """Seconds of one process beside another, both with the whole case and nothing in common."""
    with ThreadPoolExecutor(2) as two:
        found = list(two.map(lambda _: contestant(case, 1, seed, quick=quick)["seconds"], range(2)))
    return sum(found) / 2


# --- in the process of one contestant --------------------------------------------------------------------


def one_case(case: str, workers: int, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Seconds of the case and of what came before it, shards and bytes, and a check sum of the result."""
    with Local() if workers == 1 else RayPool(workers, patience=0.0) as inner:
        work = WORK[case](seed, sizes)
        begun = time.perf_counter()
        inner.map(warm, case in NEED_SOLVER, list(range(2 * workers)))
        start_up = time.perf_counter() - begun
        pool = Tally(inner)
        begun = time.perf_counter()
        result = work(pool)
        seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "start-up": start_up,
        "shards": pool.shards,
        "bytes": pool.bytes,
        "labels": len(result),
        "written": written(sizes, seed) if case == "labels" else 0.0,
        "sum": zlib.crc32(np.ascontiguousarray(result).tobytes()),
    }


def warm(solves: bool, shard: int) -> None:
    """A pool's task: what a process loads once."""
    board = _board("connect4")
    network(board, 0).probabilities(board, board.starts(), 0)
    if solves:
        solver.core()
    time.sleep(0.2)  # so that every worker gets one


Work = Callable[[Pool], np.ndarray]


def labelling(seed: int, sizes: Sizes) -> Work:
    board = _board("connect4")
    states = positions(board, sizes.positions, seed)
    return lambda pool: solver_labels.scores(pool, board, states, best_only=True)


def written(sizes: Sizes, seed: int) -> float:
    """Labels per second that a driver takes in, shard by shard, and writes to a new file."""
    states = positions(_board("connect4"), sizes.positions, seed)
    position = solver._canonical(states)[0]
    scored = solver.shared().of(states, best_only=True)
    with tempfile.TemporaryDirectory() as folder:
        scores = solver.Scores(LabelCache(Path(folder) / "scores.sqlite"))
        begun = time.perf_counter()
        for at in range(0, len(position), solver_labels.CHUNK):
            scores.receive(position[at : at + solver_labels.CHUNK], scored[at : at + solver_labels.CHUNK])
        return len(position) / (time.perf_counter() - begun)


def positions(board: Enumerable, wanted: int, seed: int) -> States:
    """[n, W] distinct positions with 12 to 16 stones, an equal number of each, of uniformly random games."""
    rng, found = stream(seed, "bench/workers/positions"), []
    for ply in range(12, 17):
        states = board.start(2 * wanted, rng=rng)
        for _ in range(ply):
            actions = np.full((len(states), 2), -1, dtype=np.int64)
            mover = int(board.acting(states[:1])[0, 1])
            legal = board.legal(states, mover)
            actions[:, mover] = (rng.random(legal.shape) * legal).argmax(1)
            states, _, done = board.step(states, actions, rng=rng)
            states = states[~done]
        first = np.unique(solver._canonical(states)[0], return_index=True)[1]
        found.append(states[np.sort(first)][: wanted // 5])
    return np.concatenate(found)


def exploring(seed: int, sizes: Sizes) -> Work:
    board = _board("connect4")
    expert = solver.solver_expert(board, ties="first")[0]

    def work(pool: Pool) -> np.ndarray:
        collector = Collector("bench", board, seed, pool)
        decisions = collector.round((expert, Uniform()), (expert, None), sizes.games, seat=0, round_=0)
        return np.column_stack([decisions.played, decisions.next, decisions.label.view(np.int32)])

    return work


def sweeping(seed: int, sizes: Sizes) -> Work:
    model: Model = GameGraph(_board(sizes.board))
    policy = network(model.game, seed)
    model.states  # noqa: B018 unpacked once, not part of the sweep
    return lambda pool: policy_table(model, policy, 0, pool=pool)


def walking(seed: int, sizes: Sizes) -> Work:
    board = _board("connect4")
    policy = Wide(network(board, seed))

    def work(pool: Pool) -> np.ndarray:
        # No result is worth less than this, so that nothing is refuted and the walk goes on up to its limit.
        walked = certify(board, policy, 0, game_value=-1.0, limit=sizes.walked, pool=pool)
        return np.array([walked.positions])

    return work


class Wide:
    """A network whose three most probable moves count as equally probable, so that few plies lead to many positions."""

    def __init__(self, inner: NetworkPolicy) -> None:
        self.inner = inner

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.inner.probabilities(game, states, seat)
        chosen = (rows >= np.sort(rows, axis=1)[:, -3:-2]) & (rows > 0)
        return chosen / np.maximum(chosen.sum(1, keepdims=True), 1)


def responding(seed: int, sizes: Sizes) -> Work:
    board = _board("connect4")
    policy = network(board, seed)

    def work(pool: Pool) -> np.ndarray:
        response = learned(board, policy, 0, sizes.learned, seed=seed, pool=pool)
        return payoffs(board, policy, 0, response, sizes.learned // 2, seed=seed, pool=pool)

    return work


def napping(seed: int, sizes: Sizes) -> Work:
    shards = [np.full(1 << 20, shard, dtype=np.uint8) for shard in range(sizes.naps)]
    return lambda pool: np.array([echo.sum() for echo in pool.map(nap, 1.0, shards)])


def nap(seconds: float, shard: np.ndarray) -> np.ndarray:
    """A pool's task that takes a second of nobody's time."""
    time.sleep(seconds)
    return shard


def emptying(seed: int, sizes: Sizes) -> Work:
    return lambda pool: np.array(pool.map(pow, 1, list(range(sizes.empties))))


WORK: dict[str, Callable[[int, Sizes], Work]] = dict(
    zip(CASES, (labelling, exploring, sweeping, walking, responding, napping, emptying), strict=True)
)


def network(game: Game, seed: int) -> NetworkPolicy:
    """Random weights in the architecture that ``train`` takes for this board."""
    spec, architecture = game.spec, preset(game).clone.architecture
    rng = stream(seed, "bench/workers/network")
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, architecture, rng=rng))


def _board(name: str) -> Enumerable:
    game = games.make(name)
    assert isinstance(game, Enumerable), name
    return game


if __name__ == "__main__":
    found = one_case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), SIZES[sys.argv[4]])
    print(json.dumps(found))
