"""MA-GAIL for zero-sum games, exact: one critic, high on games of seat 0's expert, low on those of its imitator.

Song, Ren, Sadigh, Ermon (arXiv:1807.09936), its zero-sum form r_1 = -r_2; docs/algorithms.md, "Joint forms". With the
visits rho_1 of (expert, learner) and rho_2 of (learner, expert), the best critic is D = rho_1 / (rho_1 + rho_2), and

    R = 0
    repeat: (mu, nu) = soft-optimal for R and -R, each against the other's expert
            R = R + rate * (log rho_1 - log rho_2)
            a round that raises JS(rho_1, rho_2) is undone and its rate halved; others raise the rate by a fifth

as in ``gail``. V_R(mu_E, nu) >= V_R(mu_E, nu_E) >= V_R(mu, nu_E) holds of the reward of which the experts are an
equilibrium; the critic looks for the one that is farthest from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from mail.learners.collect import Options
from mail.learners.inverse.joint import Agreement, Duel, Joint, soft_responses
from mail.learners.inverse.reward import log_ratio


@dataclass(frozen=True)
class MaGailConfig:
    """The settings of ``ma-gail``."""

    rate: float = 0.5
    """The first rate: the weight of a round's logit in the sum."""
    rounds: int = 30
    """Most rounds."""
    tolerance: float = 1e-9
    """Stop at a Jensen-Shannon divergence of at most this, in nats."""


def ma_gail(config: MaGailConfig, duel: Duel) -> Agreement:
    """Make both kinds of games alike by mirror descent.

    Args:
        config: Rate and limits.
        duel: The game with its experts.
    """
    actions = duel.experts[0].shape[1]
    total = np.zeros((len(duel.keys[0]), actions, actions))
    best, rate, round_ = soft_responses(duel, (total, -total)), config.rate, 0
    while best.divergence > config.tolerance and round_ < config.rounds:
        round_ += 1
        logits = total + rate * log_ratio(*best.visits)
        responses = soft_responses(duel, (logits, -logits))
        if responses.divergence >= best.divergence:
            rate /= 2
            continue
        total, best, rate = logits, responses, 1.2 * rate
    return Agreement(best.policies, round_, best.divergence)


class MaGail(Joint):
    """The learner ``ma-gail``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Rate and limits.
    """

    def __init__(self, options: Options, *, name: str = "ma-gail", config: MaGailConfig = MaGailConfig()) -> None:
        super().__init__(options, name=name, method=partial(ma_gail, config))
