"""Solver labels in pools: the scores that workers compute return with their shards and are saved here.

Only the process that drives a run writes the label cache (``agents.storage.label_cache``). A worker reads the cache of
its own machine. The scores it computes travel with its shard's result and are saved before the shard counts as
completed, so a completed shard is never computed again. The pool of workers sees to that for every task.
"""

from __future__ import annotations

import numpy as np

from agents import solver
from agents.storage.label_cache import LabelCache
from games.base import Floats, Game, Ints, States
from mail.parallel.pool import All, Out, Part, Pool, Task

CHUNK, MOST = 16, 256
"""Fewest and most positions that one shard scores. 16 positions with a dozen stones take a few tenths of a second."""
_SHARDS = 256  # for many positions; more shards would only burden the driver


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
    pool.map(_solve, (game, best_only), chunks)
    return solver.scores(game, states, best_only=best_only)


def run_with_scores(job: tuple[Task[All, Part, Out], All], shard: Part) -> tuple[Out, Ints, solver.Scored]:
    """A worker's task: another task's result, and the scores that the worker's solver computed for it.

    Args:
        job: The other task, and what its shards share.
        shard: The shard.

    Returns:
        The result, int64 [n] positions and int8 [n, 7] their scores; n is 0 where no solver was needed.
    """
    task, shared = job
    if solver.shared().writes:
        solver.use(solver.Scores(LabelCache.default(), writes=False))
    result = task(shared, shard)
    return result, *solver.shared().take_new()


def received(outcome: tuple[Out, Ints, solver.Scored]) -> Out:
    """The result of ``run_with_scores``; the scores beside it are saved.

    Args:
        outcome: What the worker returned.
    """
    result, position, scored = outcome
    if len(position):
        solver.shared().receive(position, scored)
    return result


def _solve(shared: tuple[Game, bool], states: States) -> None:
    """A pool's task: compute the scores of these positions."""
    game, best_only = shared
    solver.scores(game, states, best_only=best_only)
