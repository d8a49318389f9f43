"""Adversarial inverse reinforcement learning, exact (Fu, Luo, Levine, arXiv:1710.11248; docs/algorithms.md,
"Adversarial imitation").

The discriminator has the form of a shaped reward beside the policy's own probability,

    f(s, a) = g(s, a) + E h(s') - h(s)        D = exp(f) / (exp(f) + pi(a | s)),        logit = f - log pi

and the policy is soft-optimal for f at temperature 1, that is, paid log D - log(1 - D) = f - log pi. The opponent makes
s' random: a sampled h(s') would keep D from 1/2 even at the optimum, so the mean over the known opponent stands there.

    repeat: pi = soft-optimal policy of f;  f* = the best discriminator of rho_E and rho_pi;  f = f + rate (f* - f)
            a round that raises JS(rho_E, rho_pi) is undone and its rate halved

The loss of D is convex in f. If g is of ``pairs``, f* = log rho_E - log rho_pi + log pi is known, and h redundant. If g
is of ``positions`` alone, f* is fitted in the weights of g and h by L-BFGS; such a g can transfer to other dynamics.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import csr_array, hstack

from games.base import Floats, NashmailError, Rng
from games.progress import report
from mail.learners.collect import Options
from mail.learners.inverse.learner import Inverse, Solution
from mail.learners.inverse.process import Demonstrated, Process
from mail.learners.inverse.reward import (
    FLOOR,
    LinearReward,
    log_ratio,
    minimized,
    position_reward,
    shares,
    soft_optimal,
)


@dataclass(frozen=True)
class AirlConfig:
    """The settings of ``airl``."""

    reward: str = "pairs"
    """What g is of: ``pairs`` of position and action, or ``positions`` alone."""
    rate: float = 0.5
    """The first rate: how far a round goes to the best discriminator."""
    rounds: int = 100
    """Most rounds."""
    ridge: float = 1e-6
    """Weight of the squared weights of g and h in the fit for ``positions``."""
    evaluations: int = 50
    """Most gradient evaluations of one such fit."""
    tolerance: float = 1e-9
    """Stop at a Jensen-Shannon divergence of visits of at most this, in nats."""

    def __post_init__(self) -> None:
        if self.reward not in ("pairs", "positions"):
            raise NashmailError(f"rewards are of pairs or positions, not {self.reward!r}")


def discriminator(logits: Floats) -> Floats:
    """The discriminator D.

    Args:
        logits: [n, A] f - log pi.

    Returns:
        [n, A].
    """
    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def shaped(process: Process) -> LinearReward:
    """Rewards f = g(s) + E h(s') - h(s): the first n weights are g, the others h.

    Args:
        process: The seat's decision process.
    """
    by_position = position_reward(process.legal)
    legal = csr_array(process.legal.ravel().astype(np.float64)[:, None])
    potential = (process.kernel - by_position.features).multiply(legal)
    return LinearReward(csr_array(hstack([by_position.features, potential])), process.legal)


def discriminator_loss(
    reward: LinearReward, weights: Floats, logs: Floats, expert_shares: Floats, own_shares: Floats, ridge: float
) -> tuple[float, Floats]:
    """The balanced mean loss of D with its ridge, and its gradient in the weights [d].

    Args:
        reward: f in its weights.
        weights: [d] them.
        logs: [n, A] log pi of the policy.
        expert_shares: [n, A] the expert's shares.
        own_shares: [n, A] the policy's.
        ridge: Weight of the squared weights.
    """
    logits = reward.reward(weights) - logs
    loss = (expert_shares * np.logaddexp(0.0, -logits) + own_shares * np.logaddexp(0.0, logits)).sum() / 2
    right = discriminator(logits)
    slope = (own_shares * right - expert_shares * (1.0 - right)) / 2
    return float(loss + ridge / 2 * weights @ weights), reward.gradient(slope) + ridge * weights


def log_policy(policy: Floats) -> Floats:
    """log pi, with probabilities raised to ``FLOOR``.

    Args:
        policy: [n, A] pi.

    Returns:
        [n, A].
    """
    return np.asarray(np.log(np.maximum(policy, FLOOR)))


@dataclass(frozen=True)
class _Form:
    """The form of discriminators: their weights, and f in them."""

    config: AirlConfig
    linear: LinearReward | None
    """f in the weights of g and h; None: f itself is a table."""

    def reward(self, weights: Floats) -> Floats:
        """[n, A] f."""
        return weights if self.linear is None else self.linear.reward(weights)

    def best(self, weights: Floats, policy: Floats, expert_shares: Floats, own_shares: Floats) -> Floats:
        """The weights of the best discriminator between the expert's shares and the policy's, found from these."""
        linear, logs = self.linear, log_policy(policy)
        if linear is None:
            return log_ratio(expert_shares, own_shares) + logs

        def objective(at: Floats) -> tuple[float, Floats]:
            return discriminator_loss(linear, at, logs, expert_shares, own_shares, self.config.ridge)

        return minimized(objective, weights, evaluations=self.config.evaluations, tolerance=1e-10)[0]


def airl(config: AirlConfig, process: Process, expert: Demonstrated, rng: Rng) -> Solution:
    """Alternate between the discriminator and its soft-optimal policy until visits match.

    Args:
        config: Rewards, rate and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Not used.
    """
    return learned(config, process, expert)[0]


def learned(config: AirlConfig, process: Process, expert: Demonstrated) -> tuple[Solution, Floats]:
    """The solution of ``airl``, and its weights.

    Args:
        config: Rewards, rate and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.

    Returns:
        The solution, and f [n, A] for ``pairs``, or g and h, [n] each, one after the other.
    """
    form = _Form(config, None if config.reward == "pairs" else shaped(process))
    expert_shares, rate, round_ = shares(expert.visits), config.rate, 0
    weights = np.zeros(process.legal.shape if form.linear is None else form.linear.size)
    policy, own_shares, divergence = soft_optimal(process, expert_shares, form.reward(weights))
    target = form.best(weights, policy, expert_shares, own_shares)
    while divergence > config.tolerance and round_ < config.rounds:
        round_ += 1
        report(round_, config.rounds, "rounds", step="fit")
        moved = weights + rate * (target - weights)
        tried = soft_optimal(process, expert_shares, form.reward(moved))
        if tried[2] >= divergence:
            rate /= 2
            continue
        weights, (policy, own_shares, divergence), rate = moved, tried, min(1.0, 1.2 * rate)
        target = form.best(weights, policy, expert_shares, own_shares)
    right = discriminator(form.reward(weights) - log_policy(policy))[expert.visits > 0]
    metrics = {"jensen_shannon": divergence, "discriminator_off": float(np.abs(right - 0.5).max())}
    return Solution(policy, round_, metrics), weights


class Airl(Inverse):
    """The learner ``airl``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Rewards, rate and limits.
    """

    def __init__(self, options: Options, *, name: str = "airl", config: AirlConfig = AirlConfig()) -> None:
        super().__init__(options, name=name, method=partial(airl, config))
