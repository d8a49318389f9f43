"""Networks as policies: a small convolutional net over the mover's view, with illegal actions masked in the softmax.

Equal batches give equal bits: weights come from a given generator (torch's global one is not used), and there is one
torch thread. Networks are trained in single precision and evaluated in double. The processor chooses the kernels; with
many of them a row's last bits depend on its place in the batch. So answers from different batches must be compared to
within 1e-9, or by the resulting decisions (``agents.policy.SLACK``).
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
from games.progress import report

AT_ONCE = 256
"""Largest inference batch; more positions at once are no faster and take more memory."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def one_thread(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Decorate a function to run with a single torch thread. The number of threads changes floating-point results.

    Args:
        function: any function.
    """

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
    """The sizes of a policy network. Saved with its weights; unknown keys are refused."""

    channels: int = 32
    """Filters of each 3x3 convolution (boards only)."""
    convolutions: int = 2
    """Number of convolutions (boards only)."""
    hidden: int = 64
    """Width of the fully connected layer."""
    blocks: int = 0
    """Residual blocks of two 3x3 convolutions each, after the convolutions (boards only). Older files have none."""

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Architecture:
        """The architecture in a file.

        Args:
            values: sizes by name.

        Raises:
            PolicyError: for unknown keys or sizes out of range.
        """
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise PolicyError(f"unknown architecture keys: {', '.join(sorted(unknown))}")
        for name, size in values.items():
            smallest = 0 if name == "blocks" else 1
            if type(size) is not int or not smallest <= size <= 4096:
                raise PolicyError(
                    f"architecture key {name} must be a whole number from {smallest} to 4096, not {size!r}"
                )
        return cls(**values)

    def as_dict(self) -> dict[str, int]:
        """The sizes by name."""
        return asdict(self)


class Residual(nn.Module):
    """x + convolution(relu(convolution(x))), then a ReLU; [N, channels, rows, columns] to the same shape.

    Without normalization, which would make a row depend on its batch. The initial weights are small enough without it.

    Args:
        channels: filters of both convolutions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, padding=1, device="meta") for _ in range(2))

    def forward(self, planes: Tensor) -> Tensor:
        """Apply the block.

        Args:
            planes: float32 [N, channels, rows, columns], as is what is returned.
        """
        inner: Tensor = self.second(nn.functional.relu(self.first(planes)))
        return nn.functional.relu(planes + inner)


def layers(shape: tuple[int, ...], actions: int, architecture: Architecture) -> nn.Sequential:
    """The layers of a network on the meta device: they take no memory and do not use torch's global generator.

    Args:
        shape: of one observation.
        actions: A.
        architecture: the sizes.
    """
    modules: list[nn.Module] = []
    width = math.prod(shape)
    if len(shape) == 3:
        planes, channels = shape[0], architecture.channels
        for _ in range(architecture.convolutions):
            modules += [nn.Conv2d(planes, channels, 3, padding=1, device="meta"), nn.ReLU()]
            planes = channels
        modules += [Residual(channels) for _ in range(architecture.blocks)]
        width = planes * shape[1] * shape[2]
    modules += [nn.Flatten(), nn.Linear(width, architecture.hidden, device="meta"), nn.ReLU()]
    return nn.Sequential(*modules, nn.Linear(architecture.hidden, actions, device="meta"))


class PolicyNet(nn.Module):
    """A network from observations ``[N, *shape]`` to logits ``[N, A]``.

    Args:
        shape: of one observation; three numbers (planes, rows, columns) for convolutions.
        actions: A.
        architecture: the sizes.
        rng: draws the weights.
    """

    def __init__(self, shape: tuple[int, ...], actions: int, architecture: Architecture, *, rng: Rng) -> None:
        super().__init__()
        self.shape, self.architecture = shape, architecture
        self.layers = layers(shape, actions, architecture).to_empty(device="cpu")
        draw_weights(self, rng=rng)

    def forward(self, observations: Tensor) -> Tensor:
        """Logits float32 [N, A] of observations.

        Args:
            observations: float32 ``[N, *shape]``.
        """
        logits: Tensor = self.layers(observations)
        return logits


def draw_weights(net: nn.Module, *, rng: Rng) -> None:
    """Draw the weights and biases of every layer, uniform within 1/sqrt(inputs).

    Args:
        net: changed in place.
        rng: draws them.
    """
    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                bound = 1.0 / math.sqrt(layer.weight[0].numel())
                for parameter in (layer.weight, layer.bias):
                    if parameter is not None:
                        parameter.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(parameter.shape))))


class InDouble:
    """A copy of a network that computes logits in double precision, with its present weights.

    In single precision, rounding affects the sixth digit of large logits, and differs between programs. In double
    precision all agree to 1e-9 or better. Planes are [H, W, C, N] and vectors [K, N], with positions side by side, so
    that each layer is a product of a small matrix with a wide one.

    Args:
        net: the network.
        device: of the copy, for torch.
    """

    def __init__(self, net: PolicyNet, device: str) -> None:
        self.device = device
        self._convolutions: list[tuple[Convolution, ...]] = []  # one, or the two of a residual block
        self._linear: list[tuple[Tensor, Tensor]] = []
        for layer in net.layers:
            if isinstance(layer, (nn.Conv2d, Residual)):
                parts = (layer,) if isinstance(layer, nn.Conv2d) else (layer.first, layer.second)
                self._convolutions.append(tuple(Convolution(part, net.shape[2], device) for part in parts))
            elif isinstance(layer, nn.Linear):
                weight, bias = _doubles(layer)
                if self._convolutions and not self._linear:  # reorder inputs from [C, H, W] to [H, W, C]
                    weight = weight.view(len(weight), -1, *net.shape[1:]).permute(0, 2, 3, 1).flatten(1)
                self._linear.append((weight.contiguous().to(device), bias[:, None].to(device)))

    def __call__(self, observations: Tensor) -> Tensor:
        """Logits float64 [N, A] of observations.

        Args:
            observations: float32 ``[N, *shape]``.
        """
        if self._convolutions:
            rows = _scratch("planes", observations.permute(2, 3, 1, 0).shape, self.device)
            rows.copy_(observations.permute(2, 3, 1, 0))
            free, taken = "other planes", "planes"
            for first, *second in self._convolutions:
                out = first(rows, free)
                if second:
                    rows = second[0](out, taken, add=rows)  # overwrites the summand
                else:
                    rows, free, taken = out, taken, free
            rows = rows.flatten(0, 2)
        else:
            rows = observations.double().flatten(1).T
        for index, (weight, bias) in enumerate(self._linear):
            rows = torch.addmm(bias, weight, rows.relu() if index else rows)
        return rows.T


class Convolution:
    """A 3x3 convolution of doubles with zero padding and ReLU, from planes [H, W, C, N] to [H, W, F, N].

    Torch's own takes several times as long for doubles. The neighbors of a column are adjacent in memory in each row,
    so one product with the filters per column computes all rows without copies. Padding is omitted from the products.

    Args:
        layer: the layer, whose weights are copied.
        columns: W.
        device: for torch.
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
        """The ReLU of the convolution, plus other planes if given: float64 [H, W, F, N].

        Args:
            planes: float64 [H, W, C, N].
            into: the name of the scratch memory for the result.
            add: float64 [H, W, F, N] added before the ReLU.
        """
        rows, columns, _, n = planes.shape
        out = _scratch(into, (rows, columns, len(self._bias), n), self._device)
        sums = _scratch("sums", (rows, len(self._bias), n), self._device)
        for column, ((first, last), filters) in enumerate(zip(self._near, self._filters, strict=True)):
            near = planes[:, first:last].flatten(1, 2)  # [H, (last - first) C, N]
            above, level, below = filters[:, None].unbind()
            torch.baddbmm(self._bias, level.expand(rows, -1, -1), near, out=sums)
            sums[1:].baddbmm_(above.expand(rows - 1, -1, -1), near[:-1])
            sums[:-1].baddbmm_(below.expand(rows - 1, -1, -1), near[1:])
            if add is not None:
                sums += add[:, column]
            torch.clamp(sums, min=0.0, out=out[:, column])
        return out


class _Memory(threading.local):
    """Each thread's scratch memory by name and device."""

    def __init__(self) -> None:
        self.doubles: dict[tuple[str, str], Tensor] = {}


_memory = _Memory()


def _scratch(name: str, shape: Sequence[int], device: str) -> Tensor:
    """Uninitialized doubles [*shape], valid until this thread requests the name again.

    Allocating them for every batch would cost as much as some of the products.
    """
    size = math.prod(shape)
    if (name, device) not in _memory.doubles or len(_memory.doubles[name, device]) < size:
        _memory.doubles[name, device] = torch.empty(size, dtype=torch.float64, device=device)
    return _memory.doubles[name, device][:size].view(*shape)


def _doubles(layer: nn.Conv2d | nn.Linear) -> tuple[Tensor, Tensor]:
    """Copies of a layer's weights and biases in double precision."""
    assert layer.bias is not None  # every layer here has one
    return layer.weight.detach().cpu().double().clone(), layer.bias.detach().cpu().double().clone()


class NetworkPolicy:
    """A frozen network as a policy. Picklable; on the CPU or another torch device.

    Args:
        net: the network, which is moved to the device.
        device: for torch.
    """

    def __init__(self, net: PolicyNet, *, device: str = "cpu") -> None:
        self.net, self.device = net.to(device).eval(), device
        self._thaw()

    def _thaw(self) -> None:
        self._in_double = InDouble(self.net, "cpu" if self.device.startswith("mps") else self.device)  # mps: no doubles

    def __getstate__(self) -> dict[str, Any]:
        """The state without what follows from the weights."""
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
        """Logits in double precision, in batches of at most ``AT_ONCE`` rows.

        Args:
            observations: float32 ``[N, *shape]``.

        Returns:
            float64 [N, A].
        """
        with torch.inference_mode():
            parts = torch.split(torch.from_numpy(np.ascontiguousarray(observations, dtype=np.float32)), AT_ONCE)
            logits = torch.cat([self._in_double(part.to(self._in_double.device)) for part in parts])
        return np.asarray(logits.cpu().numpy())


def tensor(array: np.ndarray, device: str = "cpu") -> Tensor:
    """A tensor with its own storage, which torch aligns to 64 bytes.

    Numpy's storage is aligned to 16 bytes, so sharing it would let the bits of a matrix product depend on the address.

    Args:
        array: any array.
        device: for torch.
    """
    return torch.from_numpy(np.ascontiguousarray(array)).clone().to(device)


def in_batches(
    function: Callable[[Tensor], Tensor],
    observations: np.ndarray,
    device: str = "cpu",
    *,
    size: int = 64,
) -> Floats:
    """Apply a function in batches of exactly ``size`` rows, padded with zeros.

    Kernels of single precision depend on the number of rows, and differ in the seventh digit.

    Args:
        function: from rows [size, ...] to rows [size, ...].
        observations: [N, ...], taken as float32.
        device: for torch.
        size: rows of a batch.

    Returns:
        float64 [N, ...].
    """
    outputs: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, max(len(observations), 1), size):
            report(start, len(observations), "positions", step="query")
            batch = observations[start : start + size].astype(np.float32, copy=False)
            if len(batch) < size:
                batch = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), dtype=np.float32)])
            outputs.append(function(tensor(batch, device)))
    return np.asarray(torch.cat(outputs)[: len(observations)].double().cpu().numpy())


def masked_softmax(logits: Floats, legal: np.ndarray) -> Floats:
    """Softmax over the legal actions; illegal ones are exactly 0.

    Args:
        logits: float64 [N, A].
        legal: bool [N, A], at least one in each row.

    Returns:
        float64 [N, A].
    """
    masked = np.where(legal, logits, -np.inf)
    weights = np.exp(masked - masked.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))
