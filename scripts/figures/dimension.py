"""Queries to gap 0.1 on exactly linear games, against the number of states S at fixed d and against d at fixed S.

One seat moves at a time; features, transitions and rewards are known functions of d numbers (``linear:S,d,seed``). The
softmax-linear clone of a linear expert needs as many queries as its d weights do; a table needs every state.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.markov_games import Reaching, SolvedGame, banded, explored, grid, keep, on
from figures.over_seeds import done, picture, spread
from games.markov.linear_games import linear
from mail.evaluation.axes import log_ticks, place
from mail.learners.collect import Options
from mail.parallel.pool import Pool

GAP = 0.1
STATES = (100, 1_000, 10_000, 100_000)
DIMENSIONS = (5, 10, 20)
FIXED_DIMENSION, FIXED_STATES = 10, 2_000
STEPS = (*range(1, 13), *range(14, 25, 2), *range(28, 49, 4))
"""Games a seat after which its clone is measured; the wait is given up after the last."""
COSTED = 8
"""Games a seat whose cost is printed."""
METHODS = {"linear MAIL": "linear", "uniform": "uniform"}
COLOURS = dict(zip(METHODS, ("#1b6ca8", "#8d99ae"), strict=True))


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the tables, write dimension.json, dimension.png and dimension.pdf."""
    cases = [(states, FIXED_DIMENSION) for states in STATES] + [(FIXED_STATES, d) for d in DIMENSIONS]
    cells = [(*case, seed) for case in cases for seed in range(seeds)]
    found = done(rows_of, cells, pool, group=lambda cell: f"S={cell[0]} d={cell[1]}")
    keep(out, "dimension", {"seeds": seeds, "gap": GAP, "rows": [row for rows in found for row in rows]})
    redraw(out)


def rows_of(cell: tuple[int, int, int]) -> list[dict[str, Any]]:
    """Each method on the game of these states, dimension and seed."""
    states, dimension, seed = cell
    solved = on(linear(states, dimension, seed))
    return [
        {"S": states, "d": dimension, "method": method, "seed": seed, **one(solved, explorer, seed)}
        for method, explorer in METHODS.items()
    ]


def one(solved: SolvedGame, explorer: str, seed: int) -> dict[str, Any]:
    """Queries of both seats together until each seat's exploitability is at most half of ``GAP``, at two measures in a
    row (None: not within the last step), each seat's exploitabilities on the way, and seconds a game without measuring.
    """
    options, most = Options(seed=seed), STEPS[-1]
    watches = [
        Reaching(solved, seat, "linear", options, target=GAP / 2, most=most, at=STEPS, in_a_row=2).run(explorer)
        for seat in (0, 1)
    ]
    start = time.perf_counter()
    explored(solved, explorer, COSTED, options)
    return {
        "asks": sum(watch.measured[-2][1] for watch in watches) if all(watch.reached for watch in watches) else None,
        "losses": [watch.losses for watch in watches],
        "seconds_per_game": (time.perf_counter() - start) / (2 * COSTED),
    }


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "dimension.json").read_bytes())
    cases = sorted({(row["S"], row["d"]) for row in data["rows"]}, key=lambda case: (case[1] != FIXED_DIMENSION, case))
    rows = []
    for states, dimension in cases:
        cells = []
        for method in METHODS:
            queries, part = of(data, states, dimension, method)
            missed = f", {len(part) - len(queries)} not" if len(queries) < len(part) else ""
            cells.append(f"{spread(queries, '.0f')}{missed}")
        cost = np.mean([row["seconds_per_game"] for row in of(data, states, dimension, "linear MAIL")[1]])
        rows.append([str(states), str(dimension), *cells, f"{1000 * cost:.1f}"])
    headings = ["S", "d", *METHODS, "ms a game (linear MAIL)"]
    grid(f"Linear games: queries until the exact gap is at most {data['gap']}, mean [95 %]", headings, rows)
    picture(out, "dimension", draw(data))


def of(data: dict[str, Any], states: int, dimension: int, method: str) -> tuple[list[int], list[dict[str, Any]]]:
    """The queries of the seeds that got there, and all rows of a case."""
    part = [row for row in data["rows"] if (row["S"], row["d"], row["method"]) == (states, dimension, method)]
    return [row["asks"] for row in part if row["asks"] is not None], part


def draw(data: dict[str, Any]) -> Figure:
    """Queries against S left, against d right."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharey=True)
    for axes, xs, sizes, label in (
        (panels[0], STATES, [(x, FIXED_DIMENSION) for x in STATES], f"states S, d = {FIXED_DIMENSION}"),
        (panels[1], DIMENSIONS, [(FIXED_STATES, x) for x in DIMENSIONS], f"dimension d, S = {FIXED_STATES}"),
    ):
        for (method, colour), marker in zip(COLOURS.items(), "os", strict=True):
            rows = [of(data, *size, method)[0] for size in sizes]
            if all(len(part) == data["seeds"] for part in rows):
                banded(axes, list(xs), np.array(rows).T.tolist(), label=method, colour=colour, marker=marker)
        axes.set(xscale="log", yscale="log", xlabel=label)
        place(axes.xaxis, xs)
        place(axes.yaxis, log_ticks(*axes.get_ylim()))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel(f"queries until the gap is {data['gap']}:\nmedian and quartiles over seeds")
    panels[0].legend(fontsize=8)
    return figure
