"""The 3 x 3 grid world: exact Nash gap against the games each seat's expert is queried in (10 queries a game).

BC, uniform exploration, tabular, linear and deep MAIL, on one-hot features, on positions (own cell and the other's
cell, d = 72), and on the relational features of the reference code. Which equilibrium the experts play decides whether
the relational class holds them: it does where they take the lowest of equally good actions, not where they play what a
linear program ends on (``vertex``), as the reference's experts do. Its constants and weights are a line too.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.markov_games import Line, banded, cell, gaps, grid, keep, named
from figures.over_seeds import done, picture
from games.markov.structure import residual
from mail.clone.linear import LinearClone
from mail.evaluation.axes import gap_axis, log_ticks, place
from mail.learners.collect import Options
from mail.parallel.pool import Pool
from mail.parallel.streams import stream

BUDGETS = (1, 3, 5, 10, 20, 50)
"""Games a seat."""
DEEP = (5, 10, 20, 40, 80)
GRID = "gridworld:3x3"
UNDER = "linear, one-hot"
"""The line on which another one lies."""


@dataclass(frozen=True)
class Kind:
    """A line of the figure."""

    line: Line
    colour: str
    share: int = 1
    """Seeds for each seed of the others: more where they are cheap, and spread widely."""
    budgets: tuple[int, ...] = BUDGETS
    reference: bool = False
    """Cloned with the reference code's weights, from drawn actions."""


KINDS = {
    "BC": Kind(Line("expert", "tabular", GRID), "#c8553d"),
    "uniform": Kind(Line("uniform", "tabular", GRID), "#8d99ae", share=5),
    "tabular": Kind(Line("tabular", "tabular", GRID), "#588157", share=5),
    "tabular, softmax clone": Kind(Line("tabular", "linear", GRID), "#9bc53d"),
    "linear, one-hot": Kind(Line("linear", "linear", GRID), "#1b6ca8"),
    "linear, reference constants": Kind(Line("linear-reference", "tabular", GRID), "#e09f3e"),
    "linear, positions": Kind(Line("linear", "linear", f"{GRID}:positions"), "#6a4c93"),
    "linear, relational": Kind(Line("linear", "linear", f"{GRID}:relational"), "#b5838d"),
    "vertex: linear, one-hot": Kind(Line("linear", "linear", GRID, "vertex"), "#1b6ca8"),
    "vertex: linear, relational": Kind(Line("linear", "linear", f"{GRID}:relational", "vertex"), "#b5838d"),
    "vertex: linear, positions": Kind(Line("linear", "linear", f"{GRID}:positions", "vertex"), "#6a4c93"),
    "vertex: relational, all as the reference": Kind(
        Line("linear-reference", "linear", f"{GRID}:relational", "vertex"), "#000000", reference=True
    ),
    "deep MAIL": Kind(Line("deep", "network", GRID), "#d62828", budgets=DEEP),
    "deep BC": Kind(Line("expert", "network", GRID), "#f77f00", budgets=DEEP),
}


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the tables, write linear.json, linear.png and linear.pdf."""
    cells = [(name, seed) for name in KINDS for seed in range(count(name, seeds))]
    lines: dict[str, list[list[float]]] = {name: [] for name in KINDS}
    seconds: dict[str, list[float]] = {name: [] for name in KINDS}
    group = {name: f"{name}: {count(name, seeds)} seeds" for name in KINDS}
    found = done(one, cells, pool, group=lambda cell: group[cell[0]])
    for (name, _), (values, took) in zip(cells, found, strict=True):
        lines[name].append(values)
        seconds[name].append(took)
    means = {name: float(np.mean(took)) for name, took in seconds.items()}
    data = {"seeds": seeds, "lines": lines, "residuals": residuals(), "seconds_per_seed": means}
    keep(out, "linear", data)
    redraw(out)


def count(name: str, seeds: int) -> int:
    """Seeds of a line."""
    return max(2, seeds // 2) if "deep" in name else seeds * KINDS[name].share


def one(cell: tuple[str, int]) -> tuple[list[float], float]:
    """The gaps of a line and seed, and the seconds that they took where the game was known."""
    name, seed = cell
    kind, options = KINDS[name], Options(seed=seed)
    if kind.reference:
        options = replace(options, linear=LinearClone(weigh="pair"), sample_labels=True)
    context = named(kind.line.game, kind.line.ties)
    start = time.perf_counter()
    return gaps(context, kind.line, kind.budgets, options), time.perf_counter() - start


def residuals() -> dict[str, list[dict[str, Any]]]:
    """Per feature map and seat: how far the induced process is from linear, and the dimension."""
    found: dict[str, list[dict[str, Any]]] = {}
    for features in ("", ":positions", ":relational", ":compass"):
        context = named(GRID + features)
        assert context.game.linear is not None
        for seat in (0, 1):
            part = residual(context.model, context.tables[1 - seat], seat, rng=stream(0, "figure/residual"))
            d = context.game.linear.features[seat].shape[2]
            row = {"d": d, "rank": part.rank, "rewards": part.rewards, "transitions": part.transitions}
            found.setdefault(features.strip(":") or "onehot", []).append(row)
    return found


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "linear.json").read_bytes())
    rows = []
    for name, values in data["lines"].items():
        budgets, found = KINDS[name].budgets, np.array(values)
        zero = f"{int((found[:, budgets.index(20)] <= 1e-9).sum())} of {len(found)}"
        cells = [cell(found[:, budgets.index(games)].tolist()) for games in (5, 10, 20)]
        rows.append([name, str(len(found)), *cells, zero, f"{data['seconds_per_seed'][name]:.2f}"])
    grid(
        "3 x 3 grid world: exact Nash gap, mean [95 % interval]",
        ["", "seeds", "K=5", "K=10", "K=20", "exactly 0 at K=20", "s/seed"],
        rows,
    )
    rows = [
        [name, str(part["d"]), str(part["rank"]), str(seat), f"{part['rewards']:.3f}", f"{part['transitions']:.3f}"]
        for name, parts in data["residuals"].items()
        for seat, part in enumerate(parts)
    ]
    grid("Residuals of the induced processes", ["features", "d", "rank", "seat", "rewards", "transitions"], rows)
    picture(out, "linear", draw(data))


def draw(data: dict[str, Any]) -> Figure:
    """Gap against queries a seat; lowest-action experts left, vertex experts and deep learning right."""
    figure, panels = plt.subplots(1, 2, figsize=(12, 5.6), layout="constrained", sharey=True)
    shown: tuple[list[str], list[str]] = ([], [])
    for name in data["lines"]:
        shown[KINDS[name].line.ties == "vertex" or "deep" in name].append(name)
    for axes, names in zip(panels, shown, strict=True):
        queries = [10 * games for name in names for games in KINDS[name].budgets]
        for name, marker, style in zip(names, "os^DvPX*", cycle(("-", "--")), strict=False):
            kind = KINDS[name]
            x = [10 * games for games in kind.budgets]
            look = {"marker": marker, "linestyle": style} | ({"linewidth": 5, "alpha": 0.4} if name == UNDER else {})
            banded(axes, x, data["lines"][name], label=name, colour=kind.colour, **look)
        axes.set(xscale="log", xlabel="queries a seat (H K)")
        place(axes.xaxis, log_ticks(min(queries), max(queries)))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.13), frameon=False)
    panels[0].set_title("experts that take the lowest of equally good actions", fontsize=10)
    panels[1].set_title("experts at the vertex of a linear program; deep learning", fontsize=10)
    every = [value for rows in data["lines"].values() for row in rows for value in row]
    gap_axis(panels[0], every, smallest=1e-5)
    panels[0].set_ylabel("exact Nash gap")
    figure.suptitle("Grid world 3 x 3, H = 10: median and quartiles over seeds (of fewer than five, each value)")
    return figure
