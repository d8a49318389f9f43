"""Tic-Tac-Toe: what cloning reaches with and without exploration, measured exactly and by the reference's proxy.

Three parts, over the same seeds:

- *curves*: BC of a deterministic and of a uniform expert, MAIL with uniform, count and deep exploration; each
  seat's exact exploitability when its first n labels are cloned, and the proxy of the reference code: the loss
  rate against an expert that, where it cannot win at once, plays 0.6 expert + 0.4 uniform one time in ten
  (docs/algorithms.md, "Exploitability and the Nash gap"; computed exactly here, not sampled).
- *coverage*: games and queries until every decision reachable under the expert has been queried, and until the
  labels so far, played uniformly elsewhere, have exploitability 0.
- *default*: MAIL as `nashmail train` runs it, without and with symmetry: what it spends and what it reaches.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table

from agents import make_expert
from agents.policy import uniform_rows
from agents.storage.policies import to_json, write_atomic
from figures.asking.measures import bounds_of, graph_of, known
from figures.over_seeds import done, picture, ranged, rounded
from games.base import Floats
from games.graph import GameGraph
from mail.clone.network import CloneConfig, clone
from mail.data.decisions import Decisions
from mail.evaluation.axes import gap_axis, log_ticks, place, seeds_line
from mail.evaluation.coverage import CoverageBounds, imitation_limit
from mail.evaluation.exact import profile_measures, seat_measures
from mail.evaluation.gap import exploitability
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local, Pool
from mail.parallel.streams import stream
from mail.training.context import GameContext
from mail.training.evaluate import spending

GAME = "tictactoe"
BUDGETS = ((25, 50, 100, 200, 300, 410, 820, 1640), (100, 400, 800, 1200, 1600, 2000, 3000))
"""Queries at which each seat's clone is measured."""
COVER_LIMIT = 20_000
"""Games after which the wait for coverage is given up."""
METHODS = {
    "bc": ("expert", "first"),
    "bc-uniform": ("expert", "uniform"),
    "mail uniform": ("uniform", "first"),
    "mail counts": ("counts", "first"),
    "mail deep": ("deep", "first"),
}
"""Explorer and expert of each line: exploring with the other expert is what makes MAIL into BC."""
COLOURS = dict(zip(METHODS, ("#c8553d", "#e09f3e", "#8d99ae", "#588157", "#1b6ca8"), strict=True))


@dataclass(frozen=True)
class Line:
    """One method on one seat."""

    method: str
    explorer: str
    expert: str
    seat: int

    @property
    def name(self) -> str:
        """Method and seat."""
        return f"{self.method}/{self.seat}"


class Covered(BudgetTracker):
    """Queries until the budget of labels is spent *and* all reachable labels are seen (measuring, not learning)."""

    def __init__(self, labels: int, seat: int, reachable: int | None) -> None:
        super().__init__(Budget(), seat)
        self.wanted, self.reachable = labels, reachable

    @property
    def done(self) -> bool:
        covered = self.reachable is None or len(self._seen) >= self.reachable
        return self.labels >= self.wanted and (covered or self.games >= COVER_LIMIT)


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run everything, print the tables, write tictactoe.json, tictactoe.png and tictactoe.pdf."""
    lines = [Line(method, *kind, seat) for method, kind in METHODS.items() for seat in (0, 1)]
    cells = [(line, seed) for line in lines for seed in range(seeds)]
    curves: dict[str, list[list[dict[str, float]]]] = {}
    coverage: dict[str, list[dict[str, Any]]] = {}
    found = done(followed, cells, pool, group=lambda cell: f"{cell[0].name}, seed {cell[1]}")
    for (line, _), (points, covered) in zip(cells, found, strict=True):
        curves.setdefault(line.name, []).append(points)
        if covered is not None:
            coverage.setdefault(line.name, []).append(covered)
    data = {
        "seeds": seeds,
        "least": [{"games": bound.games, "labels": bound.labels} for bound in bounds_of(GAME, False)],
        "bc_infinite": {ties: infinite(graph_of(known(GAME, False).model), ties) for ties in ("first", "uniform")},
        "curves": curves,
        "coverage": coverage,
        "default": defaults(seeds, pool),
    }
    write_atomic(out / "tictactoe.json", to_json(rounded(data)))
    redraw(out)


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "tictactoe.json").read_bytes())
    picture(out, "tictactoe", draw(data))
    show(data)


def followed(cell: tuple[Line, int]) -> tuple[list[dict[str, float]], dict[str, Any] | None]:
    """The curve of a line and seed, and, where it explores with the first expert, what coverage took."""
    line, seed = cell
    at, bound = known(GAME, False), bounds_of(GAME, False)[line.seat]
    decisions = explore(at, line, bound, seed)
    covers = line.expert == "first" and line.explorer != "expert"
    return curve(at, line, decisions, seed), covering(at, line, bound, decisions) if covers else None


def explore(at: GameContext, line: Line, bound: CoverageBounds, seed: int) -> Decisions:
    """Play until there are labels for every budget, and, for MAIL, until all labels have been seen."""
    mail = Mail(Options(seed=seed, explorer=line.explorer), name=line.method)
    collector = Collector(line.method, at.game, seed)
    reachable = bound.labels if line.explorer != "expert" else None
    watch = Covered(BUDGETS[line.seat][-1], line.seat, reachable)
    return mail.explore(
        collector, make_expert(line.expert, graph_of(at.model)), Budget(episodes=COVER_LIMIT), line.seat, watch
    ).decisions


def curve(at: GameContext, line: Line, decisions: Decisions, seed: int) -> list[dict[str, float]]:
    """Exact exploitability and the proxy at every budget of queries."""
    points, graph = [], graph_of(at.model)
    for index, labels in enumerate(BUDGETS[line.seat]):
        part = decisions.first_labels(line.seat, labels)
        rng = stream(seed, f"{line.method}/curve", seat=line.seat, round_=index)
        config = replace(CloneConfig(), max_steps=2000 if line.expert == "first" else 600)
        policy = clone(at.game, part, line.seat, config=config, rng=rng).policy
        table = policy.probabilities(at.game, graph.states, line.seat)
        found: dict[str, float] = {"labels": labels}
        found["distinct_labels"] = part.take(part.seat == line.seat).distinct_labels()
        found |= seat_measures(graph, policy, line.seat)
        points.append({**found, "proxy": proxy(graph, table, line.seat)})
    return points


def proxy(graph: GameGraph, table: Floats, seat: int) -> float:
    """Loss rate of the seat's policy against the reference's noisy expert."""
    expert = graph.equilibrium("first")[0]
    noisy = 0.9 * expert + 0.1 * (0.6 * expert + 0.4 * uniform_rows(graph.legal_mask))
    sign = 1.0 - 2.0 * graph.seat[:, None]
    wins = (graph.legal_mask & (graph.reward * sign > 0)).any(1)
    opponent = np.where(wins[:, None], expert, noisy) * (graph.seat == 1 - seat)[:, None]
    won, _, lost = graph.outcomes((table, opponent) if seat == 0 else (opponent, table))
    return lost if seat == 0 else won


def covering(at: GameContext, line: Line, bound: CoverageBounds, decisions: Decisions) -> dict[str, Any]:
    """Games and queries to coverage, and to the first exploitability 0 of the labels so far."""
    queried = decisions.take(decisions.queried)
    queried = queried.take(np.argsort(queried.episode, kind="stable"))
    _, first = np.unique(queried.key, axis=0, return_index=True)
    news = np.sort(first)
    covered = len(news) >= bound.labels
    graph = graph_of(at.model)
    table = uniform_rows(graph.legal(line.seat))
    rows = graph.index(queried.state)
    zero = None
    for row in news:
        table[rows[row]] = queried.label[row]
        if exploitability(graph, table, line.seat) == 0.0:
            zero = int(row)
            break
    return {
        "games_to_cover": int(queried.episode[news[-1]]) + 1 if covered else None,
        "asks_to_cover": int(news[-1]) + 1 if covered else None,
        "games_to_zero": None if zero is None else int(queried.episode[zero]) + 1,
        "asks_to_zero": None if zero is None else zero + 1,
    }


def defaults(seeds: int, pool: Pool) -> dict[str, list[dict[str, Any]]]:
    """Every seed without symmetry and with it."""
    cells = [(symmetry, seed) for symmetry in (False, True) for seed in range(seeds)]
    names = {symmetry: f"symmetry {'on' if symmetry else 'off'}" for symmetry in (False, True)}
    rows = done(default, cells, pool, group=lambda cell: f"default, {names[cell[0]]}, seed {cell[1]}")
    return {names[False]: rows[:seeds], names[True]: rows[seeds:]}


def default(cell: tuple[bool, int]) -> dict[str, Any]:
    """`nashmail train tictactoe [--symmetry]`, its MAIL part, for one seed."""
    symmetry, seed = cell
    at = known(GAME, symmetry)
    experts = make_expert("first", graph_of(at.learned_model))
    learned = Mail(Options(seed=seed)).learn(at.learned, experts, Budget(), pool=Local(), journal=NullJournal())
    profile = (at.lift(learned.policies[0]), at.lift(learned.policies[1]))
    return {"seed": seed, **spending(learned), **profile_measures(graph_of(at.model), profile)}


def infinite(graph: GameGraph, ties: str) -> list[float]:
    """Each seat's exploitability of cloning with infinite data."""
    experts = graph.equilibrium(ties)
    return [exploitability(graph, imitation_limit(graph, experts, seat), seat) for seat in (0, 1)]


def show(data: dict[str, Any]) -> None:
    """The three parts as tables."""
    console = Console(width=132)
    for seat in (0, 1):
        table = Table(title=f"seat {seat}: exact exploitability, mean (worst) of {data['seeds']} seeds", box=box.SIMPLE)
        for heading in ("asks", *METHODS):
            table.add_column(heading, justify="right")
        for index, labels in enumerate(BUDGETS[seat]):
            cells = []
            for method in METHODS:
                values = [points[index]["exploitability"] for points in data["curves"][f"{method}/{seat}"]]
                cells.append(f"{np.mean(values):.3f} ({max(values):.3f})")
            table.add_row(str(labels), *cells)
        console.print(table)
    table = Table(title="games and queries, mean [95 % interval]", box=box.SIMPLE)
    for heading in ("", "games to cover", "least", "queries to cover", "games to gap 0", "queries to gap 0"):
        table.add_column(heading, justify="right")
    for name, rows in data["coverage"].items():
        bound = data["least"][int(name[-1])]
        cells = [ranged(rows, key) for key in ("games_to_cover", "asks_to_cover", "games_to_zero", "asks_to_zero")]
        table.add_row(name, cells[0], str(bound["games"]), *cells[1:])
    console.print(table)
    table = Table(title="default MAIL: worst of all seeds", box=box.SIMPLE)
    keys = ("games", "labels", "distinct_labels", "nash_gap", "greedy_nash_gap")
    for heading in ("", *keys, "seeds with greedy gap exactly 0"):
        table.add_column(heading, justify="right")
    for name, rows in data["default"].items():
        exact = sum(row["greedy_nash_gap"] == 0.0 for row in rows)
        table.add_row(name, *(f"{max(row[key] for row in rows):.4g}" for key in keys), f"{exact} of {len(rows)}")
    console.print(table)


def draw(data: dict[str, Any]) -> Figure:
    """Exact exploitability above, the proxy below; median and quartiles over seeds."""
    figure, panels = plt.subplots(2, 2, figsize=(11, 7.8), layout="constrained", sharey="row")
    every: list[float] = []
    for seat in (0, 1):
        for row, key in enumerate(("exploitability", "proxy")):
            axes = panels[row][seat]
            for (method, colour), marker in zip(COLOURS.items(), "os^Dv", strict=False):
                values = [[point[key] for point in points] for points in data["curves"][f"{method}/{seat}"]]
                seeds_line(axes, BUDGETS[seat], values, color=colour, label=method, marker=marker)
                every += [value for line in values for value in line if row == 0]
            axes.set(xscale="log", xlabel="labels (expert queries)")
            place(axes.xaxis, log_ticks(BUDGETS[seat][0], BUDGETS[seat][-1]))
            axes.grid(alpha=0.3)
        bound = data["least"][seat]
        panels[0][seat].set_title(f"seat {seat}: {bound['labels']} labels, least {bound['games']} games", fontsize=10)
        panels[1][seat].set_title("the reference's proxy, for the same policies", fontsize=10)
    gap_axis(panels[0][0], every)
    panels[1][0].set_ylim(-0.03, 1.03)
    panels[0][0].set_ylabel("exact exploitability")
    panels[1][0].set_ylabel("loss rate against a slightly noisy expert")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8, frameon=False)
    figure.suptitle(f"Tic-Tac-Toe: what the proxy hides (median and quartiles of {data['seeds']} seeds)", fontsize=11)
    return figure
