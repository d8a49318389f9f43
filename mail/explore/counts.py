"""Exploration by counting: optimistic planning over the visited part of the seat's own decision process.

The tabular template of docs/algorithms.md, "Tabular exploration" (arXiv:2510.09325), pooled over time steps, for one
seat against a fixed expert:

    Q(s, a) = min(u(s, a) + mean V(s'), H_s)    visited actions,    u = 1 / (1 + n(s, a))
    Q(s, a) = H_s                               others: every later decision may be new
    V(s)    = max over legal a of Q(s, a)

with H_s the largest number of own decisions that can follow. The bonus is the *squared* elliptical norm of one-hot
features with ridge 1. With its root instead, the explorer keeps preferring sums of half-known moves to unknown ones.
"""

from __future__ import annotations

import numpy as np

from agents.policy import Policy, uniform_rows
from agents.tabular import Tabular
from games.base import Floats, Rng, deals
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.memory import Memory, Transitions
from mail.explore.process import steps_of

DEALT_GAMES = 8
"""Games of a round where chance deals: it takes many of them, and one more changes the plan little."""


class Counts(Base):
    """Plays the plan above, uniformly among its best actions, and uniformly at positions it has never visited.

    Args:
        context: The game, the explorer's seat and the experts.
    """

    def __init__(self, context: ExplorerContext) -> None:
        super().__init__(context)
        self.games_per_round = DEALT_GAMES if deals(context.game) else 1
        self.horizon = steps_of(context.game)
        self.memory = Memory()
        self.plan: Policy = Tabular(np.zeros((0, 2), np.uint64), np.zeros((0, context.game.spec.actions)))

    def behavior_policy(self) -> Policy:
        return self.plan

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        new = self.memory.add(decisions.take(decisions.seat == self.seat))
        if not len(self.memory):  # the seat has not come to decide yet
            return {"new_transitions": 0, "untried": 0}
        transitions = self.memory.transitions()
        values = optimistic_values(transitions, self.horizon)
        best = transitions.legal & (values >= values.max(1, keepdims=True) - 1e-9)
        self.plan = Tabular(transitions.key, uniform_rows(best))
        return {"new_transitions": new, "untried": int((transitions.legal & (transitions.visits == 0)).sum())}


def optimistic_values(transitions: Transitions, horizon: int) -> Floats:
    """The module's Q, by value iteration.

    Args:
        transitions: The distinct positions and transitions of the seat; M positions.
        horizon: Most own decisions of a game, and so most iterations.

    Returns:
        float64 [M, A]; -inf for illegal actions.
    """
    cap = np.maximum(horizon - transitions.depth, 1).astype(np.float64)[:, None]
    visits = transitions.visits
    share = transitions.count / visits[transitions.position, transitions.action]  # of an action's visits
    values = np.zeros(len(transitions.legal) + 1)  # the last one, index -1: the game is over
    for _ in range(horizon):
        after = np.zeros(transitions.legal.shape)
        np.add.at(after, (transitions.position, transitions.action), share * values[transitions.following])
        q = np.where(visits > 0, np.minimum(1.0 / (1.0 + visits) + after, cap), cap)
        q = np.where(transitions.legal, q, -np.inf)
        if np.array_equal(q.max(1), values[:-1]):
            break
        values[:-1] = q.max(1)
    return np.asarray(q)


def counts(context: ExplorerContext, rng: Rng) -> Counts:
    """The explorer ``counts``."""
    return Counts(context)
