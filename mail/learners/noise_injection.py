"""Noise injection: both seats play with hands that tremble, and their experts are asked wherever that leads.

A hand is a mixture, drawn afresh for every move: now and then it plays a uniformly random legal move, now and then what
a clone of the answers so far would play, and else the expert's. Random slips are noise injection (Laskey et al. 2017,
DART), a clone in the asked seat is data aggregation (Ross et al. 2011, DAgger), and one in the other seat an opponent
who errs as players of some strength do; here both seats err at once, so that a game teaches both. Rounds go through a
fixed list of pairs of hands, ``NOISE_SCHEDULE``, from none that tremble, which is behavioural cloning and where most
labels are needed, over slips of either seat to random play of one or both. When half of the budget is spent a clone of
each seat is fitted to the answers so far, with half of the steps, and plays in the rounds that follow,
``CLONE_SCHEDULE``. In between nothing is learned: all games of a round are played at once, by any number of workers.

No position is asked about again in a later round: its answer is a distribution, and kept. (Shards of one round do not
know of each other: on 6x7 one ask in forty is of that kind.) A seat that plays at random throughout while
the other does not is not asked: where it is, its expert never goes. Asks are counted as for behavioural cloning, the
opponent's moves included: each is an ask of that seat, or was one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.policy import Mixture, Policy, Seats, Uniform
from agents.tabular import Tabular
from games.base import Bools, Game, NashmailError, States
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, first_occurrences, labelled_table
from mail.learners.base import register
from mail.learners.budget import BudgetTracker
from mail.learners.collect import SHARD, Collector, Options, both_cloned
from mail.learners.joint import Round, SharedRolloutLearner


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


@dataclass(frozen=True)
class UnseenOnly:
    """Wants to ask at positions that have no answer yet, each once."""

    answered: Tabular

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.asarray(first_occurrences(game, states, seat) & ~self.answered.find(game.key(states, seat))[0])


class NoiseInjection(SharedRolloutLearner):
    """The learner: one collection for both seats, then a clone of each."""

    stage = "mail-tremble"  # its name when figures were made with it: results stay what they are

    def __init__(self, options: Options, *, name: str) -> None:
        super().__init__(options, name=name)
        if options.sample_labels:
            raise NashmailError(f"{name} lets others play in the asked seat, so its asks are not drawn by play")
        self._led: tuple[int, Seats] | None = None
        """Once clones play: the rounds before they did, and the clones."""

    def round(
        self,
        collector: Collector,
        experts: Seats,
        watches: tuple[BudgetTracker, BudgetTracker],
        rounds: Sequence[Decisions],
    ) -> Round | None:
        if not rounds:
            self._led = None
        left = watches[0].budget.episodes - watches[0].games
        if (watches[0].done and watches[1].done) or left <= 0:
            return None
        if self._led is None and min(watch.spent for watch in watches) >= CLONE_START:
            self._led = len(rounds), self._clones(collector, rounds)
        begun, clones = self._led or (0, (None, None))
        hands = CLONE_SCHEDULE if self._led else NOISE_SCHEDULE
        pair = hands[(len(rounds) - begun) % len(hands)]
        asked = [
            Selective(experts[seat], UnseenOnly(answers(collector.game, rounds, seat)))
            if not watches[seat].done and (pair[seat] is not RANDOM or pair[1 - seat] is RANDOM)
            else None
            for seat in (0, 1)
        ]
        first, second = (pair[seat](experts[seat], clones[seat]) for seat in (0, 1))
        return (first, second), (asked[0], asked[1]), min(ROUND, left)

    def _clones(self, collector: Collector, rounds: Sequence[Decisions]) -> Seats:
        """The clones that play from now on."""
        merged = merge(list(rounds))
        brief = replace(self.options.clone, max_steps=max(1, self.options.clone.max_steps // 2))
        fits = both_cloned("turn", collector, (merged, merged), replace(self.options, clone=brief))
        return fits[0].policy, fits[1].policy


def answers(game: Game, rounds: Sequence[Decisions], seat: int) -> Tabular:
    """What a seat's expert has said so far."""
    return labelled_table(game, [part.take(part.queried & (part.seat == seat)) for part in rounds])


register("mail-noise", lambda options: NoiseInjection(options, name="mail-noise"))
register("mail-tremble", lambda options: NoiseInjection(options, name="mail-tremble"))  # the name in older runs
