"""What matching can and cannot give (Bergerault et al.): gaps of pairs that match the experts exactly, and a bound.

- *Matching states only*: in repeated matching pennies there is one state, so every pair matches its distribution. The
  pair that always plays the first action has the gap 2 / (1 - g).
- *Matching states and actions where experts go*: in ``unseen`` infinite data leave one state without a label; uniform
  play there costs a gap of order 1 / (1 - g).
- *Dominant strategies*: where each seat's expert action is best whatever the other does, a pair at distance eps
  (mean l1 over the experts' states, larger of both seats) has a gap of at most 2 n eps / (1 - g)^2 times the range of
  rewards, n = 2: no concentrability in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from agents.policy import uniform_rows
from figures.markov_games import grid, keep
from figures.over_seeds import done, picture
from games.base import Table
from games.markov.chain import unseen
from games.markov.dynamics import Dynamics
from games.markov.game import MarkovGame
from games.markov.model import MarkovModel
from mail.evaluation.axes import log_ticks, place
from mail.evaluation.gap import table_gap
from mail.parallel.pool import Pool

DISCOUNTS = (0.5, 0.8, 0.9, 0.95, 0.99)
SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
"""How much of the clones' play is at random, where strategies dominate."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Compute everything, print the tables, write offline-limits.json, offline-limits.png and offline-limits.pdf."""
    states = done(states_only, DISCOUNTS, pool, group=lambda g: "states matched")
    support = done(on_path_only, DISCOUNTS, pool, group=lambda g: "states and actions matched")
    rows = done(dominant, range(seeds), pool, group=lambda seed: "dominant strategies")
    data = {
        "seeds": seeds,
        "states": [
            {"discount": g, "gap": gap, "line": 2.0 / (1.0 - g)} for g, gap in zip(DISCOUNTS, states, strict=True)
        ],
        "support": [
            {"discount": g, "gap": gap, "line": 1.0 / (1.0 - g)} for g, gap in zip(DISCOUNTS, support, strict=True)
        ],
        "dominant": [row for part in rows for row in part],
    }
    keep(out, "offline-limits", data)
    redraw(out)


def states_only(discount: float) -> float:
    """The gap of always playing the first action in repeated matching pennies: the states are matched."""
    rewards = np.array([[[1.0, -1.0], [-1.0, 1.0]]])
    game = MarkovGame("pennies", Dynamics(rewards, np.ones((1, 2, 2, 1)), np.ones(1), discount=discount))
    always = np.array([[1.0, 0.0]])
    return table_gap(MarkovModel(game), (always, always)).nash_gap


def on_path_only(discount: float) -> float:
    """The gap of the experts' own play where they go, and uniform play elsewhere: state-actions are matched."""
    like = unseen(0)
    legal = like.joint_legal()
    game = MarkovGame("unseen", Dynamics(like.rewards, like.transitions, like.initial, discount=discount, legal=legal))
    model = MarkovModel(game)
    experts = model.equilibrium("first")
    seen = model.reach(experts) > 0
    learned = [np.where(seen[:, None], experts[seat], uniform_rows(model.legal(seat))) for seat in (0, 1)]
    return table_gap(model, (learned[0], learned[1])).nash_gap


def dominant(seed: int) -> list[dict[str, float]]:
    """Distance, gap in its max form, and bound of noisy clones in a random game with dominant strategies."""
    rng = np.random.default_rng(seed)
    states, discount = 6, 0.9
    first, second = rng.random((states, 3)), rng.random((states, 3))
    rewards = 0.5 * (first[:, :, None] - second[:, None, :])
    kernel = np.broadcast_to(rng.dirichlet(np.ones(states), states)[:, None, None], (states, 3, 3, states))
    game = MarkovGame("dominant", Dynamics(rewards, np.array(kernel), np.full(states, 1 / states), discount=discount))
    model = MarkovModel(game)
    experts = model.equilibrium("first")
    visits = model.reach(experts) * (1.0 - discount)
    rows = []
    for share in SHARES:
        learned = tuple((1 - share) * table + share * random_table(rng, table.shape) for table in experts)
        apart = max(float(visits @ np.abs(learned[seat] - experts[seat]).sum(1)) for seat in (0, 1))
        found = table_gap(model, (learned[0], learned[1])).nash_gap_max
        bound = 4.0 * apart / (1.0 - discount) ** 2 * float(np.ptp(rewards))
        rows.append({"seed": seed, "distance": apart, "gap_max": found, "bound": bound})
    return rows


def random_table(rng: np.random.Generator, shape: tuple[int, ...]) -> Table:
    return rng.dirichlet(np.ones(shape[1]), shape[0])


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "offline-limits.json").read_bytes())
    rows = [
        [f"{one['discount']:g}", f"{one['gap']:.4f}", f"{one['line']:.4f}", f"{two['gap']:.4f}", f"{two['line']:.4f}"]
        for one, two in zip(data["states"], data["support"], strict=True)
    ]
    headings = ["discount", "states matched: gap", "2 / (1 - g)", "states and actions matched: gap", "1 / (1 - g)"]
    grid("What exact matching leaves", headings, rows)
    held = sum(row["gap_max"] <= row["bound"] for row in data["dominant"])
    tight = max(row["gap_max"] / row["bound"] for row in data["dominant"])
    print(f"dominant strategies: the bound holds in {held} of {len(data['dominant'])} cases; at most {tight:.3f} of it")
    picture(out, "offline-limits", draw(data))


def draw(data: dict[str, Any]) -> Figure:
    """Gaps against the effective horizon left, gap against distance with its bound right."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for key, label, colour in (
        ("states", "states matched", "#c8553d"), ("support", "states and actions matched", "#1b6ca8"),
    ):  # fmt: skip
        spans = [1.0 / (1.0 - row["discount"]) for row in data[key]]
        left.plot(spans, [row["gap"] for row in data[key]], "o-", color=colour, label=label)
    left.set(xscale="log", yscale="log", xlabel="1 / (1 - discount)", ylabel="exact Nash gap")
    distance = [row["distance"] for row in data["dominant"]]
    right.scatter(distance, [row["gap_max"] for row in data["dominant"]], s=8, color="#588157", label="gap (max form)")
    right.scatter(distance, [row["bound"] for row in data["dominant"]], s=8, color="#8d99ae", label="bound")
    right.set(xscale="log", yscale="log", xlabel="distance to the experts", title="dominant strategies")
    for axes in (left, right):
        place(axes.xaxis, log_ticks(*axes.get_xlim()))
        place(axes.yaxis, log_ticks(*axes.get_ylim()))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure
