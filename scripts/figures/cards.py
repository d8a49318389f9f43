"""Kuhn's and Leduc poker: exact Nash gap against queries, for BC and for interactive imitation by two explorers.

Clones are tables of the labels, uniform elsewhere, so nothing but the choice of queries tells the lines apart. The
expert is the equilibrium of the sequence form: its own gap is 0, and what a line ends at is what its queries have left
open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

from agents import make_expert, tabulate
from agents.policy import uniform_rows
from agents.storage.policies import write_atomic
from figures.markov_games import banded, grid, keep
from figures.over_seeds import done, spread
from games import Model
from games import make as make_game
from games.models import model_of
from mail.clone.presets import preset
from mail.data.rollout import labelled_table
from mail.evaluation.figure import png
from mail.evaluation.gap import exploitability
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.parallel.pool import Pool

BUDGETS: dict[str, tuple[int, ...]] = {
    "kuhn": (1, 2, 4, 6, 8, 16, 32, 64, 128, 256, 512),
    "leduc": (8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048, 4096, 8192),
}
"""Queries a seat at which a table of the labels so far is measured."""
EPISODES: int | None = None
"""Most games a seat; None: those of ``nashmail train``."""
METHODS = {"MAIL, respond": "respond", "MAIL, counts": "counts", "BC": "expert"}
COLOURS = dict(zip(METHODS, ("#386fa4", "#588157", "#c8553d"), strict=True))


@dataclass(frozen=True)
class Cell:
    """One line of one panel, with one seed."""

    game: str
    method: str
    seed: int


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the table, write cards.json and cards.png."""
    cells = [Cell(game, method, seed) for game in BUDGETS for method in METHODS for seed in range(seeds)]
    lines: dict[str, list[dict[str, Any]]] = {}
    for cell, found in zip(cells, done(one, cells, pool, group=lambda cell: f"{cell.game} {cell.method}"), strict=True):
        lines.setdefault(f"{cell.game}/{cell.method}", []).append(found)
    limits = {game: offline_limit(game) for game in BUDGETS}
    budgets = {game: list(counts) for game, counts in BUDGETS.items()}
    keep(out, "cards", {"seeds": seeds, "budgets": budgets, "limits": limits, "lines": lines})
    redraw(out)


@cache
def known(game: str) -> Model:
    """The game's exact model."""
    found = model_of(make_game(game))
    assert found is not None
    return found


def one(cell: Cell) -> dict[str, Any]:
    """The Nash gap after each budget, and what was spent in all."""
    gaps, spent = np.zeros(len(BUDGETS[cell.game])), {"games": 0, "labels": 0, "distinct_labels": 0}
    last = 0.0
    for seat in (0, 1):
        curve, gap, counts = seat_curve(cell, seat)
        gaps += curve
        last += gap
        spent = {key: spent[key] + counts[key] for key in spent}
    return {"gaps": gaps.tolist(), "nash_gap": last, **spent}


def seat_curve(cell: Cell, seat: int) -> tuple[np.ndarray, float, dict[str, int]]:
    """The exploitability of one seat's tables, after each budget and in the end, and what its queries cost."""
    model, usual = known(cell.game), preset(make_game(cell.game))
    learner = Mail(Options(seed=cell.seed, model=model), explorer=METHODS[cell.method], cloner="tabular")
    most = EPISODES or usual.episodes
    budget = Budget(most, None, usual.patience, usual.patience_games)
    if cell.method == "BC":
        budget = Budget(most, (max(BUDGETS[cell.game]),) * 2)
    explored = learner.explore(
        Collector("mail", model.game, cell.seed), make_expert("first", model), budget, seat
    ).decisions
    own = explored.take(explored.seat == seat)

    def measured(labels: int) -> float:
        part = own.first_labels(seat, labels)
        table = labelled_table(model.game, [part.take(part.queried)])
        return exploitability(model, tabulate(model, table, seat), seat)

    total = own.labels()
    curve = np.array([measured(min(labels, total)) for labels in BUDGETS[cell.game]])
    counts = {"games": explored.games, "labels": total, "distinct_labels": own.distinct_labels()}
    return curve, measured(total), counts


def offline_limit(game: str) -> float:
    """The Nash gap of BC with infinite data: the experts' play wherever they come together, uniform elsewhere."""
    model = known(game)
    experts = make_expert("first", model)
    tables = [tabulate(model, experts[seat], seat) for seat in (0, 1)]
    met = model.reach((tables[0], tables[1])) > 0
    return sum(
        exploitability(model, np.where(met[:, None], tables[seat], uniform_rows(model.legal(seat))), seat)
        for seat in (0, 1)
    )


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "cards.json").read_bytes())
    for game in data["budgets"]:
        rows = [[method, *_row(data["lines"][f"{game}/{method}"])] for method in METHODS]
        limit = f"BC with infinite data: {data['limits'][game]:.4f}"
        headings = [game, "games", "queries", "distinct", "Nash gap at the end", "largest"]
        grid(f"{game}, both seats, {data['seeds']} seeds; {limit}", headings, rows)
    write_atomic(out / "cards.png", draw(data))


def _row(found: list[dict[str, Any]]) -> list[str]:
    counts = [spread([one[key] for one in found]) for key in ("games", "labels", "distinct_labels")]
    gaps = [one["nash_gap"] for one in found]
    return [*counts, spread(gaps, ".4f"), f"{max(gaps):.4f}"]


def draw(data: dict[str, Any]) -> bytes:
    """One panel for each game."""
    figure, panels = plt.subplots(1, len(data["budgets"]), figsize=(11, 4.2), layout="constrained", squeeze=False)
    for axes, (game, budgets) in zip(panels[0], data["budgets"].items(), strict=True):
        for method, colour in COLOURS.items():
            lines = [one["gaps"] for one in data["lines"][f"{game}/{method}"]]
            banded(axes, budgets, lines, label=method, colour=colour)
        axes.axhline(data["limits"][game], color="#c8553d", linestyle="--", linewidth=1, label="BC, infinite data")
        axes.set(xscale="log", xlabel="queries a seat", title=game)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("exact Nash gap")
    panels[0][0].legend(fontsize=8)
    return png(figure)
