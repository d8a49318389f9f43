"""The figures of one size of a game, measured in a separate process:
``python scripts/benchmarks/one_size.py NAME SEED SECONDS``.

Prints them as JSON. ``scaling.py`` describes them.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import numpy as np

import games
from agents.ntuple import NtuplePolicy
from games.base import Enumerable, Rng, as_enumerable, pack
from games.plies.graph import CompactGraph
from mail.parallel.streams import stream

if TYPE_CHECKING:  # torch is not loaded before the memory of graphs is measured
    from agents.network import NetworkPolicy

T = TypeVar("T")

BIG = ("connect4:5x5",)
"""Sizes whose policy tables do not fit the memory: measured ply by ply, by ``games.plies``."""
_CHUNK = 1 << 18  # moves that are made at once


def one_size(name: str, seed: int, seconds: float) -> dict[str, float]:
    """The figures of one size. Times are medians over about this long, at least one measurement."""
    game = as_enumerable(games.make(name))
    if name in BIG:
        return _by_plies(game, seed)
    builds, solves, graph = _built(game, seconds)
    found = {
        "positions": float(len(graph)),
        "graph": median(builds),
        "minimax": median(solves),
        "memory": peak(),
    }
    found["nash-gap"] = _network_gap(graph, seed, seconds)
    found["gap memory"] = peak()
    found["all positions"] = float(len(graph) + finished(graph))
    return found


def _by_plies(game: Enumerable, seed: int) -> dict[str, float]:
    """The figures of one size without tables, each measured once."""
    from mail.evaluation.plies import ply_measures

    seconds, graph = _time(lambda: CompactGraph(game))
    found = {"positions": float(len(graph)), "graph": seconds, "minimax": _time(graph.solve)[0], "memory": peak()}
    profile = tuple(_ntuples(graph, seat, rng=stream(seed, "bench/scaling/ntuples", seat=seat)) for seat in (0, 1))
    found["n-tuple gap"] = _time(lambda: ply_measures(graph, profile))[0]  # type: ignore[arg-type]
    found["nash-gap"] = _time(lambda: ply_measures(graph, _networks(game, seed)))[0]
    found["gap memory"] = peak()
    found["all positions"] = float(len(graph) + _finished(graph))
    return found


def _ntuples(graph: CompactGraph, seat: int, *, rng: Rng) -> NtuplePolicy:
    """An n-tuple policy of the default sizes, with random weights for the patterns of 2,000 random positions."""
    from agents.ntuple import Grid
    from mail.clone.ntuple import NtupleClone, suitable_length

    grid = Grid.of(graph.game)
    cells = grid.draw_tuples(NtupleClone().tuples, suitable_length(grid), rng=rng)
    states = graph.states[rng.integers(0, len(graph), 4000)]
    digits = grid.digits(graph.game.observe(states[graph.game.acting(states)[:, seat]], seat))
    shifts = 2 * np.arange(cells.shape[1], dtype=np.uint64)
    codes = [np.unique((digits[:, tuple_].astype(np.uint64) << shifts).sum(1, dtype=np.uint64)) for tuple_ in cells]
    weights = rng.normal(size=(sum(map(len, codes)), grid.actions)).astype(np.float32)
    return NtuplePolicy(cells, np.array([len(part) for part in codes]), np.concatenate(codes), weights)


def _finished(graph: CompactGraph) -> int:
    """The number of distinct finished positions, ply by ply."""
    count = 0
    for ply in graph.plies:
        reached = []
        for start in range(ply.rows.start, ply.rows.stop, _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, ply.rows.stop))
            legal, successor, _ = graph.moves(rows)
            row, action = np.nonzero(legal & (successor < 0))
            moves = np.full((len(row), 2), -1)
            moves[:, ply.stones % 2] = action
            after = graph.game.successors(graph.states[rows[row]], moves)
            reached.append(np.unique(pack(graph.game.key(after.states))))
        count += len(np.unique(np.concatenate(reached)))
    return count


def _built(game: Enumerable, seconds: float) -> tuple[list[float], list[float], games.GameGraph]:
    """Seconds of each build and of each minimax, and the last graph."""
    builds: list[float] = []
    solves: list[float] = []
    stop = time.perf_counter() + seconds
    while not builds or time.perf_counter() < stop:
        graph = None  # keep only one in memory
        elapsed, graph = _time(lambda: games.GameGraph(game))
        builds.append(elapsed)
        solves.append(_time(graph.solve)[0])
    assert graph is not None
    return builds, solves, graph


def _network_gap(graph: games.GameGraph, seed: int, seconds: float) -> float:
    """Median seconds of the exact Nash gap of two networks."""
    from mail.evaluation.gap import nash_gap

    first, second = _networks(graph.game, seed)
    first.probabilities(graph.game, graph.states[:1], 0)  # so that torch's preparation is not measured
    times: list[float] = []
    stop = time.perf_counter() + seconds
    while not times or time.perf_counter() < stop:
        times.append(_time(lambda: nash_gap(graph, (first, second)))[0])
    return median(times)


def _networks(game: Enumerable, seed: int) -> tuple[NetworkPolicy, NetworkPolicy]:
    """A network of the default architecture with random weights for each seat."""
    from agents.network import Architecture, NetworkPolicy, PolicyNet

    spec = game.spec
    first, second = (
        PolicyNet(spec.observation, spec.actions, Architecture(), rng=stream(seed, "bench/scaling", seat=seat))
        for seat in (0, 1)
    )
    return NetworkPolicy(first), NetworkPolicy(second)


def finished(graph: games.GameGraph) -> int:
    """The number of distinct finished positions that the graph's moves lead to."""
    count = 0
    for ply in range(len(graph.layer_sizes)):
        reached = [_ended(graph, block) for block in graph.blocks if block.ply == ply]
        count += len(np.unique(np.concatenate(reached)))
    return count


def _ended(graph: games.GameGraph, block: games.graph.Block) -> np.ndarray:
    """The distinct keys, packed, of the finished positions that a block's moves lead to."""
    found = []
    for start in range(block.rows.start, block.rows.stop, _CHUNK):
        rows = slice(start, min(start + _CHUNK, block.rows.stop))
        row, action = np.nonzero(graph.legal_mask[rows] & (graph.successor[rows] < 0))
        moves = np.full((len(row), 2), -1)
        moves[:, block.seat] = action
        after = graph.game.successors(graph.states[rows][row], moves)
        found.append(np.unique(pack(graph.game.key(after.states))))
    return np.concatenate(found)


def peak() -> float:
    """The peak memory of this process so far, in MB (on Linux without its parent's)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 1024


def _time(function: Callable[[], T]) -> tuple[float, T]:
    """The seconds of one call, and its result."""
    begun = time.perf_counter()
    result = function()
    return time.perf_counter() - begun, result


if __name__ == "__main__":
    print(json.dumps(one_size(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
