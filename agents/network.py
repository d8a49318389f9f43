"""Networks as policies: a small convolutional net over the mover's view, legal masking inside the softmax.

What is asked twice in the same batch has the same bits: weights are drawn from a given generator (torch's global one
is left alone), and there is one torch thread. Networks are trained in single precision and asked in double; by which
kernels, is up to the processor. With many of them a row's last bits depend on where it lies in its batch: whoever
compares answers from different batches does so to 1e-9, or compares what was decided (``agents.policy.SLACK``).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from agents.policy import PolicyError
from games.base import Floats, Game, Rng, States

AT_ONCE = 256
"""Most positions that a network is asked about at once; more are no faster, and take more memory."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def one_thread(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run with a single torch thread (two give other bits), and put the number of threads back."""

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return function(*args, **kwargs)
        finally:
            torch.set_num_threads(before)

    return run


@dataclass(frozen=True)
class Architecture:
    """Sizes of a policy network. Saved beside its weights; unknown keys are refused."""

    channels: int = 32
    """Filters of each 3x3 convolution (boards only)."""
    convolutions: int = 2
    """Convolutions before the flattening (boards only)."""
    hidden: int = 64
    """Width of the fully connected layer."""
    blocks: int = 0
    """Residual blocks of two 3x3 convolutions each, after the others (boards only); files without it have none."""

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Architecture:
        """The architecture a file describes; PolicyError for keys or sizes that make no network."""
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise PolicyError(f"unknown architecture keys: {', '.join(sorted(unknown))}")
        for name, size in values.items():
            least = 0 if name == "blocks" else 1
            if type(size) is not int or not least <= size <= 4096:
                raise PolicyError(f"architecture key {name} must be a whole number from {least} to 4096, not {size!r}")
        return cls(**values)

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class Residual(nn.Module):
    """x + convolution(relu(convolution(x))), then a rectifier; [N, channels, rows, columns] to the same.

    Without normalisation, which would tie a row to its batch: weights are drawn small enough for the sum to stay tame.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1, device="meta") for _ in range(2))

    def forward(self, planes: Tensor) -> Tensor:
        inner: Tensor = self.second(nn.functional.relu(self.first(planes)))
        return nn.functional.relu(planes + inner)


def layers(shape: tuple[int, ...], actions: int, architecture: Architecture) -> nn.Sequential:
    """The layers of a network as shapes alone: they take no memory, and the global generator is left alone."""
    found: list[nn.Module] = []
    width = math.prod(shape)
    if len(shape) == 3:
        planes, channels = shape[0], architecture.channels
        for _ in range(architecture.convolutions):
            found += [nn.Conv2d(planes, channels, 3, padding=1, device="meta"), nn.ReLU()]
            planes = channels
        found += [Residual(channels) for _ in range(architecture.blocks)]
        width = planes * shape[1] * shape[2]
    found += [nn.Flatten(), nn.Linear(width, architecture.hidden, device="meta"), nn.ReLU()]
    return nn.Sequential(*found, nn.Linear(architecture.hidden, actions, device="meta"))


class PolicyNet(nn.Module):
    """Observations ``[N, *shape]`` to one logit per action ``[N, A]``."""

    def __init__(self, shape: tuple[int, ...], actions: int, architecture: Architecture, *, rng: Rng) -> None:
        super().__init__()
        self.shape, self.architecture = shape, architecture
        self.layers = layers(shape, actions, architecture).to_empty(device="cpu")
        draw_weights(self, rng=rng)

    def forward(self, observations: Tensor) -> Tensor:
        logits: Tensor = self.layers(observations)
        return logits


def draw_weights(net: nn.Module, *, rng: Rng) -> None:
    """Fill every layer from ``rng``: uniform within 1/sqrt(inputs), weights and biases alike."""
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                bound = 1.0 / math.sqrt(layer.weight[0].numel())
                for parameter in (layer.weight, layer.bias):
                    if parameter is not None:
                        parameter.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(parameter.shape))))


class InDouble:
    """A network's logits in double precision, as its weights are now.

    In single precision rounding reaches the sixth digit where logits are large, and differs in every program; in double
    all agree to 1e-9 and better. Here planes are [H, W, C, N] and vectors [K, N]: positions lie side by side, so that
    each layer is a product of a small matrix with a wide one.
    """

    def __init__(self, net: PolicyNet, device: str) -> None:
        self.device = device
        self._convolutions: list[tuple[Convolution, ...]] = []  # one alone, or the two of a residual block
        self._linear: list[tuple[Tensor, Tensor]] = []
        for layer in net.layers:
            if isinstance(layer, (nn.Conv2d, Residual)):
                parts = (layer,) if isinstance(layer, nn.Conv2d) else (layer.first, layer.second)
                self._convolutions.append(tuple(Convolution(part, net.shape[2], device) for part in parts))
            elif isinstance(layer, nn.Linear):
                weight, bias = _doubles(layer)
                if self._convolutions and not self._linear:  # from planes [C, H, W] to [H, W, C]
                    weight = weight.view(len(weight), -1, *net.shape[1:]).permute(0, 2, 3, 1).flatten(1)
                self._linear.append((weight.contiguous().to(device), bias[:, None].to(device)))

    def __call__(self, observations: Tensor) -> Tensor:
        """[N, A] logits of observations [N, *shape]."""
        if self._convolutions:
            rows = _scratch("planes", observations.permute(2, 3, 1, 0).shape, self.device)
            rows.copy_(observations.permute(2, 3, 1, 0))
            free, taken = "other planes", "planes"
            for first, *second in self._convolutions:
                found = first(rows, free)
                if second:
                    rows = second[0](found, taken, add=rows)  # in the place of what is added
                else:
                    rows, free, taken = found, taken, free
            rows = rows.flatten(0, 2)
        else:
            rows = observations.double().flatten(1).T
        for index, (weight, bias) in enumerate(self._linear):
            rows = torch.addmm(bias, weight, rows.relu() if index else rows)
        return rows.T


class Convolution:
    """Rectified 3x3 convolution of doubles with a border of zeros, planes [H, W, C, N] to [H, W, F, N].

    Torch's own takes several times as long for doubles. A column's neighbours lie side by side in each row, so they
    meet the filters as they are, nothing copied, in one product for all rows; the border is left out.
    """

    def __init__(self, layer: nn.Conv2d, columns: int, device: str) -> None:
        weight, bias = _doubles(layer)
        weight = weight.permute(2, 0, 3, 1)  # [3 rows, F, 3 columns, C]
        self._near = [(max(column - 1, 0), min(column + 2, columns)) for column in range(columns)]
        self._filters = [
            weight[:, :, first - column + 1 : last - column + 1].flatten(2).contiguous().to(device)
            for column, (first, last) in enumerate(self._near)
        ]
        self._bias, self._device = bias[:, None].to(device), device

    def __call__(self, planes: Tensor, into: str, *, add: Tensor | None = None) -> Tensor:
        """[H, W, F, N] in the scratch memory ``into``: the sums, and what is to ``add`` to them, rectified."""
        rows, columns, _, n = planes.shape
        found = _scratch(into, (rows, columns, len(self._bias), n), self._device)
        sums = _scratch("sums", (rows, len(self._bias), n), self._device)
        for column, ((first, last), filters) in enumerate(zip(self._near, self._filters, strict=True)):
            near = planes[:, first:last].flatten(1, 2)  # [H, (last - first) C, N]
            above, level, below = filters[:, None].unbind()
            torch.baddbmm(self._bias, level.expand(rows, -1, -1), near, out=sums)
            sums[1:].baddbmm_(above.expand(rows - 1, -1, -1), near[:-1])
            sums[:-1].baddbmm_(below.expand(rows - 1, -1, -1), near[1:])
            if add is not None:
                sums += add[:, column]
            torch.clamp(sums, min=0.0, out=found[:, column])
        return found


class _Held(threading.local):
    """Each thread's scratch memory by name and device."""

    def __init__(self) -> None:
        self.doubles: dict[tuple[str, str], Tensor] = {}


_held = _Held()


def _scratch(name: str, shape: Sequence[int], device: str) -> Tensor:
    """Doubles [*shape] with anything in them, until this thread takes the name again. To take them from the system
    anew for every batch, and give them back, costs as much as some of the products.
    """
    size = math.prod(shape)
    if (name, device) not in _held.doubles or len(_held.doubles[name, device]) < size:
        _held.doubles[name, device] = torch.empty(size, dtype=torch.float64, device=device)
    return _held.doubles[name, device][:size].view(*shape)


def _doubles(layer: nn.Conv2d | nn.Linear) -> tuple[Tensor, Tensor]:
    """Copies of a layer's weights and biases in double precision."""
    assert layer.bias is not None  # all our layers have one
    return layer.weight.detach().cpu().double().clone(), layer.bias.detach().cpu().double().clone()


class NetworkPolicy:
    """A frozen network as a policy; picklable, on the CPU or another torch device."""

    def __init__(self, net: PolicyNet, *, device: str = "cpu") -> None:
        self.net, self.device = net.to(device).eval(), device
        self._thaw()

    def _thaw(self) -> None:
        self._in_double = InDouble(self.net, "cpu" if self.device.startswith("mps") else self.device)  # mps has none

    def __getstate__(self) -> dict[str, Any]:
        """Without what follows from the weights."""
        return {name: value for name, value in vars(self).items() if name != "_in_double"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._thaw()

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        out = np.zeros(legal.shape)
        out[rows] = masked_softmax(self.logits(game.observe(states[rows], seat)), legal[rows])
        return out

    @one_thread
    def logits(self, observations: np.ndarray) -> Floats:
        """[N, A] raw logits in double precision, at most ``AT_ONCE`` rows at a time."""
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(np.ascontiguousarray(observations, dtype=np.float32)), AT_ONCE)
            found = torch.cat([self._in_double(part.to(self._in_double.device)) for part in parts])
        return np.asarray(found.cpu().numpy())


def tensor(array: np.ndarray, device: str = "cpu") -> Tensor:
    """A tensor with storage of its own, which torch aligns to 64 bytes.

    Sharing numpy's storage, aligned to 16, would let the bits of a matrix product depend on where it lies.
    """
    return torch.from_numpy(np.ascontiguousarray(array)).clone().to(device)


def in_batches(
    function: Callable[[Tensor], Tensor],
    observations: np.ndarray,
    device: str = "cpu",
    *,
    size: int = 64,
) -> Floats:
    """[N, ...] float64 of ``function`` over [N, ...] rows, always asked with exactly ``size`` rows, zeros at the end:
    matrix kernels of single precision are chosen by the number of rows, and differ in the seventh digit.
    """
    found: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, max(len(observations), 1), size):
            batch = observations[start : start + size].astype(np.float32, copy=False)
            if len(batch) < size:
                batch = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), dtype=np.float32)])
            found.append(function(tensor(batch, device)))
    return np.asarray(torch.cat(found)[: len(observations)].double().cpu().numpy())


def masked_softmax(logits: Floats, legal: np.ndarray) -> Floats:
    """[N, A] softmax over the legal actions alone: illegal ones are -inf before it, exactly 0 after it."""
    masked = np.where(legal, logits, -np.inf)
    weights = np.exp(masked - masked.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))
