"""Behavioral cloning (BC): two experts play each other, and each of their decisions is a label.

No learner that only sees experts play each other can be unexploitable off their path: it is the baseline of
arXiv 2602.22810.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.policy import Seats
from agents.solver import solvable
from mail.data.decisions import Decisions
from mail.learners import collect
from mail.learners.budget import BudgetTracker
from mail.learners.collect import SLOW_ROUND, Collector, Options
from mail.learners.joint import Round, SharedRolloutLearner


class Bc(SharedRolloutLearner):
    """Behavioural cloning: two experts play each other, every decision of both is an ask.

    With a budget of labels, a seat is asked until its share is spent; the last game is cut where that is.
    """

    def __init__(
        self, options: Options, *, name: str = "bc", expert: str | None = None, cloner: str = "network"
    ) -> None:
        super().__init__(options, name=name, expert=expert, cloner=cloner)

    def round(
        self,
        collector: Collector,
        experts: Seats,
        watches: tuple[BudgetTracker, BudgetTracker],
        rounds: Sequence[Decisions],
    ) -> Round | None:
        wanting = [watch for watch in watches if not watch.done]
        if not wanting:
            return None
        most = -(-collector.game.spec.longest // 2)  # own decisions, so labels of a seat, in one game
        whole = SLOW_ROUND if solvable(collector.game) and watches[0].budget.labels is not None else collect.SHARD
        labels = (None if watches[0].done else experts[0], None if watches[1].done else experts[1])
        return experts, labels, min(whole, *(watch.games_left(most) for watch in wanting))
