"""Networks as policies: a small convolutional net over the mover's view, legal masking inside the softmax.

The same bits everywhere: weights are drawn from a given generator (torch's global one is left alone), one
torch thread, and inference in batches of a fixed number of rows, so that a row's probabilities depend neither
on its neighbours nor on the machine's load. Networks are trained in single precision and asked in double.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from agents.double import Convolution, Memory, Steps
from agents.policy import PolicyError
from games.base import Floats, Game, Rng, States

ROWS = 64
"""Rows of one inference batch; the last one is padded with zeros."""

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


class PolicyNet(nn.Module):
    """Observations [N, *shape] to one logit per action [N, A]."""

    def __init__(self, shape: tuple[int, ...], actions: int, architecture: Architecture, *, rng: Rng) -> None:
        super().__init__()
        self.shape, self.architecture = shape, architecture
        layers: list[nn.Module] = []
        width = math.prod(shape)
        if len(shape) == 3:
            planes, channels = shape[0], architecture.channels
            for _ in range(architecture.convolutions):
                layers += [nn.Conv2d(planes, channels, 3, padding=1, device="meta"), nn.ReLU()]
                planes = channels
            layers += [Residual(channels) for _ in range(architecture.blocks)]
            width = planes * shape[1] * shape[2]
        layers += [nn.Flatten(), nn.Linear(width, architecture.hidden, device="meta"), nn.ReLU()]
        layers += [nn.Linear(architecture.hidden, actions, device="meta")]
        self.layers = nn.Sequential(*layers).to_empty(device="cpu")  # built without touching the global generator
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
    all agree to 1e-9 and better. Here planes are [W, H, C, N] and vectors [K, N]: positions lie side by side, so that
    each layer is a product of a small matrix with a wide one.
    """

    def __init__(self, net: PolicyNet, device: str) -> None:
        self.shape, self.device = net.shape, device
        self._convolutions: list[tuple[Convolution, ...]] = []  # one alone, or the two of a residual block
        self._linear: list[tuple[Tensor, Tensor]] = []
        channels = net.shape[0]  # of the planes so far
        for layer in net.layers:
            if isinstance(layer, (nn.Conv2d, Residual)):
                parts = (layer,) if isinstance(layer, nn.Conv2d) else (layer.first, layer.second)
                self._convolutions.append(tuple(Convolution(part, channels, net.shape[2], device) for part in parts))
                channels = self._convolutions[-1][0].filters
            elif isinstance(layer, nn.Linear):
                weight, bias = (parameter.detach().cpu().double() for parameter in (layer.weight, layer.bias))
                if self._convolutions and not self._linear:
                    weight = _turned(weight, channels, net.shape)
                self._linear.append((weight.clone().to(device), bias[:, None].clone().to(device)))

    def function(self, n: int) -> Callable[[Tensor], Tensor]:
        """From observations [n, *shape] to logits [n, A], for one thread at a time: its memory is made once."""
        memory, steps = Memory(self.device), Steps()
        if self._convolutions:
            planes, height, width = self.shape
            given = rows = memory.take("given", width, height, planes, n)
            for first, *second in self._convolutions:
                found = memory.take("inner" if second else "planes", width, height, first.filters, n)
                steps += first.steps(rows, found, memory)
                rows = rows if second else found
                if second:
                    steps += second[0].steps(found, rows, memory, add=True)
            rows = rows.flatten(0, -2)
        else:
            given = rows = memory.take("given", math.prod(self.shape), n)
        for index, (weight, bias) in enumerate(self._linear):
            found = memory.take(f"linear {index}", len(weight), n)
            steps += [rows.relu_] if index else []
            steps.append(partial(torch.addmm, bias, weight, rows, out=found))
            rows = found
        return partial(_through, given, steps, rows)


def _through(given: Tensor, steps: Steps, found: Tensor, observations: Tensor) -> Tensor:
    given.copy_(observations.permute(3, 2, 1, 0) if given.ndim == 4 else observations.flatten(1).T)
    for step in steps:
        step()
    return found.T.clone()


def _turned(weight: Tensor, channels: int, shape: tuple[int, ...]) -> Tensor:
    """[K, C * H * W] weights of flattened planes as weights of planes [W, H, channels]; zeros beyond C."""
    _, height, width = shape
    planes = weight.view(len(weight), -1, height, width)
    full = weight.new_zeros((len(weight), channels, height, width))
    full[:, : planes.shape[1]] = planes
    return full.permute(0, 3, 2, 1).flatten(1)


class NetworkPolicy:
    """A frozen network as a policy; picklable, on the CPU or another torch device."""

    def __init__(self, net: PolicyNet, *, device: str = "cpu") -> None:
        self.net, self.device = net.to(device).eval(), device
        self._thaw()

    def _thaw(self) -> None:
        self._in_double = InDouble(self.net, "cpu" if self.device.startswith("mps") else self.device)  # mps has none
        self._free: list[Callable[[Tensor], Tensor]] = []  # functions at rest; one for each thread that asks at once

    def __getstate__(self) -> dict[str, Any]:
        """Without what follows from the weights."""
        return {name: value for name, value in vars(self).items() if name not in ("_in_double", "_free")}

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
        """[N, A] raw logits in double precision, computed ``ROWS`` at a time."""
        with torch.inference_mode():
            function = self._free.pop() if self._free else self._in_double.function(ROWS)
        found = in_batches(function, observations, self._in_double.device)
        self._free.append(function)
        return found


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
    size: int = ROWS,
) -> Floats:
    """[N, ...] float64 of ``function`` over [N, ...] rows, always asked with exactly ``size`` rows: matrix kernels give
    other bits for other numbers of rows.
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
