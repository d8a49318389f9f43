"""What the adversarial and inverse learners share: demonstrations as behavioral cloning gets them, then one exact fit
per seat in the decision process that it faces against the other seat's expert.

    play the experts against each other within the budget, and query both       (exactly as ``bc`` does)
    for each seat i:
        process_i = the game with the other seat's expert as part of the dynamics
        policy_i  = the method's fit to the demonstrations of seat i in process_i
    elsewhere, where no policy of the seat ever comes: uniform play, or the game's stated action

All of them need the exact model and the other expert's policy wherever the seat can lead it; that is far more than
labels, so they declare it. None sees a payoff.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from agents.policy import Seats, tabulate
from agents.tabular import Tabular
from games.base import Floats, Game, Rng
from games.progress import phase
from mail.clone.dataset import Fit
from mail.clone.tabular import completed_table
from mail.data.decisions import Decisions
from mail.learners.budget import Budget
from mail.learners.collect import Collector
from mail.learners.inverse.process import Demonstrated, Process, demonstrated, process_of
from mail.learners.offline import Collected, Offline
from mail.parallel.streams import stream


@dataclass(frozen=True)
class Solution:
    """What a method found for one seat."""

    policy: Floats
    """[n, A] probabilities at every position of the process."""
    rounds: int
    """Rounds (or gradient evaluations) that it took."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Values to log, by name."""


Method = Callable[[Process, Demonstrated, Rng], Solution]
"""Fits one seat."""


class Inverse(Offline[Method]):
    """A learner that imitates each seat's expert in the process that the seat faces."""

    def check(self, game: Game, experts: Seats) -> None:
        self.processes(experts)

    def processes(self, experts: Seats) -> tuple[Process, Process]:
        """Both seats' decision processes.

        Args:
            experts: Seat 0's and seat 1's expert.

        Raises:
            NashmailError: The game has none that can be listed.
        """
        model = self.options.exact_model(self.name)
        first, second = (process_of(model, seat, tabulate(model, experts[1 - seat], 1 - seat)) for seat in (0, 1))
        return first, second

    def within(self, budget: Budget) -> Method:
        """The method with what it may spend. For methods that play in the process, by its known transitions.

        Args:
            budget: What may be spent.
        """
        return self.method

    def fits(self, collector: Collector, experts: Seats, collected: Collected, budget: Budget) -> tuple[Fit, Fit]:
        """One shard of the pool per seat; see ``Offline.fits``."""
        stage, journal, game = f"{self.name}/inverse", collector.journal, collector.game
        made = {seat: journal.load_fit(stage, seat, game, "cpu") for seat in (0, 1)}
        missing = [seat for seat in (0, 1) if made[seat] is None]
        processes = self.processes(experts) if missing else ()
        shards = [
            (processes[seat], collected[seat], seat, stream(self.options.seed, stage, seat=seat)) for seat in missing
        ]

        def keep(index: int, result: tuple[Fit, dict[str, float]]) -> None:
            seat, (fit, metrics) = missing[index], result
            made[seat] = fit
            journal.store_fit(stage, seat, game, fit)
            self.log(collector, collected[seat], seat, {**metrics, "opponent_positions": processes[seat].queried})

        with phase("clone", learner=self.name):
            collector.pool.map(fit_seat, (self.within(budget), game), shards, on_result=keep)
        first, second = made[0], made[1]
        assert first is not None and second is not None  # ``keep`` has added the missing ones
        return first, second


Shard = tuple[Process, Decisions, int, Rng]


def fit_seat(job: tuple[Method, Game], shard: Shard) -> tuple[Fit, dict[str, float]]:
    """A pool's task: fit one seat, and complete its policy outside the process.

    Args:
        job: The method, and the game.
        shard: The seat's process, decisions, number and generator.

    Returns:
        The fit, and the method's metrics.
    """
    method, game = job
    process, decisions, seat, rng = shard
    expert = demonstrated(process, decisions, seat)
    solution = method(process, expert, rng)
    policy = Tabular(process.keys, solution.policy)
    if game.spec.unlabelled is not None:
        policy = completed_table(game, policy, seat, game.spec.unlabelled)
    known = expert.known
    off = 0.5 * np.abs(solution.policy[known] - expert.policy[known]).sum(1)
    beside = np.where(expert.policy[known] > 0, 0.0, solution.policy[known]).sum(1)
    return Fit(policy, solution.rounds, float(beside.max()), float(off.mean())), solution.metrics
