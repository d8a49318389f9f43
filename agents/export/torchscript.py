"""A plan (``agents.export.plan``) as a torch module, compiled to TorchScript.

Torch has deprecated TorchScript (2.13 warns on writing and reading), but C++ programs load it today. The warnings are
suppressed here because the user chose this form.
"""

from __future__ import annotations

import io
import warnings
from typing import cast

import torch
from torch import Tensor, nn

from agents.export.plan import Plan
from agents.network import one_thread, tensor
from agents.policy import SLACK

TINY = 1e-300


class Exported(nn.Module):
    """A module from observations [N, *shape] and legal masks [N, A] to probabilities [N, A] in double precision.

    Args:
        one: the plan of a seat.
    """

    def __init__(self, one: Plan) -> None:
        super().__init__()
        self.plan = one
        for name, array in one.arrays.items():
            self.register_buffer(name.replace(".", "_"), tensor(array))
        if one.bits is not None:
            self.register_buffer("bits", tensor(one.bits))
        if one.symmetry is not None:
            self.register_buffer("source", tensor(one.symmetry.source))
            self.register_buffer("goes", tensor(one.symmetry.forward))

    def forward(self, observation: Tensor, legal: Tensor) -> Tensor:
        """Probabilities of a batch.

        Args:
            observation: float32 [N, *shape].
            legal: bool [N, A].
        """
        if self.plan.symmetry is None:
            return self._query(observation, legal)
        observation, which = self._canonical(observation)
        to = cast(Tensor, self.goes)[which]
        moved = torch.zeros_like(legal).scatter(1, to, legal)
        return self._query(observation, moved).gather(1, to)

    def _query(self, observation: Tensor, legal: Tensor) -> Tensor:
        rows = self._table(observation, legal) if self.plan.kind == "table" else self._network(observation, legal)
        for word, number in self.plan.then:
            if word == "greedy":
                best = (rows >= rows.amax(1, keepdim=True) * (1.0 - SLACK)) & (rows > 0)
                rows = (best & (best.long().cumsum(1) == 1)).double()
            else:
                scaled = (rows / rows.amax(1, keepdim=True).clamp(min=TINY)) ** (1.0 / number)
                rows = scaled / scaled.sum(1, keepdim=True).clamp(min=TINY)
        return rows

    def _network(self, rows: Tensor, legal: Tensor) -> Tensor:
        rows = rows.double()
        for index, layer in enumerate(self.plan.layers):
            if layer == "relu":
                rows = rows.relu()
            elif layer == "flatten":
                rows = rows.flatten(1)
            elif layer == "linear":
                rows = nn.functional.linear(rows, *self._numbers(f"{index}"))
            elif layer == "conv":
                rows = self._convolved(rows, f"{index}")
            else:
                rows = (
                    rows + self._convolved(self._convolved(rows, f"{index}_first").relu(), f"{index}_second")
                ).relu()
        logits = rows if self.plan.layers else legal.double()
        masked = logits.masked_fill(~legal, -1e300)
        weights = (masked - masked.amax(1, keepdim=True)).exp().masked_fill(~legal, 0.0)
        return weights / weights.sum(1, keepdim=True).clamp(min=TINY)

    def _convolved(self, planes: Tensor, layer: str) -> Tensor:
        """A 3 x 3 convolution with zero padding, as a matrix product: faster than torch's Conv2d for doubles."""
        weight, bias = self._numbers(layer)
        windows = nn.functional.unfold(planes, 3, padding=1)  # [N, 9 C, cells]
        return (weight.flatten(1) @ windows + bias[:, None]).view(-1, len(weight), *self.plan.observation[1:])

    def _numbers(self, layer: str) -> tuple[Tensor, Tensor]:
        """Weights and biases of a layer, in double precision."""
        return self.get_buffer(f"{layer}_weight").double(), self.get_buffer(f"{layer}_bias").double()

    def _words(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """[N] own stones and all stones as integers."""
        stones = ((planes.flatten(2) > 0).long() * cast(Tensor, self.bits)).sum(2)
        return stones[:, 0], stones[:, 0] + stones[:, 1]

    def _canonical(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """The canonical (smallest) image of every board, and the symmetry [N] that maps to it."""
        flat = observation.flatten(2)
        best = flat
        own, stones = self._words(best)
        which = torch.zeros_like(own)
        source = cast(Tensor, self.source)
        for g in range(1, len(source)):
            image = flat[:, :, source[g]]
            image_own, image_stones = self._words(image)
            less = (image_own < own) | ((image_own == own) & (image_stones < stones))
            best = torch.where(less[:, None, None], image, best)
            own, stones = torch.where(less, image_own, own), torch.where(less, image_stones, stones)
            which = torch.where(less, torch.full_like(which, g), which)
        return best.view_as(observation), which

    def _table(self, observation: Tensor, legal: Tensor) -> Tensor:
        own, stones = self._words(observation)
        keys = self.get_buffer("keys")
        match = (own[:, None] == keys[:, 0]) & (stones[:, None] == keys[:, 1])
        uniform = legal.double() / legal.double().sum(1, keepdim=True).clamp(min=1.0)
        known = match.any(1) & legal.any(1)
        return torch.where(known[:, None], self.get_buffer("table")[match.long().argmax(1)], uniform)


@one_thread
def to_torchscript(one: Plan) -> bytes:
    """The bytes of a TorchScript file. It takes batches of any size N.

    Args:
        one: the plan of a seat.
    """
    module = Exported(one).eval()
    example = (torch.zeros((2, *one.observation)), torch.ones((2, one.actions), dtype=torch.bool))
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # also about loops over layers and symmetries, whose number is fixed
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, buffer)  # type: ignore[no-untyped-call, unused-ignore]
    return buffer.getvalue()
