"""IQ-Learn online, tabular: its loss in the decision process that a seat faces (Garg et al., arXiv:2106.12142;
docs/algorithms.md, "IQ-Learn"). Losses and settings are explained in ``iq_learn``.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from games.base import Floats, Rng
from mail.learners.collect import Options
from mail.learners.inverse.iq_learn import IqConfig, implied_reward, minimized_q
from mail.learners.inverse.learner import Inverse, Solution
from mail.learners.inverse.process import Demonstrated, Process, soft_max, softmax


def online_loss(process: Process, expert: Floats, visits: Floats, q: Floats, config: IqConfig) -> tuple[float, Floats]:
    """The online loss and its gradient [n, A] in Q [n, A].

    Args:
        process: The seat's.
        expert: [n, A] the expert's visits.
        visits: [n, A] the policy's, on which the penalty is, too, if ``regularize``; held fixed.
        q: [n, A] finite where legal.
        config: The settings.
    """
    actions = np.where(process.legal, q, -np.inf)
    values, policy = soft_max(actions, config.temperature), softmax(actions, config.temperature)
    implied = implied_reward(process.legal, q, process.next(values))
    penalized = (expert + visits) / 2 if config.regularize else expert
    total = (penalized * implied**2).sum() / (4 * config.alpha) - (expert * implied).sum() + process.start @ values
    push = penalized * implied / (2 * config.alpha) - expert
    return float(total), push + (process.start - process.flow(push))[:, None] * policy


def online(config: IqConfig, process: Process, expert: Demonstrated, rng: Rng) -> Solution:
    """Fit Q in rounds, each with the visits of the policy before it.

    Args:
        config: Temperature, divergence and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Not used.
    """
    q = np.zeros(process.legal.shape)
    took = 0
    for _ in range(config.rounds if config.regularize else 1):
        visits = process.visits(_policy(process, q, config))
        q, steps = minimized_q(
            partial(_online_objective, process, expert.visits, visits, config), q, process.legal, config
        )
        took += steps
    policy = _policy(process, q, config)
    final, _ = online_loss(process, expert.visits, process.visits(policy), q, config)
    return Solution(policy, took, {"loss": final})


def _online_objective(
    process: Process, expert: Floats, visits: Floats, config: IqConfig, q: Floats
) -> tuple[float, Floats]:
    return online_loss(process, expert, visits, q, config)


def _policy(process: Process, q: Floats, config: IqConfig) -> Floats:
    return softmax(np.where(process.legal, q, -np.inf), config.temperature)


class IqLearnOnline(Inverse):
    """The learner ``iq-learn-online``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Temperature, divergence and limits; the defaults if None.
    """

    def __init__(self, options: Options, *, name: str = "iq-learn-online", config: IqConfig | None = None) -> None:
        super().__init__(options, name=name, method=partial(online, config or IqConfig()))
