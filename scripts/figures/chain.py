"""The chain of despair: games until the clones' exact gap is 0, directed against uniform exploration, N = 4, 8, 16.

Positions that were never queried play the exploitable action, so the gap keeps its closed form 2 g^(N-2) / (1 - g)
until the far end of the chain has been queried (docs/algorithms.md, "Chain of despair").
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.markov_games import Reaching, SolvedGame, grid, keep, named
from figures.over_seeds import done, picture
from mail.evaluation.axes import log_ticks, place
from mail.learners.collect import Options
from mail.parallel.pool import Pool

LENGTHS = (4, 8, 16)
METHODS = {"tabular": ("tabular", 400), "linear": ("linear", 400), "uniform": ("uniform", 2000), "BC": ("expert", 50)}
"""Explorer and the games after which the wait is given up."""
COLOURS = dict(zip(METHODS, ("#588157", "#1b6ca8", "#8d99ae", "#c8553d"), strict=True))


LOOKS: dict[str, dict[str, Any]] = {
    "tabular": {"linewidth": 5, "alpha": 0.45},
    "linear": {"linewidth": 1.6},
    "BC": {"linestyle": "--"},
}
"""Where lines lie on each other, the lower one is wider."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the table, write chain.json, chain.png and chain.pdf."""
    cells = [(length, method, seed) for length in LENGTHS for method in METHODS for seed in range(seeds)]
    rows = done(one, cells, pool, group=lambda cell: f"chain:{cell[0]} {cell[1]}")
    keep(out, "chain", {"seeds": seeds, "rows": rows})
    redraw(out)


def one(cell: tuple[int, str, int]) -> dict[str, Any]:
    """The row of a length, method and seed."""
    length, method, seed = cell
    explorer, most = METHODS[method]
    games, before = until_zero(named(f"chain:{length}"), explorer, most, Options(seed=seed))
    row = {"length": length, "method": method, "seed": seed, "most": most}
    return {**row, "games": games, "exploitability_before": before}


def until_zero(solved: SolvedGame, explorer: str, most: int, options: Options) -> tuple[int | None, list[float]]:
    """Games until neither seat's clone can be exploited (None: not within ``most``), and each seat's exploitability
    just before that, or at the end.
    """
    watches = [
        Reaching(solved, seat, "tabular", options, target=1e-9, most=most).run(explorer) for seat in (0, 1)
    ]  # fmt: skip
    before = [([0.0, *watch.losses[:-1]] if watch.reached else watch.losses)[-1] for watch in watches]
    games = max((watch.measured[-1][0] for watch in watches if watch.measured), default=0)
    return games if all(watch.reached for watch in watches) else None, before


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "chain.json").read_bytes())
    rows = []
    for length in LENGTHS:
        for method in METHODS:
            part = [row for row in data["rows"] if (row["length"], row["method"]) == (length, method)]
            games = [row["games"] for row in part if row["games"] is not None]
            spread = f"{np.median(games):.0f} ({min(games)} to {max(games)})" if games else "-"
            late = max(max(row["exploitability_before"]) for row in part)
            rows.append([f"chain:{length}", method, f"{len(games)} of {len(part)}", spread, f"{late:.4f}"])
    headings = ["", "exploration", "seeds at gap 0", "games a seat: median (range)", "exploitability before it"]
    grid("Chain of despair: games until the exact gap is 0", headings, rows)
    picture(out, "chain", draw(data))


def draw(data: dict[str, Any]) -> Figure:
    """Share of seeds that have reached gap 0 against games, one panel for each length."""
    figure, panels = plt.subplots(1, len(LENGTHS), figsize=(12, 3.6), layout="constrained", sharey=True)
    for axes, length in zip(panels, LENGTHS, strict=True):
        for method, (_, most) in METHODS.items():
            part = [row for row in data["rows"] if (row["length"], row["method"]) == (length, method)]
            reached = np.sort([row["games"] for row in part if row["games"] is not None])
            x = np.concatenate([[1], reached, [most]])
            y = np.concatenate([[0], np.arange(1, len(reached) + 1), [len(reached)]]) / len(part)
            axes.step(x, y, where="post", color=COLOURS[method], label=method, **LOOKS.get(method, {}))
        axes.set(xscale="log", xlabel="games a seat", title=f"chain:{length}", ylim=(-0.04, 1.04))
        place(axes.xaxis, log_ticks(1, max(most for _, most in METHODS.values())))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("share of seeds at gap 0")
    panels[0].legend(fontsize=8)
    return figure
