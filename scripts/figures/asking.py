"""One run of one explorer on one seat of an enumerable game: what it queries, and what a clone of it loses, as it goes.

What is measured is the clone that a learner would hand over if it stopped there. An explorer that stands by a clone of
its own (refute) is measured whenever it has fitted it. For the others the first d distinct labels are cloned
afresh whenever d has grown by a share; between the first such d that reaches a target and the one before, the
least is found by bisection, to within 2 %. Who has not reached it within the budget of games is reported so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from agents import make_expert
from agents.network import Architecture
from agents.policy import Policy, greedy_rows, tabulate, uniform_rows
from games.base import Floats, Ints, Model
from games.graph import GameGraph
from mail import explore
from mail.clone.network import CloneConfig, clone
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Labels
from mail.evaluation.coverage import CoverageBounds, coverage_bounds
from mail.evaluation.gap import exploitability
from mail.explore.base import Explorer, ExplorerContext
from mail.explore.fixed import Fixed
from mail.explore.refute import Reachable
from mail.learners.collect import Collector
from mail.parallel.streams import stream
from mail.training.context import GameContext, game_context

SOFT = 0.02
TARGETS = {"greedy": 0.0, "soft": SOFT}
"""Exploitability to be reached by the greedy clone, and by the clone as it is."""
MOST_GAMES = {"expert": 256, "uniform": 20_000, "counts": 4000, "deep": 4000, "unsure": 8000, "refute": 4000}
"""Budgets of one cell; two deterministic experts only ever play one game."""
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
    expert: str = "first"
    """The queried expert, which also sits in the explorer's seat where it is the explorer ``expert``."""
    games: int = 0
    """Its budget; 0 for ``MOST_GAMES``."""
    growth: float = 1 / 8
    """By how much the distinct labels have grown when they are cloned afresh."""

    @property
    def group(self) -> str:
        """What it shares with the other seeds."""
        return f"{self.game}, symmetry {'on' if self.symmetry else 'off'}, {self.explorer}, seat {self.seat}"

    @property
    def name(self) -> str:
        """Of its file among finished cells."""
        return named(self.group, self.seed)


def named(group: str, seed: int) -> str:
    """The name of a cell of this group."""
    return f"{group}, seed {seed}".replace(", ", "_").replace(" ", "-").replace(":", "-")


@cache
def known(game: str, symmetry: bool) -> GameContext:
    return game_context(game, symmetry=symmetry)


def graph_of(model: Model | None) -> GameGraph:
    """The model of a game that is enumerated."""
    assert isinstance(model, GameGraph)  # what is bounded here are ways through a graph
    return model


@cache
def bounds_of(game: str, symmetry: bool) -> tuple[CoverageBounds, CoverageBounds]:
    """The labels there are and the least games, for each seat's expert ``first``."""
    graph = graph_of(known(game, symmetry).learned_model)
    table = graph.equilibrium("first")[0]
    return coverage_bounds(graph, table, 0), coverage_bounds(graph, table, 1)


@cache
def reachable(game: str, symmetry: bool, seat: int, expert: str = "first") -> frozenset[bytes]:
    """The keys of the decisions that the seat's expert can be led to."""
    graph = graph_of(known(game, symmetry).learned_model)
    profile = [uniform_rows(graph.legal(0)), uniform_rows(graph.legal(1))]
    profile[seat] = graph.equilibrium(expert)[0]
    rows = np.flatnonzero((graph.reach((profile[0], profile[1])) > 0) & (graph.seat == seat))
    return frozenset(key.tobytes() for key in graph.game.key(graph.states[rows], seat))


def run(cell: Cell) -> dict[str, Any]:
    """What was spent until the targets were reached (None where they were not), and in all."""
    return traced(cell)[0]


def traced(cell: Cell) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """The same, and what was measured on the way."""
    at = known(cell.game, cell.symmetry)
    graph = graph_of(at.learned_model)
    context = ExplorerContext(at.learned, 1 - cell.seat, make_expert(cell.expert, graph), "cpu", graph)
    explorer = explore.make(cell.explorer, context, rng=stream(cell.seed, "asks", seat=cell.seat))
    queried = Queries(cell.seat, reachable(cell.game, cell.symmetry, cell.seat, cell.expert))
    search = Search(cell, at, queried)
    own = explorer.clone() is not None
    for decisions, learned in rounds(cell, context, explorer):
        queried.update(decisions)
        fit = explorer.clone()
        if fit is None:
            search.look()
        elif learned:  # it has fitted its clone anew
            search.note(measure(at, fit.policy, cell.seat))
        if search.over or not (own or queried.missing):
            break
    if not own:
        search.look(last=True)
    spent = queried.spent(queried.queries)
    return {**search.found(), "spent": spent, "own_clone": own}, search.notes


def rounds(cell: Cell, context: ExplorerContext, explorer: Explorer) -> Iterator[tuple[Decisions, dict[str, float]]]:
    """Rounds of play within the budget, and what the explorer says it learned from each."""
    collector = Collector(f"asks/{cell.explorer}", context.game, cell.seed)
    size = BATCH if isinstance(explorer, Fixed) else explorer.games_per_round
    games = number = 0
    while games < (cell.games or MOST_GAMES[cell.explorer]) and not explorer.done:
        pair = (explorer.opponent_policy(), explorer.behavior_policy())
        queried = explorer.labels()
        labels: Labels = (queried, None) if cell.seat == 0 else (None, queried)
        seats = pair if cell.seat == 0 else (pair[1], pair[0])
        decisions = collector.round(seats, labels, size, seat=cell.seat, round_=number)
        games, number = games + size, number + 1
        rng = stream(cell.seed, "asks/update", seat=cell.seat, round_=number)
        yield decisions, explorer.update(decisions, rng=rng)


class Queries:
    """The queries of one seat, game by game in order of play."""

    def __init__(self, seat: int, reachable: frozenset[bytes]) -> None:
        self.seat, self.games, self.queries = seat, 0, 0
        self.missing = set(reachable)
        """Decisions reachable under the expert and that have not been queried."""
        self.first: list[int] = []
        """Number of the query, from 0, that brought each distinct label."""
        self._game: list[int] = []  # of each query
        self._new: list[Decisions] = []  # the rows of distinct labels
        self._seen: set[bytes] = set()

    def update(self, decisions: Decisions) -> None:
        """Take in a round."""
        rows = decisions.take(decisions.queried & (decisions.seat == self.seat))
        rows = rows.take(np.argsort(rows.episode, kind="stable"))
        keys = [key.tobytes() for key in rows.key]
        new = [at for at, key in enumerate(keys) if key not in self._seen and key not in keys[:at]]
        self._seen.update(keys)
        self.missing.difference_update(keys)
        self.first += [self.queries + at for at in new]
        self._game += (rows.episode + self.games).tolist()
        self._new.append(rows.take(np.array(new, dtype=np.int64)))
        self.games, self.queries = self.games + decisions.games, self.queries + len(rows)

    def spent(self, queries: int) -> dict[str, int]:
        """What the first queries come to: all games so far for all queries, else the games until the last of them."""
        games = self.games if queries == self.queries else self._game[queries - 1] + 1
        return {"distinct": sum(first < queries for first in self.first), "asks": queries, "games": games}

    def labels(self, distinct: int) -> Decisions:
        """The rows of the first distinct labels."""
        return merge(self._new).take(np.arange(distinct))


class Search:
    """The fewest queries that reach each target."""

    def __init__(self, cell: Cell, at: GameContext, queried: Queries) -> None:
        self.cell, self.at, self.queried = cell, at, queried
        self.low = dict.fromkeys(TARGETS, 0)
        """Most distinct labels known not to reach it ..."""
        self.high: dict[str, int | None] = dict.fromkeys(TARGETS)
        """... and the first ones known to."""
        self.spent: dict[str, dict[str, int]] = {}
        self.notes: list[dict[str, float]] = []
        """What clones lost on the way, beside what had been spent."""
        self._next = 8  # distinct labels at the next look
        self._fresh = False  # whether clones are made here

    @property
    def over(self) -> bool:
        """Whether every target is reached."""
        return None not in self.high.values()

    def note(self, losses: dict[str, float]) -> None:
        """What the clone of all labels so far loses."""
        distinct = len(self.queried.first)
        self.notes.append({**self.queried.spent(self.queried.queries), **losses})
        for target, limit in TARGETS.items():
            if self.high[target] is None and losses[target] <= limit:
                self.high[target], self.spent[target] = distinct, self.queried.spent(self.queried.queries)
            elif self.high[target] is None:
                self.low[target] = distinct

    def look(self, *, last: bool = False) -> None:
        """Clone the labels so far and note what the clone loses, if there are enough more than at the last look."""
        if len(self.queried.first) >= self._next or (last and not self.over):
            self._fresh = True
            self._next = math.floor(len(self.queried.first) * (1 + self.cell.growth))
            self.note(self._losses(len(self.queried.first)))

    def found(self) -> dict[str, dict[str, int] | None]:
        """What was spent on each target, None where it was not reached; refined where clones were made afresh."""
        if self._fresh:
            for target, high in self.high.items():
                if high is not None:
                    fewest = self._fewest(target, self.low[target], high)
                    self.spent[target] = self.queried.spent(self.queried.first[fewest - 1] + 1)
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
        fit = clone(self.at.learned, self.queried.labels(distinct), self.cell.seat, config=FIT, rng=rng)
        return measure(self.at, fit.policy, self.cell.seat)


def measure(at: GameContext, policy: Policy, seat: int) -> dict[str, float]:
    """Exploitability of the greedy clone, exact; of the stochastic clone, exact where it is at most SOFT."""
    graph = graph_of(at.learned_model)

    def query(rows: Ints) -> Floats:
        return policy.probabilities(graph.game, graph.states[rows], seat)

    greedy = Reachable.of(graph, lambda rows: greedy_rows(query(rows)), seat, 0.5).refute().loss
    soft = Reachable.of(graph, query, seat, 1e-3).refute().loss
    if soft <= SOFT:
        soft = exploitability(graph, tabulate(graph, policy, seat), seat)
    return {"greedy": greedy, "soft": soft}
