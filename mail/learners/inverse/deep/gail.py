"""Generative adversarial imitation with networks (Ho and Ermon, arXiv:1606.03476; docs/algorithms.md, "Deep
adversarial and inverse imitation").

    min over pi, max over D of  E_expert[log D] + E_own[log(1 - D)] - lambda H(pi)        D = 1 / (1 + exp(-f))

    repeat: f learns to tell the experts' games from the own ones;  r = f, cut to [-clip, clip], detached
            Q learns r + E V(s') on all games so far;  pi = exp((Q - V) / lambda), with V the soft value at lambda

Own games are all of them, not the last round's, as in OPT-AIL: what an early policy did and the expert does not keeps
its low reward, where a discriminator of the last round alone would forget it, and the policy oscillate. Where all own
games together have the expert's visits, f = 0, and the loss of D is log 2.

A legal action that was neither played nor demonstrated is paid -clip and ends the game. So every action of every
position that was seen has a target, and what the network believes about the untried cannot grow by its own bootstrap;
and where the expert's action is known, nothing else needs to be tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.network import NetworkPolicy
from games.base import Game, Rng
from mail.learners.collect import Options
from mail.learners.inverse.deep.learner import DeepConfig, DeepInverse
from mail.learners.inverse.deep.losses import discriminator_loss, soft_q_loss
from mail.learners.inverse.deep.networks import Trained
from mail.learners.inverse.deep.seen import Batch, Estimate, drawn


@dataclass(frozen=True)
class DeepGailConfig(DeepConfig):
    """The settings of ``gail-deep``."""

    temperature: float = 0.3
    """lambda, the weight of the causal entropy."""
    clip: float = 5.0
    """The largest absolute value of the logit that is paid."""
    ridge: float = 1e-3
    """Weight of f^2 / 2 in the discriminator's loss: f has no bound else where only one kind of games comes."""
    discriminator_steps: int = 20
    """Gradient steps of f in a round."""
    steps: int = 50
    """Gradient steps of Q in a round."""


class AdversarialImitator:
    """One seat's discriminator and Q-network.

    Args:
        config: The settings.
        game: The game.
        rng: Draws the first weights.
        device: For torch.
    """

    def __init__(self, config: DeepGailConfig, game: Game, rng: Rng, device: str) -> None:
        self.config, self.device = config, device
        self.q, self.critic = (
            Trained(game, config.architecture, learning_rate=config.learning_rate, rng=rng, device=device)
            for _ in range(2)
        )

    def policy(self) -> NetworkPolicy:
        return self.q.policy()

    def update(self, seen: Estimate, *, last: bool, rng: Rng) -> dict[str, float]:
        visited, alike = seen.visited, np.full(len(seen), 1.0 / len(seen))

        def told_apart() -> Tensor:
            batch = drawn(seen, self.config.batch, visited, rng=rng, device=self.device)
            return discriminator_loss(batch, self.logits(batch), self.config.ridge)

        def planned() -> Tensor:
            batch = drawn(seen, self.config.batch, alike, rng=rng, device=self.device)
            with torch.no_grad():
                paid = self.paid(batch).clamp(-self.config.clip, self.config.clip)
                reward = torch.where(batch.known | (batch.expert > 0), paid, -self.config.clip)
                reward = reward / self.config.temperature
            return soft_q_loss(batch, self.q(batch.observation), reward, 1.0)

        apart = self.critic.descend(told_apart, self.config.within(self.config.discriminator_steps, last), cool=last)
        error = self.q.descend(planned, self.config.within(self.config.steps, last), cool=last)
        return {"discriminator_loss": apart, "q_loss": error}

    def logits(self, batch: Batch) -> Tensor:
        """The discriminator's logits f.

        Args:
            batch: The batch.

        Returns:
            float32 [b, A].
        """
        return self.paid(batch)

    def paid(self, batch: Batch) -> Tensor:
        """What actions are paid, before it is cut: log D - log(1 - D) = f.

        Args:
            batch: The batch.

        Returns:
            float32 [b, A].
        """
        return self.critic(batch.observation[: len(batch)])


class GailDeep(DeepInverse):
    """The learner ``gail-deep``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: The settings.
    """

    def __init__(self, options: Options, *, name: str = "gail-deep", config: DeepGailConfig = DeepGailConfig()) -> None:
        super().__init__(options, name=name, config=config, imitator=AdversarialImitator)
