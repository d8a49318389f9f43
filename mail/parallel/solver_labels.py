"""Solver labels in pools: the scores that workers compute return with their shards and are saved here.

Only the process that drives a run writes the label cache (``agents.storage.label_cache``). A worker reads the cache of
its own machine. The scores it computes travel with its shard's result and are saved before the shard counts as
completed, so a completed shard is never computed again. Games without a solver pass through.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import numpy as np

from agents import solver
from agents.storage.label_cache import LabelCache
from games.base import Floats, Game, Ints, States
from mail.parallel.pool import All, OnResult, Out, Part, Pool, Task

CHUNK, MOST = 16, 256
"""Fewest and most positions that one shard scores. 16 positions with a dozen stones take a few tenths of a second."""
_SHARDS = 256  # for many positions; more shards would only burden the driver
_HERE = uuid4().hex  # identifies the driving process in its workers


def labelled_map(
    pool: Pool,
    task: Task[All, Part, Out],
    shared: All,
    shards: Sequence[Part],
    *,
    game: Game,
    on_result: OnResult[Out] | None = None,
) -> list[Out]:
    """``pool.map`` for tasks that may query the solver of a game.

    The scores that a shard computed are saved before ``on_result`` is called for it.

    Args:
        pool: Runs the shards.
        task: See ``Pool.map``, as for the following.
        shared: What all shards share.
        shards: One argument each.
        game: The game whose solver is queried.
        on_result: Is called with each result.

    Returns:
        The results, in the order of the shards.
    """
    if not solver.solvable(game):
        return pool.map(task, shared, shards, on_result=on_result)

    def keep(index: int, outcome: tuple[Out, Ints, solver.Scored]) -> None:
        result, position, scored = outcome
        if len(position):
            solver.shared().receive(position, scored)
        if on_result is not None:
            on_result(index, result)

    return [outcome[0] for outcome in pool.map(_with_scores, (_HERE, task, shared), shards, on_result=keep)]


def scores(pool: Pool, game: Game, states: States, *, best_only: bool = False) -> Floats:
    """The solver's scores of positions, with unknown ones computed through the pool.

    Args:
        pool: Does the work.
        game: A game with a solver.
        states: [N, W] positions.
        best_only: Whether only the best actions are needed, which is faster.

    Returns:
        [N, A] as ``agents.solver.scores``.
    """
    running = states[game.acting(states).any(1)]
    unknown = running[solver.shared().unknown(running, best_only=best_only)]
    # Positions with few stones first: they take longest, and as the last ones they would delay the end.
    unknown = unknown[np.argsort(np.bitwise_count(unknown[:, 1]), kind="stable")]
    size = min(MOST, max(CHUNK, len(unknown) // _SHARDS))
    chunks = [unknown[at : at + size] for at in range(0, len(unknown), size)]
    labelled_map(pool, _solve, (game, best_only), chunks, game=game)
    return solver.scores(game, states, best_only=best_only)


def _with_scores(job: tuple[str, Task[All, Part, Out], All], shard: Part) -> tuple[Out, Ints, solver.Scored]:
    """A pool's task: another task's result, and the scores that its worker's solver computed."""
    home, task, shared = job
    if home == _HERE:  # this process saves its scores itself
        return task(shared, shard), np.zeros(0, np.int64), np.zeros((0, 7), np.int8)
    if solver.shared().writes:
        solver.use(solver.Scores(LabelCache.default(), writes=False))
    result = task(shared, shard)
    return result, *solver.shared().take_new()


def _solve(shared: tuple[Game, bool], states: States) -> None:
    """A pool's task: compute the scores of these positions."""
    game, best_only = shared
    solver.scores(game, states, best_only=best_only)
