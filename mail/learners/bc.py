"""Behavioral cloning (BC): two experts play each other, and each of their decisions is a label.

A learner that sees only games between experts cannot be unexploitable off their path. The baseline of arXiv:2602.22810.

    until the budget is spent:
        play rounds of the experts pi_0 and pi_1 against each other, and query each at its decisions
    return for each seat the clone of its labels
"""

from __future__ import annotations

from agents.policy import Seats
from agents.solver import solvable
from games.base import Game
from games.progress import phase
from mail.clone import registry
from mail.explore.process import steps_of
from mail.learners import collect
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import SLOW_ROUND, Collector, Learned, Options, Rounds, finish
from mail.learners.journal import Journal
from mail.parallel.pool import Pool


class Bc:
    """Behavioral cloning: two experts play each other, and every decision of both is a query.

    With a budget of labels, a seat is queried until its share is spent; its last game is cut there.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        cloner: A registered name.
    """

    def __init__(self, options: Options, *, name: str = "bc", cloner: str = "network") -> None:
        self.name, self.options, self.cloner = name, options, cloner

    def check(self, game: Game, experts: Seats) -> None:
        registry.check(self.cloner, game)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        rounds = play_experts(collector, experts, budget)
        seen = rounds.decisions()
        return finish(collector, (seen[0], seen[1]), rounds.games, self.options, cloner=self.cloner)


def play_experts(collector: Collector, experts: Seats, budget: Budget) -> Rounds:
    """Rounds in which two experts play each other and are queried at each decision, until the budget is spent.

    Args:
        collector: Plays the rounds.
        experts: Seat 0's and seat 1's expert.
        budget: With labels, a seat is queried until its share is spent; else both until nothing new comes.
    """
    first, second = BudgetTracker(budget, 0), BudgetTracker(budget, 1)
    rounds, game = Rounds(collector, first, second), collector.game
    most = steps_of(game)  # most labels of a seat in one game
    whole = SLOW_ROUND if solvable(game) and budget.labels is not None else collect.SHARD
    with phase("play experts", learner=collector.name):
        while wanting := [tracker for tracker in (first, second) if not tracker.done]:
            labels = (None if first.done else experts[0], None if second.done else experts[1])
            rounds.play(experts, labels, min(whole, *(tracker.games_left(most) for tracker in wanting)))
            rounds.log()
    return rounds
