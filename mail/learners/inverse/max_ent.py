"""Maximum causal entropy inverse reinforcement learning, exact (Ziebart, Bagnell, Dey 2010; docs/algorithms.md,
"Maximum causal entropy").

The reward is linear, r = phi w, and the expert is taken to be the soft-optimal policy of an unknown r. With the soft
backup Q = r + E V', V = log sum exp Q, pi = exp(Q - V), minimize the causal cross-entropy and a ridge:

    L(w) = - sum over s, a of rho_E(s, a) log pi(a | s) + ridge |w|^2 / 2
    grad L = sum over s, a of (rho_pi - rho_E)(s, a) phi(s, a) + ridge w

The second line holds where the demonstrated visits rho_E obey the dynamics. In general the mass c = rho_E - d_E pi is
put in at each demonstrated position and carried on by pi; that is what ``loss`` does, so it is exact for any data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from games.base import Floats, NashmailError, Rng
from mail.learners.collect import Options
from mail.learners.inverse.learner import Inverse, Solution
from mail.learners.inverse.process import Demonstrated, Process, softmax
from mail.learners.inverse.reward import LinearReward, minimized, position_reward, table_reward

REWARDS = {"pairs": table_reward, "positions": position_reward}


@dataclass(frozen=True)
class MaxEntConfig:
    """The settings of ``max-ent``."""

    reward: str = "pairs"
    """What rewards are of: ``pairs`` of position and action, or ``positions`` alone, which express fewer policies."""
    ridge: float = 1e-5
    """Weight of the squared rewards. 0 has no minimum where the expert is deterministic."""
    iterations: int = 300
    """Most gradient evaluations."""
    tolerance: float = 1e-5
    """Stop at a gradient no entry of which is larger; in visits per game."""

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise NashmailError(f"rewards are of {' or '.join(REWARDS)}, not {self.reward!r}")


def soft_policy(process: Process, reward: Floats) -> Floats:
    """The soft-optimal policy of rewards, at temperature 1.

    Args:
        process: The seat's decision process.
        reward: [n, A].

    Returns:
        [n, A].
    """
    return softmax(process.soft(reward)[0], 1.0)


def loss(
    process: Process, expert: Demonstrated, features: LinearReward, weights: Floats, ridge: float
) -> tuple[float, Floats]:
    """The causal cross-entropy with its ridge, and its gradient.

    Args:
        process: The seat's decision process.
        expert: The demonstrations in it.
        features: Of the reward.
        weights: [d].
        ridge: Of |w|^2 / 2.

    Returns:
        The loss, and the gradient [d].
    """
    actions, values = process.soft(features.reward(weights))
    mass = expert.visits
    shown = mass > 0
    logs = np.where(shown, actions - values[:, None], 0.0)
    policy = softmax(actions, 1.0)
    put_in = mass - mass.sum(1, keepdims=True) * policy
    carried = put_in + process.visits(policy, process.flow(put_in))
    value = -float((mass * logs).sum()) + ridge / 2 * float(weights @ weights)
    return value, ridge * weights - features.gradient(carried)


def max_ent(config: MaxEntConfig, process: Process, expert: Demonstrated, rng: Rng) -> Solution:
    """Fit a reward to the demonstrations by L-BFGS, and return its soft-optimal policy.

    Args:
        config: Rewards, ridge and limits.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Not used.
    """
    features = REWARDS[config.reward](process.legal)

    def objective(weights: Floats) -> tuple[float, Floats]:
        return loss(process, expert, features, weights, config.ridge)

    weights, least, took = minimized(
        objective, np.zeros(features.size), evaluations=config.iterations, tolerance=config.tolerance
    )
    policy = soft_policy(process, features.reward(weights))
    off = np.abs(process.visits(policy) - expert.visits)[expert.known].max()
    return Solution(policy, took, {"loss": least, "visits_off": float(off)})


class MaxEnt(Inverse):
    """The learner ``max-ent``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Rewards, ridge and limits.
    """

    def __init__(self, options: Options, *, name: str = "max-ent", config: MaxEntConfig = MaxEntConfig()) -> None:
        super().__init__(options, name=name, method=partial(max_ent, config))
