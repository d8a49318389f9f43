"""Behavioral cloning with networks: maximum likelihood of the labels.

Every distinct position is one row with its mean label, and all rows have the same weight (per-state averaging,
docs/algorithms.md, "Behavioral cloning"). Training stops when the clone agrees with the labels; it uses nothing else.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.mirror import Ties
from agents.network import Architecture, NetworkPolicy, PolicyNet, one_thread, tensor
from agents.policy import uniform_rows
from games.base import Game, NashmailError, Rng
from games.progress import report
from mail.clone.dataset import Demonstrations, Fit, demonstrations
from mail.data.decisions import Decisions

_AT_ONCE = 8192  # rows per inference batch, which bounds memory
_FEWEST = 1_000  # smallest number of steps with ``passes``


@dataclass(frozen=True)
class CloneConfig:
    """The settings of a network clone."""

    architecture: Architecture = field(default_factory=Architecture)
    """The network."""
    learning_rate: float = 1e-2
    """Of Adam at the start; it falls to a tenth along a cosine over the largest number of steps."""
    batch: int = 512
    """Rows of a gradient step; all rows if there are fewer."""
    tolerance: float = 1e-3
    """Stop when no labelled position has more than this probability on actions without label probability ..."""
    mean_tolerance: float = 1e-2
    """... and the mean total variation to the labels is at most this."""
    max_steps: int = 2000
    """Stop in any case after this many gradient steps ..."""
    passes: int = 0
    """... or, with few rows, after this many passes over them (and at least 1,000 steps); 0 for no such limit."""
    precision: str = "float32"
    """Of the gradient steps: ``float32``, or ``bfloat16``, three times as fast on processors that support it and as
    good for large networks. Weights, measures and play are float32 in both cases.
    """
    mirrored: bool = False
    """Tie the network to its mirror image (``agents.mirror``), for boards with mirror symmetry. If a position is its
    own image, or both images have labels, the network learns the mean of a label and its image.
    """
    smoothing: float = 0.0
    """Label smoothing: this share of every label is spread evenly over the legal actions, in training alone."""
    averaging: float = 0.0
    """Weight averaging: the clone is an average of the weights after each step, in which those of t steps ago count
    this to the power of t (all alike at first); 0 for the last weights."""

    def __post_init__(self) -> None:
        for name in ("smoothing", "averaging"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise NashmailError(f"{name} of a clone is 0 or more and less than 1, not {getattr(self, name)}")


def clone(game: Game, decisions: Decisions, seat: int, *, config: CloneConfig, rng: Rng, device: str = "cpu") -> Fit:
    """Fit a new network to the labels of one seat.

    Args:
        game: The game.
        decisions: Decisions of either seat; those of ``seat`` with a label are used.
        seat: The seat that is cloned.
        config: Network and training.
        rng: Draws the first weights and the batches.
        device: For torch.

    Returns:
        The policy, and how closely it fits.

    Raises:
        NashmailError: There are no labels.
    """
    samples = demonstrations(decisions, seat)
    net = new_net(game, config, rng=rng, device=device)
    optimizer = torch.optim.Adam(net.parameters(), lr=config.learning_rate)
    return train_on(net, optimizer, samples, config, rng=rng, device=device)


def new_net(game: Game, config: CloneConfig, *, rng: Rng, device: str) -> PolicyNet:
    """A network with random weights, tied to its mirror image if the configuration says so.

    Args:
        game: The game.
        config: The network.
        rng: Draws the weights.
        device: For torch.
    """
    net = PolicyNet(game.spec.observation, game.spec.actions, config.architecture, rng=rng).to(device)
    if config.mirrored:
        Ties(net).draw()
    return net


@one_thread
def train_on(
    net: PolicyNet,
    optimizer: torch.optim.Optimizer,
    samples: Demonstrations,
    config: CloneConfig,
    *,
    rng: Rng,
    device: str = "cpu",
) -> Fit:
    """Train a network further, in place, until it agrees with the labels or reaches its limit of steps.

    Args:
        net: The network; tied already if ``config.mirrored``.
        optimizer: Its optimizer, with its state.
        samples: The labels.
        config: The settings.
        rng: Samples batches, if there are more rows than ``config.batch``.
        device: The torch device of ``net``.
    """
    rows, low = len(samples), config.precision == "bfloat16"
    ties = Ties(net) if config.mirrored else None
    _lay_out(net, torch.channels_last if low else torch.contiguous_format)
    observation, legal = tensor(samples.observation, device), tensor(samples.legal, device)
    label = tensor(_smoothed(samples, config.smoothing), device)
    average = copy.deepcopy(net) if config.averaging else net
    check_every = 25 * max(1, rows // config.batch)
    most, step = _most_steps(rows, config), 0
    while step < most and not (step % check_every == 0 and _agrees(average, observation, legal, label, config)):
        report(step, most, "steps", step="fit")
        for group in optimizer.param_groups:  # falls to a tenth along a cosine
            group["lr"] = config.learning_rate * (0.55 + 0.45 * math.cos(math.pi * step / most))
        chosen: Tensor | slice = slice(None)
        if rows > config.batch:
            chosen = tensor(rng.choice(rows, config.batch, replace=False), device)
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=low):
            logits = net(observation[chosen])
        loss = _cross_entropy(logits.float(), legal[chosen], label[chosen])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        if ties is not None:
            ties.gradients()
        optimizer.step()
        step += 1
        if average is not net:
            _follow(average, net, max(1.0 - config.averaging, 1.0 / step))
    if average is not net:
        net.load_state_dict(average.state_dict())
    if ties is not None:
        ties.again()
    _lay_out(net, torch.contiguous_format)
    worst, mean = _distance(net, observation, legal, tensor(samples.mean, device))
    return Fit(NetworkPolicy(net, device=device), step, worst, mean)


def _smoothed(samples: Demonstrations, share: float) -> NDArray[np.float32]:
    """[D, A] the mean labels, a share of which is spread evenly over the legal actions."""
    if not share:
        return samples.mean
    return ((1.0 - share) * samples.mean + share * uniform_rows(samples.legal)).astype(np.float32)


def _follow(average: PolicyNet, net: PolicyNet, share: float) -> None:
    """Move every weight of the average by this share of the way to the network's."""
    with torch.no_grad():
        for mine, theirs in zip(average.parameters(), net.parameters(), strict=True):
            mine.lerp_(theirs, share)


def _most_steps(rows: int, config: CloneConfig) -> int:
    """The largest number of gradient steps."""
    if not config.passes:
        return config.max_steps
    return min(config.max_steps, max(_FEWEST, math.ceil(config.passes * rows / config.batch)))


def _lay_out(net: PolicyNet, order: torch.memory_format) -> None:
    """Set the memory format of the filters: low precision is fastest with channels last."""
    for parameter in net.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=order)


def _cross_entropy(logits: Tensor, legal: Tensor, label: Tensor) -> Tensor:
    """Mean cross-entropy over legal actions."""
    log_probability = nn.functional.log_softmax(logits.masked_fill(~legal, -torch.inf), dim=1)
    return -(label * log_probability.masked_fill(~legal, 0.0)).sum(1).mean()


def _agrees(net: PolicyNet, observation: Tensor, legal: Tensor, label: Tensor, config: CloneConfig) -> bool:
    worst, mean = _distance(net, observation, legal, label)
    return worst <= config.tolerance and mean <= config.mean_tolerance


def _distance(net: PolicyNet, observation: Tensor, legal: Tensor, label: Tensor) -> tuple[float, float]:
    """Largest probability outside the label's support, and mean total variation."""
    with torch.no_grad():
        logits = torch.cat([net(rows) for rows in torch.split(observation, _AT_ONCE)])
        probability = torch.softmax(logits.masked_fill(~legal, -torch.inf), dim=1)
        outside = probability.masked_fill(label > 0, 0.0).sum(1).max()
        tv = 0.5 * (probability - label).abs().sum(1).mean()
    return float(outside), float(tv)
