"""IQ-Learn, tabular: one soft Q-function instead of a reward and a policy (Garg et al., arXiv:2106.12142;
docs/algorithms.md, "IQ-Learn").

With V(s) = tau log sum over legal a of exp(Q / tau), pi = exp((Q - V) / tau) and the implied reward
x = Q(s, a) - E V(s'), minimize over Q, for the chi-squared divergence phi(x) = x - x^2 / (4 alpha):

    offline (``value_expert``):  - E_expert[phi(x)] + E_expert[V(s) - V(s')]  =  tau NLL(pi) + E_expert[x^2] / (4 alpha)
    online  (``value``):         - E_expert[phi(x)] + (V - E V') over the expert's visits and the policy's, half each

Offline it needs recorded games alone: s' is the next own decision that was recorded. Online, V - E V' of *any* policy's
visits adds up to V at the start, so that the second term needs no sampling where the process is known; the penalty then
is on both sets of visits (``regularize``). An endless game that is merely cut tells nothing of what follows its last
decision, which is left out. Discounts are part of E V'. The offline loss fits labels, so it is a cloner,
``iq-learn``, with which the learner of that name clones what ``bc`` collects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Rng
from mail.clone.dataset import Demonstrations, Fit, demonstrations
from mail.clone.tabular import completed_table
from mail.data.decisions import Decisions
from mail.learners.inverse.process import soft_max, softmax
from mail.learners.inverse.reward import Objective, minimized


@dataclass(frozen=True)
class IqConfig:
    """The settings of IQ-Learn."""

    temperature: float = 0.1
    """tau, published: 0.001 to 0.01. The smaller, the less the penalty keeps the policy from the labels."""
    alpha: float = 0.5
    """Scale of the penalty; the published value."""
    iterations: int = 300
    """Most gradient evaluations."""
    tolerance: float = 1e-6
    """Stop at a gradient no entry of which is larger."""
    rounds: int = 3
    """Online with ``regularize``: how often the policy's visits are brought up to date."""
    regularize: bool = False
    """Online: whether half of the penalty is on the policy's visits."""


@dataclass(frozen=True)
class Batch:
    """Recorded transitions of a seat, summed up by position and action: n positions."""

    legal: Bools
    """[n, A] the legal actions."""
    weight: Floats
    """[n, A] the share of each pair among the demonstrations; they sum to 1."""
    followed: Floats
    """[n, A] the part of that of which it is known what came next: another position or the end of the game."""
    kernel: csr_array
    """[n * A, n] the share of each next own decision after a pair, discounted; what is missing ended the game."""

    def next(self, values: Floats) -> Floats:
        """The expected value of the next own decision.

        Args:
            values: [n].

        Returns:
            [n, A].
        """
        return np.asarray((self.kernel @ values).reshape(self.legal.shape))


def implied_reward(legal: Bools, q: Floats, following: Floats) -> Floats:
    """x = Q(s, a) - E V(s').

    Args:
        legal: bool [n, A].
        q: [n, A] Q.
        following: [n, A] the expected values of what follows.

    Returns:
        [n, A]; 0 where illegal.
    """
    return np.where(legal, q - following, 0.0)


def loss(batch: Batch, q: Floats, config: IqConfig) -> tuple[float, Floats]:
    """The offline loss on a batch in its second form, and its gradient.

    Args:
        batch: Recorded transitions.
        q: [n, A] Q; 0 where illegal.
        config: Temperature and divergence.

    Returns:
        The loss, and the gradient [n, A], 0 where illegal.
    """
    actions = np.where(batch.legal, q, -np.inf)
    values, policy = soft_max(actions, config.temperature), softmax(actions, config.temperature)
    implied = implied_reward(batch.legal, q, batch.next(values))
    cross = np.where(batch.weight > 0, values[:, None] - q, 0.0)  # temperature times - log pi
    total = (batch.weight * cross).sum() + (batch.followed * implied**2).sum() / (4 * config.alpha)
    push = batch.followed * implied / (2 * config.alpha)
    onto_values = batch.weight.sum(1) - batch.kernel.T @ push.ravel()
    return float(total), push - batch.weight + onto_values[:, None] * policy


def loss_as_published(batch: Batch, q: Floats, config: IqConfig) -> float:
    """The offline loss in its first form, which the second equals: - E[phi(x)] + E[V(s) - V(s')].

    Args:
        batch: Recorded transitions.
        q: [n, A] Q; 0 where illegal.
        config: Temperature and divergence.
    """
    values = soft_max(np.where(batch.legal, q, -np.inf), config.temperature)
    following = batch.next(values)
    implied = implied_reward(batch.legal, q, following)
    penalty = batch.followed * implied**2 / (4 * config.alpha)
    return float((batch.weight * (values[:, None] - following - implied) + penalty).sum())


def recorded(game: Game, decisions: Decisions, seat: int) -> tuple[Batch, Demonstrations]:
    """A seat's labelled decisions as a batch over its distinct positions, and those positions.

    A label weighs its actions, as in cloning. What came next is known of actions that were played: a mean over the
    games in which they were.

    Args:
        game: The game.
        decisions: Decisions of either seat.
        seat: The seat.

    Raises:
        NashmailError: There are no labels.
    """
    shown = demonstrations(decisions, seat)
    mine = decisions.take(decisions.queried & (decisions.seat == seat))
    _, place = np.unique(mine.key, axis=0, return_inverse=True)
    place = place.ravel()
    n, actions = shown.legal.shape
    came, last = mine.next >= 0, mine.ended & ~cut(game, mine)
    pair = place * actions + mine.played
    played = np.bincount(pair[came | last], minlength=n * actions)
    share = game.spec.discount / np.maximum(played[pair[came]], 1)
    kernel = csr_array((share, (pair[came], place[mine.next[came]])), shape=(n * actions, n))
    kernel.sum_duplicates()
    weight = shown.total / shown.total.sum()
    return Batch(shown.legal, weight, np.where(played.reshape(n, actions) > 0, weight, 0.0), kernel), shown


def cut(game: Game, decisions: Decisions) -> Bools:
    """Last decisions of games that were cut although they go on.

    Args:
        game: The game.
        decisions: R decisions.

    Returns:
        bool [R].
    """
    if not game.spec.endless or game.spec.clock is None:
        return np.zeros(len(decisions), dtype=np.bool_)
    steps = game.spec.longest // 2  # in each of which both seats may move
    return np.asarray((decisions.next < 0) & (decisions.state[:, game.spec.clock] + 1 >= steps))


def offline(config: IqConfig, batch: Batch) -> tuple[Floats, int]:
    """The Q-function of recorded transitions.

    Args:
        config: Temperature, divergence and limits.
        batch: Recorded transitions.

    Returns:
        [n, A], and the number of gradient evaluations that it took.
    """
    return minimized_q(lambda q: loss(batch, q, config), np.zeros(batch.legal.shape), batch.legal, config)


def clone_iq(game: Game, decisions: Decisions, seat: int, config: Any, rng: Rng, device: str) -> Fit:
    """The cloner ``iq-learn``: the policy of the offline loss at labelled positions, uniform elsewhere."""
    settings = IqConfig()
    batch, shown = recorded(game, decisions, seat)
    q, steps = offline(settings, batch)
    rows = softmax(np.where(batch.legal, q, -np.inf), settings.temperature)
    policy = Tabular(shown.key, rows)
    if game.spec.unlabelled is not None:
        policy = completed_table(game, policy, seat, game.spec.unlabelled)
    beside = np.where(shown.distribution > 0, 0.0, rows).sum(1)
    return Fit(policy, steps, float(beside.max()), float(np.abs(rows - shown.distribution).sum(1).mean() / 2))


def minimized_q(objective: Objective, q: Floats, legal: Bools, config: IqConfig) -> tuple[Floats, int]:
    """The Q-function to which L-BFGS comes, over legal actions.

    Args:
        objective: A loss of Q [n, A], with its gradient.
        q: [n, A] where to begin.
        legal: bool [n, A].
        config: Limits.

    Returns:
        [n, A], 0 where illegal, and the number of evaluations.
    """
    places = np.flatnonzero(legal)

    def of_legal(free: Floats) -> tuple[float, Floats]:
        at = np.zeros(legal.shape)
        at.ravel()[places] = free
        value, gradient = objective(at)
        return value, gradient.ravel()[places]

    start = q.ravel()[places]
    free, _, took = minimized(of_legal, start, evaluations=config.iterations, tolerance=config.tolerance)
    best = np.zeros(legal.shape)
    best.ravel()[places] = free
    return best, took
