"""What the deep adversarial and inverse learners share: rounds of own games against the other seat's expert.

    for each seat i:
        play the experts against each other, and query seat i's, for half of the budget's games at most
        until its games are spent:
            play a round of policy_i against the expert of the other seat, without a query
            update the networks on all games so far: the experts' and the own ones

They know labels and the experts as players, neither the model nor a payoff. With a budget of labels the experts play
until it is spent, whatever that takes, and own games are half of the budget's at least. A killed run plays no round
again: it trains on those in its journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

from agents.network import Architecture, NetworkPolicy, one_thread
from agents.policy import Seats, query
from games.base import Game, Rng
from games.progress import phase
from mail.clone.dataset import Fit, demonstrations, sampled_labels
from mail.data.decisions import Decisions
from mail.explore.process import steps_of
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import SHARD, Collector, Learned, Options, Rounds
from mail.learners.inverse.deep.seen import Estimate, Seen
from mail.learners.journal import Journal
from mail.parallel.pool import Pool
from mail.parallel.streams import stream


@dataclass(frozen=True)
class DeepConfig:
    """The settings that all of them have."""

    architecture: Architecture = field(default_factory=lambda: Architecture(convolutions=1))
    """Of each network."""
    learning_rate: float = 3e-3
    """Of Adam; it falls to a tenth in the last round."""
    batch: int = 512
    """Positions of a gradient step; all if there are fewer."""
    games_per_round: int = SHARD
    """Own games of one frozen policy."""
    last: int = 8
    """How many times as many gradient steps the last round has ..."""
    most_steps: int = 2000
    """... but at most this many; those of a clone of the run."""

    def within(self, steps: int, last: bool) -> int:
        """The gradient steps of a round.

        Args:
            steps: As a rule.
            last: Whether it is the last.
        """
        return min(self.most_steps, steps * self.last if last else steps)


class Imitator(Protocol):
    """One seat's networks in the making."""

    def policy(self) -> NetworkPolicy:
        """A frozen copy of the policy as it is now."""

    def update(self, seen: Estimate, *, last: bool, rng: Rng) -> dict[str, float]:
        """Train on.

        Args:
            seen: All games so far.
            last: Whether this is the last round, which is longer and ends with small steps.
            rng: Draws batches.

        Returns:
            Values to log, by name.
        """


Maker = Callable[[Game, Rng, str], Imitator]
"""Makes a seat's networks for a game, with a generator of first weights, on a device."""
C = TypeVar("C", bound=DeepConfig)


class DeepInverse:
    """A learner that plays against the other seat's expert with networks.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: The settings.
        imitator: Makes a seat's networks, with the settings before the arguments of a ``Maker``.
    """

    def __init__(self, options: Options, *, name: str, config: C, imitator: Callable[[C, Game, Rng, str], Imitator]):
        self.name, self.options = name, options
        settings = replace(config, most_steps=options.clone.max_steps)
        self.config: DeepConfig = settings
        self.method: Maker = partial(imitator, settings)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        shown = replace(budget, episodes=-(-budget.episodes // 2))
        sides = [Rounds(collector, BudgetTracker(shown, seat)) for seat in (0, 1)]
        first, second = (self._fit(rounds, experts, budget.episodes) for rounds in sides)
        collected = self._labelled(sides[0]), self._labelled(sides[1])
        games = sides[0].games + sides[1].games
        return Learned((first.policy, second.policy), collected, games, (first, second), cloner=None)

    @one_thread
    def _fit(self, rounds: Rounds, experts: Seats, episodes: int) -> Fit:
        """The whole loop of one seat."""
        tracker, game, seed = rounds.trackers[0], rounds.collector.game, self.options.seed
        seat, stage = tracker.seat, f"{self.name}/networks"
        seen = Seen(game, seat)
        with phase("play experts", learner=self.name, seat=seat):
            demonstrated = self._demonstrations(rounds, experts, seat)
        shown = demonstrations(demonstrated, seat)  # or it refuses: there is nothing to imitate
        seen.add(demonstrated, expert=True)
        imitator = self.method(game, stream(seed, stage, seat=seat), self.options.device)
        left = max(episodes // 2, episodes - tracker.games)
        last = -(-left // self.config.games_per_round)
        with phase("imitate", learner=self.name, seat=seat):
            for round_ in range(1, max(1, last) + 1):
                count = min(self.config.games_per_round, left - (round_ - 1) * self.config.games_per_round)
                if count > 0:
                    policy = imitator.policy()
                    seats = (policy, experts[1]) if seat == 0 else (experts[0], policy)
                    seen.add(rounds.play(seats, (None, None), count), expert=False)
                rng = stream(seed, stage, seat=seat, round_=round_)
                metrics = imitator.update(seen.estimate(), last=round_ >= last, rng=rng)
                rounds.log({"positions": len(seen), **metrics})
        policy = imitator.policy()
        return Fit.of(policy, max(1, last), query(policy, game, shown.state, seat), shown.distribution)

    def _demonstrations(self, rounds: Rounds, experts: Seats, seat: int) -> Decisions:
        """Games of the experts until the budget of labels, or half of that of games, is spent."""
        tracker, collector = rounds.trackers[0], rounds.collector
        labels = (experts[0], None) if seat == 0 else (None, experts[1])
        most = steps_of(collector.game)
        while not tracker.done:
            rounds.play(experts, labels, min(SHARD, tracker.games_left(most)))
            rounds.log()
        return self._labelled(rounds)

    def _labelled(self, rounds: Rounds) -> Decisions:
        """All games so far, with labels as the run wants them."""
        found = rounds.decisions()[0]
        return sampled_labels(found) if self.options.sample_labels else found
