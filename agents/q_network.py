"""TODO"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from games.base import Rng
from mail.explore.deep import DeepConfig


class QNet(nn.Module):
    """Observations [N, *shape] to unit features phi [N, d]; ``head`` gives q [N, A]."""

    def __init__(self, shape: tuple[int, ...], actions: int, config: DeepConfig, *, rng: Rng) -> None:
        super().__init__()
        inputs = math.prod(shape)
        layers = [
            nn.Linear(inputs, config.embedding, device="meta"),
            nn.Linear(config.embedding, config.features, device="meta"),
        ]
        self.first, self.second = (layer.to_empty(device="cpu") for layer in layers)
        self.head = nn.Linear(config.features, actions, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            for layer, weight, bias in (
                (self.first, config.frequency, 0.5),
                (self.second, config.embedding**-0.5, 0.5),
                (self.head, 0.1 * config.features**-0.5, 0.0),
            ):
                layer.weight.copy_(torch.from_numpy(rng.normal(0.0, weight, tuple(layer.weight.shape))))
                layer.bias.copy_(torch.from_numpy(rng.normal(0.0, bias, tuple(layer.bias.shape))))

    def features(self, observations: Tensor) -> Tensor:
        hidden = torch.sin(self.second(torch.sin(self.first(observations.flatten(1)))))
        unit: Tensor = nn.functional.normalize(hidden, dim=1)
        return unit

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        phi = self.features(observations)
        return phi, self.head(phi)
