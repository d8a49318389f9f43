"""The losses of deep adversarial and inverse learners, on action values and logits of a batch (docs/algorithms.md,
"Deep adversarial and inverse imitation"). With a table for a network they are those of the exact learners.

Shapes: b positions of a batch, followed by those that they may lead to, m rows in all; A actions. Whatever is
summed has weights that make the sum an expectation over the drawing of batches.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mail.learners.inverse.deep.seen import Batch


def soft_values(actions: Tensor, legal: Tensor, temperature: float) -> Tensor:
    """V = temperature log sum over legal a of exp(Q / temperature).

    Args:
        actions: [m, A] Q.
        legal: bool [m, A].
        temperature: Above 0.

    Returns:
        [m].
    """
    return temperature * torch.logsumexp((actions / temperature).masked_fill(~legal, -torch.inf), 1)


def iq_loss(batch: Batch, actions: Tensor, penalized: Tensor, *, temperature: float, alpha: float) -> Tensor:
    """IQ-Learn's loss: temperature * NLL(pi) + E[x^2] / (4 alpha), with x = Q(s, a) - E V(s').

    Args:
        batch: The batch.
        actions: [m, A] Q.
        penalized: [b, A] the visits that the penalty is on; where it is not known what came next there is none.
        temperature: tau.
        alpha: The penalty's scale.
    """
    b = len(batch)
    values = soft_values(actions, batch.legal, temperature)
    cross = (values[:b, None] - actions[:b]).masked_fill(~batch.legal[:b], 0.0)
    implied = (actions[:b] - batch.next(values)).masked_fill(~batch.known, 0.0)
    return (batch.expert * cross).sum() + (penalized * implied.square()).sum() / (4.0 * alpha)


def discriminator_loss(batch: Batch, logits: Tensor, ridge: float) -> Tensor:
    """The balanced mean loss of D = 1 / (1 + exp(-f)), high on the expert, with a penalty on large logits.

    Args:
        batch: The batch.
        logits: [b, A] f.
        ridge: Weight of f^2 / 2 over both sets of visits.
    """
    right = batch.expert * softplus(-logits) + batch.own * softplus(logits)
    large = (batch.expert + batch.own) * logits.square()
    return ((right + ridge / 2.0 * large) / 2.0).masked_fill(~batch.legal[: len(batch)], 0.0).sum()


def soft_q_loss(batch: Batch, actions: Tensor, reward: Tensor, temperature: float) -> Tensor:
    """The mean squared error of Q to r + E V(s') over legal actions; the target carries no gradient.

    An action of which it is not known what came next is taken to end the game.

    Args:
        batch: The batch.
        actions: [m, A] Q.
        reward: [b, A] r.
        temperature: Of the soft values V.
    """
    legal = batch.legal[: len(batch)]
    with torch.no_grad():
        target = reward + batch.next(soft_values(actions, batch.legal, temperature))
    error = (actions[: len(batch)] - target).masked_fill(~legal, 0.0)
    return error.square().sum() / legal.sum()
