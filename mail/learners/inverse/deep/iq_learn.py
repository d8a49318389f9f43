"""IQ-Learn with a Q-network, offline and online (Garg et al., arXiv:2106.12142; docs/algorithms.md, "Deep adversarial
and inverse imitation"). ``mail.learners.inverse.iq_learn`` explains the loss.

    offline:   tau NLL(pi) + E_expert[x^2] / (4 alpha)                        x = Q(s, a) - E V(s')
    online:    the same, with the penalty on the expert's visits and on own ones, half each

The published online loss has E[V(s) - V(s')] of experts' and own games in place of that of experts' alone. Both are V
at the start: along any games it telescopes. So own games matter through the penalty alone, which takes the implied
reward of what only the policy does to 0, or below.

The network gives Q / tau, so that its softmax is the policy, and losses here are over tau.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from agents.network import NetworkPolicy, one_thread
from agents.policy import query
from games.base import Game, Rng
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Fit, demonstrations
from mail.data.decisions import Decisions
from mail.learners.collect import Options
from mail.learners.inverse.deep.learner import DeepConfig, DeepInverse
from mail.learners.inverse.deep.losses import iq_loss
from mail.learners.inverse.deep.networks import Trained
from mail.learners.inverse.deep.seen import Batch, Estimate, Seen, drawn


@dataclass(frozen=True)
class DeepIqConfig(DeepConfig):
    """The settings of ``iq-learn-online-deep``; of the cloner ``iq-learn-deep`` the first two."""

    temperature: float = 0.02
    """tau; published: 0.001 to 0.01. The smaller, the less the penalty keeps the policy from the labels."""
    alpha: float = 0.5
    """Scale of the penalty; the published value."""
    steps: int = 50
    """Gradient steps of a round."""

    def loss(self, batch: Batch, logits: Tensor, penalized: Tensor) -> Tensor:
        """The loss over tau.

        Args:
            batch: The batch.
            logits: [m, A] Q / tau.
            penalized: [b, A] the visits that the penalty is on.
        """
        tau = self.temperature
        return iq_loss(batch, tau * logits, penalized, temperature=tau, alpha=self.alpha) / tau


class OnlineIq:
    """One seat's Q-network, trained on the experts' games and its own.

    Args:
        config: The settings.
        game: The game.
        rng: Draws the first weights.
        device: For torch.
    """

    def __init__(self, config: DeepIqConfig, game: Game, rng: Rng, device: str) -> None:
        self.config, self.device = config, device
        self.q = Trained(game, config.architecture, learning_rate=config.learning_rate, rng=rng, device=device)

    def policy(self) -> NetworkPolicy:
        return self.q.policy()

    def update(self, seen: Estimate, *, last: bool, rng: Rng) -> dict[str, float]:
        chance = seen.visited

        def loss() -> Tensor:
            batch = drawn(seen, self.config.batch, chance, rng=rng, device=self.device)
            return self.config.loss(batch, self.q(batch.observation), (batch.expert + batch.own) / 2)

        return {"loss": self.q.descend(loss, self.config.within(self.config.steps, last), cool=last)}


class IqLearnOnlineDeep(DeepInverse):
    """The learner ``iq-learn-online-deep``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: The settings.
    """

    def __init__(
        self, options: Options, *, name: str = "iq-learn-online-deep", config: DeepIqConfig = DeepIqConfig()
    ) -> None:
        super().__init__(options, name=name, config=config, imitator=OnlineIq)


@one_thread
def clone_iq(game: Game, decisions: Decisions, seat: int, config: Any, rng: Rng, device: str) -> Fit:
    """The cloner ``iq-learn-deep``: the run's network by the offline loss."""
    cloning: ClonerConfig = config
    settings, network, shown = DeepIqConfig(), cloning.network, demonstrations(decisions, seat)
    seen = Seen(game, seat)
    seen.add(decisions, expert=True)
    estimate = seen.estimate()
    chance = np.asarray(estimate.expert.sum(1))
    rate, mirrored = network.learning_rate, network.mirrored
    q = Trained(game, network.architecture, learning_rate=rate, mirrored=mirrored, rng=rng, device=device)

    def loss() -> Tensor:
        batch = drawn(estimate, network.batch, chance, rng=rng, device=device)
        return settings.loss(batch, q(batch.observation), batch.expert)

    q.descend(loss, network.max_steps, cool=True)
    policy = q.policy()
    return Fit.of(policy, network.max_steps, query(policy, game, shown.state, seat), shown.distribution)
