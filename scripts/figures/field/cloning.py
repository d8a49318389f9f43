"""Label smoothing and weight averaging in network clones: what they do to the exact Nash gap, on equal labels.

Labels are collected once per seed by MAIL that explores with visit counts on Tic-Tac-Toe: whole distributions of the
expert ``first``, and single sampled actions of the expert ``uniform``, which are noisy. Each is then cloned with every
combination of the two options (``mail.clone.network.CloneConfig``); nothing else differs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from agents.expert import make as make_expert
from figures.markov_games import grid, keep
from figures.over_seeds import done, picture, spread
from games.base import Model
from games.models import model_of
from games.registry import make as make_game
from mail.clone.cloners import ClonerConfig
from mail.clone.network import CloneConfig
from mail.clone.registry import fit
from mail.evaluation.axes import gap_axis
from mail.evaluation.exact import profile_measures
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local, Pool
from mail.parallel.streams import stream

OPTIONS = {
    "plain": CloneConfig(),
    "smoothing 0.02": CloneConfig(smoothing=0.02),
    "averaging 0.98": CloneConfig(averaging=0.98),
    "both": CloneConfig(smoothing=0.02, averaging=0.98),
}
LABELS = {"first": False, "uniform": True}
"""Per expert whether its labels are single sampled actions."""
GAMES = {"first": 500, "uniform": 120}
"""Games per seat in which the labels are collected: enough for all labels that matter, and far from that."""
Cell = tuple[str, int]


def collected(expert: str, seed: int, graph: Model) -> Learned:
    """The labels of both seats, and their clones into tables."""
    options = Options(seed=seed, explorer="counts", model=graph, sample_labels=LABELS[expert])
    learner = Mail(options, name="mail-counts", explorer="counts", cloner="tabular")
    experts = make_expert(expert, graph)
    return learner.learn(graph.game, experts, Budget(GAMES[expert]), pool=Local(), journal=NullJournal())


def measured(cell: Cell) -> list[dict[str, Any]]:
    """A pool's task: the measures of every combination, for one expert and seed."""
    expert, seed = cell
    graph = model_of(make_game("tictactoe"))
    assert graph is not None
    labels, rows = collected(expert, seed, graph), []
    for name, config in OPTIONS.items():
        fits = [
            fit("network", graph.game, labels.decisions[seat], seat, config=replace(ClonerConfig(), network=config),
                rng=stream(seed, "cloning", seat=seat))
            for seat in (0, 1)
        ]  # fmt: skip
        measures = profile_measures(graph, (fits[0].policy, fits[1].policy))
        kept = {key: measures[key] for key in ("nash_gap", "greedy_nash_gap")}
        steps = sum(one.steps for one in fits)
        rows.append({"expert": expert, "options": name, "seed": seed, "steps": steps, **kept})
    table = profile_measures(graph, labels.policies)
    kept = {key: table[key] for key in ("nash_gap", "greedy_nash_gap")}
    return [*rows, {"expert": expert, "options": "a table", "seed": seed, "steps": 0, **kept}]


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run every cell, print the table, write cloning.json, cloning.png and cloning.pdf."""
    cells = [(expert, seed) for expert in LABELS for seed in range(seeds)]
    found = done(measured, cells, pool, group=lambda cell: f"expert {cell[0]}")
    keep(out, "cloning", {"seeds": seeds, "rows": [row for rows in found for row in rows]})
    redraw(out)


def redraw(out: Path) -> None:
    """Print the table and draw the figure, from the data."""
    data = json.loads((out / "cloning.json").read_bytes())
    lines = []
    for expert in LABELS:
        for name in (*OPTIONS, "a table"):
            rows = [row for row in data["rows"] if (row["expert"], row["options"]) == (expert, name)]
            points = [[row[key] for row in rows] for key in ("nash_gap", "greedy_nash_gap", "steps")]
            lines.append([expert, name, spread(points[0], ".4f"), spread(points[1], ".4f"), spread(points[2])])
    headings = ["expert", "options", "Nash gap", "greedy Nash gap", "steps"]
    grid(f"Clones of equal labels on Tic-Tac-Toe, {data['seeds']} seeds", headings, lines)
    picture(out, "cloning", draw(data))


def draw(data: dict[str, Any]) -> Figure:
    """A panel per expert: every seed's Nash gap, side by side, and their median as a line."""
    figure, panels = plt.subplots(1, len(LABELS), figsize=(9, 3.4), sharey=True, layout="constrained")
    names = [*OPTIONS, "a table"]
    for axes, expert in zip(panels, LABELS, strict=True):
        for where, name in enumerate(names):
            points = [row["nash_gap"] for row in data["rows"] if (row["expert"], row["options"]) == (expert, name)]
            beside = where + np.linspace(-0.18, 0.18, len(points))
            axes.plot(beside, points, "o", alpha=0.7, color="#1b6ca8", markersize=5, clip_on=False)
            axes.hlines(np.median(points), where - 0.3, where + 0.3, color="#c8553d", linewidth=1.4)
        axes.set_xticks(range(len(names)), [name.replace(" 0", "\n0") for name in names], fontsize=9)
        axes.set_title(f"expert {expert}, {'sampled labels' if LABELS[expert] else 'whole labels'}", fontsize=9)
        axes.grid(alpha=0.3, axis="y")
    gap_axis(panels[0], [row["nash_gap"] for row in data["rows"]])
    panels[0].set_ylabel("exact Nash gap: seeds and their median", fontsize=9)
    return figure
