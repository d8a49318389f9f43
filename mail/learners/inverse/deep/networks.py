"""Networks in the making: action values, rewards and discriminators are the same kind of network, trained likewise."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor

from agents.mirror import Ties
from agents.network import Architecture, NetworkPolicy
from games.base import Game, Rng
from games.progress import report
from mail.clone.network import CloneConfig, new_net


class Trained:
    """A network from observations to one number per action, with its optimizer.

    Args:
        game: The game.
        architecture: The network's sizes.
        learning_rate: Of Adam, whose state is kept.
        mirrored: Whether the network is tied to its mirror image (``agents.mirror``).
        rng: Draws the first weights.
        device: For torch.
    """

    def __init__(
        self,
        game: Game,
        architecture: Architecture,
        *,
        learning_rate: float,
        mirrored: bool = False,
        rng: Rng,
        device: str = "cpu",
    ) -> None:
        config = CloneConfig(architecture, mirrored=mirrored)
        self.net, self.device, self.learning_rate = new_net(game, config, rng=rng, device=device), device, learning_rate
        self.ties = Ties(self.net) if mirrored else None
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=learning_rate, fused=True)

    def __call__(self, observations: Tensor) -> Tensor:
        """The network's numbers.

        Args:
            observations: float32 ``[N, *shape]``.

        Returns:
            float32 [N, A].
        """
        logits: Tensor = self.net(observations)
        return logits

    def descend(self, loss_of: Callable[[], Tensor], steps: int, *, cool: bool = False) -> float:
        """Gradient steps.

        Args:
            loss_of: Draws a batch and gives its loss.
            steps: How many.
            cool: Whether the learning rate falls to a tenth on the way, along a cosine.

        Returns:
            The last loss; NaN without steps.
        """
        last = math.nan
        for step in range(steps):
            report(step, steps, "steps", step="fit")
            share = 0.55 + 0.45 * math.cos(math.pi * step / steps) if cool else 1.0
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate * share
            loss = loss_of()
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            if self.ties is not None:
                self.ties.gradients()
            self.optimizer.step()
            last = float(loss.detach())
        if self.ties is not None:
            self.ties.again()
        return last

    def policy(self) -> NetworkPolicy:
        """A frozen copy: probabilities proportional to exp(network)."""
        return NetworkPolicy(copy.deepcopy(self.net), device=self.device)
