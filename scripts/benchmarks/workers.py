"""Two Ray workers against one process, for each kind of work: ``bench.py workers``.

Every contestant is a separate process with its own label cache, which is empty at the start. One worker is the process
itself, without Ray, as with ``--workers 1``. Ray's start and the loading of torch and of the solver's book are over
before a case's clock starts; ``start-up`` is their time with two workers, and that of the process alone with one.
Cases, in seconds:

``labels``       the best moves of distinct random positions of 6x7 Connect Four with 12 to 16 stones, by the solver
``games``        a round of exploration games on 6x7, the solver in seat 0, uniform play opposite, all decisions
                 queried
``gap``          the table of an exact Nash gap: a network queried at every position of seat 0 of connect4:4x5
``certificate``  a walk over what the second seat can force against a network of 6x7, up to a number of positions; its
                 three most probable moves count as equally probable, so that the walk widens early
``response``     a learned best response to a network in seat 0 of 6x7: games through the pool, gradient steps not
``idle``         shards that sleep for a second and return a megabyte: lost time is Ray's, whatever the machine's load
``empty``        shards that do nothing: the cost of sending a shard and receiving its result

Networks have random weights and the architecture of ``train`` for the board. From the same runs: ``KB per shard`` of
each (arrays sent out and back; shared data is sent once), ``labels/s``, ``written labels/s`` (a driver that receives
labels computed by workers, the file included), ``lost`` (Ray's share of the time of one-second shards). ``ceiling`` of
a case: how many times the work of one process two independent processes do in the same time, each with the whole case:
the largest gain that the machine allows. ``same_result``: check sums of all results agree. ``--quick`` is for a trial:
at its sizes workers cannot pay off.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from agents import solver
from benchmarks.one_case import BUSY, CASES, NEED_SOLVER
from benchmarks.results import SECONDS, Result, Settings, note

Runs = dict[tuple[str, int], list[dict[str, Any]]]  # (case, workers) -> measurements of each repeat


def run(settings: Settings) -> Result:
    """Every case with one worker and with two; those that need the solver only if it is installed."""
    cases = [case for case in CASES if solver.installed() or case not in NEED_SOLVER]
    repeats = settings.repeats or 3
    runs: Runs = {}
    ceilings: dict[str, list[float]] = {}
    for repeat in range(repeats):
        seed = settings.seed + repeat
        for case in cases:
            for workers in (1, 2):
                found = contestant(case, workers, seed, quick=settings.quick)
                runs.setdefault((case, workers), []).append(found)
                measured = f"{found['seconds']:.3g} s, check sum {found['sum']}"
                note(f"repeat {repeat}: {case}, {workers} worker(s): {measured}")
            if case in BUSY:
                beside = side_by_side(case, seed, quick=settings.quick)
                ceilings.setdefault(case, []).append(2 * runs[case, 1][-1]["seconds"] / beside)
                note(f"repeat {repeat}: {case}, twice at once: {beside:.3g} s")
    return compared(cases, runs, ceilings, repeats)


def compared(cases: list[str], runs: Runs, ceilings: dict[str, list[float]], repeats: int) -> Result:
    """Medians over repeats: two workers beside one."""

    def middle(case: str, workers: int, what: str) -> float:
        return float(median(run[what] for run in runs[case, workers]))

    ours = {case: middle(case, 2, "seconds") for case in cases}
    peer = {case: middle(case, 1, "seconds") for case in cases}
    ours["start-up"] = median(run["start-up"] for (_, workers), found in runs.items() if workers == 2 for run in found)
    units = dict.fromkeys(ours, SECONDS)
    for case in cases:
        ours[f"{case}: KB per shard"] = middle(case, 2, "bytes") / middle(case, 2, "shards") / 1000
        units[f"{case}: KB per shard"] = "KB"
        if case in ceilings:
            ours[f"{case}: ceiling"] = median(ceilings[case])
            units[f"{case}: ceiling"] = "times one process"
    if "labels" in cases:
        ours["labels/s"] = median(run["labels"] / run["seconds"] for run in runs["labels", 2])
        peer["labels/s"] = median(run["labels"] / run["seconds"] for run in runs["labels", 1])
        ours["written labels/s"] = middle("labels", 2, "written")
        units |= {"labels/s": "labels/s", "written labels/s": "labels/s"}
    ours["lost"] = 1.0 - peer["idle"] / (2 * ours["idle"])
    units["lost"] = "of one-second shards"
    same = all(
        one["sum"] == two["sum"] for case in cases for one, two in zip(runs[case, 1], runs[case, 2], strict=True)
    )
    return Result(ours, {"one worker": peer}, units, repeats, same)


def contestant(case: str, workers: int, seed: int, *, quick: bool) -> dict[str, Any]:
    """One case measured in a separate process, with an empty cache."""
    command = [sys.executable, str(Path(__file__).with_name("one_case.py")), case, str(workers), str(seed)]
    with tempfile.TemporaryDirectory() as folder:
        own = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NASHMAIL_CACHE": folder}
        command.append("quick" if quick else "full")
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def side_by_side(case: str, seed: int, *, quick: bool) -> float:
    """Seconds of one process beside another, both with the whole case and nothing in common."""
    with ThreadPoolExecutor(2) as two:
        found = list(two.map(lambda _: float(contestant(case, 1, seed, quick=quick)["seconds"]), range(2)))
    return sum(found) / 2
