"""Value gap against the expert beside the Nash gap: what matching the expert's occupancy is worth, and what it is not.

Learners that only see how experts play each other (behavioral cloning, adversarial and inverse imitation) reach a value
gap near 0 and keep about the Nash gap of infinite cloning, because another opponent leads them where nothing was
matched. A learner that is brought there and queries comes to 0 in both. Where the experts have full support (``rps``)
everything is on the path: there the Nash gap falls with the labels for every learner, and the value gap, 0 from the
first, says nothing. The labels of ``rps`` are single sampled actions, elsewhere the expert's distribution.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.markov_games import grid, keep
from figures.over_seeds import kept, picture, spread
from figures.value_gap.cells import GAMES, GROUNDS, LEARNERS, MOST, MOST_SEEDS, Cell, infinite, measured
from mail.evaluation.axes import gap_axis
from mail.parallel.pool import Pool

NASH, VALUE = "#c8553d", "#1b6ca8"
BY_GAMES = {10: ("v", "#f4a582"), 100: ("s", "#d6604d"), 1000: ("^", "#67001f")}
"""Marks where budgets differ."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Compute everything, print the table, write value-gap.json, value-gap.png and value-gap.pdf."""
    cells = [
        Cell(game, expert, learner, games, seed)
        for game, expert in GROUNDS
        for learner in LEARNERS
        for games in GAMES.get(game, (MOST,))
        for seed in range(min(seeds, MOST_SEEDS.get(game, seeds)))
    ]
    folder = out / "value-gap-cells"
    folder.mkdir(parents=True, exist_ok=True)
    kept(measured, {cell.name: cell for cell in cells}, folder, pool, earlier={})
    rows = [json.loads((folder / f"{cell.name}.json").read_bytes()) for cell in cells]
    limits = {f"{game}-{expert}": infinite(game, expert) for game, expert in GROUNDS}
    keep(out, "value-gap", {"seeds": seeds, "limits": limits, "rows": rows})
    redraw(out)


# --- table and picture -----------------------------------------------------------------------------------


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "value-gap.json").read_bytes())
    for game, expert in GROUNDS:
        lines = []
        for learner in LEARNERS:
            for games in GAMES.get(game, (MOST,)):
                rows = chosen(data, game, expert, learner, games)
                values = [spread([row[key] for row in rows], ".4f") for key in COLUMNS]
                lines.append([learner, f"{games:,}", spread([row["distinct_labels"] for row in rows]), *values])
        headings = [
            "learner",
            "games",
            "distinct labels",
            "value gap",
            "Nash gap",
            "greedy value gap",
            "greedy Nash gap",
        ]
        limit = data["limits"][f"{game}-{expert}"]
        grid(f"{game}, expert {expert}: cloning with infinite data leaves {limit:.4f}", headings, lines)
    picture(out, "value-gap", draw(data))


COLUMNS = ("value_gap", "nash_gap", "greedy_value_gap", "greedy_nash_gap")


def chosen(data: dict[str, Any], game: str, expert: str, learner: str, games: int) -> list[dict[str, Any]]:
    """The rows of one learner in one game."""
    wanted = {"game": game, "expert": expert, "learner": learner, "games": games}
    return [row for row in data["rows"] if all(row[key] == value for key, value in wanted.items())]


def draw(data: dict[str, Any]) -> Figure:
    """A panel per game, a row per learner: its value gap and its Nash gap, a mark per seed."""
    size = (4 * len(GROUNDS), 1.6 + 0.27 * len(LEARNERS))
    figure, panels = plt.subplots(1, len(GROUNDS), figsize=size, sharey=True, layout="constrained")
    for axes, (game, expert) in zip(panels, GROUNDS, strict=True):
        panel(axes, data, game, expert)
    panels[0].set_yticks(range(len(LEARNERS)), LEARNERS)
    panels[0].set_ylim(len(LEARNERS) - 0.5, -0.5)
    first = [*panels[0].get_legend_handles_labels()[0], *panels[-1].get_legend_handles_labels()[0]]
    named = {handle.get_label(): handle for handle in first}
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=len(named), fontsize=8)
    return figure


def panel(axes: Axes, data: dict[str, Any], game: str, expert: str) -> None:
    """One game's gaps. Where budgets differ there are the Nash gaps of each alone, because the value gap is 0."""
    marks = {("nash_gap", games): (*look, f"Nash gap, {games:,} games") for games, look in BY_GAMES.items()}
    if game not in GAMES:
        marks = {("nash_gap", MOST): ("o", NASH, "Nash gap"), ("value_gap", MOST): ("D", VALUE, "value gap")}
    shown: list[float] = []
    for at, ((key, games), (marker, colour, label)) in enumerate(marks.items()):
        for place, learner in enumerate(LEARNERS):
            points = [row[key] for row in chosen(data, game, expert, learner, games)]
            if not points:  # matplotlib would give an empty line, not clipped, a place in the figure's corner
                continue
            shown += points
            look: dict[str, Any] = {"color": colour, "alpha": 0.6, "markersize": 5, "clip_on": False}
            axes.plot(
                points, [place + 0.2 * at - 0.1] * len(points), marker, label=label if place == 0 else None, **look
            )
    limit = data["limits"][f"{game}-{expert}"]
    if limit:
        label = "Nash gap of cloning with infinite data"
        axes.axvline(limit, color="#8d99ae", linestyle="--", linewidth=1.2, label=label, zorder=1)
    gap_axis(axes, shown, along="x", smallest=1e-5, ticks=6)
    axes.set_title(f"{game}, expert {expert}", fontsize=10)
    axes.set_xlabel("exact Nash gap" if game in GAMES else "exact gaps", fontsize=9)
    axes.grid(alpha=0.3)
