"""Learners of demonstrations alone: two experts play each other within the budget, then each seat is fitted.

play the experts against each other within the budget, and query both       (exactly as ``bc`` does)
for each seat: its policy = the method's fit to these demonstrations
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from agents.policy import Seats
from games.base import Game
from mail.clone.dataset import Fit, sampled_labels
from mail.data.decisions import Decisions
from mail.learners.bc import play_experts
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Learned, Options
from mail.learners.journal import Journal
from mail.parallel.pool import Pool

Collected = tuple[Decisions, Decisions]
"""Per seat, the decisions whose labels it learns from."""
M = TypeVar("M")


class Offline(ABC, Generic[M]):
    """A learner of demonstrations. What it needs to be made complete is ``fits``, which calls its method.

    Args:
        options: Of the run; for methods that plan, the exact model is among them.
        name: What the learner is registered as.
        method: Fits one seat or both, with its settings. Picklable.
    """

    def __init__(self, options: Options, *, name: str, method: M) -> None:
        self.name, self.options, self.method = name, options, method

    @abstractmethod
    def fits(self, collector: Collector, experts: Seats, collected: Collected, budget: Budget) -> tuple[Fit, Fit]:
        """Each seat's fit, from the journal or found now.

        Args:
            collector: Game, pool and journal.
            experts: Seat 0's and seat 1's expert.
            collected: The demonstrations.
            budget: What may be spent.
        """

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal, "bc")
        rounds = play_experts(collector, experts, budget)
        first, second = rounds.decisions()
        collected = (sampled_labels(first), sampled_labels(second)) if self.options.sample_labels else (first, second)
        fits = self.fits(collector, experts, collected, budget)
        return Learned((fits[0].policy, fits[1].policy), collected, rounds.games, fits, cloner=None)

    def log(self, collector: Collector, decisions: Decisions, seat: int, metrics: dict[str, float]) -> None:
        """Log a seat's budget again, with what the method tells of its fit.

        Args:
            collector: Has the journal.
            decisions: The demonstrations.
            seat: The seat.
            metrics: By name.
        """
        mine = decisions.take(decisions.seat == seat)
        spent = {"games": decisions.games, "labels": mine.labels(), "distinct_labels": mine.distinct_labels()}
        collector.journal.log(self.name, seat, {**spent, **metrics})
