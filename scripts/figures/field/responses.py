"""Where an opponent leaves the experts' path: BC, MAIL-BRO and MURMAIL by concentrability (arXiv:2505.17610).

The paper's figure is of a constructed game of 7 states with concentrability 2, 1,000, 10,000 and infinite, of which
curves are published and no numbers; this game is our own, with those coefficients. At the start, player 1 (seat 1)
chooses between two actions that cost it nothing: its expert's leads to one of five side states with probability 1 / C
and ends the game otherwise, the other always leads to a side state. There seat 0 has three actions, of which one is
right, and pays 1 for each step with another. So C(mu_E, nu_E) = C, a clone that has not seen the side states is
exploitable, and BC sees one in C of its games.

Labels are single actions, sampled. Step sizes are the derived sqrt(2 S log A / K), except for BC, which has none.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from agents.policy import tabulate
from figures.markov_games import grid, keep, on
from figures.over_seeds import done, picture, spread
from games.base import Model
from games.markov.dynamics import Dynamics
from games.markov.game import MarkovGame
from mail.evaluation.axes import gap_axis, place, seeds_line
from mail.evaluation.gap import exploitability
from mail.learners.base import Learner, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.journal import NullJournal
from mail.learners.responses.murmail import Murmail, MurmailConfig
from mail.learners.responses.weights import derived_rate
from mail.parallel.pool import Local, Pool

COEFFICIENTS = (2.0, 1e3, 1e4, np.inf)
LEARNERS = ("bc-tabular", "mail-bro", "murmail-exact", "murmail")
BUDGETS = (120, 480, 1920)
"""Queries of seat 0."""
SIDES, STEPS, DISCOUNT = 5, 5, 0.9
COLOURS = dict(zip(LEARNERS, ("#c8553d", "#1b6ca8", "#588157", "#e09f3e"), strict=True))
Cell = tuple[float, str, int, int]


def detour(coefficient: float) -> MarkovGame:
    """The game: state 0 is the start, 1 the end, 2 to 6 the side."""
    states, share = 2 + SIDES, 0.0 if np.isinf(coefficient) else 1.0 / coefficient
    side = np.zeros(states)
    side[2:] = 1.0 / SIDES
    kernel = np.zeros((states, 3, 2, states))
    kernel[0, :, 0] = share * side + (1.0 - share) * np.eye(states)[1]
    kernel[0, :, 1] = side
    kernel[np.arange(1, states), :, :, np.arange(1, states)] = 1.0
    rewards = np.zeros((states, 3, 2))
    right = np.arange(SIDES) % 3
    rewards[2:] = -1.0
    rewards[2 + np.arange(SIDES), right] = 0.0
    legal = np.ones((states, 3), dtype=np.bool_), np.ones((states, 2), dtype=np.bool_)
    legal[0][1] = legal[1][1] = False
    dynamics = Dynamics(rewards, kernel, np.eye(states)[0], discount=DISCOUNT, episode=STEPS, legal=legal)
    return MarkovGame(f"detour:{coefficient:g}", dynamics)


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run every cell, print the table, write responses.json, responses.png and responses.pdf."""
    cells = [
        (coefficient, learner, budget, seed)
        for coefficient in COEFFICIENTS
        for learner in LEARNERS
        for budget in BUDGETS
        for seed in range(seeds)
    ]
    gaps = done(gap, cells, pool, group=lambda cell: f"{cell[1]}, C = {cell[0]:g}")
    rows = [
        {"coefficient": "inf" if np.isinf(cell[0]) else cell[0], "learner": cell[1], "budget": cell[2], **found}
        for cell, found in zip(cells, gaps, strict=True)
    ]
    keep(out, "responses", {"seeds": seeds, "rows": rows})
    redraw(out)


def gap(cell: Cell) -> dict[str, Any]:
    """Seat 0's exact exploitability, and its queries, after one cell."""
    coefficient, name, budget, seed = cell
    context = on(detour(coefficient))
    options = Options(seed=seed, explorer="counts", model=context.model, sample_labels=True)
    limit = Budget(budget, (budget, budget))
    learner = murmail(context.model, options, limit) if name == "murmail" else make_learner(name, options)
    learned = learner.learn(context.game, context.experts, limit, pool=Local(), journal=NullJournal())
    table = tabulate(context.model, learned.policies[0], 0)
    return {"gap": exploitability(context.model, table, 0), "labels": learned.labels[0], "seed": seed}


def murmail(model: Model, options: Options, budget: Budget) -> Learner:
    """MURMAIL with the derived step size of seat 0, which it has no model to derive from."""
    decisions, rounds = int(model.legal(0).any(1).sum()), budget.episodes // MurmailConfig.games_per_round
    return Murmail(replace(options, model=None), rate=derived_rate(decisions, model.game.spec.actions, rounds))


def redraw(out: Path) -> None:
    """Print the table and draw the figure, from the data."""
    data = json.loads((out / "responses.json").read_bytes())
    lines = [
        [f"{coefficient:g}", name, *(spread(values(data, coefficient, name, budget), ".3f") for budget in BUDGETS)]
        for coefficient in COEFFICIENTS
        for name in LEARNERS
    ]
    headings = ["C", "learner", *(f"{budget:,} queries" for budget in BUDGETS)]
    grid(f"Exact exploitability of seat 0, {data['seeds']} seeds", headings, lines)
    picture(out, "responses", draw(data))


def values(data: dict[str, Any], coefficient: float, learner: str, budget: int) -> list[float]:
    """The exploitabilities of one point, seed by seed."""
    said = "inf" if np.isinf(coefficient) else coefficient
    wanted = {"coefficient": said, "learner": learner, "budget": budget}
    return [row["gap"] for row in data["rows"] if all(row[key] == value for key, value in wanted.items())]


def draw(data: dict[str, Any]) -> Figure:
    """A panel per coefficient."""
    figure, panels = plt.subplots(1, len(COEFFICIENTS), figsize=(13, 3.6), sharey=True, layout="constrained")
    for axes, coefficient in zip(panels, COEFFICIENTS, strict=True):
        for name, marker in zip(LEARNERS, "os^D", strict=True):
            points = np.transpose([values(data, coefficient, name, budget) for budget in BUDGETS])
            seeds_line(axes, BUDGETS, points.tolist(), color=COLOURS[name], label=name, marker=marker)
        axes.set(xscale="log", title=f"C = {coefficient:,g}", xlabel="queries of seat 0")
        place(axes.xaxis, BUDGETS)
        axes.grid(alpha=0.3)
    gap_axis(panels[0], [row["gap"] for row in data["rows"]])
    panels[0].set_ylabel("exact exploitability of seat 0:\nmedian and quartiles over seeds", fontsize=9)
    panels[-1].legend(fontsize=8, loc="lower right")
    return figure
