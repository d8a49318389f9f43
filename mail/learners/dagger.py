"""DAgger in both seats: play a mixture of expert and clone, label every own decision, refit on all labels so far.

Source: Ross, Gordon, Bagnell, "A reduction of imitation learning and structured prediction to no-regret online
learning" (AISTATS 2011, arXiv:1011.0686), algorithm 3.1; docs/algorithms.md, "Data aggregation". Per round i, for each
seat:

    pi_i = beta_i pi_E + (1 - beta_i) clone_i         (a coin at every decision)
    play a round of pi_i against the opponent, and query the expert at *every* own decision
    D = D + the new labels;  clone_{i+1} = fitted to all of D

The theorem is about the states that the learner's own play comes to, against whoever sits opposite, and that is a
choice here (``OPPONENTS``). Against the other ``expert`` the states are those of behavioral cloning and of own
mistakes: it cannot learn what happens when the opponent leaves the path. ``uniform`` play has full support, and so
leads wherever any opponent can; ``clone`` is the other seat's, as in self-play; ``best`` is the exact best response to
the clone, which knows the model and the payoffs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agents.policy import Mixture, Policy, Seats, Uniform
from games.base import Game, NashmailError
from games.progress import phase
from mail.clone import registry
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import Collector, Learned, Options, Rounds, cloned, finish
from mail.learners.journal import Journal
from mail.learners.responses.mail_bro import exact_response
from mail.learners.snapshots import Snapshots
from mail.parallel.pool import Pool
from mail.parallel.streams import stream

OPPONENTS = ("expert", "clone", "uniform", "best")


def linear(round_: int, length: float) -> float:
    """beta_i = max(0, (length - i) / length): round 0 is behavioral cloning.

    Args:
        round_: i, from 0.
        length: Of the schedule, in rounds.
    """
    return max(0.0, (length - round_) / length)


def exponential(round_: int, base: float) -> float:
    """beta_i = base^i.

    Args:
        round_: i, from 0.
        base: Between 0 and 1.
    """
    return base**round_


SCHEDULES: dict[str, Callable[[int, float], float]] = {"linear": linear, "exponential": exponential}


@dataclass(frozen=True)
class DaggerConfig:
    """The settings of ``dagger``."""

    opponent: str = "expert"
    """Who sits opposite, one of ``OPPONENTS``."""
    schedule: str = "linear"
    """How beta falls, one of ``SCHEDULES``."""
    pace: float = 15.0
    """Rounds until beta is 0, of ``linear``; the base of ``exponential``."""
    games_per_round: int = 16
    """Games between two fits."""
    cloner: str = "tabular"
    """What fits the clones (``mail.clone.registry``)."""

    def __post_init__(self) -> None:
        if self.opponent not in OPPONENTS:
            raise NashmailError(f"the opponent of dagger is one of {', '.join(OPPONENTS)}, not {self.opponent!r}")
        if self.schedule not in SCHEDULES:
            raise NashmailError(f"the schedule of dagger is one of {', '.join(SCHEDULES)}, not {self.schedule!r}")


class Dagger:
    """The learner ``dagger``, and its namesakes with other opponents."""

    def __init__(self, options: Options, *, name: str = "dagger", **settings: Any) -> None:
        """Of a run's options.

        Args:
            options: Of the run.
            name: What the learner is registered as.
            settings: Those of ``DaggerConfig``.
        """
        self.name, self.options, self.config = name, options, DaggerConfig(**settings)

    def check(self, game: Game, experts: Seats) -> None:
        registry.check(self.config.cloner, game)
        if self.config.opponent == "best":
            self.options.exact_model(self.name)
        if self.options.sample_labels:
            raise NashmailError(
                f"{self.name} lets the clone play in the queried seat, so labels cannot be sampled by play"
            )

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        trackers = BudgetTracker(budget, 0), BudgetTracker(budget, 1)
        sides = Rounds(collector, trackers[0]), Rounds(collector, trackers[1])
        clones: list[Policy] = [Uniform(), Uniform()]
        snapshots = Snapshots(), Snapshots()
        with phase("explore", learner=self.name):
            while open_ := [seat for seat in (0, 1) if not trackers[seat].done]:
                taught = [
                    seat
                    for seat in open_
                    if self._round(sides[seat], experts, clones, seat, trackers[seat].games_left(1))
                ]
                for seat in taught:
                    clones[seat] = self._fit(sides[seat], seat, clones[seat])
                for seat in open_:
                    snapshots[seat].add(trackers[seat].labels, clones[seat])
        collected = sides[0].decisions()[0], sides[1].decisions()[0]
        games, kept = sides[0].games + sides[1].games, (snapshots[0].kept, snapshots[1].kept)
        return finish(collector, collected, games, self.options, cloner=self.config.cloner, snapshots=kept)

    def _round(self, rounds: Rounds, experts: Seats, clones: list[Policy], seat: int, left: int) -> bool:
        """One round of a seat, labelled at each of its decisions.

        Returns:
            Whether it may change the clone. A label is the expert's distribution, so that a table learns from new
            positions alone; fits to all labels after every round would take time that grows with their square.
        """
        known = rounds.trackers[0].progress()["distinct_labels"]
        beta = SCHEDULES[self.config.schedule](len(rounds.played), self.config.pace)
        own = Mixture([experts[seat], clones[seat]], [beta, 1.0 - beta]) if beta < 1.0 else experts[seat]
        other = self._opponent(experts, clones, seat)
        seats: Seats = (own, other) if seat == 0 else (other, own)
        labels = (experts[0], None) if seat == 0 else (None, experts[1])
        rounds.play(seats, labels, min(self.config.games_per_round, left))
        rounds.log({"beta": beta})
        return self.config.cloner != "tabular" or rounds.trackers[0].progress()["distinct_labels"] > known

    def _fit(self, rounds: Rounds, seat: int, before: Policy) -> Policy:
        """The clone of all labels of a seat so far; the one before where the seat had nothing to decide yet."""
        rng = stream(self.options.seed, f"{self.name}/fit", seat=seat, round_=len(rounds.played))
        decisions = rounds.decisions()[0]
        if not len(decisions.take(decisions.queried & (decisions.seat == seat))):
            return before
        return cloned(self.config.cloner, rounds.collector.game, decisions, seat, self.options, rng=rng).policy

    def _opponent(self, experts: Seats, clones: list[Policy], seat: int) -> Policy:
        """Who plays the other seat."""
        if self.config.opponent == "best":
            return exact_response(self.options.exact_model(self.name), clones[seat], seat)[0]
        choices = {"expert": experts[1 - seat], "clone": clones[1 - seat], "uniform": Uniform()}
        return choices[self.config.opponent]
