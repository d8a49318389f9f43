"""MA-AIRL for zero-sum games, exact: one shaped reward, beside both seats' own probabilities.

Yu, Song, Ermon, "Multi-agent adversarial inverse reinforcement learning" (arXiv:1907.13220), with the rewards tied,
f_2 = -f_1; docs/algorithms.md, "Joint forms". The critic of (expert, learner) against (learner, expert) games has the
form of AIRL for both seats at once:

    D(s, a, b) = exp(f) / (exp(f) + mu(a | s) / nu(b | s))        logit = f(s, a, b) - log mu(a | s) + log nu(b | s)

Seat 0 is paid the logit, seat 1 minus the logit, each against the other's expert: mu is soft-optimal for f + log nu,
and nu for - f + log mu. If f = log mu_E - log nu_E then the experts are, and D = 1/2.

    repeat: (mu, nu) = soft-optimal for f + log nu and - f + log mu, with the nu and mu of the round before
            f* = log rho_1 - log rho_2 + log mu - log nu          (the best critic)
            f = f + rate (f* - f);   a round that raises JS(rho_1, rho_2) is undone and its rate halved

A critic for each seat, both on joint moves (s, a, b) of simultaneous games, would learn nothing from tied rewards: its
loss is least where both critics agree, whatever the data (a test shows it). f is of joint moves, so that a potential in
it would be redundant, as for ``pairs`` in ``airl``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from games.base import Floats
from mail.learners.collect import Options
from mail.learners.inverse.airl import discriminator, log_policy
from mail.learners.inverse.joint import Agreement, Duel, Joint, Pair, SoftResponses, soft_responses
from mail.learners.inverse.reward import log_ratio


@dataclass(frozen=True)
class MaAirlConfig:
    """The settings of ``ma-airl``."""

    rate: float = 0.5
    """The first rate: how far a round goes to the best critic."""
    rounds: int = 30
    """Most rounds."""
    tolerance: float = 1e-9
    """Stop at a Jensen-Shannon divergence of at most this, in nats."""


def logs(policies: Pair) -> Pair:
    """log mu [m, A, 1] and log nu [m, 1, A].

    Args:
        policies: Per seat [m, A].
    """
    return log_policy(policies[0])[:, :, None], log_policy(policies[1])[:, None, :]


def critic(f: Floats, policies: Pair) -> Floats:
    """D at every joint move.

    Args:
        f: [m, A, A].
        policies: Per seat [m, A].

    Returns:
        [m, A, A].
    """
    first, second = logs(policies)
    return discriminator(f - first + second)


def _responses(duel: Duel, f: Floats, before: Pair) -> SoftResponses:
    first, second = logs(before)
    return soft_responses(duel, (f + second, -f + first))


def learned(config: MaAirlConfig, duel: Duel) -> tuple[Agreement, Floats]:
    """The solution of ``ma-airl``, and f [m, A, A].

    Args:
        config: Rate and limits.
        duel: The game with its experts.
    """
    actions = duel.experts[0].shape[1]
    f = np.zeros((len(duel.keys[0]), actions, actions))
    best, rate, round_ = _responses(duel, f, duel.uniform), config.rate, 0
    while best.divergence > config.tolerance and round_ < config.rounds:
        round_ += 1
        first, second = logs(best.policies)
        moved = f + rate * (log_ratio(*best.visits) + first - second - f)
        responses = _responses(duel, moved, best.policies)
        if responses.divergence >= best.divergence:
            rate /= 2
            continue
        f, best, rate = moved, responses, min(1.0, 1.2 * rate)
    return Agreement(best.policies, round_, best.divergence), f


def ma_airl(config: MaAirlConfig, duel: Duel) -> Agreement:
    """Alternate between the critic and both seats' policies until the games are alike.

    Args:
        config: Rate and limits.
        duel: The game with its experts.
    """
    return learned(config, duel)[0]


class MaAirl(Joint):
    """The learner ``ma-airl``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Rate and limits.
    """

    def __init__(self, options: Options, *, name: str = "ma-airl", config: MaAirlConfig = MaAirlConfig()) -> None:
        super().__init__(options, name=name, method=partial(ma_airl, config))
