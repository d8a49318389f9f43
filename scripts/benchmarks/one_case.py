"""One kind of long work, by this process or by Ray workers, measured in a separate process:
``python scripts/benchmarks/one_case.py CASE WORKERS SEED full|quick``.

Prints seconds, bytes and a check sum as JSON. ``workers.py`` describes the cases.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import games
from agents import solver
from agents.network import NetworkPolicy, PolicyNet
from agents.policy import Uniform
from agents.storage.label_cache import LabelCache
from games.base import Enumerable, Floats, Game, Model, States, as_enumerable
from games.graph import GameGraph
from mail.clone.presets import preset
from mail.evaluation.certificate.walk import certify
from mail.evaluation.learned.best_response import learned, payoffs
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
    """The amount of each kind of work."""

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
    """A pool that counts the shards and the bytes of their arrays, and otherwise acts as ``inner``."""

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


def one_case(case: str, workers: int, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Seconds of the case and of its preparation, shards and bytes, and a check sum of the result."""
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
    """A pool's task: load what a process loads once."""
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
    """Labels per second that a driver receives, shard by shard, and writes to a new file."""
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
    """[n, W] distinct positions with 12 to 16 stones, an equal number of each, from uniformly random games."""
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
    model.states  # noqa: B018 unpacked once, not part of the work
    return lambda pool: policy_table(model, policy, 0, pool=pool)


def walking(seed: int, sizes: Sizes) -> Work:
    board = _board("connect4")
    policy = Wide(network(board, seed))

    def work(pool: Pool) -> np.ndarray:
        # No result is worth less than this, so nothing is refuted and the walk continues to its limit.
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
        return np.asarray(chosen / np.maximum(chosen.sum(1, keepdims=True), 1))


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
    """A pool's task that sleeps for a second."""
    time.sleep(seconds)
    return shard


def emptying(seed: int, sizes: Sizes) -> Work:
    return lambda pool: np.array(pool.map(pow, 1, list(range(sizes.empties))))


WORK: dict[str, Callable[[int, Sizes], Work]] = dict(
    zip(CASES, (labelling, exploring, sweeping, walking, responding, napping, emptying), strict=True)
)


def network(game: Game, seed: int) -> NetworkPolicy:
    """Random weights in the architecture of ``train`` for this board."""
    spec, architecture = game.spec, preset(game).clone.architecture
    rng = stream(seed, "bench/workers/network")
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, architecture, rng=rng))


def _board(name: str) -> Enumerable:
    return as_enumerable(games.make(name))


if __name__ == "__main__":
    found = one_case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), SIZES[sys.argv[4]])
    print(json.dumps(found))
