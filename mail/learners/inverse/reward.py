"""Rewards that are learned from visits: tables, features, and the exact discriminator between two sets of visits.

A reward is linear in features of a position and an action, r = phi w; one feature per legal pair (a table) by default,
one per position for rewards of positions alone. In a table the best discriminator is known in closed form, so nothing
has to be trained for it (docs/algorithms.md, "Adversarial imitation").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from games.base import Bools, Floats
from games.progress import report
from mail.learners.inverse.process import Process, softmax

FLOOR = 1e-6
"""Shares of visits are raised to this inside logarithms: what was never seen counts as seen this often."""


@dataclass(frozen=True)
class LinearReward:
    """Rewards r = phi w of each legal action."""

    features: csr_array
    """[n * A, d] phi; rows of illegal actions are 0."""
    legal: Bools
    """[n, A] the legal actions."""

    @property
    def size(self) -> int:
        """d, the number of weights."""
        return int(self.features.shape[1])

    def reward(self, weights: Floats) -> Floats:
        """The rewards phi w.

        Args:
            weights: [d] w.

        Returns:
            [n, A].
        """
        return np.asarray((self.features @ weights).reshape(self.legal.shape))

    def gradient(self, mass: Floats) -> Floats:
        """The sum over positions and actions of mass times their features.

        Args:
            mass: [n, A].

        Returns:
            [d].
        """
        return np.asarray(self.features.T @ mass.ravel())


def table_reward(legal: Bools) -> LinearReward:
    """One weight per legal pair of position and action.

    Args:
        legal: bool [n, A].
    """
    places = np.flatnonzero(legal)
    identity = csr_array((np.ones(len(places)), (places, np.arange(len(places)))), shape=(legal.size, len(places)))
    return LinearReward(identity, legal)


def position_reward(legal: Bools, group: Floats | None = None) -> LinearReward:
    """One weight per position, or per group of positions, such as a state at different times.

    Args:
        legal: [n, A] the legal actions.
        group: [n] the number of each position's group, from 0; the position itself by default.
    """
    groups = np.arange(len(legal)) if group is None else np.asarray(group, dtype=np.int64)
    places = np.flatnonzero(legal)
    columns = groups[places // legal.shape[1]]
    shape = (legal.size, int(groups.max()) + 1)
    return LinearReward(csr_array((np.ones(len(places)), (places, columns)), shape=shape), legal)


def shares(visits: Floats) -> Floats:
    """Visits as a distribution over pairs of position and action.

    Args:
        visits: [n, A].

    Returns:
        [n, A], which sums to 1.
    """
    return np.asarray(visits / visits.sum())


def log_ratio(expert: Floats, learner: Floats, floor: float = FLOOR) -> Floats:
    """[n, A] the logit f of the best discriminator D = 1 / (1 + exp(-f)), high on the expert: log rho_E - log rho.

    Args:
        expert: [n, A] the expert's shares rho_E.
        learner: [n, A] the learner's shares rho.
        floor: What both are raised to.
    """
    return np.asarray(np.log(np.maximum(expert, floor)) - np.log(np.maximum(learner, floor)))


def jensen_shannon(first: Floats, second: Floats) -> float:
    """The Jensen-Shannon divergence of two distributions, in nats.

    Args:
        first: The one.
        second: The other, of the same shape.

    Returns:
        Between 0 and log 2.
    """
    middle = (first + second) / 2
    return float(sum(_relative(part, middle) for part in (first, second)) / 2)


def soft_optimal(process: Process, expert: Floats, reward: Floats) -> tuple[Floats, Floats, float]:
    """The soft-optimal policy of a reward at temperature 1, beside the expert.

    Args:
        process: The seat's decision process.
        expert: [n, A] the expert's shares.
        reward: [n, A].

    Returns:
        The policy [n, A], its shares [n, A], and their Jensen-Shannon divergence from the expert's, in nats.
    """
    policy = softmax(process.soft(reward)[0], 1.0)
    own = shares(process.visits(policy))
    return policy, own, jensen_shannon(expert, own)


def cross_entropy(logits: Floats, expert: Floats, learner: Floats) -> float:
    """The balanced mean loss of a discriminator: (E_expert[-log D] + E_learner[-log(1 - D)]) / 2.

    Args:
        logits: [n, A] of D.
        expert: [n, A] the expert's shares.
        learner: [n, A] the learner's shares.
    """
    mine, theirs = learner > 0, expert > 0
    on_expert = (expert[theirs] * np.logaddexp(0.0, -logits[theirs])).sum()
    on_learner = (learner[mine] * np.logaddexp(0.0, logits[mine])).sum()
    return float(on_expert + on_learner) / 2


Objective = Callable[[Floats], tuple[float, Floats]]
"""A function of d numbers, with its gradient [d]."""


def minimized(objective: Objective, start: Floats, *, evaluations: int, tolerance: float) -> tuple[Floats, float, int]:
    """A minimum by L-BFGS.

    Args:
        objective: What is minimized.
        start: [d] where to begin.
        evaluations: The most evaluations, about.
        tolerance: Stop at a gradient no entry of which is larger.

    Returns:
        Where it is [d], its value, and the evaluations that it took.
    """
    evaluated = 0

    def counted(point: Floats) -> tuple[float, Floats]:
        nonlocal evaluated
        evaluated += 1
        report(evaluated, evaluations, "evaluations", step="fit")
        return objective(point)

    options: Any = {"maxfun": evaluations, "maxiter": evaluations, "gtol": tolerance, "ftol": 0.0}
    solve: Any = minimize  # its many forms confuse a type checker
    found = solve(counted, start, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x), float(found.fun), int(found.nfev)


def _relative(part: Floats, whole: Floats) -> float:
    """The relative entropy of one distribution to another that covers it."""
    at = part > 1e-300  # below, what is shared is rounded to 0
    return float((part[at] * np.log(part[at] / whole[at])).sum())
