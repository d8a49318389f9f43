"""OPT-AIL, tabular: optimistic adversarial imitation (Xu et al., NeurIPS 2024, "Provably and practically efficient
adversarial imitation learning with general function approximation"; docs/algorithms.md, "Adversarial imitation").

The transitions are learned from play. In round k = 1 .. K, with counts n(s, a) and empirical transitions P so far:

    r_k  = clip(r_0 + c sum over i < k of (rho_E - rho_i), -1, 1)                FTRL with |r - r_0|^2 / (2 c), on a box
    Q_k  = argmin over |Q| <= H of  sum of n (Q - r_k - P V)^2 - lambda V(start)       ``theory``; V = max of Q
    pi_k = greedy in Q_k;   play games with it, which add to the counts;   rho = visits in P
    return the mixture of pi_(K / 2) .. pi_K, one of them drawn per game

r_0 is the reward that is best whatever the policies: -1 where the expert is never seen to play, 0 elsewhere. Visits of
policy and expert are those in the *estimated* transitions, not in one round's games: that has no sampling noise, which
takes thousands of rounds to average out, and where P is wrong it is wrong for both, so that the expert's own play stays
the solution. The first half of the rounds explores; its policies would stay in the mixture for ever.

The squared error to the *mean* P V is what is left of the sampled Bellman error once its minimum over the class is
taken off; without that it would charge for the noise of transitions. For a fixed policy with visits d in P,
Q = r + P V + e with e = lambda d / (2 n): an untried pair costs nothing and rises to the cap r + H(s) - 1, its own
reward and 1 for each of the most own decisions that can still follow; that is why lambda > 0 explores.

``surrogate`` is what the published code does instead of - lambda V(start): a soft Q-function at temperature alpha, and
eta times the mean of V(s) - Q(s, a~) over replayed and expert positions, with a~ the best action at the former and the
expert's at the latter. That sharpens the policy and clones the expert; it is not optimism about what is untried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from games.base import Floats, NashmailError, Rng
from games.progress import report
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.inverse.learner import Inverse, Method, Solution
from mail.learners.inverse.process import Demonstrated, Process, soft_max, softmax
from mail.learners.inverse.replay import Replay

_SWEEPS = 60  # of value iteration in an endless game, where the cap ends it
_TURNS = 2  # of the alternation between the bonus and the policy that it is for


@dataclass(frozen=True)
class OptAilConfig:
    """The settings of ``opt-ail``."""

    optimism: str = "theory"
    """``theory`` or ``surrogate``."""
    weight: float = 0.1
    """lambda, or eta of the surrogate. 0 switches it off."""
    temperature: float = 0.05
    """alpha of the surrogate."""
    step: float = 3.0
    """c of the rewards."""
    rounds: int = 2_000
    """K; the learner's budget of games per seat bounds it, too."""
    games: int = 2
    """Games per round."""
    burn_in: float = 0.5
    """The share of the rounds, at the beginning, whose policies are left out of the mixture."""

    def __post_init__(self) -> None:
        if self.optimism not in ("theory", "surrogate"):
            raise NashmailError(f"optimism is theory or surrogate, not {self.optimism!r}")
        if not 0.0 <= self.burn_in < 1.0:
            raise NashmailError(f"burn_in is a share of the rounds, at least 0 and below 1, not {self.burn_in}")


def ftrl_reward(step: float, sum_of_differences: Floats, first: Floats | float = 0.0) -> Floats:
    """The reward of FTRL on the box [-1, 1].

    Args:
        step: c.
        sum_of_differences: [n, A] the sum of rho_E - rho_i so far.
        first: [n, A] r_0, at which the regularizer is 0.

    Returns:
        [n, A].
    """
    return np.asarray(np.clip(first + step * sum_of_differences, -1.0, 1.0))


def bellman_error(count: Floats, model: Process, q: Floats, reward: Floats) -> float:
    """The Bellman error with the minimum over the class taken off: the sum of n (Q - r - P V)^2.

    Args:
        count: [n, A] visits.
        model: The estimated process.
        q: [n, A] Q.
        reward: [n, A] r.
    """
    values = np.where(model.legal, q, -np.inf).max(1)
    return float((count * np.where(model.legal, q - reward - model.next(values), 0.0) ** 2).sum())


def optimistic(count: Floats, model: Process, reward: Floats, weight: float, cap: Floats) -> Floats:
    """Q_k of the theory, by turns of the bonus for a policy's visits and the policy that is greedy in it.

    Args:
        count: [n, A] visits so far.
        model: The process with estimated transitions.
        reward: [n, A] r_k.
        weight: lambda.
        cap: [n] H, the largest absolute value of the class at each position; after a known reward, H - 1 is left.

    Returns:
        [n, A], -inf where illegal.
    """
    untried = (count == 0) & (weight > 0)
    bonus = np.zeros_like(count)
    for _ in range(_TURNS if weight > 0 else 1):
        base = np.where(untried, reward + cap[:, None] - 1.0, reward + bonus)
        q = _capped(model, np.where(model.legal, base, -np.inf), cap)
        bonus = weight * _visits(model, softmax(q, 0.0)) / (2.0 * np.maximum(count, 1.0))
    return q


def surrogate(
    count: Floats, model: Process, reward: Floats, config: OptAilConfig, expert: Demonstrated, cap: Floats
) -> Floats:
    """Q_k of the published code's objective, by fixed-point sweeps.

    Args:
        count: [n, A] visits.
        model: The estimated process.
        reward: [n, A] r_k.
        config: Temperature and eta.
        expert: The demonstrations in the process.
        cap: [n] H(s).

    Returns:
        [n, A]; -inf where illegal.
    """
    base, alpha = np.where(model.legal, reward, -np.inf), config.temperature
    replayed, shown = count.sum(1), expert.visits.sum(1)
    share = (replayed / max(1.0, replayed.sum()) + shown / shown.sum()) / 2
    push = np.zeros_like(count)
    for _ in range(_sweeps(model)):
        q = np.minimum(base + push, cap[:, None])
        policy, best = softmax(q, alpha), softmax(q, 0.0)
        wanted = np.where(expert.known[:, None], expert.policy, best)
        push = model.next(soft_max(q, alpha))
        push = push + config.weight * share[:, None] * (wanted - policy) / (2.0 * np.maximum(count, 1.0))
    return np.asarray(np.where(model.legal, np.clip(base + push, -cap[:, None], cap[:, None]), -np.inf))


def opt_ail(config: OptAilConfig, process: Process, expert: Demonstrated, rng: Rng) -> Solution:
    """Play the rounds, and return the policy with the visits of their mixture.

    Args:
        config: Rounds, games and optimism.
        process: The seat's decision process.
        expert: The demonstrations in it.
        rng: Draws the games.
    """
    replay, total = Replay(process), np.zeros(process.legal.shape)
    cap = process.soft(np.ones(process.legal.shape), 0.0)[1]
    first = np.where(expert.policy > 0, 0.0, -1.0)
    visits, kept = np.zeros(process.legal.shape), config.rounds - int(config.burn_in * config.rounds)
    policy = process.uniform
    for round_ in range(config.rounds):
        report(round_, config.rounds, "rounds", step="fit")
        reward, model = ftrl_reward(config.step, total, first), replay.model()
        if config.optimism == "theory":
            policy = softmax(optimistic(replay.count, model, reward, config.weight, cap), 0.0)
        else:
            policy = softmax(surrogate(replay.count, model, reward, config, expert, cap), config.temperature)
        total += _visits(model, expert.policy) - _visits(model, policy)
        replay.play(policy, config.games, rng=rng)
        if round_ >= config.rounds - kept:
            visits += process.visits(policy) / kept
    came = visits.sum(1, keepdims=True)
    mixed = np.where(came > 0, visits / np.where(came > 0, came, 1.0), policy)
    gap = float(np.abs(visits - expert.visits).sum()) / 2
    metrics = {"visits_off": gap, "environment_steps": replay.steps, "opponent_queries": replay.steps}
    return Solution(mixed, config.rounds, metrics)


def _sweeps(process: Process) -> int:
    return _SWEEPS if process.endless else process.depth


def _capped(model: Process, base: Floats, cap: Floats) -> Floats:
    """[n, A] Q = min(base + P V, cap)."""
    values = np.zeros(len(model))
    for _ in range(_sweeps(model)):
        q = np.minimum(base + model.next(values), cap[:, None])
        values = q.max(1)
    return np.asarray(q)


def _visits(model: Process, policy: Floats) -> Floats:
    """[n, A] visits; in an endless game those of the first steps, because estimated transitions may never end."""
    if not model.endless:
        return model.visits(policy)
    total, moving = model.start.copy(), model.start
    for _ in range(_SWEEPS):
        moving = model.flow(moving[:, None] * policy)
        total += moving
    return np.asarray(total[:, None] * policy)


class OptAil(Inverse):
    """The learner ``opt-ail``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Rounds, games and optimism.
    """

    def __init__(self, options: Options, *, name: str = "opt-ail", config: OptAilConfig = OptAilConfig()) -> None:
        super().__init__(options, name=name, method=partial(opt_ail, config))
        self.config = config

    def within(self, budget: Budget) -> Method:
        rounds = max(1, min(self.config.rounds, budget.episodes // self.config.games))
        return partial(opt_ail, replace(self.config, rounds=rounds))
