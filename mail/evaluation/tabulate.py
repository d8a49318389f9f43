"""Asking a policy at every position of a model through a pool: sweeps of exact gaps.

Shards have a fixed number of positions, so the policy is asked in the same batches, and gives the same bits, whatever
the workers; it is shared once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from agents import policy as policies
from agents.policy import Policy, Seats, by_history, query
from games.base import Floats, Game, Model, States, Table
from games.graph import GameGraph
from games.histories import HistoryTree, has_tree
from mail.parallel.pool import Local, Pool

ROWS = 1 << 16
"""Positions of one shard of a model's sweep: half a second to a few, for a network."""
WAVE = 128
"""Shards whose answers are held at once, beside what they go into."""


@dataclass(frozen=True)
class TabulateTask:
    """What the shards of a sweep share."""

    policy: Policy
    game: Game
    seat: int


def evaluate_shard(question: TabulateTask, states: States) -> Floats:
    """A pool's task: the policy's checked probabilities [n, A] at these positions."""
    return query(question.policy, question.game, states, question.seat)


def unfolded(model: Model, asked: Sequence[Policy]) -> Model:
    """The model in which these policies are tables: the tree of the graph's histories where one of them depends on the
    history and the tree fits (``games.histories``), else ``model`` itself; ``policy_table`` then warns.
    """
    if not any(map(by_history, asked)) or isinstance(model, HistoryTree):
        return model
    return HistoryTree(model) if isinstance(model, GameGraph) and has_tree(model) else model


def profile_tables(model: Model, profile: Seats, *, pool: Pool | None = None) -> tuple[Model, tuple[Table, Table]]:
    """Both seats' policies as tables, each asked once at every position.

    Args:
        model: the game's exact model.
        profile: seat 0's policy and seat 1's.
        pool: who asks them; this process unless given.

    Returns:
        The model in which they are tables (``unfolded``), and seat 0's and seat 1's, float64 [S, A].
    """
    model = unfolded(model, profile)
    return model, (policy_table(model, profile[0], 0, pool=pool), policy_table(model, profile[1], 1, pool=pool))


def policy_table(model: Model, policy: Policy, seat: int, *, pool: Pool | None = None) -> Table:
    """[S, A] the policy on every position of the model, as ``agents.policy.tabulate`` but through a pool, ``ROWS`` of
    them at a time.

    In a tree of histories a policy by positions is asked once for each position; one by histories, which may be another
    library's and not fit for other processes, is asked in this one.
    """
    if by_history(policy):
        return policies.tabulate(model, policy, seat)
    if isinstance(model, HistoryTree):
        return np.asarray(policy_table(model.graph, policy, seat, pool=pool)[model.position])
    question = TabulateTask(policy, model.game, seat)

    def asker(batches: Iterator[States]) -> Iterator[Floats]:
        while wave := list(islice(batches, WAVE)):
            yield from (pool or Local()).map(evaluate_shard, question, wave)

    return policies.tabulate(model, policy, seat, asker=asker, at_once=ROWS)
