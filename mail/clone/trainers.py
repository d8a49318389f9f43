"""Clones that are trained on while labels come in, for explorers that need one after every few queries."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Protocol

import torch

from agents.network import Architecture, NetworkPolicy
from agents.policy import Policy
from games.base import Game, Rng
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Demonstrations, Fit
from mail.clone.network import CloneConfig, new_net, train_on
from mail.clone.ntuple import NtupleTrainer

TRAINED_ON = CloneConfig(
    Architecture(convolutions=1), learning_rate=1e-3, max_steps=1000, tolerance=1e-2, mean_tolerance=0.1
)
"""A network that is trained on: with a small learning rate, because an explorer queries again what it forgets, and
loosely at first."""


class Trainer(Protocol):
    """One seat's clone in the making."""

    def train(self, demonstrations: Demonstrations, *, rng: Rng, strictness: float = 1.0) -> Fit:
        """Train on.

        Args:
            demonstrations: All labels so far, not the new ones alone.
            rng: The source of randomness.
            strictness: The tolerances at which training ends are divided by it.
        """

    def policy(self) -> Policy:
        """A frozen copy of the clone as it is now."""


class NetworkTrainer:
    """A network with its optimizer.

    Args:
        game: The game.
        config: Network and training.
        rng: Draws the first weights.
        device: For torch.
    """

    def __init__(self, game: Game, config: CloneConfig, *, rng: Rng, device: str = "cpu") -> None:
        self.config, self.device = config, device
        self.net = new_net(game, config, rng=rng, device=device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=config.learning_rate, fused=True)

    def train(self, demonstrations: Demonstrations, *, rng: Rng, strictness: float = 1.0) -> Fit:
        """As in ``Trainer``."""
        tolerances = self.config.tolerance / strictness, self.config.mean_tolerance / strictness
        config = replace(self.config, tolerance=tolerances[0], mean_tolerance=tolerances[1])
        fit = train_on(self.net, self.optimizer, demonstrations, config, rng=rng, device=self.device)
        return replace(fit, policy=self.policy())

    def policy(self) -> NetworkPolicy:
        """As in ``Trainer``."""
        return NetworkPolicy(copy.deepcopy(self.net), device=self.device)


def network(game: Game, config: ClonerConfig, rng: Rng, device: str) -> Trainer:
    """The trainer of the cloner ``network``."""
    return NetworkTrainer(game, config.network, rng=rng, device=device)


def ntuple(game: Game, config: ClonerConfig, rng: Rng, device: str) -> Trainer:
    """The trainer of the cloner ``ntuple``."""
    return NtupleTrainer(game, config.ntuple, rng=rng)
