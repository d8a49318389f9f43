"""What a learner may spend, and what the collection for one seat has spent so far.

A collection ends when its budget is spent or when no new label has come for long. It never uses the true gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mail.data.decisions import Decisions


@dataclass(frozen=True)
class Budget:
    """What a learner may spend."""

    episodes: int = 1000
    """Most exploration (or demonstration) games per seat."""
    labels: tuple[int, int] | None = None
    """Expert queries per seat to spend exactly, instead of stopping when nothing new comes; None for no such target."""
    patience: float = 0.25
    """Stop exploring when no new label has come for this share of the games before it ..."""
    patience_games: int = 32
    """... but at the earliest after this many games without one."""


class BudgetTracker:
    """Counts what the collection for one seat has spent, and decides when it is done.

    Args:
        budget: What may be spent.
        seat: The queried seat.
    """

    def __init__(self, budget: Budget, seat: int) -> None:
        self.budget, self.seat = budget, seat
        self.games = self.labels = self.last_new = 0
        self._seen: set[tuple[int, int]] = set()

    def update(self, decisions: Decisions) -> None:
        """Add a round.

        Args:
            decisions: Both seats' decisions.
        """
        queried = decisions.key[decisions.queried & (decisions.seat == self.seat)]
        before = len(self._seen)
        self._seen.update((int(key[0]), int(key[1])) for key in queried)
        self.games += decisions.games
        self.labels += len(queried)
        if len(self._seen) > before:
            self.last_new = self.games

    @property
    def done(self) -> bool:
        """Whether the budget is spent, or no new label has come for long."""
        if self.budget.labels is not None:
            return self.labels >= self.budget.labels[self.seat]
        return self.games >= self.budget.episodes or self._patience_left <= 0

    @property
    def spent(self) -> float:
        """The share of the budget that is spent."""
        if self.budget.labels is not None:
            return self.labels / max(1, self.budget.labels[self.seat])
        return self.games / max(1, self.budget.episodes)

    def come(self) -> tuple[int, int, str]:
        """How much of the budget is spent, how much there is, and of what."""
        if self.budget.labels is not None:
            return self.labels, self.budget.labels[self.seat], "labels"
        return self.games, self.budget.episodes, "games"

    @property
    def sure(self) -> int:
        """A lower bound on the games that will still be played; at least 1."""
        return 1 if self.budget.labels is not None or not self.games else max(1, math.ceil(self._patience_left))

    @property
    def _patience_left(self) -> float:
        """Games without a new label until patience ends."""
        wait = max(self.budget.patience_games, self.budget.patience * self.last_new)
        return wait - (self.games - self.last_new)

    def games_left(self, per_game: int) -> int:
        """Games that can be played without exceeding the budget; at least 1.

        Args:
            per_game: Labels of one game at most.
        """
        if self.budget.labels is None:
            return max(1, self.budget.episodes - self.games)
        return max(1, (self.budget.labels[self.seat] - self.labels) // per_game)

    def progress(self) -> dict[str, float]:
        """The budget words and their values."""
        return {"games": self.games, "labels": self.labels, "distinct_labels": len(self._seen)}

    def within(self, decisions: Decisions) -> Decisions:
        """The decisions up to where the seat's label budget is spent.

        Args:
            decisions: Both seats' decisions.
        """
        if self.budget.labels is None:
            return decisions
        return decisions.first_labels(self.seat, self.budget.labels[self.seat])
