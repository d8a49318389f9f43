"""Kuhn's and Leduc poker: exact Nash gap against queries, for BC and the interactive learners.

Curves are measured on tables of the labels so far, uniform elsewhere, so nothing but the choice of queries tells the
lines apart; the table has the policies that learners return, which for MAIL-BRO and MURMAIL are exponential weights.
The expert is the equilibrium of the sequence form: its own gap is 0, and what a line ends at is what its queries have
left open. Cells are kept in OUT/cards-cells; those that OUT/cards.json holds are not run again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from agents import make_expert, tabulate
from figures.markov_games import banded, grid, keep
from figures.over_seeds import kept, picture, spread
from games import Model
from games import make as make_game
from games.models import model_of
from mail.clone.presets import preset
from mail.data.decisions import Decisions
from mail.data.rollout import labelled_table
from mail.evaluation import exact
from mail.evaluation.axes import log_ticks, place
from mail.evaluation.gap import exploitability
from mail.learners.base import Learner, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local, Pool

BUDGETS: dict[str, tuple[int, ...]] = {
    "kuhn": (1, 2, 4, 6, 8, 16, 32, 64, 128, 256, 512),
    "leduc": (8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048, 4096, 8192),
}
"""Queries a seat at which a table of the labels so far is measured."""
EPISODES: int | None = None
"""Most games a seat; None: those of ``nashmail train``."""
EXPLORERS = {
    "MAIL, respond": "respond",
    "MAIL, counts": "counts",
    "MAIL, deep": "deep",
    "MAIL, unsure": "unsure",
    "BC": "expert",
}
"""Explorers of MAIL with tables, by the name of the line."""
LEARNERS = {
    "MAIL-BRO": "mail-bro",
    "MURMAIL, exact": "murmail-exact",
    "DAgger, best response": "dagger-best",
    "DAgger": "dagger",
    "MURMAIL": "murmail",
}
"""Other learners, by the name of the line."""
METHODS = (*LEARNERS, *EXPLORERS)
LABELS = {"DAgger": 1, "DAgger, best response": 2, "BC": 1}
"""Queries a seat of lines that query at every decision, in units of the largest of ``BUDGETS``; the others stop by
themselves, or after the games of ``nashmail train``."""
COLOURS = {"BC": "black"} | {
    method: f"C{index}" for index, method in enumerate(method for method in METHODS if method != "BC")
}

MARKERS = dict(zip(METHODS, "os^DvPX*hp", strict=True))


@dataclass(frozen=True)
class Cell:
    """One line of one panel, with one seed."""

    game: str
    method: str
    seed: int

    @property
    def name(self) -> str:
        """For its file."""
        method = "-".join("".join(letter if letter.isalnum() else " " for letter in self.method.lower()).split())
        return f"{self.game}-{method}-{self.seed}"


def cells(seeds: int) -> Iterator[Cell]:
    """All cells, line by line."""
    for method in METHODS:
        for game in BUDGETS:
            for seed in range(seeds):
                yield Cell(game, method, seed)


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the table, write cards.json, cards.png and cards.pdf."""
    named = {cell.name: cell for cell in cells(seeds)}
    folder = out / "cards-cells"
    folder.mkdir(parents=True, exist_ok=True)
    kept(one, named, folder, pool, earlier=earlier(out))
    lines: dict[str, list[dict[str, Any]]] = {}
    for name, cell in named.items():
        lines.setdefault(f"{cell.game}/{cell.method}", []).append(json.loads((folder / f"{name}.json").read_bytes()))
    limits = {game: sum(exact.limits(known(game), "first")["bc_infinite"]["first"]) for game in BUDGETS}
    budgets = {game: list(counts) for game, counts in BUDGETS.items()}
    keep(out, "cards", {"seeds": seeds, "budgets": budgets, "limits": limits, "lines": lines})
    redraw(out)


def earlier(out: Path) -> dict[str, dict[str, Any]]:
    """The cells that an earlier cards.json holds, by name; those of a line are in the order of their seeds, from 0."""
    if not (out / "cards.json").is_file():
        return {}
    found = {}
    for line, cells in json.loads((out / "cards.json").read_bytes())["lines"].items():
        game, method = line.split("/")
        found.update({Cell(game, method, seed).name: cell for seed, cell in enumerate(cells)})
    return found


@cache
def known(game: str) -> Model:
    """The game's exact model."""
    found = model_of(make_game(game))
    assert found is not None
    return found


def one(cell: Cell) -> dict[str, Any]:
    """The Nash gap after each budget and that of what was learned, and what was spent in all."""
    model, usual = known(cell.game), preset(make_game(cell.game))
    most = (LABELS[cell.method] * max(BUDGETS[cell.game]),) * 2 if cell.method in LABELS else None
    budget = Budget(EPISODES or usual.episodes, most, usual.patience, usual.patience_games)
    experts = make_expert("first", model)
    learned = learner_of(cell, model).learn(model.game, experts, budget, pool=Local(), journal=NullJournal())
    curves = [curve(model, learned.decisions[seat], seat, BUDGETS[cell.game]) for seat in (0, 1)]
    return {
        "gaps": np.sum(curves, axis=0).tolist(),
        "nash_gap": sum(exploitability(model, tabulate(model, learned.policies[seat], seat), seat) for seat in (0, 1)),
        "games": learned.games,
        "labels": sum(learned.labels),
        "distinct_labels": sum(learned.distinct_labels),
    }


def learner_of(cell: Cell, model: Model) -> Learner:
    """The learner of a line."""
    options = Options(seed=cell.seed, model=model)
    if cell.method in EXPLORERS:
        return Mail(options, explorer=EXPLORERS[cell.method], cloner="tabular")
    return make_learner(LEARNERS[cell.method], options)


def curve(model: Model, decisions: Decisions, seat: int, budgets: tuple[int, ...]) -> np.ndarray:
    """The exploitability of one seat's tables after each number of queries."""
    own = decisions.take(decisions.seat == seat)

    def measured(labels: int) -> float:
        part = own.first_labels(seat, labels)
        return exploitability(model, tabulate(model, labelled_table(model.game, [part.take(part.queried)]), seat), seat)

    total = own.labels()
    return np.array([measured(min(labels, total)) for labels in budgets])


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "cards.json").read_bytes())
    for game in data["budgets"]:
        found = {method: data["lines"][line] for method in METHODS if (line := f"{game}/{method}") in data["lines"]}
        rows = [[method, *_row(cells)] for method, cells in found.items()]
        limit = f"BC with infinite data: {data['limits'][game]:.4f}"
        headings = [game, "seeds", "games", "queries", "distinct", "Nash gap at the end", "largest"]
        grid(f"{game}, both seats; {limit}", headings, rows)
    picture(out, "cards", draw(data))


def drawn(data: dict[str, Any]) -> list[str]:
    """The lines that the data has in every panel."""
    return [method for method in METHODS if all(f"{game}/{method}" in data["lines"] for game in data["budgets"])]


def _row(found: list[dict[str, Any]]) -> list[str]:
    counts = [spread([one[key] for one in found]) for key in ("games", "labels", "distinct_labels")]
    gaps = [one["nash_gap"] for one in found]
    return [str(len(found)), *counts, spread(gaps, ".4f"), f"{max(gaps):.4f}"]


def draw(data: dict[str, Any]) -> Figure:
    """One panel for each game."""
    figure, panels = plt.subplots(1, len(data["budgets"]), figsize=(11, 4.2), layout="constrained", squeeze=False)
    for axes, (game, budgets) in zip(panels[0], data["budgets"].items(), strict=True):
        for method in drawn(data):
            lines = [one["gaps"] for one in data["lines"][f"{game}/{method}"]]
            banded(axes, budgets, lines, label=method, colour=COLOURS[method], marker=MARKERS[method])
        axes.axhline(data["limits"][game], color="black", linestyle="--", linewidth=1, label="BC, infinite data")
        axes.set(xscale="log", xlabel="queries a seat", title=game)
        place(axes.xaxis, log_ticks(budgets[0], budgets[-1]))
        axes.set_ylim(bottom=-0.03 * axes.get_ylim()[1])
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("exact Nash gap: median and quartiles over seeds", fontsize=9)
    figure.legend(*panels[0][-1].get_legend_handles_labels(), fontsize=8, loc="outside right upper")
    return figure
