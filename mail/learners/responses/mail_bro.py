"""MAIL-BRO: each seat meets the exact best response to its present policy, and is corrected where that leads.

Source: "Learning equilibria from data" (Freihaut et al., arXiv:2505.17610), its algorithm with a best-response oracle;
docs/algorithms.md, "Responses". Here for seat 0 with policy mu and expert mu_E; the loop is in ``responding``:

    nu_k = best response to mu_k, exact, from the model and its payoffs
    play mu_k against nu_k, query at seat 0's decisions S:  A ~ mu_E(. | S), or the whole distribution
    mu_{k+1}(a | S) proportional to mu_k(a | S) exp(-rate (mu_k(a | S) - 1{a = A}))    for all a

It knows the model and the payoffs: that is its oracle. A learned oracle is not provided. The loop ends where nothing is
gained from the *stochastic* policy; ``mail-bro-greedy`` goes on until that is so of its greedy version, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Greedy, Policy, Seats, tabulate, uniform_rows
from agents.tabular import from_model
from games.base import Floats, Game, Model
from mail.data.decisions import Decisions
from mail.learners.collect import Options
from mail.learners.responses.responding import Loop, Opponent, Responding, Response, ResponseConfig

_TIE = 1e-9  # action values this close, relative to the largest payoff, are equal


@dataclass(frozen=True)
class MailBroConfig(ResponseConfig):
    """The settings of ``mail-bro``."""

    greedy: bool = False
    """Whether a round meets the best response to the iterate's greedy version when that to the iterate itself finds
    nothing, and the loop ends only when neither does. Not in the paper, whose result is about the stochastic policy;
    where equilibria mix, greedy versions can always be exploited, and the whole budget is spent."""


def exact_response(model: Model, policy: Policy, seat: int) -> tuple[Policy, float]:
    """The best response to one seat's policy, all best actions alike, and seat 0's expected reward under it.

    Args:
        model: The exact model.
        policy: Plays ``seat``.
        seat: The seat that is responded to.
    """
    found = model.respond(1 - seat, tabulate(model, policy, seat))
    values = found.action_values
    best = np.isfinite(values) & (values >= values.max(1, keepdims=True) - _TIE * model.scale)
    return from_model(model, 1 - seat, uniform_rows(best)), found.value


class BestResponse:
    """An exact best response to each iterate of a seat, all best actions alike.

    Args:
        model: The exact model.
        seat: The seat that is responded to.
        config: When the greedy version of an iterate is responded to, and below which gain.
    """

    samples = 1

    def __init__(self, model: Model, seat: int, config: MailBroConfig) -> None:
        self.model, self.seat, self.config = model, seat, config

    def respond(self, loop: Loop) -> Response:
        found = self._to(loop.iterate)
        if not self.config.greedy or found.finds > self.config.tolerance:
            return found
        return self._to(Greedy(loop.iterate))

    def _to(self, policy: Policy) -> Response:
        other, value = exact_response(self.model, policy, self.seat)
        return Response(other, (2 * self.seat - 1) * (value - self.model.solve()[0].value))

    def observe(self, played: Decisions, answers: Floats, samples: int) -> None:
        return None


class MailBro(Responding):
    """The learner ``mail-bro``."""

    config: MailBroConfig

    def __init__(self, options: Options, *, name: str = "mail-bro", **settings: Any) -> None:
        """Of a run's options.

        Args:
            options: Of the run.
            name: What the learner is registered as.
            settings: Those of ``MailBroConfig``.
        """
        super().__init__(options, name=name, config=MailBroConfig(**settings))

    def check(self, game: Game, experts: Seats) -> None:
        self.options.exact_model(self.name)

    def opponent(self, game: Game, seat: int) -> Opponent:
        return BestResponse(self.options.exact_model(self.name), seat, self.config)
