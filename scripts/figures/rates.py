"""Mixed experts that answer a query with one sampled action: exact gap against queries, log-log, its slope beside -1/2.

On rock-paper-scissors with state, whose only equilibrium mixes everywhere, and on a small random game. A table of
mean labels is what is left to learn once every position has been queried: its error falls like queries^(-1/2).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.markov_games import Line, gaps, grid, keep, named
from figures.over_seeds import done, picture, spread
from mail.evaluation.axes import log_ticks, place, seeds_line
from mail.learners.collect import Options
from mail.parallel.pool import Pool

BUDGETS = (16, 32, 64, 128, 256, 512)
"""Games a seat."""
GAMES = ("rps",)
METHODS = {"tabular MAIL": "tabular", "uniform": "uniform", "BC": "expert"}
TITLES = {"rps": "rock, paper, scissors with state"}
COLOURS = dict(zip(METHODS, ("#588157", "#8d99ae", "#c8553d"), strict=True))


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the table, write rates.json, rates.png and rates.pdf."""
    cells = [(game, method, seed) for game in GAMES for method in METHODS for seed in range(seeds)]
    lines: dict[str, list[list[float]]] = {}
    found = done(one, cells, pool, group=lambda cell: f"{cell[0]} {cell[1]}")
    for (game, method, _), values in zip(cells, found, strict=True):
        lines.setdefault(f"{game}/{method}", []).append(values)
    keep(out, "rates", {"seeds": seeds, "budgets": list(BUDGETS), "lines": lines})
    redraw(out)


def one(cell: tuple[str, str, int]) -> list[float]:
    """The gaps of a game, method and seed."""
    game, method, seed = cell
    return gaps(named(game), Line(METHODS[method], "tabular", game), BUDGETS, Options(seed=seed, sample_labels=True))


def slope(values: list[float], queries: list[int]) -> float:
    """Of log gap against log queries, by least squares."""
    return float(np.polyfit(np.log(queries), np.log(values), 1)[0])


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "rates.json").read_bytes())
    rows = []
    for name, values in data["lines"].items():
        queries = queried(name, data["budgets"])
        by_seed = spread([slope(part, queries) for part in values], ".3f")
        whole = slope(list(np.mean(values, 0)), queries)
        rows.append([name, f"{whole:.3f}", by_seed, f"{np.mean(values, 0)[-1]:.4f}"])
    headings = ["", "slope of the mean", "slope by seed [95 %]", f"gap after {data['budgets'][-1]} games"]
    grid("Mixed experts, sampled answers: gap against queries", headings, rows)
    picture(out, "rates", draw(data))


def queried(name: str, budgets: list[int]) -> list[int]:
    """Queries a seat: every step of every game."""
    return [games * named(name.partition("/")[0]).game.episode for games in budgets]


def draw(data: dict[str, Any]) -> Figure:
    """One panel for each game."""
    figure, panels = plt.subplots(1, len(GAMES), figsize=(6 * len(GAMES), 4.4), layout="constrained", squeeze=False)
    for axes, game in zip(panels[0], GAMES, strict=True):
        queries = queried(game, data["budgets"])
        for (method, colour), marker in zip(COLOURS.items(), "os^", strict=True):
            lines = data["lines"][f"{game}/{method}"]
            seeds_line(axes, queries, lines, label=method, color=colour, marker=marker)
        first = np.median(data["lines"][f"{game}/tabular MAIL"], 0)[0]
        slope_line = first * (np.array(queries) / queries[0]) ** -0.5
        axes.plot(queries, slope_line, "k--", label="slope -1/2", linewidth=1)
        axes.set(xscale="log", yscale="log", xlabel="queries a seat", title=TITLES.get(game, game))
        place(axes.xaxis, log_ticks(queries[0], queries[-1]))
        place(axes.yaxis, log_ticks(*axes.get_ylim()))
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("exact Nash gap: median and quartiles over seeds", fontsize=9)
    panels[0][0].legend(fontsize=8)
    return figure
