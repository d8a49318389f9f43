"""Asking a policy at many positions through a pool: sweeps of exact gaps, walks of certificates.

Shards have a fixed number of positions, so what is computed never depends on the workers; the policy is shared
once, and a row's bits depend on no other row (``agents.network``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.policy import Policy, ask
from games.base import Floats, Game, Model, States, Table
from mail.pool import Local, Pool

ROWS = 1 << 16
"""Positions of one shard of a model's sweep: half a second to a few, for a network."""
WAVE = 128
"""Shards whose answers are held at once, beside what they go into."""


@dataclass(frozen=True)
class Question:
    """What the shards of a sweep share."""

    policy: Policy
    game: Game
    seat: int


def answer(question: Question, states: States) -> Floats:
    """A pool's task: the policy's checked probabilities [n, A] at these positions."""
    return ask(question.policy, question.game, states, question.seat)


def sweep(pool: Pool, question: Question, shards: Sequence[States]) -> list[Floats]:
    """The answers, shard by shard. PolicyError where the policy gives no legal distribution."""
    return pool.map(answer, question, shards)


def tabulate(model: Model, policy: Policy, seat: int, *, pool: Pool | None = None) -> Table:
    """[S, A] the policy on every position of the model, as ``agents.policy.tabulate`` but through a pool."""
    acting = np.flatnonzero(model.legal(seat).any(1))
    rows = [acting[at : at + ROWS] for at in range(0, len(acting), ROWS)]
    question = Question(policy, model.game, seat)
    table = np.zeros((len(model.states), model.game.spec.actions))
    for at in range(0, len(rows), WAVE):
        wave = rows[at : at + WAVE]
        answers = sweep(pool or Local(), question, [model.states[place] for place in wave])
        for place, found in zip(wave, answers, strict=True):
            table[place] = found
    return table
