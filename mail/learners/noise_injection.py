"""Noise injection: both experts play each other with noise, and are queried at the resulting positions.

At each move a ``NoiseMixture`` chooses randomly between a random move, a clone of the labels so far, and the expert.
Random moves are noise injection (Laskey et al., arXiv:1703.09327, DART); a clone in the queried seat is data
aggregation (Ross et al., arXiv:1011.0686, DAgger); one in the other seat is an opponent with realistic errors. Here
both seats err in the same game, so that it teaches both.

    schedule = NOISE_SCHEDULE: from no noise, which is behavioral cloning and needs most labels, through random
               moves of either seat to random play of one or both
    for k = 0, 1, ... until the budget is spent:
        if half of it is spent: fit a clone of each seat, with half of the steps; schedule = CLONE_SCHEDULE
        play a round with the schedule's k-th pair of mixtures, and query both experts at positions without a label
    return for each seat the clone of its labels

Nothing else is learned between rounds, so all games of a round are played at once, by any number of workers. No
position is queried again in a later round, because its label is a distribution. (Shards of one round do not share
labels: on 6x7 one query in forty is repeated.) A seat that plays at random throughout while the other does not is not
queried: its expert never reaches those positions. Queries are counted as in behavioral cloning, including the
opponent's moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.policy import Mixture, Policy, Seats, Uniform
from agents.tabular import Tabular
from games.base import Game, NashmailError
from games.progress import phase
from mail.clone import registry
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, UnseenOnly, labelled_table
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import SHARD, Collector, Learned, Options, Rounds, both_cloned, finish
from mail.learners.journal import Journal
from mail.parallel.pool import Pool


@dataclass(frozen=True)
class NoiseMixture:
    """The probabilities of a random move and of the clone's; otherwise the expert moves."""

    random: float = 0.0
    clone: float = 0.0

    def __call__(self, expert: Policy, clone: Policy | None) -> Policy:
        """The policy that mixes the three.

        Args:
            expert: The seat's expert.
            clone: The clone; None if its probability is 0.
        """
        players = [(1.0 - self.random - self.clone, expert), (self.random, Uniform()), (self.clone, clone)]
        parts = [(weight, player) for weight, player in players if weight > 0 and player is not None]
        if len(parts) == 1:
            return parts[0][1]
        return Mixture([player for _, player in parts], [weight for weight, _ in parts])


STEADY, SLIPS, SLIPPERY, RANDOM = NoiseMixture(), NoiseMixture(0.1), NoiseMixture(0.3), NoiseMixture(1.0)
CLONE, WILD = NoiseMixture(clone=1.0), NoiseMixture(0.2, clone=0.8)

NOISE_SCHEDULE = (
    (STEADY, STEADY),
    (STEADY, SLIPS),
    (SLIPS, STEADY),
    (STEADY, STEADY),
    (RANDOM, RANDOM),
    (STEADY, STEADY),
    (STEADY, SLIPPERY),
    (SLIPPERY, STEADY),
    (STEADY, STEADY),
    (STEADY, RANDOM),
    (RANDOM, STEADY),
    (STEADY, STEADY),
)
"""The mixtures of seat 0 and of seat 1, round by round."""
CLONE_SCHEDULE = (
    (CLONE, STEADY),
    (SLIPS, CLONE),
    (CLONE, SLIPS),
    (STEADY, CLONE),
    (CLONE, CLONE),
    (CLONE, STEADY),
    (CLONE, SLIPPERY),
    (SLIPPERY, CLONE),
    (CLONE, STEADY),
    (STEADY, CLONE),
    (CLONE, WILD),
    (WILD, CLONE),
)
"""The same once there are clones. In four of the twelve pairs a steady expert plays against a clone: without them the
first seat's clone on 6x7 won 37 % of its games against best play (two seeds of 50,000 queries), with them 57 %.
"""
CLONE_START = 0.5
"""The share of the budget after which clones play."""
ROUND = 4 * SHARD
"""Games per round."""
_STAGE = "mail-tremble"  # the address of random streams: the former name, so that results stay the same


class NoiseInjection:
    """The learner ``mail-noise``: one collection for both seats, then a clone of each.

    Args:
        options: Of the run.
        name: What the learner is registered as.

    Raises:
        NashmailError: The options ask for labels that are sampled by play.
    """

    def __init__(self, options: Options, *, name: str) -> None:
        self.name, self.options = name, options
        if options.sample_labels:
            raise NashmailError(f"{name} lets others play in the queried seat, so labels cannot be sampled by play")

    def check(self, game: Game, experts: Seats) -> None:
        registry.check("network", game)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal, _STAGE)
        first, second = BudgetTracker(budget, 0), BudgetTracker(budget, 1)
        rounds = Rounds(collector, first, second)
        schedule, begun = NOISE_SCHEDULE, 0
        clones: tuple[Policy | None, Policy | None] = (None, None)
        with phase("explore", learner=self.name):
            while not (first.done and second.done) and rounds.games < budget.episodes:
                if schedule is NOISE_SCHEDULE and min(first.spent, second.spent) >= CLONE_START:
                    schedule, begun, clones = CLONE_SCHEDULE, len(rounds.played), self._clones(collector, rounds.played)
                pair = schedule[(len(rounds.played) - begun) % len(schedule)]
                seats = (pair[0](experts[0], clones[0]), pair[1](experts[1], clones[1]))
                labels = (
                    None if first.done or _strays(pair, 0) else unseen(experts[0], game, rounds.played, 0),
                    None if second.done or _strays(pair, 1) else unseen(experts[1], game, rounds.played, 1),
                )
                rounds.play(seats, labels, min(ROUND, budget.episodes - rounds.games))
                rounds.log()
        seen = rounds.decisions()
        return finish(collector, (seen[0], seen[1]), rounds.games, self.options)

    def _clones(self, collector: Collector, rounds: Sequence[Decisions]) -> Seats:
        """The clones that play from now on, fitted to all labels so far with half of the steps."""
        merged = merge(rounds)
        brief = replace(self.options.clone, max_steps=max(1, self.options.clone.max_steps // 2))
        fits = both_cloned("turn", collector, (merged, merged), replace(self.options, clone=brief))
        return fits[0].policy, fits[1].policy


def _strays(pair: tuple[NoiseMixture, NoiseMixture], seat: int) -> bool:
    """Whether a seat plays at random while the other does not: its expert never reaches those positions."""
    return pair[seat] is RANDOM and pair[1 - seat] is not RANDOM


def unseen(expert: Policy, game: Game, rounds: Sequence[Decisions], seat: int) -> Selective:
    """A seat's expert, queried only where some rounds have no label.

    Args:
        expert: The expert.
        game: The game.
        rounds: The rounds.
        seat: The seat.
    """
    return Selective(expert, UnseenOnly(answers(game, rounds, seat)))


def answers(game: Game, rounds: Sequence[Decisions], seat: int) -> Tabular:
    """The labels of a seat so far, as a table.

    Args:
        game: The game.
        rounds: The rounds.
        seat: The seat.
    """
    return labelled_table(game, [part.take(part.queried & (part.seat == seat)) for part in rounds])
