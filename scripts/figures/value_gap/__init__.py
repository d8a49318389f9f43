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

from agents.storage.policies import write_atomic
from figures.markov_games import grid, keep
from figures.over_seeds import kept, spread
from figures.value_gap.cells import GAMES, GROUNDS, LEARNERS, MOST, Cell, infinite, measured
from mail.evaluation.figure import png
from mail.parallel.pool import Pool

FLOOR = 1e-5  # gaps below this are drawn here
COLOURS = {learner: f"C{index}" for index, learner in enumerate(LEARNERS)}


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Compute everything, print the table, write value-gap.json and value-gap.png."""
    cells = [
        Cell(game, expert, learner, games, seed)
        for game, expert in GROUNDS
        for learner in LEARNERS
        for games in GAMES.get(game, (MOST,))
        for seed in range(seeds)
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
    write_atomic(out / "value-gap.png", draw(data))


COLUMNS = ("value_gap", "nash_gap", "greedy_value_gap", "greedy_nash_gap")


def chosen(data: dict[str, Any], game: str, expert: str, learner: str, games: int) -> list[dict[str, Any]]:
    """The rows of one learner in one game."""
    wanted = {"game": game, "expert": expert, "learner": learner, "games": games}
    return [row for row in data["rows"] if all(row[key] == value for key, value in wanted.items())]


def draw(data: dict[str, Any]) -> bytes:
    """A panel per game: value gap across, Nash gap up, a point per seed."""
    figure, panels = plt.subplots(1, len(GROUNDS), figsize=(4 * len(GROUNDS), 4), layout="constrained")
    for axes, (game, expert) in zip(panels, GROUNDS, strict=True):
        panel(axes, data, game, expert)
    panels[0].set_ylabel("exact Nash gap")
    panels[0].legend(fontsize=7, loc="lower right")
    return png(figure)


def panel(axes: Axes, data: dict[str, Any], game: str, expert: str) -> None:
    """One game's points. Where budgets differ, the x axis is the number of games, since the value gap is 0."""
    for learner in LEARNERS:
        for games in GAMES.get(game, (MOST,)):
            rows = chosen(data, game, expert, learner, games)
            across = [float(games) if game in GAMES else max(FLOOR, row["value_gap"]) for row in rows]
            up = [max(FLOOR, row["nash_gap"]) for row in rows]
            label = learner if games == GAMES.get(game, (MOST,))[0] else None
            marker = "*" if learner == "mail" else "o"
            axes.plot(across, up, marker, color=COLOURS[learner], alpha=0.6, markersize=6, label=label)
    axes.axhline(data["limits"][f"{game}-{expert}"] or FLOOR, color="#8d99ae", linestyle="--", linewidth=1)
    where = "games; the value gap is 0" if game in GAMES else "value gap against the expert"
    axes.set(xscale="log", yscale="log", xlabel=where, title=f"{game}, expert {expert}")
    axes.grid(alpha=0.3)
