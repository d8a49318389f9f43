"""What concentrability costs BC: its exact gap against the state-level and the feature-level coefficient.

At a fork player 1 leads to the common region or, by its other action, to the rare one, where its expert gets only by
accident, with probability delta. In each state of either region one action of three is right for player 0, the argmax
of w . phi, and a wrong one costs 1. The state-level coefficient is about 1 / delta. The feature-level one is too where
each region has features of its own (``apart``, ``onehot``), and stays small where both share them (``shared``).
Each learner gets the same number of games; MAIL explores linearly with the features apart.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.markov_games import SolvedGame, banded, cell, clones, explored, grid, keep, on
from figures.over_seeds import done, picture
from games.base import Floats
from games.markov.concentrability import all_policies, feature_level
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from mail.evaluation.axes import log_ticks, place
from mail.evaluation.gap import nash_gap
from mail.learners.collect import Options
from mail.parallel.pool import Pool

DELTAS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.003)
GAMES = 40
"""Games a seat."""
REGION, DIMENSION, ACTIONS = 20, 4, 3


@dataclass(frozen=True)
class Kind:
    """A learner of the figure."""

    explorer: str
    features: str
    colour: str


KINDS = {
    "BC, shared features": Kind("expert", "shared", "#1b6ca8"),
    "BC, features apart": Kind("expert", "apart", "#c8553d"),
    "BC, one-hot": Kind("expert", "onehot", "#e09f3e"),
    "MAIL, features apart": Kind("linear", "apart", "#588157"),
}


def fork(delta: float, features: str) -> MarkovGame:
    """The game above; state 0 is the fork, then the common region, then the rare one."""
    rng = np.random.default_rng(0)
    states = 1 + 2 * REGION
    phi = rng.normal(size=(states, ACTIONS, DIMENSION))
    right = (phi @ rng.normal(size=DIMENSION)).argmax(1)
    rewards = -np.ones((states, ACTIONS, 2))
    rewards[np.arange(states), right] = 0.0
    rewards[0] = 0.0
    common, rare = np.zeros(states), np.zeros(states)
    common[1 : 1 + REGION] = rare[1 + REGION :] = 1.0 / REGION
    kernel = np.zeros((states, ACTIONS, 2, states))
    kernel[0, :, 0], kernel[0, :, 1] = (1.0 - delta) * common + delta * rare, rare
    kernel[1 : 1 + REGION], kernel[1 + REGION :] = common, rare
    legal = np.ones((states, ACTIONS), dtype=np.bool_), np.zeros((states, 2), dtype=np.bool_)
    legal[0][0], legal[1][0] = False, True
    first = {"shared": phi, "apart": apart(phi), "onehot": np.eye(states * ACTIONS).reshape(states, ACTIONS, -1)}
    second = np.eye(states * ACTIONS).reshape(states, ACTIONS, -1)
    return MarkovGame(
        "fork",
        Dynamics(rewards, kernel, np.eye(states)[0], discount=0.9, legal=legal),
        Views(linear=Linear((first[features], second))),
    )


def apart(phi: Floats) -> Floats:
    """[S, A, 2 d] the features in one block for the common region, in another for the rare one."""
    wide = np.zeros((*phi.shape[:2], 2, phi.shape[2]))
    wide[: 1 + REGION, :, 0], wide[1 + REGION :, :, 1] = phi[: 1 + REGION], phi[1 + REGION :]
    return wide.reshape(*phi.shape[:2], -1)


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the table, write concentrability.json, concentrability.png and concentrability.pdf."""
    forks = [(delta, features) for delta in DELTAS for features in sorted({kind.features for kind in KINDS.values()})]
    found = done(levels_of, forks, pool, group=lambda cell: "coefficients")
    coefficients = dict(zip(forks, found, strict=True))
    cells = [(delta, name, seed) for delta in DELTAS for name in KINDS for seed in range(seeds)]
    gaps = iter(done(gap_of, cells, pool, group=lambda cell: f"delta={cell[0]}"))
    rows = [
        {
            "delta": delta,
            "method": name,
            **coefficients[delta, kind.features],
            "gaps": [next(gaps) for _ in range(seeds)],
        }
        for delta in DELTAS
        for name, kind in KINDS.items()
    ]
    keep(out, "concentrability", {"seeds": seeds, "rows": rows})
    redraw(out)


@cache
def forked(delta: float, features: str) -> SolvedGame:
    """This fork with its model and experts, made once."""
    return on(fork(delta, features))


def levels_of(cell: tuple[float, str]) -> dict[str, float]:
    """The coefficients of a delta and features."""
    return levels(forked(*cell))


def gap_of(cell: tuple[float, str, int]) -> float:
    """The gap of a delta, learner and seed."""
    delta, name, seed = cell
    return gap(forked(delta, KINDS[name].features), KINDS[name].explorer, seed)


def levels(solved: SolvedGame) -> dict[str, float]:
    """The coefficients of the imitated player 0's features (player 1's are one-hot, and its seat has one state)."""
    nothing = solved.game.linear
    assert nothing is not None
    return {
        "state_level": all_policies(solved.model, solved.tables),
        "feature_level": feature_level(solved.model, solved.tables, ridge=1e-9).value,
    }


def gap(solved: SolvedGame, explorer: str, seed: int) -> float:
    """The exact gap of the softmax-linear clones after ``GAMES`` games a seat."""
    options = Options(seed=seed)
    found = explored(solved, explorer, GAMES, options)
    return nash_gap(solved.model, clones(solved, "linear", found, GAMES, options)).nash_gap


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "concentrability.json").read_bytes())
    rows = [
        [f"{row['delta']:g}", row["method"], *(f"{row[key]:.3g}" for key in ("state_level", "feature_level")),
         cell(row["gaps"])]
        for row in data["rows"]
    ]  # fmt: skip
    headings = ["delta", "", "state level", "feature level", "exact gap, mean [95 %]"]
    grid(f"What concentrability costs, {GAMES} games a seat", headings, rows)
    picture(out, "concentrability", draw(data))


def draw(data: dict[str, Any]) -> Figure:
    """Mean gap against each coefficient."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharey=True)
    for axes, key in zip(panels, ("state_level", "feature_level"), strict=True):
        for (name, kind), marker in zip(KINDS.items(), "os^D", strict=True):
            part = [row for row in data["rows"] if row["method"] == name]
            rows = np.array([row["gaps"] for row in part]).T.tolist()
            banded(axes, [row[key] for row in part], rows, label=name, colour=kind.colour, marker=marker)
        axes.set(xscale="log", xlabel=key.replace("_", "-") + " coefficient")
        found = [row[key] for row in data["rows"]]
        place(axes.xaxis, log_ticks(min(found), max(found)))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel(f"exact Nash gap after {GAMES} games a seat:\nmedian and quartiles over seeds")
    panels[0].legend(fontsize=8)
    return figure
