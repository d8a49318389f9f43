"""Adversarial inverse reinforcement learning with networks (Fu, Luo, Levine, arXiv:1710.11248; docs/algorithms.md,
"Deep adversarial and inverse imitation").

    D = exp(f) / (exp(f) + pi(a | s)),   logit = f - log pi,   and the policy is soft-optimal for f at temperature 1

As in ``gail``, own games are all of them, so that pi is the policy of which they are games: the average of all so far,
with the visits of each, pi(a | s) = visits(s, a) / visits(s), with one more visit by the present policy. At the optimum

    f(s, a) = log rho_E(s, a) - log rho_own(s, a) + log pi(a | s) = log pi_E(a | s) + log of the positions' ratio

so that a policy which is soft-optimal for f has the expert's probabilities where positions come alike. f is of pairs,
to which a potential h(s') - h(s) would add nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mail.learners.collect import Options
from mail.learners.inverse.deep.gail import AdversarialImitator, DeepGailConfig
from mail.learners.inverse.deep.learner import DeepInverse
from mail.learners.inverse.deep.seen import Batch
from mail.learners.inverse.reward import FLOOR


@dataclass(frozen=True)
class DeepAirlConfig(DeepGailConfig):
    """The settings of ``airl-deep``."""

    temperature: float = 1.0
    """Of the policy; another than 1 is another method."""
    clip: float = 10.0
    """The largest absolute value of f that is paid. Larger than that of ``gail-deep``: nothing divides it."""


class AirlImitator(AdversarialImitator):
    """One seat's reward f and Q-network; see ``AdversarialImitator``."""

    def logits(self, batch: Batch) -> Tensor:
        return self.paid(batch) - average_logs(batch, self.q(batch.observation[: len(batch)]).detach())


def average_logs(batch: Batch, present: Tensor) -> Tensor:
    """log pi of the policy whose games all own games are.

    Args:
        batch: The batch.
        present: [b, A] logits of the present policy, which counts as one more visit of each position.

    Returns:
        [b, A]; probabilities are raised to ``FLOOR``.
    """
    legal = batch.legal[: len(batch)]
    policy = present.masked_fill(~legal, -torch.inf).softmax(1)
    visits = batch.own + batch.once[:, None] * policy
    return (visits / (batch.own.sum(1) + batch.once)[:, None]).clamp(min=FLOOR).log()


class AirlDeep(DeepInverse):
    """The learner ``airl-deep``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: The settings.
    """

    def __init__(self, options: Options, *, name: str = "airl-deep", config: DeepAirlConfig = DeepAirlConfig()) -> None:
        super().__init__(options, name=name, config=config, imitator=AirlImitator)
