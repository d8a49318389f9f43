"""Noise injection: both experts play each other with noise, and are queried wherever that leads.

Who makes a move is drawn afresh each time (``NoiseMixture``): sometimes chance, sometimes a clone of the labels so far,
else the expert. Random moves are noise injection (Laskey et al. 2017, DART), a clone in the queried seat is data
aggregation (Ross et al. 2011, DAgger), and one in the other seat is an opponent who errs as players of some strength
do; here both seats err at once, so that a game teaches both.

    schedule = NOISE_SCHEDULE: from no noise, which is behavioral cloning and where most labels are needed, over random
               moves of either seat to random play of one or both
    for k = 0, 1, ... until the budget is spent:
        if half of it is spent: fit a clone of each seat, with half of the steps; schedule = CLONE_SCHEDULE
        play a round with the schedule's k-th pair of mixtures, and query both experts where they have not answered yet
    return for each seat the clone of its labels

Between rounds nothing else is learned: all games of a round are played at once, by any number of workers. No position
is queried again in a later round: its answer is a distribution, and kept. (Shards of one round do not know of each
other: on 6x7 one query in forty is repeated.) A seat that plays at random throughout while the other does not is not
queried: where it is, its expert never goes. Queries are counted as for behavioral cloning, the opponent's moves
included: each is a query of that seat, or was one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.policy import Mixture, Policy, Seats, Uniform
from agents.tabular import Tabular
from games.base import Bools, Game, NashmailError, States
from mail.clone import registry
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, first_occurrences, labelled_table
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import SHARD, Collector, Learned, Options, Rounds, both_cloned, finish
from mail.learners.journal import Journal
from mail.parallel.pool import Pool


@dataclass(frozen=True)
class NoiseMixture:
    """Who makes a move: with these probabilities chance or the clone, else the expert."""

    random: float = 0.0
    clone: float = 0.0

    def __call__(self, expert: Policy, clone: Policy | None) -> Policy:
        """The mixture."""
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
"""Hands of seat 0 and of seat 1, round by round."""
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
"""And once there are clones. Four pairs of twelve seat a steady expert opposite a clone: without them the first seat's
clone on 6x7 won 37 % of its games against best play (two seeds of 50,000 asks), with them 57 %.
"""
CLONE_START = 0.5
"""Share of the budget after which there are."""
ROUND = 4 * SHARD
"""Games of a round."""
_STAGE = "mail-tremble"  # what random streams are addressed by: the name of older runs, whose results stay


@dataclass(frozen=True)
class UnseenOnly:
    """Wants to ask at positions that have no answer yet, each once."""

    answered: Tabular

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.asarray(first_occurrences(game, states, seat) & ~self.answered.find(game.key(states, seat))[0])


class NoiseInjection:
    """The learner: one collection for both seats, then a clone of each."""

    def __init__(self, options: Options, *, name: str) -> None:
        self.name, self.options = name, options
        if options.sample_labels:
            raise NashmailError(f"{name} lets others play in the asked seat, so its asks are not drawn by play")

    def check(self, game: Game, experts: Seats) -> None:
        registry.check("network", game)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal, _STAGE)
        first, second = BudgetTracker(budget, 0), BudgetTracker(budget, 1)
        rounds = Rounds(collector, first, second)
        schedule, begun = NOISE_SCHEDULE, 0
        clones: tuple[Policy | None, Policy | None] = (None, None)
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
        """The clones that play from now on: fitted to all labels so far, with half of the steps."""
        merged = merge(rounds)
        brief = replace(self.options.clone, max_steps=max(1, self.options.clone.max_steps // 2))
        fits = both_cloned("turn", collector, (merged, merged), replace(self.options, clone=brief))
        return fits[0].policy, fits[1].policy


def _strays(pair: tuple[NoiseMixture, NoiseMixture], seat: int) -> bool:
    """Whether a seat plays at random while the other does not: where it is then, its expert never goes."""
    return pair[seat] is RANDOM and pair[1 - seat] is not RANDOM


def unseen(expert: Policy, game: Game, rounds: Sequence[Decisions], seat: int) -> Selective:
    """A seat's expert, queried only where these rounds have no answer of it."""
    return Selective(expert, UnseenOnly(answers(game, rounds, seat)))


def answers(game: Game, rounds: Sequence[Decisions], seat: int) -> Tabular:
    """What a seat's expert has said so far."""
    return labelled_table(game, [part.take(part.queried & (part.seat == seat)) for part in rounds])
