"""Learners whose games teach both seats at once: rounds until enough is known, then a clone of each seat."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from agents.policy import Seats
from games.base import Game
from mail.clone import registry
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Labels
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import Collector, Learned, Options, finish
from mail.learners.journal import Journal
from mail.parallel.pool import Pool

Round = tuple[Seats, Labels, int]
"""Who plays, who is asked, and how many games."""


class SharedRolloutLearner(ABC):
    """A learner whose games teach both seats: rounds until nobody wants more, then a clone of each."""

    knows: frozenset[str] = frozenset({"labels", "expert"})
    stage: str = ""
    """What its random streams are addressed by; its name unless said."""

    def __init__(self, options: Options, *, name: str, expert: str | None = None, cloner: str = "network") -> None:
        self.name, self.options, self.expert, self.cloner = name, options, expert, cloner

    def check(self, game: Game, experts: Seats) -> None:
        registry.check(self.cloner, game)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal, self.stage)
        watches = (BudgetTracker(budget, 0), BudgetTracker(budget, 1))
        rounds: list[Decisions] = []
        while (coming := self.round(collector, experts, watches, rounds)) is not None:
            rounds.append(collector.round(*coming, seat=0, round_=len(rounds)))
            for seat, watch in enumerate(watches):
                watch.update(rounds[-1])
                journal.log(self.name, seat, watch.progress())
        merged = merge(rounds)
        found = (watches[0].within(merged), watches[1].within(merged))
        return finish(collector, found, watches[0].games, self.options, cloner=self.cloner)

    @abstractmethod
    def round(
        self,
        collector: Collector,
        experts: Seats,
        watches: tuple[BudgetTracker, BudgetTracker],
        rounds: Sequence[Decisions],
    ) -> Round | None:
        """The next round after these, or None when it is enough."""
