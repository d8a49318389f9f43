"""3x3 convolutions in double precision that cost little more than torch's in single precision.

Torch has no fast convolution of doubles. Here, along a board's columns, Winograd's minimal filtering F(m, 3) takes
the place of sums (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): m outputs of 3 taps
need m + 2 products, not 3m,

    y = A^T ((G k) * (B^T x)),    x [m + 2], k [3], y [m],

as both sides are polynomials, known by their values at m + 2 points. Across rows the sums stay, as matrix products
over whole blocks of positions. In single precision so many points would cost digits; in double there are plenty.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from games.base import Floats

TILE = 10
"""Most columns that are filtered together; with more of them, rounding grows faster than products are saved."""

LEAST = 8
"""Fewest filters: torch multiplies very small matrices in its own way, with bits that depend on the number of rows."""


def filtering(columns: int) -> tuple[Floats, Floats, Floats]:
    """B^T [P, columns], G [P, 3] and A^T [columns, P] of rows of ``columns`` cells with a border of zeros.

    The columns are cut into tiles of ``TILE`` or fewer, nearly equal; P counts the points of all of them.
    """
    tiles = np.array_split(np.arange(columns), math.ceil(columns / TILE))
    points = sum(len(tile) + 2 for tile in tiles)
    enter, taps, leave = np.zeros((points, columns + 2)), np.zeros((points, 3)), np.zeros((columns, points))
    first = 0
    for tile in tiles:
        size = len(tile) + 2
        at = slice(first, first + size)
        enter[at, tile[0] : tile[0] + size] = np.linalg.inv(_values(size, size)).T
        taps[at], leave[tile, at] = _values(size, 3), _values(size, size - 2).T
        first += size
    return enter[:, 1:-1], taps, leave


def _values(points: int, degree: int) -> Floats:
    """[points, degree] the powers below ``degree`` of Chebyshev's points, and infinity, where the last is all."""
    finite = np.cos(np.pi * (np.arange(points - 1) + 0.5) / (points - 1))
    return np.vstack([finite[:, None] ** np.arange(degree), np.eye(degree)[-1:]])


FULL = 12
"""Fewest rows of a matrix times very wide ones: with less, kernels for AVX2 give columns bits by where they lie."""

Steps = list[Callable[[], object]]
"""What is done to tensors that were made before: their views cost as much as some of the products."""


class Convolution:
    """Rectified 3x3 convolution of doubles with a border of zeros, [W, H, C, N] to [W, H, F, N].

    F is ``LEAST`` at least; filters that the layer does not have give zeros.
    """

    def __init__(self, layer: nn.Conv2d, channels: int, columns: int, device: str) -> None:
        """As ``layer`` is now, for planes of ``channels`` channels; those beyond its own are 0."""
        weight, bias = (parameter.detach().cpu().double().numpy() for parameter in layer.parameters())
        self.filters = max(len(weight), LEAST)
        full, constant = np.zeros((self.filters, channels, 3, 3)), np.zeros((self.filters, 1))
        full[: len(weight), : weight.shape[1]], constant[: len(bias), 0] = weight, bias
        enter, taps, leave = filtering(columns)
        kernel = np.einsum("pt,fcrt->pfrc", taps, full).reshape(len(taps), self.filters, 3 * channels)
        leave = np.hstack([leave, np.ones((columns, 1))])  # the bias is one more product
        enter, leave = (np.pad(part, ((0, max(FULL - len(part), 0)), (0, 0))) for part in (enter, leave))
        self._enter, self._kernel, self._bias, self._leave = (
            torch.from_numpy(np.ascontiguousarray(array)).clone().to(device)
            for array in (enter, kernel, constant, leave)
        )

    def steps(self, planes: Tensor, found: Tensor, memory: Memory, *, add: bool = False) -> Steps:
        """From ``planes`` into ``found``, which may be the same; with ``add`` to what is there, before rectifying."""
        columns, rows, channels, n = planes.shape
        points, filters, _ = self._kernel.shape
        seen = memory.take("seen", len(self._enter), rows, channels, n)
        products = memory.take("products", points + 1, filters, n)
        sums = memory.take("sums", len(self._leave), filters, n)
        steps: Steps = [
            partial(torch.mm, self._enter, planes.flatten(1), out=seen.flatten(1)),
            partial(products[points].copy_, self._bias),
        ]
        for row in range(rows):
            first, last = max(row - 1, 0), min(row + 2, rows)
            kernel = self._kernel[:, :, (first - row + 1) * channels : (last - row + 1) * channels]
            near = seen[:points, first:last].flatten(1, 2)
            steps.append(partial(torch.bmm, kernel, near, out=products[:points]))
            steps.append(partial(torch.mm, self._leave, products.flatten(1), out=sums.flatten(1)))
            if add:
                steps.append(partial(sums[:columns].add_, found[:, row]))
            steps.append(partial(torch.clamp, sums[:columns], min=0.0, out=found[:, row]))
        return steps


class Memory:
    """Doubles by name, for tensors whose contents are not needed at the same time."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._held: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """[*shape] with anything in it."""
        size = math.prod(shape)
        if name not in self._held or len(self._held[name]) < size:
            self._held[name] = torch.empty(size, dtype=torch.float64, device=self._device)
        return self._held[name][:size].view(shape)
