"""The Q-network of deep exploration and of learned best responses: sine features of unit length under a linear head.

With sine activations the features of boards that differ in one stone are nearly orthogonal, so a norm of them
distinguishes visited from unvisited positions. With ReLU they are not. Source: docs/algorithms.md, "Deep exploration".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from agents.network import in_batches, masked_softmax, one_thread
from agents.tabular import Tabular
from games.base import Floats, Game, Rng, States


@dataclass(frozen=True)
class QSizes:
    """The widths of a Q-network, and the scale of its first layer."""

    embedding: int = 128
    """Width of the first layer."""
    features: int = 256
    """d, width of the last hidden layer."""
    frequency: float = 0.5
    """Standard deviation of the first layer's weights. Larger values separate similar boards more."""


class QNet(nn.Module):
    """A network from observations [N, *shape] to unit features phi [N, d] and values q [N, A].

    Args:
        shape: of one observation.
        actions: A.
        sizes: widths of the layers.
        rng: draws the weights.
    """

    def __init__(self, shape: tuple[int, ...], actions: int, sizes: QSizes, *, rng: Rng) -> None:
        super().__init__()
        inputs = math.prod(shape)
        layers = [
            nn.Linear(inputs, sizes.embedding, device="meta"),
            nn.Linear(sizes.embedding, sizes.features, device="meta"),
        ]
        self.first, self.second = (layer.to_empty(device="cpu") for layer in layers)
        self.head = nn.Linear(sizes.features, actions, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            for layer, weight, bias in (
                (self.first, sizes.frequency, 0.5),
                (self.second, sizes.embedding**-0.5, 0.5),
                (self.head, 0.1 * sizes.features**-0.5, 0.0),
            ):
                layer.weight.copy_(torch.from_numpy(rng.normal(0.0, weight, tuple(layer.weight.shape))))
                layer.bias.copy_(torch.from_numpy(rng.normal(0.0, bias, tuple(layer.bias.shape))))

    def features(self, observations: Tensor) -> Tensor:
        """The features of observations.

        Args:
            observations: float32 [N, *shape].

        Returns:
            float32 [N, d], rows of length 1.
        """
        hidden = torch.sin(self.second(torch.sin(self.first(observations.flatten(1)))))
        unit: Tensor = nn.functional.normalize(hidden, dim=1)
        return unit

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Features and values of observations.

        Args:
            observations: float32 [N, *shape].

        Returns:
            float32 [N, d] and [N, A].
        """
        phi = self.features(observations)
        return phi, self.head(phi)


@dataclass(frozen=True)
class QSoftmaxPolicy:
    """A softmax over action values: from a table where it has the position, from a network otherwise."""

    known: Tabular
    net: QNet
    temperature: float

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        known, place = self.known.find(game.key(states[rows], seat))
        values = np.zeros((len(rows), legal.shape[1]))
        values[known] = self.known.table[place[known]]
        if not known.all():
            values[~known] = q_values(self.net, game.observe(states[rows[~known]], seat))
        out = np.zeros(legal.shape)
        out[rows] = masked_softmax(values / self.temperature, legal[rows])
        return out


@one_thread
def q_values(net: QNet, observations: np.ndarray) -> Floats:
    """The network's q.

    Args:
        net: The network.
        observations: float32 [N, *shape].

    Returns:
        float64 [N, A].
    """
    return in_batches(lambda batch: net(batch)[1], observations)
