"""Generative adversarial imitation learning, exact (Ho and Ermon, arXiv:1606.03476; docs/algorithms.md, "Adversarial
imitation").

    min over pi, max over D of  E_expert[log D] + E_pi[log(1 - D)] - lambda H(pi)

With tables the inner maximum is known, D = rho_E / (rho_E + rho_pi), of the shares rho of pairs of position and
action, so that the outer objective is 2 JS(rho_E, rho_pi) - log 4. It is convex in rho_pi, and minimized by mirror
descent with the causal entropy as its mirror (Shani, Zahavy, Mannor, arXiv:2102.06924): the policy is soft-optimal for
the sum of all rewards so far.

    R = 0
    repeat: pi = soft-optimal policy of R;  f = log rho_E - log rho_pi;  R = R + rate * reward(f)
            a round that raises JS is undone and its rate halved; others raise the rate by a fifth

``logit`` rewards f itself, either sign. ``softplus`` is the library's -log(1 - D) > 0, which prolongs games of
different lengths; ``centred`` takes log 2 off it, what D = 1/2 pays, and is the gradient of JS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from games.base import Floats, NashmailError, Rng
from games.progress import report
from mail.learners.collect import Options
from mail.learners.inverse.learner import Inverse, Solution
from mail.learners.inverse.process import Demonstrated, Process
from mail.learners.inverse.reward import log_ratio, shares, soft_optimal


def _logit(logits: Floats) -> Floats:
    return logits


def _softplus(logits: Floats) -> Floats:
    return np.asarray(np.logaddexp(0.0, logits))


def _centred(logits: Floats) -> Floats:
    return np.asarray(np.logaddexp(0.0, logits) - np.log(2.0))


REWARDS: dict[str, Callable[[Floats], Floats]] = {"logit": _logit, "softplus": _softplus, "centred": _centred}


@dataclass(frozen=True)
class GailConfig:
    """The settings of ``gail``."""

    reward: str = "centred"
    """What the logit pays, one of ``REWARDS``."""
    rate: float = 0.5
    """The first rate: the weight of a round's reward in the sum."""
    rounds: int = 100
    """Most rounds."""
    tolerance: float = 1e-9
    """Stop at a Jensen-Shannon divergence of at most this, in nats."""

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise NashmailError(f"a reward of gail is one of {', '.join(REWARDS)}, not {self.reward!r}")


def gail(config: GailConfig, process: Process, expert: Demonstrated, rng: Rng) -> Solution:
    """Match the demonstrated visits by mirror descent.

    Args:
        config: Rewards, rate and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Not used.
    """
    expert_shares, total, rate = shares(expert.visits), np.zeros(process.legal.shape), config.rate
    policy, own_shares, divergence = soft_optimal(process, expert_shares, total)
    round_ = 0
    while divergence > config.tolerance and round_ < config.rounds:
        round_ += 1
        report(round_, config.rounds, "rounds", step="fit")
        step = rate * REWARDS[config.reward](log_ratio(expert_shares, own_shares))
        tried = soft_optimal(process, expert_shares, total + step)
        if tried[2] >= divergence:
            rate /= 2
            continue
        total, (policy, own_shares, divergence), rate = total + step, tried, 1.2 * rate
    return Solution(policy, round_, {"jensen_shannon": divergence})


class Gail(Inverse):
    """The learner ``gail``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Rewards, rate and limits.
    """

    def __init__(self, options: Options, *, name: str = "gail", config: GailConfig = GailConfig()) -> None:
        super().__init__(options, name=name, method=partial(gail, config))
