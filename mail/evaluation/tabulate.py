"""Policies as tables over a model's positions, computed through a pool, for exact gaps.

A shard has a fixed number of positions, so a policy is queried in the same batches and returns the same bits for any
number of workers. It is sent to the workers once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from agents import policy as policies
from agents.policy import Policy, Seats, by_history, query
from games.base import Floats, Game, Model, States, Table
from games.histories import tree_of
from mail.parallel.pool import Local, Pool

ROWS = 1 << 16
"""Positions per shard: between half a second and a few seconds for a network."""
WAVE = 128
"""Most shards whose results are held at once, beside the table."""


@dataclass(frozen=True)
class TabulateTask:
    """What the shards share."""

    policy: Policy
    game: Game
    seat: int


def evaluate_shard(task: TabulateTask, states: States) -> Floats:
    """A pool's task: a policy's checked probabilities.

    Args:
        task: Policy, game and seat.
        states: [n, W].

    Returns:
        float64 [n, A].
    """
    return query(task.policy, task.game, states, task.seat)


def unfolded(model: Model, queried: Sequence[Policy]) -> Model:
    """The model in which policies are tables.

    That is the tree of the graph's histories (``games.histories``) if a policy depends on the history and the tree
    fits, otherwise ``model`` itself; ``policy_table`` then warns.

    Args:
        model: The exact model.
        queried: The policies.
    """
    return tree_of(model) or model if any(map(by_history, queried)) else model


def profile_tables(model: Model, profile: Seats, *, pool: Pool | None = None) -> tuple[Model, tuple[Table, Table]]:
    """Both seats' policies as tables, each queried once at every position.

    Args:
        model: The game's exact model.
        profile: Seat 0's policy and seat 1's.
        pool: Queries them; this process by default.

    Returns:
        The model in which they are tables (``unfolded``), and seat 0's and seat 1's table, float64 [S, A].
    """
    model = unfolded(model, profile)
    return model, (policy_table(model, profile[0], 0, pool=pool), policy_table(model, profile[1], 1, pool=pool))


def policy_table(model: Model, policy: Policy, seat: int, *, pool: Pool | None = None) -> Table:
    """The policy at every position of a model, through a pool, ``ROWS`` positions at a time.

    In a tree of histories, a policy of positions is queried once per position. A policy of histories may belong to
    another library and not be picklable, so it is queried in this process.

    Args:
        model: The exact model.
        policy: The policy.
        seat: Its seat.
        pool: Queries it; by default this process.

    Returns:
        float64 [S, A]; zero rows where the seat does not act.
    """
    if by_history(policy):
        return policies.tabulate(model, policy, seat)
    if model.folded is not None:
        positions, rows = model.folded
        return np.asarray(policy_table(positions, policy, seat, pool=pool)[rows])
    task = TabulateTask(policy, model.game, seat)

    def asker(batches: Iterator[States]) -> Iterator[Floats]:
        while wave := list(islice(batches, WAVE)):
            yield from (pool or Local()).map(evaluate_shard, task, wave)

    return policies.tabulate(model, policy, seat, asker=asker, at_once=ROWS)
