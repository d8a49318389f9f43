"""MURMAIL: each seat meets the response that leads it to where it differs most from its expert.

Source: "Learning equilibria from data" (Freihaut et al., arXiv:2505.17610), its algorithm without a best-response
oracle; docs/algorithms.md, "Responses". Per seat, here for seat 0 with policy mu and expert mu_E:

    mu_1 = uniform
    for k = 1, 2, ... until the budget is spent (or, with the model, the response finds at most ``tolerance``):
        y_k = argmax over nu of the expected sum of |mu_E(. | S) - mu_k(. | S)|^2 over the decisions of a game
        play a round of mu_k against y_k, query the expert at seat 0's decisions, update as MAIL-BRO does

The inner problem is a decision process of the *other* seat, whose kernel contracts mu_k with the action axis of seat 0.
``inner = "ucbvi"`` knows labels and play alone: optimistic plans on what was seen (``experience``), ``inner_rounds``
times before every update; where chance deals and a label is the distribution, the updates' own rounds are enough.
``inner = "exact"`` plans with the exact model, without payoffs, and takes the largest error that there can be where no
label is known.

With sampled labels the reward of a visit is ``two_sample_reward`` of two independent actions of the expert: 2 queries
a visit in inner rounds and 3 in the others, one of them the update's. Without, a label is the distribution, and the
reward is exact after one query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, Seats, Uniform, tabulate, uniform_rows
from agents.tabular import Tabular, from_model
from games.base import Bools, Floats, Game, Model, NashmailError, States, deals
from mail.data.decisions import Decisions
from mail.explore.process import steps_of
from mail.learners.collect import Options
from mail.learners.responses.errors import LARGEST, Rewards
from mail.learners.responses.experience import Experience, bonuses
from mail.learners.responses.planning import alike_for, plan, plan_exactly
from mail.learners.responses.responding import Loop, Opponent, Responding, Response, ResponseConfig

INNER = ("ucbvi", "exact")


@dataclass(frozen=True)
class MurmailConfig(ResponseConfig):
    """The settings of ``murmail``."""

    inner: str = "ucbvi"
    """How the inner problem is solved, one of ``INNER``."""
    inner_rounds: int | None = None
    """Rounds of optimistic play before each update, for ``ucbvi``. None: 1; but 0 where chance deals and labels are
    whole distributions. Rounds with an update teach as much about the game and its labels there, and games are what
    runs out: exponential weights need many visits of positions that few deals lead to."""
    bonus: float = 0.05
    """The bonus of an action played n times is this, times the largest value there can be, over the root of n."""
    dealt_tolerance: float = 1e-5
    """``tolerance`` where chance deals: on average over deals an error at one of them is small, whatever it costs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.inner not in INNER:
            raise NashmailError(f"the inner solver is one of {', '.join(INNER)}, not {self.inner!r}")


class UncertaintyResponse:
    """The maximum-uncertainty response to each iterate of a seat, planned with the exact model.

    Args:
        model: The exact model.
        seat: The seat that is responded to.
    """

    samples = 3

    def __init__(self, model: Model, seat: int) -> None:
        self.model, self.seat = model, seat
        self.rewards = Rewards(model.game.spec.actions)
        self.acting = np.flatnonzero(model.legal(seat).any(1))
        self.keys = model.game.key(model.states[self.acting], seat)

    def respond(self, loop: Loop) -> Response:
        model, policy = self.model, tabulate(self.model, loop.iterate, self.seat)
        rewards = np.zeros(len(policy))
        rewards[self.acting] = self.rewards.estimate(self.keys, policy[self.acting])
        found, best = plan_exactly(model, self.seat, policy, rewards)
        return Response(from_model(model, 1 - self.seat, uniform_rows(best)), found)

    def observe(self, played: Decisions, answers: Floats, samples: int) -> None:
        self.rewards.observe(played, answers, self.seat, samples)


class OptimisticResponse:
    """The same, planned optimistically on what play and labels have shown: UCBVI.

    Args:
        config: Inner rounds and bonus.
        game: The game.
        seat: The seat that is responded to.
    """

    samples = 3

    def __init__(self, config: MurmailConfig, game: Game, seat: int) -> None:
        self.config, self.game, self.seat = config, game, seat
        self.experience, self.rewards = Experience(game), Rewards(game.spec.actions)

    def respond(self, loop: Loop) -> Response:
        for _ in range(self._inner_rounds(loop)):
            left = loop.budget.episodes - loop.rounds.games
            if loop.done or left < 1:
                break
            played, _, answers = loop.play(self._planned(loop)[0], self.config.games_per_round, samples=2)
            self.experience.add(played)
            self.rewards.observe(played, answers, self.seat, 2 if loop.sampled else 1)
            loop.rounds.log()
        return Response(*self._planned(loop))

    def observe(self, played: Decisions, answers: Floats, samples: int) -> None:
        self.experience.add(played)
        self.rewards.observe(played, answers, self.seat, samples)

    def _inner_rounds(self, loop: Loop) -> int:
        """See ``MurmailConfig.inner_rounds``."""
        if self.config.inner_rounds is not None:
            return self.config.inner_rounds
        return 0 if deals(self.game) and not loop.sampled else 1

    def _planned(self, loop: Loop) -> tuple[Policy, float]:
        """The optimistic plan, and its value; infinite while nothing is known."""
        if not len(self.experience):
            return Uniform(), np.inf
        states, game, other = self.experience.states, self.game, 1 - self.seat
        policy = loop.iterate.probabilities(game, states, self.seat)
        acting = np.flatnonzero(game.acting(states)[:, self.seat])
        rewards = np.zeros(len(states))
        rewards[acting] = self.rewards.estimate(game.key(states[acting], self.seat), policy[acting])
        steps, visits, unseen = self.experience.steps(other, policy)
        free, cap = game.legal(states, other), LARGEST * self._decisions()
        optimism = bonuses(free, visits, self.config.bonus, cap) + cap * unseen
        alike = alike_for(game, states, other)
        value, best = plan(steps, free, rewards, bonus=optimism, cap=cap, alike=alike)
        return _by_position(game, states, other, best), value

    def _decisions(self) -> float:
        """The most (discounted) decisions of a game."""
        steps, discount = steps_of(self.game), self.game.spec.discount
        return float(steps) if discount == 1.0 else (1.0 - discount**steps) / (1.0 - discount)


def _by_position(game: Game, states: States, seat: int, best: Bools) -> Policy:
    """All best actions alike, where the seat acts."""
    acting = np.flatnonzero(best.any(1))
    keys, first = np.unique(game.key(states[acting], seat), axis=0, return_index=True)
    return Tabular(keys, uniform_rows(best[acting[first]]))


class Murmail(Responding):
    """The learner ``murmail``."""

    config: MurmailConfig

    def __init__(self, options: Options, *, name: str = "murmail", **settings: Any) -> None:
        """Of a run's options.

        Args:
            options: Of the run.
            name: What the learner is registered as.
            settings: Those of ``MurmailConfig``.
        """
        super().__init__(options, name=name, config=MurmailConfig(**settings))

    def tolerance(self, game: Game) -> float:
        return self.config.dealt_tolerance if deals(game) else self.config.tolerance

    def check(self, game: Game, experts: Seats) -> None:
        if self.config.inner == "exact":
            model = self.options.exact_model(self.name)
            plan_exactly(model, 1, tabulate(model, Uniform(), 1), np.zeros(len(model.states)))  # or it refuses

    def opponent(self, game: Game, seat: int) -> Opponent:
        if self.config.inner == "exact":
            return UncertaintyResponse(self.options.exact_model(self.name), seat)
        return OptimisticResponse(self.config, game, seat)
