"""Exploration by counting: optimistic planning over the part of one's own process that has been seen.

The tabular template of docs/algorithms.md, "Tabular exploration", pooled over time steps, for one seat against a fixed
expert:
    Q(s, a) = min(u(s, a) + mean V(s'), H_s)    tried actions,    u = 1 / (1 + n(s, a))
    Q(s, a) = H_s                               untried ones: every decision still to come may be new
    V(s)    = max over legal a of Q(s, a)
with H_s the own decisions that can still follow. The bonus is the *squared* elliptical norm of one-hot
features at ridge 1: with its root, games keep summing up half-known moves on the way to unknown ones.
"""

from __future__ import annotations

import numpy as np

from agents.policy import Policy, uniform_rows
from agents.tabular import Tabular
from games.base import Floats, Rng
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.memory import Memory, Transitions


class Counts(Base):
    """Plays the plan above, any of its best actions alike; uniformly at positions it has never seen."""

    def __init__(self, setting: ExplorerContext) -> None:
        super().__init__(setting)
        self.horizon = -(-setting.game.spec.longest // 2)  # most own decisions of one game
        self.memory = Memory()
        self.plan: Policy = Tabular(np.zeros((0, 2), np.uint64), np.zeros((0, setting.game.spec.actions)))

    def behavior_policy(self) -> Policy:
        return self.plan

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        new = self.memory.add(decisions.take(decisions.seat == self.seat))
        seen = self.memory.transitions()
        values = optimistic_values(seen, self.horizon)
        best = seen.legal & (values >= values.max(1, keepdims=True) - 1e-9)
        self.plan = Tabular(seen.key, uniform_rows(best))
        return {"new_transitions": new, "untried": int((seen.legal & (seen.visits == 0)).sum())}


def optimistic_values(seen: Transitions, horizon: int) -> Floats:
    """[M, A] the module's Q, -inf on illegal actions; swept until it rests, at most once per own decision."""
    cap = np.maximum(horizon - seen.depth, 1).astype(np.float64)[:, None]
    tries = seen.visits
    share = seen.count / tries[seen.position, seen.action]  # of each outcome among the tries of its action
    values = np.zeros(len(seen.legal) + 1)  # the last, where following -1 points: over
    for _ in range(horizon):
        after = np.zeros(seen.legal.shape)
        np.add.at(after, (seen.position, seen.action), share * values[seen.following])
        q = np.where(tries > 0, np.minimum(1.0 / (1.0 + tries) + after, cap), cap)
        q = np.where(seen.legal, q, -np.inf)
        if np.array_equal(q.max(1), values[:-1]):
            break
        values[:-1] = q.max(1)
    return np.asarray(q)


def counts(setting: ExplorerContext, rng: Rng) -> Counts:
    """The explorer ``counts``."""
    return Counts(setting)
