"""What one seat has been asked, and the fewest queries after which its clone reaches a target."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from agents.network import Architecture
from figures.asking.cells import Cell
from figures.asking.measures import TARGETS, measure
from mail.clone.network import CloneConfig, clone
from mail.data.decisions import Decisions, merge
from mail.parallel.streams import stream
from mail.training.context import GameContext

FIT = CloneConfig(Architecture(convolutions=1))
"""How the labels of explorers without a clone of their own are cloned."""


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
        self.spent: dict[str, Mapping[str, float]] = {}
        self.notes: list[dict[str, float]] = []
        """What clones lost on the way, beside what had been spent."""
        self._next = 8  # distinct labels at the next look
        self._fresh = False  # whether clones are made here

    @property
    def over(self) -> bool:
        """Whether every target is reached."""
        return None not in self.high.values()

    def note(self, losses: dict[str, float], seconds: float | None = None) -> None:
        """What the clone of all labels so far loses, and the processor seconds of learning it where they are known."""
        distinct, spent = len(self.queried.first), dict[str, float](self.queried.spent(self.queried.queries))
        if seconds is not None:
            spent["seconds"] = seconds
        self.notes.append({**spent, **losses})
        for target, limit in TARGETS.items():
            if self.high[target] is None and losses[target] <= limit:
                self.high[target], self.spent[target] = distinct, spent
            elif self.high[target] is None:
                self.low[target] = distinct

    def look(self, *, last: bool = False) -> None:
        """Clone the labels so far and note what the clone loses, if there are enough more than at the last look."""
        if len(self.queried.first) >= self._next or (last and not self.over):
            self._fresh = True
            self._next = math.floor(len(self.queried.first) * (1 + self.cell.growth))
            self.note(self._losses(len(self.queried.first)))

    def found(self) -> dict[str, Mapping[str, float] | None]:
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
