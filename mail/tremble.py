"""Noise injection: two experts with trembling hands play each other, and are asked wherever that leads.

The hand of a seat trembles when, with some probability, it plays a uniformly random legal move in place of the
expert's: behavioural cloning off the path (Laskey et al. 2017, DART), here with both seats at once, so that a game
teaches both. Rounds go through a fixed list of pairs of probabilities, from none, which is behavioural cloning and
where most labels are needed, over slips of either seat to random play of one or both; nothing is learned in between, so
all games of a round are played at once, by any number of workers.

No position is asked about twice: its answer is a distribution, and kept. A seat that plays at random throughout while
the other does not is not asked: where it is, its expert never goes. Asks are counted as for behavioural cloning, the
opponent's moves included: each is an ask of that seat, or was one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import Mixture, Policy, Seats, Uniform
from agents.tabular import Tabular
from games.base import Bools, Game, States
from mail.decisions import Decisions, merge
from mail.learners import SHARD, Budget, Collector, Journal, Learned, Options, Watch, finish, register
from mail.play import Selective
from mail.pool import Pool

TREMBLES = (
    (0.0, 0.0),
    (0.0, 0.1),
    (0.1, 0.0),
    (0.0, 0.0),
    (1.0, 1.0),
    (0.0, 0.0),
    (0.0, 0.3),
    (0.3, 0.0),
    (0.0, 0.0),
    (0.0, 1.0),
    (1.0, 0.0),
    (0.0, 0.0),
)
"""Probability of a random move of seat 0 and of seat 1, round by round."""
ROUND = 4 * SHARD
"""Games of a round."""


@dataclass(frozen=True)
class New:
    """Wants to ask at positions that have no answer yet, each once."""

    answered: Tabular

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        keys = game.key(states)
        first = np.zeros(len(states), dtype=np.bool_)
        first[np.unique(keys, axis=0, return_index=True)[1]] = True
        return np.asarray(first & ~self.answered.find(keys)[0])


class Tremble:
    """The learner: one collection for both seats, then a clone of each."""

    knows = frozenset({"labels", "expert"})
    expert: str | None = None

    def __init__(self, options: Options, *, name: str = "mail-tremble", cloner: str = "network") -> None:
        self.name, self.options, self.cloner = name, options, cloner

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        watches = (Watch(budget, 0), Watch(budget, 1))
        rounds: list[Decisions] = []
        while not (watches[0].enough and watches[1].enough) and watches[0].games < budget.episodes:
            trembles = TREMBLES[len(rounds) % len(TREMBLES)]
            seats = (hand(experts[0], trembles[0]), hand(experts[1], trembles[1]))
            asked = [
                Selective(experts[seat], New(answers(game, rounds, seat)))
                if not watches[seat].enough and (trembles[seat] < 1 or min(trembles) == 1)
                else None
                for seat in (0, 1)
            ]
            episodes = min(ROUND, budget.episodes - watches[0].games)
            rounds.append(collector.round(seats, (asked[0], asked[1]), episodes, seat=0, round_=len(rounds)))
            for seat, watch in enumerate(watches):
                watch.see(rounds[-1])
                journal.log(self.name, seat, watch.progress())
        merged = merge(rounds)
        found = (watches[0].within(merged), watches[1].within(merged))
        return finish(self.name, game, found, watches[0].games, self.options, cloner=self.cloner)


def hand(expert: Policy, tremble: float) -> Policy:
    """The expert with a trembling hand."""
    return Mixture([expert, Uniform()], [1.0 - tremble, tremble]) if tremble else expert


def answers(game: Game, rounds: list[Decisions], seat: int) -> Tabular:
    """What a seat's expert has said so far."""
    parts = [part.take(part.asked & (part.seat == seat)) for part in rounds]
    keys = np.concatenate([np.zeros((0, 2), dtype=np.uint64), *(part.key for part in parts)])
    labels = np.concatenate([np.zeros((0, game.spec.actions)), *(part.label for part in parts)])
    keys, first = np.unique(keys, axis=0, return_index=True)
    return Tabular(keys, labels[first].astype(np.float64))


register("mail-tremble", lambda options: Tremble(options))
