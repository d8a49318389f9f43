"""Fewer asks than coverage: what each explorer spends until the clone of a seat cannot be exploited.

For every explorer, game, seat and seed, with symmetry and without: distinct labels, asks and games until the
greedy clone has exploitability 0, and until the clone as it is has at most 0.02, both exact; beside them the
decisions that the expert can be led to and the least games that come through all of them.

What is measured is the clone that a learner would hand over if it stopped there. An explorer that stands by a clone of
its own (refute) is measured whenever it has fitted it. For the others the first d distinct labels are cloned
afresh whenever d has grown by an eighth; between the first such d that reaches a target and the one before, the
least is found by bisection, to within 2 %. Who has not reached it within the budget of games is reported so.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from over_seeds import interval, ranged
from rich import box
from rich.console import Console
from rich.table import Table

from agents import make_expert
from agents.expert import optimal_table
from agents.files import to_json, write_atomic
from agents.network import Architecture
from agents.policy import Policy, greedy_rows, tabulate, uniform_rows
from games.base import Floats, Ints
from mail import explore
from mail.clone import CloneConfig, clone
from mail.decisions import Decisions, merge
from mail.explore.base import Explorer, Fixed, Setting
from mail.explore.refute import Led
from mail.figure import png
from mail.gap import exploitability
from mail.learners import Collector, Memoryless
from mail.least import Least, least
from mail.play import Labels
from mail.pool import Local
from mail.streams import stream
from mail.training import Ground, ground

EXPLORERS = ("refute", "unsure", "counts", "deep", "uniform", "expert")
COLOURS = dict(zip(EXPLORERS, ("#7b2d8b", "#d1495b", "#588157", "#1b6ca8", "#8d99ae", "#c8553d"), strict=True))
GAMES = ("connect4:4x4", "tictactoe")
SOFT = 0.02
TARGETS = {"greedy": 0.0, "soft": SOFT}
"""Exploitability to be reached by the greedy clone, and by the clone as it is."""
MOST_GAMES = {"expert": 256, "uniform": 20_000, "counts": 4000, "deep": 4000, "unsure": 8000, "refute": 4000}
"""Budgets of one cell; two deterministic experts only ever play one game."""
FEWER = {
    ("connect4:4x4", False, "counts"): 3,
    ("connect4:4x4", False, "deep"): 2,
    ("connect4:4x4", True, "counts"): 2,
    ("connect4:4x4", True, "deep"): 2,
    ("connect4:4x4", True, "uniform"): 3,
    ("connect4:4x4", True, "unsure"): 3,
}
"""Seeds at most, by game, symmetry and explorer, where a cell takes minutes; the tables say how many there are."""
FIT = CloneConfig(Architecture(convolutions=1))
"""How the labels of explorers without a clone of their own are cloned."""
BATCH = 256
"""Games a round for explorers that learn nothing: their rounds are all alike."""


@dataclass(frozen=True)
class Cell:
    """One run."""

    game: str
    symmetry: bool
    explorer: str
    seat: int
    seed: int

    @property
    def group(self) -> str:
        """What it shares with the other seeds."""
        return f"{self.game}, symmetry {'on' if self.symmetry else 'off'}, {self.explorer}, seat {self.seat}"

    @property
    def file(self) -> str:
        """Its name in the folder of finished cells."""
        return f"{self.group}, seed {self.seed}.json".replace(", ", "_").replace(" ", "-").replace(":", "-")


def make(seeds: int, out: Path) -> None:
    """Run the cells that are not there yet, seed by seed; write asks.json and asks.png after each seed."""
    begun = time.perf_counter()
    unpack(seeds, out)
    for seed in range(seeds):
        for cell in cells(seed):
            path = out / "asks-cells" / cell.file
            if not path.is_file():
                write_atomic(path, to_json(run(cell)))
                print(f"{time.perf_counter() - begun:6.0f} s  {cell.group}, seed {seed}", file=sys.stderr)
        write_atomic(out / "asks.json", to_json(collect(seed + 1, out)))
        if seed:
            write_atomic(out / "asks.png", draw(json.loads((out / "asks.json").read_bytes())))
    redraw(out)


def unpack(seeds: int, out: Path) -> None:
    """The cells that an earlier asks.json holds, as if they had just been run: an unfinished figure goes on from it."""
    if not (out / "asks.json").is_file():
        return
    groups = json.loads((out / "asks.json").read_bytes())["groups"]
    for cell in (cell for seed in range(seeds) for cell in cells(seed)):
        path = out / "asks-cells" / cell.file
        for found in groups.get(cell.group, []):
            if found.get("seed") == cell.seed and not path.is_file():
                write_atomic(path, to_json({key: value for key, value in found.items() if key != "seed"}))


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "asks.json").read_bytes())
    write_atomic(out / "asks.png", draw(data))
    show(data)


def cells(seed: int) -> list[Cell]:
    """Everything to be run with one seed, without symmetry first."""
    every = [
        Cell(game, symmetry, explorer, seat, seed)
        for symmetry in (False, True)
        for game in GAMES
        for explorer in EXPLORERS
        for seat in (0, 1)
    ]
    return [cell for cell in every if seed < FEWER.get((cell.game, cell.symmetry, cell.explorer), seed + 1)]


def collect(seeds: int, out: Path) -> dict[str, Any]:
    """The finished cells of the first seeds (an unfinished figure has fewer of some), and the bounds beside them."""
    groups: dict[str, list[Any]] = {}
    bounds: dict[str, Any] = {}
    for cell in (cell for seed in range(seeds) for cell in cells(seed)):
        path = out / "asks-cells" / cell.file
        if not path.is_file():
            continue
        groups.setdefault(cell.group, []).append({"seed": cell.seed, **json.loads(path.read_bytes())})
        bound = bounds_of(cell.game, cell.symmetry)[cell.seat]
        key = f"{cell.game}, symmetry {'on' if cell.symmetry else 'off'}, seat {cell.seat}"
        bounds[key] = {"labels": bound.labels, "games": bound.games}
    return {"seeds": seeds, "least": bounds, "groups": groups}


@cache
def known(game: str, symmetry: bool) -> Ground:
    return ground(game, symmetry=symmetry)


@cache
def bounds_of(game: str, symmetry: bool) -> tuple[Least, Least]:
    """The labels there are and the least games, for each seat's expert."""
    graph = known(game, symmetry).learned_model
    table = optimal_table(graph, ties="first")
    return least(graph, table, 0), least(graph, table, 1)


@cache
def reachable(game: str, symmetry: bool, seat: int) -> frozenset[bytes]:
    """The keys of the decisions that the seat's expert can be led to."""
    graph = known(game, symmetry).learned_model
    profile = [uniform_rows(graph.legal(0)), uniform_rows(graph.legal(1))]
    profile[seat] = optimal_table(graph, ties="first")
    rows = np.flatnonzero((graph.reach((profile[0], profile[1])) > 0) & (graph.seat == seat))
    return frozenset(key.tobytes() for key in graph.game.key(graph.states[rows], seat))


# --- one cell --------------------------------------------------------------------------------------------


def run(cell: Cell) -> dict[str, Any]:
    """What was spent until the targets were reached (None where they were not), and in all."""
    at = known(cell.game, cell.symmetry)
    setting = Setting(at.learned, 1 - cell.seat, make_expert("first", at.learned_model), "cpu", at.learned_model)
    explorer = explore.make(cell.explorer, setting, rng=stream(cell.seed, "asks", seat=cell.seat))
    asked = Asked(cell.seat, reachable(cell.game, cell.symmetry, cell.seat))
    search = Search(cell, at, asked)
    own = explorer.clone() is not None
    for decisions, learned in rounds(cell, setting, explorer):
        asked.see(decisions)
        fit = explorer.clone()
        if fit is None:
            search.look()
        elif learned:  # it has fitted its clone anew
            search.note(measure(at, fit.policy, cell.seat))
        if search.over or not (own or asked.missing):
            break
    if not own:
        search.look(last=True)
    return {**search.found(), "spent": asked.spent(asked.asks), "own_clone": own}


def rounds(cell: Cell, setting: Setting, explorer: Explorer) -> Iterator[tuple[Decisions, dict[str, float]]]:
    """Rounds of play within the budget, and what the explorer says it learned from each."""
    collector = Collector(f"asks/{cell.explorer}", setting.game, cell.seed, Local(), Memoryless())
    size = BATCH if isinstance(explorer, Fixed) else explorer.games_per_round
    games = number = 0
    while games < MOST_GAMES[cell.explorer] and not explorer.done:
        pair = (explorer.against(), explorer.behaviour())
        asked = explorer.labels()
        labels: Labels = (asked, None) if cell.seat == 0 else (None, asked)
        seats = pair if cell.seat == 0 else (pair[1], pair[0])
        decisions = collector.round(seats, labels, size, seat=cell.seat, round_=number)
        games, number = games + size, number + 1
        rng = stream(cell.seed, "asks/update", seat=cell.seat, round_=number)
        yield decisions, explorer.update(decisions, rng=rng)


class Asked:
    """The asks of one seat, game by game in order of play."""

    def __init__(self, seat: int, reachable: frozenset[bytes]) -> None:
        self.seat, self.games, self.asks = seat, 0, 0
        self.missing = set(reachable)
        """Decisions that the expert can be led to and that have not been asked."""
        self.first: list[int] = []
        """Number of the ask, from 0, that brought each distinct label."""
        self._game: list[int] = []  # of each ask
        self._new: list[Decisions] = []  # the rows of distinct labels
        self._seen: set[bytes] = set()

    def see(self, decisions: Decisions) -> None:
        """Take in a round."""
        rows = decisions.take(decisions.asked & (decisions.seat == self.seat))
        rows = rows.take(np.argsort(rows.episode, kind="stable"))
        keys = [key.tobytes() for key in rows.key]
        new = [at for at, key in enumerate(keys) if key not in self._seen and key not in keys[:at]]
        self._seen.update(keys)
        self.missing.difference_update(keys)
        self.first += [self.asks + at for at in new]
        self._game += (rows.episode + self.games).tolist()
        self._new.append(rows.take(np.array(new, dtype=np.int64)))
        self.games, self.asks = self.games + decisions.games, self.asks + len(rows)

    def spent(self, asks: int) -> dict[str, int]:
        """What the first asks come to: all games so far for all asks, else the games until the last of them."""
        games = self.games if asks == self.asks else self._game[asks - 1] + 1
        return {"distinct": sum(first < asks for first in self.first), "asks": asks, "games": games}

    def labels(self, distinct: int) -> Decisions:
        """The rows of the first distinct labels."""
        return merge(self._new).take(np.arange(distinct))


class Search:
    """The fewest asks that reach each target."""

    def __init__(self, cell: Cell, at: Ground, asked: Asked) -> None:
        self.cell, self.at, self.asked = cell, at, asked
        self.low = dict.fromkeys(TARGETS, 0)
        """Most distinct labels known not to reach it ..."""
        self.high: dict[str, int | None] = dict.fromkeys(TARGETS)
        """... and the first ones known to."""
        self.spent: dict[str, dict[str, int]] = {}
        self._next = 8  # distinct labels at the next look
        self._fresh = False  # whether clones are made here

    @property
    def over(self) -> bool:
        """Whether every target is reached."""
        return None not in self.high.values()

    def note(self, losses: dict[str, float]) -> None:
        """What the clone of all labels so far loses."""
        distinct = len(self.asked.first)
        for target, limit in TARGETS.items():
            if self.high[target] is None and losses[target] <= limit:
                self.high[target], self.spent[target] = distinct, self.asked.spent(self.asked.asks)
            elif self.high[target] is None:
                self.low[target] = distinct

    def look(self, *, last: bool = False) -> None:
        """Clone the labels so far and note what the clone loses, if there are an eighth more than at the last look."""
        if len(self.asked.first) >= self._next or (last and not self.over):
            self._fresh = True
            self._next = len(self.asked.first) * 9 // 8
            self.note(self._losses(len(self.asked.first)))

    def found(self) -> dict[str, dict[str, int] | None]:
        """What was spent on each target, None where it was not reached; refined where clones were made afresh."""
        if self._fresh:
            for target, high in self.high.items():
                if high is not None:
                    fewest = self._fewest(target, self.low[target], high)
                    self.spent[target] = self.asked.spent(self.asked.first[fewest - 1] + 1)
        return {target: self.spent.get(target) for target in TARGETS}

    def _fewest(self, target: str, low: int, high: int) -> int:
        """Bisection, down to 2 %."""
        while high - low > max(1, high // 50):
            middle = (low + high) // 2
            if self._losses(middle)[target] <= TARGETS[target]:
                high = middle
            else:
                low = middle
        return high

    def _losses(self, distinct: int) -> dict[str, float]:
        """Of a fresh clone of the first distinct labels."""
        rng = stream(self.cell.seed, f"asks/{self.cell.explorer}/clone", seat=self.cell.seat, round_=distinct)
        fit = clone(self.at.learned, self.asked.labels(distinct), self.cell.seat, config=FIT, rng=rng)
        return measure(self.at, fit.policy, self.cell.seat)


def measure(at: Ground, policy: Policy, seat: int) -> dict[str, float]:
    """Exploitability of the greedy clone, exact; of the clone as it is, exact where it is at most SOFT."""
    graph = at.learned_model

    def ask(rows: Ints) -> Floats:
        return policy.probabilities(graph.game, graph.states[rows], seat)

    greedy = Led.of(graph, lambda rows: greedy_rows(ask(rows)), seat, 0.5).refute().loss
    soft = Led.of(graph, ask, seat, 1e-3).refute().loss
    if soft <= SOFT:
        soft = exploitability(graph, tabulate(graph, policy, seat), seat)
    return {"greedy": greedy, "soft": soft}


# --- tables and picture ----------------------------------------------------------------------------------


def show(data: dict[str, Any]) -> None:
    """A table per game with and without symmetry."""
    console = Console(width=150)
    for title, groups in panels(data).items():
        table = Table(title=f"{title}: mean [95 % interval]", box=box.SIMPLE)
        for heading in ("explorer, seat", "seeds", "distinct to 0", "asks to 0", "games to 0", f"distinct to {SOFT}"):
            table.add_column(heading, justify="right")
        for name, runs in groups.items():
            cells = [told(runs, "greedy", unit) for unit in ("distinct", "asks", "games")]
            table.add_row(name, str(len(runs)), *cells, told(runs, "soft", "distinct"))
        for seat in (0, 1):
            bound = data["least"][f"{title}, seat {seat}"]
            table.add_row(f"all there is, {seat}", "", str(bound["labels"]), "", f"least {bound['games']}", "")
        console.print(table)


def panels(data: dict[str, Any]) -> dict[str, dict[str, list[Any]]]:
    """Groups by game and symmetry: {"game, symmetry off": {"explorer, seat 0": runs}}."""
    found: dict[str, dict[str, list[Any]]] = {}
    for group, runs in data["groups"].items():
        game, symmetry, explorer, seat = group.split(", ")
        found.setdefault(f"{game}, {symmetry}", {})[f"{explorer}, {seat[-1]}"] = runs
    return found


def told(runs: list[Any], target: str, unit: str) -> str:
    """A cell of a table; where it was never reached, within how many asks."""
    rows = [{unit: None if run[target] is None else run[target][unit]} for run in runs]
    if all(row[unit] is None for row in rows):
        return f"not in {max(run['spent']['asks'] for run in runs):,} asks"
    return ranged(rows, unit) if len(rows) > 1 else f"{rows[0][unit]:,}"


def draw(data: dict[str, Any]) -> bytes:
    """Distinct labels to greedy exploitability 0, a bar per explorer; open dots: asks; the line: all there is."""
    parts = panels(data)
    figure, axes = plt.subplots(len(parts), 2, figsize=(11, 2.9 * len(parts)), layout="constrained", squeeze=False)
    for row, (title, groups) in enumerate(parts.items()):
        for seat in (0, 1):
            panel = axes[row][seat]
            for place, explorer in enumerate(reversed(EXPLORERS)):
                bar(panel, place, explorer, groups.get(f"{explorer}, {seat}", []))
            bound = data["least"][f"{title}, seat {seat}"]["labels"]
            panel.axvline(bound, color="black", linestyle=":", linewidth=1)
            panel.set(xscale="log", yticks=range(len(EXPLORERS)), yticklabels=reversed(EXPLORERS))
            panel.set_title(f"{title}, seat {seat} (dotted: all {bound} labels)", fontsize=9)
            panel.set_xlim(left=5)
            panel.set_ylim(-0.6, len(EXPLORERS) - 0.4)
            panel.grid(alpha=0.3, axis="x")
    for panel in axes[-1]:
        panel.set_xlabel("distinct labels (bars), asks (rings) to greedy exploitability 0")
    figure.suptitle(
        f"What a clone that cannot be exploited costs: mean and 95 % interval of up to {data['seeds']} seeds"
    )
    return png(figure)


def bar(panel: Axes, place: int, explorer: str, runs: list[Any]) -> None:
    """One explorer's row."""
    reached = [run["greedy"] for run in runs if run["greedy"] is not None]
    if len(reached) < len(runs) or not runs:
        word = f"not reached in {len(runs) - len(reached)} of {len(runs)} seeds" if runs else "not run"
        panel.text(6, place, word, va="center", fontsize=8, color=COLOURS[explorer])
        return
    for unit in ("distinct", "asks"):
        values = [spent[unit] for spent in reached]
        mean, low, high = interval(values) if len(values) > 1 else (values[0],) * 3
        if unit == "distinct":
            panel.barh(place, mean, color=COLOURS[explorer], height=0.6)
            panel.plot([max(low, 1), high], [place, place], color="black", linewidth=1.5)
        else:
            panel.plot([mean], [place], "o", color=COLOURS[explorer], markerfacecolor="white", markersize=6)
