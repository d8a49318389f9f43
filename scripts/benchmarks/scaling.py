"""The cost of exact knowledge as a game grows, each size in a separate process: ``bench.py scaling``.

Figures of a size, all on one core: ``positions`` that are not over and ``all positions`` with the finished ones
(compared with published numbers: Tic-Tac-Toe's, and J. Tromp's of Connect Four); seconds for the ``graph``, for
``minimax`` values of every position, and for the exact ``nash-gap`` of two networks of the default architecture with
random weights (each queried once at every position of its seat, two best responses, the value of their play); peak
``memory`` of the process in MB, Python and numpy included, with graph and minimax values, and ``gap memory``, torch
included, at its end. Sizes in ``BIG`` are measured on request only, ply by ply (``games.plies``);
beside the networks' gap there is the ``n-tuple gap`` of two n-tuple policies of the default sizes. No peer keeps a
graph; ``cited`` are published numbers of positions, and ``same_result`` says that ours equal them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.one_size import BIG
from benchmarks.results import MEGABYTES, POSITIONS, SECONDS, Figures, Result, Settings, note, three_digits

SIZES = ("tictactoe", "connect4:3x4", "connect4:4x4", "connect4:5x4", "connect4:4x5")
KNOWN = {  # all positions, finished ones included
    "tictactoe": 5478,
    "connect4:3x4": 12_031,
    "connect4:4x4": 161_029,
    "connect4:5x4": 1_706_255,
    "connect4:4x5": 3_945_711,
    "connect4:5x5": 69_763_700,
}
TIMES = ("graph", "minimax", "nash-gap", "n-tuple gap")  # cases in seconds
MEMORY = ("memory", "gap memory")  # cases in megabytes


def run(settings: Settings) -> Result:
    """The cost of exact knowledge by size. Without ``repeats``: times are medians over ``seconds``."""
    chosen = SIZES + (BIG if settings.big else ())
    found: dict[str, Figures] = {}
    for name in chosen:
        found[name] = measured(name, seed=settings.seed, seconds=settings.seconds)
        note(f"{name}: " + ", ".join(f"{three_digits(figure)} {case}" for case, figure in found[name].items()))
    units = {**dict.fromkeys(TIMES, SECONDS), **dict.fromkeys(MEMORY, MEGABYTES)}
    ours = {f"{name}/{case}": figure for name, figures in found.items() for case, figure in figures.items()}
    known = {f"{name}/all positions": float(KNOWN[name]) for name in chosen if name in KNOWN}
    return Result(
        ours=ours,
        peers={},
        units={case: units.get(case.partition("/")[2], POSITIONS) for case in ours},
        repeats=1,
        same_result=all(ours[case] == figure for case, figure in known.items()),
        cited={"published": known},
        table=markdown(found),
    )


def measured(name: str, *, seed: int, seconds: float) -> dict[str, float]:
    """The figures of one size, measured in a separate process with one thread."""
    command = [sys.executable, str(Path(__file__).with_name("one_size.py")), name, str(seed), str(seconds)]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=one_thread)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def markdown(figures: dict[str, dict[str, float]]) -> str:
    """The table of docs/connect4.md: one line per size."""
    heads = ["game", "positions", "graph", "minimax", "memory", "Nash gap of a network", "of n-tuples", "memory"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for name, found in figures.items():
        times = {case: _seconds(found[case]) if case in found else "-" for case in TIMES}
        memory = {case: f"{found[case]:,.0f} MB" if case in found else "-" for case in MEMORY}
        cells = [name, f"{found['all positions']:,.0f}", times["graph"], times["minimax"], memory["memory"]]
        gaps = times["nash-gap"], times["n-tuple gap"]
        lines.append("| " + " | ".join([*cells, *gaps, memory["gap memory"]]) + " |")
    return "\n".join(lines)


def _seconds(value: float) -> str:
    return f"{1000 * value:.2g} ms" if value < 0.1 else f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
