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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.policy import Mixture, Policy, Seats, Uniform
from agents.tabular import Tabular
from games.base import Bools, Game, States
from mail.decisions import Decisions
from mail.learners import SHARD, Joint, Round, Watch, register
from mail.play import Selective, each_once, remembered

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
        return np.asarray(each_once(game, states) & ~self.answered.find(game.key(states))[0])


class Tremble(Joint):
    """The learner: one collection for both seats, then a clone of each."""

    def round(
        self, game: Game, experts: Seats, watches: tuple[Watch, Watch], rounds: Sequence[Decisions]
    ) -> Round | None:
        left = watches[0].budget.episodes - watches[0].games
        if (watches[0].enough and watches[1].enough) or left <= 0:
            return None
        trembles = TREMBLES[len(rounds) % len(TREMBLES)]
        asked = [
            Selective(experts[seat], New(answers(game, rounds, seat)))
            if not watches[seat].enough and (trembles[seat] < 1 or min(trembles) == 1)
            else None
            for seat in (0, 1)
        ]
        seats = (hand(experts[0], trembles[0]), hand(experts[1], trembles[1]))
        return seats, (asked[0], asked[1]), min(ROUND, left)


def hand(expert: Policy, tremble: float) -> Policy:
    """The expert with a trembling hand."""
    return Mixture([expert, Uniform()], [1.0 - tremble, tremble]) if tremble else expert


def answers(game: Game, rounds: Sequence[Decisions], seat: int) -> Tabular:
    """What a seat's expert has said so far."""
    return remembered(game, [part.take(part.asked & (part.seat == seat)) for part in rounds])


register("mail-tremble", lambda options: Tremble(options, name="mail-tremble"))
