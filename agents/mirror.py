"""Networks that map mirror images to mirrored logits, by tied weights.

Filters and hidden units come in pairs, c and c + half: one responds to a picture as its partner does to the mirror
image. So every layer maps a mirrored input to a mirrored output with partners exchanged, a special case of group
convolutions (Cohen & Welling, arXiv:1602.07576). A tied network is an ordinary ``PolicyNet`` with equal weights, so
files, exports and inference need no changes. It has half as many free weights. The mean of a gradient and its image is
the gradient over a batch and its mirror images, so every label counts for two at the cost of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from agents.network import PolicyNet, Residual
from agents.policy import PolicyError

Image = Callable[[Tensor], Tensor]
"""Maps a parameter to its mirror image; an involution."""


class Ties:
    """The mirror images of a network's parameters, for the mirror that reverses columns.

    Actions are columns, or cells row by row.

    Args:
        net: a network of a board, with layers of even width.

    Raises:
        PolicyError: for any other network.
    """

    def __init__(self, net: PolicyNet) -> None:
        sizes = net.architecture
        if len(net.shape) != 3 or sizes.channels % 2 or sizes.hidden % 2:
            raise PolicyError("only networks of boards can be tied to their mirror image, with layers of even width")
        self._images: list[tuple[Tensor, Image]] = []
        columns = net.shape[2]
        planes = True  # whether the next layer's input is the board itself, which has no partners
        for layer in net.layers:
            for part in (layer.first, layer.second) if isinstance(layer, Residual) else (layer,):
                if isinstance(part, nn.Conv2d):
                    self._pair(part, partial(_filters, planes), _partners)
                    planes = False
        flat, last = (layer for layer in net.layers if isinstance(layer, nn.Linear))
        self._pair(flat, partial(_flat, sizes.channels, columns), _partners)
        self._pair(last, partial(_last, columns), partial(_columns, columns))

    def _pair(self, layer: nn.Conv2d | nn.Linear, weight: Image, bias: Image) -> None:
        assert layer.bias is not None  # every layer here has one
        self._images += [(layer.weight, weight), (layer.bias, bias)]

    @torch.no_grad()
    def draw(self) -> None:
        """Tie random weights, preserving their variance."""
        for parameter, image in self._images:
            parameter.copy_((parameter + image(parameter)) / math.sqrt(2))

    @torch.no_grad()
    def gradients(self) -> None:
        """Replace every gradient by the mean of itself and its image."""
        for parameter, image in self._images:
            assert parameter.grad is not None  # computed by the caller
            parameter.grad.copy_((parameter.grad + image(parameter.grad)) / 2)

    @torch.no_grad()
    def again(self) -> None:
        """Restore equality that rounding has broken."""
        for parameter, image in self._images:
            parameter.copy_((parameter + image(parameter)) / 2)


def _partners(values: Tensor, dim: int = 0) -> Tensor:
    """Exchange the two halves of a dimension."""
    return torch.roll(values, values.shape[dim] // 2, dim)


def _filters(planes: bool, weight: Tensor) -> Tensor:
    """[K, C, 3, 3] filters over the board's planes, or over paired ones."""
    turned = _partners(weight).flip(3)
    return turned if planes else _partners(turned, 1)


def _flat(channels: int, columns: int, weight: Tensor) -> Tensor:
    """[K, C * H * W] weights of flattened planes."""
    return _partners(_partners(weight.view(len(weight), channels, -1, columns)).flip(3), 1).reshape(weight.shape)


def _last(columns: int, weight: Tensor) -> Tensor:
    """[A, K] weights of the logits."""
    return _partners(_columns(columns, weight), 1)


def _columns(columns: int, values: Tensor) -> Tensor:
    """[A, ...] values of actions, with the columns reversed."""
    return values.view(-1, columns, *values.shape[1:]).flip(1).reshape(values.shape)
