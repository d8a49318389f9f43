"""Behavioural cloning of labels: the maximum-likelihood network for what the asked policy said.

Rows with the same position are one row with their mean label, and every distinct position weighs the same
(per-state averaging, docs/algorithms.md, "Behavioral cloning"): the worst position decides how exploitable a clone is,
not the most frequent one. Training stops on the labels alone, when the clone agrees with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from agents.mirror import Ties
from agents.network import Architecture, NetworkPolicy, PolicyNet, one_thread, tensor
from games.base import Game, Rng
from mail.clone.dataset import Demonstrations, Fit, demonstrations
from mail.data.decisions import Decisions

_AT_ONCE = 8192  # rows of which a network's planes are held
_FEWEST = 1_000  # steps that ``passes`` leaves to a clone of very few rows


@dataclass(frozen=True)
class CloneConfig:
    """How a clone is trained."""

    architecture: Architecture = field(default_factory=Architecture)
    """The network."""
    learning_rate: float = 1e-2
    """Of Adam at the start; it falls to a tenth along a cosine over all steps that there may be."""
    batch: int = 512
    """Rows of a gradient step; with fewer distinct positions than that every step sees all of them."""
    tolerance: float = 1e-3
    """Stop when no labelled position leaves more than this probability on actions its label never takes ..."""
    mean_tolerance: float = 1e-2
    """... and the mean total variation to the labels is at most this."""
    max_steps: int = 2000
    """Stop anyway after this many gradient steps ..."""
    passes: int = 0
    """... or, with few rows, when each has been seen so often (and 1,000 steps are done); 0 for any number of times."""
    precision: str = "float32"
    """Of the gradient steps: ``float32``, or ``bfloat16``, three times as fast on processors that multiply it and as
    good for large nets; weights, what is measured and what plays are float32 either way."""
    mirrored: bool = False
    """Tie the network to its mirror image (``agents.mirror``), for boards whose mirror image is the same game. Where a
    position is its own image, or both images have labels, it is the mean of a label and its image that is learned."""


def clone(game: Game, decisions: Decisions, seat: int, *, config: CloneConfig, rng: Rng, device: str = "cpu") -> Fit:
    """Fit a fresh network to the labels of one seat. NashmailError if there are none."""
    shown = demonstrations(decisions, seat)
    net = PolicyNet(game.spec.observation, game.spec.actions, config.architecture, rng=rng).to(device)
    if config.mirrored:
        Ties(net).draw()
    optimizer = torch.optim.Adam(net.parameters(), lr=config.learning_rate)
    return train_on(net, optimizer, shown, config, rng=rng, device=device)


@one_thread
def train_on(
    net: PolicyNet,
    optimizer: torch.optim.Optimizer,
    shown: Demonstrations,
    config: CloneConfig,
    *,
    rng: Rng,
    device: str = "cpu",
) -> Fit:
    """Train a network on, in place, until it agrees with the labels or its steps are spent. With ``mirrored`` it has
    to be tied already.
    """
    rows = len(shown)
    low = config.precision == "bfloat16"
    ties = Ties(net) if config.mirrored else None
    _lay_out(net, torch.channels_last if low else torch.contiguous_format)
    observation = tensor(shown.observation, device)
    legal = tensor(shown.legal, device)
    label = tensor(shown.mean, device)
    check_every = 25 * max(1, rows // config.batch)
    most, step = _most_steps(rows, config), 0
    while step < most and not (step % check_every == 0 and _agrees(net, observation, legal, label, config)):
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
    if ties is not None:
        ties.again()
    _lay_out(net, torch.contiguous_format)
    worst, mean = _distance(net, observation, legal, label)
    return Fit(NetworkPolicy(net, device=device), step, worst, mean)


def _most_steps(rows: int, config: CloneConfig) -> int:
    """Gradient steps after which training stops anyway."""
    if not config.passes:
        return config.max_steps
    return min(config.max_steps, max(_FEWEST, math.ceil(config.passes * rows / config.batch)))


def _lay_out(net: PolicyNet, order: torch.memory_format) -> None:
    """Filters in this order in memory: low precision is fastest with channels last."""
    for parameter in net.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=order)


def _cross_entropy(logits: Tensor, legal: Tensor, label: Tensor) -> Tensor:
    """Mean cross-entropy, with illegal actions at -inf inside the softmax and left out of the sum."""
    log_probability = nn.functional.log_softmax(logits.masked_fill(~legal, -torch.inf), dim=1)
    return -(label * log_probability.masked_fill(~legal, 0.0)).sum(1).mean()


def _agrees(net: PolicyNet, observation: Tensor, legal: Tensor, label: Tensor, config: CloneConfig) -> bool:
    worst, mean = _distance(net, observation, legal, label)
    return worst <= config.tolerance and mean <= config.mean_tolerance


def _distance(net: PolicyNet, observation: Tensor, legal: Tensor, label: Tensor) -> tuple[float, float]:
    """Worst probability outside the label's support, and mean total variation."""
    with torch.no_grad():
        logits = torch.cat([net(rows) for rows in torch.split(observation, _AT_ONCE)])
        probability = torch.softmax(logits.masked_fill(~legal, -torch.inf), dim=1)
        outside = probability.masked_fill(label > 0, 0.0).sum(1).max()
        tv = 0.5 * (probability - label).abs().sum(1).mean()
    return float(outside), float(tv)
