"""The loop of MAIL-BRO and MURMAIL: each seat meets a response to its policy, and is corrected where that leads.

    mu_1 = uniform
    for k = 1, 2, ... until the response finds at most ``tolerance``, or the budget is spent:
        nu_k = the opponent's response to mu_k       (``Opponent``: what the two algorithms differ in)
        play a round of mu_k against nu_k, and query the expert at the seat's decisions S
        step of exponential weights at those positions (``mail.learners.responses.weights``)
    return the last mu_k (or one of them at random)

The loop of one seat does not depend on the other's. Every own decision of a game is a sample of S, and each position
of a round is updated once. A label of this project is the expert's whole distribution, so that no position needs a
second one; with ``Options.sample_labels`` every visit is a query (or several), of which one action is sampled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from agents.policy import Policy, Seats, sample
from agents.tabular import Tabular
from games.base import Floats, Game, NashmailError
from games.progress import phase
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.data.rollout import LabelSource, Selective, UnseenOnly, labelled_table
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import Collector, Learned, Options, Rounds, finish
from mail.learners.journal import Journal
from mail.learners.responses.weights import ExponentialWeights, derived_rate
from mail.learners.snapshots import Snapshots
from mail.parallel.pool import Pool
from mail.parallel.streams import stream

RETURNS = ("last", "random")
EXACT_RATE = 10.0
"""The step size with noiseless labels; 10 is the default of the published MURMAIL code."""
UNKNOWN_DECISIONS = 1000
"""The number of decisions that the step size is derived from, where a learner does not know the model."""


@dataclass(frozen=True)
class ResponseConfig:
    """The settings that ``mail-bro`` and ``murmail`` share."""

    rate: float | None = None
    """The step size eta. None: with sampled labels sqrt(2 S log A / K), of the seat's S decisions (a learner without
    the model takes ``UNKNOWN_DECISIONS``) and K rounds; with whole distributions, which have no noise to average out,
    ``EXACT_RATE``, less where the expert mixes."""
    games_per_round: int = 8
    """Games of one iterate against one response."""
    tolerance: float = 0.005
    """Stop when the response finds at most this: reward beyond the game's value, or expected squared error."""
    returns: str = "last"
    """Which iterate is the result: ``last``, or one at ``random`` as in the paper's analysis."""

    def __post_init__(self) -> None:
        if self.returns not in RETURNS:
            raise NashmailError(f"what is returned is one of {', '.join(RETURNS)}, not {self.returns!r}")


@dataclass(frozen=True)
class Response:
    """Who plays opposite in a round."""

    policy: Policy
    finds: float
    """What it gains by this iterate, in the units of the learner's tolerance."""


class Opponent(Protocol):
    """Finds responses to the iterates of one seat."""

    samples: int
    """Actions sampled at each visit of an outer round, if labels are sampled: the first is the update's."""

    def respond(self, loop: Loop) -> Response:
        """The response to ``loop.weights``; it may play inner rounds.

        Args:
            loop: The seat's.
        """

    def observe(self, played: Decisions, answers: Floats, samples: int) -> None:
        """Learn from a round.

        Args:
            played: Both seats' decisions.
            answers: float64 [n, A], the expert's answers at the seat's n decisions.
            samples: How many of them are of one visit, in a row.
        """


class Loop:
    """The state of one seat's loop.

    Args:
        learner: The learner, with its settings.
        collector: Game, pool and journal.
        experts: Seat 0's and seat 1's expert.
        budget: What may be spent.
        seat: The seat.
    """

    def __init__(self, learner: Responding, collector: Collector, experts: Seats, budget: Budget, seat: int) -> None:
        self.name, self.options, self.config = learner.name, learner.options, learner.config
        self.collector, self.expert, self.seat, self.budget = collector, experts[seat], seat, budget
        self.sampled = learner.options.sample_labels
        self.tracker = BudgetTracker(replace(budget, patience_games=budget.episodes), seat)
        self.rounds = Rounds(collector, self.tracker)
        rate = learner.rate(collector.game, budget, seat)
        self.weights = ExponentialWeights(collector.game.spec.actions, rate, exact=not self.sampled)
        self.iterate = self.weights.policy()
        self.snapshots = Snapshots()
        self.labelled: list[Decisions] = []
        self.seen = labelled_table(collector.game, self.labelled)

    @property
    def done(self) -> bool:
        """Whether the budget is spent, after at least one round."""
        return bool(self.rounds.played) and (self.tracker.done or self.rounds.games >= self.budget.episodes)

    def play(self, opposite: Policy, episodes: int, *, samples: int) -> tuple[Decisions, Decisions, Floats]:
        """A round of the present iterate.

        Args:
            opposite: Plays the other seat.
            episodes: The number of games, cut to what the budget has left.
            samples: Actions sampled at each visit, if labels are sampled.

        Returns:
            Both seats' decisions, the seat's own, and [n, A] the expert's answers at those: sampled actions as unit
            rows, or distributions seen now or before.
        """
        source: LabelSource = self.expert if self.sampled else Selective(self.expert, UnseenOnly(self.seen))
        episodes = max(1, min(episodes, self.budget.episodes - self.rounds.games))
        played = self.rounds.play(
            self.seated(self.iterate, opposite),
            self.seated(source, None),
            episodes,
            samples=samples if self.sampled else 1,
        )
        own = played.take(played.seat == self.seat)
        if self.sampled:
            rng = stream(self.options.seed, f"{self.name}/sampled", seat=self.seat, round_=len(self.rounds.played))
            return played, own, np.eye(own.legal.shape[1])[sample(own.label.astype(np.float64), rng=rng)]
        if own.queried.any():
            self.labelled.append(own.take(own.queried))
            self.seen = labelled_table(self.collector.game, self.labelled)
        return played, own, np.asarray(self.seen.table[self.seen.find(own.key)[1]])

    def seated(self, own: Any, other: Any) -> Any:
        """A pair in the order of the seats.

        Args:
            own: The seat's.
            other: The other seat's.
        """
        return (own, other) if self.seat == 0 else (other, own)


class Responding(ABC):
    """A learner by responses. What it needs to be made complete is its opponent."""

    def __init__(self, options: Options, *, name: str, config: ResponseConfig) -> None:
        """
        Args:
            options: Of the run.
            name: The learner's.
            config: Its settings.
        """
        self.name, self.options, self.config = name, options, config

    @abstractmethod
    def opponent(self, game: Game, seat: int) -> Opponent:
        """The opponent of a seat.

        Args:
            game: The game.
            seat: The seat.
        """

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        one, other = (Loop(self, collector, experts, budget, seat) for seat in (0, 1))
        (first, fit_0), (second, fit_1) = self._seat(one), self._seat(other)
        games, kept = first.games + second.games, (one.snapshots.kept, other.snapshots.kept)
        fits = fit_0, fit_1
        return finish(collector, (first, second), games, self.options, fits=fits, cloner="tabular", snapshots=kept)

    def _seat(self, loop: Loop) -> tuple[Decisions, Fit]:
        """One seat's decisions and its policy."""
        with phase("explore", learner=self.name, seat=loop.seat):
            return self._looped(loop)

    def _looped(self, loop: Loop) -> tuple[Decisions, Fit]:
        opponent, iterates = self.opponent(loop.collector.game, loop.seat), [loop.iterate]
        while not loop.done:
            response = opponent.respond(loop)
            if loop.done or (loop.rounds.played and response.finds <= self.tolerance(loop.collector.game)):
                break
            samples = opponent.samples if loop.sampled else 1
            played, own, answers = loop.play(response.policy, self.config.games_per_round, samples=samples)
            opponent.observe(played, answers, samples)
            update = slice(None, None, samples)  # the first of each visit
            error = loop.weights.update(own.key[update], own.legal[update], answers[update])
            loop.iterate = loop.weights.policy()
            iterates.append(loop.iterate)
            loop.snapshots.add(loop.tracker.labels, loop.iterate)
            loop.rounds.log({"response_finds": response.finds, "squared_error": error})
        return loop.rounds.decisions()[0], Fit(self._returned(iterates, loop.seat), len(iterates) - 1, 0.0, 0.0)

    def _returned(self, iterates: list[Tabular], seat: int) -> Tabular:
        if self.config.returns == "last":
            return iterates[-1]
        return iterates[int(stream(self.options.seed, f"{self.name}/returned", seat=seat).integers(len(iterates)))]

    def tolerance(self, game: Game) -> float:
        """When to stop, see ``ResponseConfig.tolerance``.

        Args:
            game: The game.
        """
        return self.config.tolerance

    def rate(self, game: Game, budget: Budget, seat: int) -> float:
        """The step size, see ``ResponseConfig.rate``.

        Args:
            game: The game.
            budget: What may be spent.
            seat: The seat.
        """
        if self.config.rate is not None or not self.options.sample_labels:
            return self.config.rate or EXACT_RATE
        model = self.options.model
        decisions = UNKNOWN_DECISIONS if model is None else int(model.legal(seat).any(1).sum())
        return derived_rate(decisions, game.spec.actions, budget.episodes // self.config.games_per_round)
