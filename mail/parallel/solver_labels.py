"""Slow labels and pools: what workers make a solver compute comes back with their shards and is written down here.

Only the process that drives a run writes the file of scores (``agents.storage.label_cache``). A worker reads that of
its own machine; the scores it had to compute travel beside its shard's result, and are in the file here before that
result counts as landed: what has landed is never computed again, whoever is killed. Games without a solver pass
through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import uuid4

import numpy as np

from agents import solver
from agents.storage.label_cache import LabelCache
from games.base import Floats, Game, Ints, States
from mail.parallel.pool import Pool

_Shared = TypeVar("_Shared")
_Shard = TypeVar("_Shard")
_Result = TypeVar("_Result")

CHUNK, MOST = 16, 256
"""Fewest and most positions that one shard has scored; 16 with a dozen stones take a few tenths of a second."""
_SHARDS = 256  # of a large number of positions; more of them until MOST is reached would only burden the driver
_HERE = uuid4().hex  # tells a worker's process from the one that drives


def labelled_map(
    pool: Pool,
    task: Callable[[_Shared, _Shard], _Result],
    shared: _Shared,
    shards: Sequence[_Shard],
    *,
    game: Game,
    on_result: Callable[[int, _Result], None] | None = None,
) -> list[_Result]:
    """``pool.map`` for tasks that may ask the solver of ``game``; what it computed is written down before ``on_result``
    is told.
    """
    if not solver.solvable(game):
        return pool.map(task, shared, shards, on_result=on_result)

    def keep(index: int, found: tuple[_Result, Ints, solver.Scored]) -> None:
        result, position, scored = found
        if len(position):
            solver.shared().receive(position, scored)
        if on_result is not None:
            on_result(index, result)

    return [found[0] for found in pool.map(_with_scores, (_HERE, task, shared), shards, on_result=keep)]


def scores(pool: Pool, game: Game, states: States, *, best_only: bool = False) -> Floats:
    """As ``agents.solver.scores``, [N, A]; what is not known yet is computed through the pool."""
    running = states[game.acting(states).any(1)]
    unknown = running[solver.shared().unknown(running, best_only=best_only)]
    # Those with few stones first: they take longest, and whoever got one last would let the others wait.
    unknown = unknown[np.argsort(np.bitwise_count(unknown[:, 1]), kind="stable")]
    size = min(MOST, max(CHUNK, len(unknown) // _SHARDS))
    chunks = [unknown[at : at + size] for at in range(0, len(unknown), size)]
    labelled_map(pool, _solve, (game, best_only), chunks, game=game)
    return solver.scores(game, states, best_only=best_only)


def _with_scores(
    job: tuple[str, Callable[[_Shared, _Shard], _Result], _Shared], shard: _Shard
) -> tuple[_Result, Ints, solver.Scored]:
    """A pool's task: another task's result, and what a worker's solver computed meanwhile."""
    home, task, shared = job
    if home == _HERE:  # this process writes down what it computes
        return task(shared, shard), np.zeros(0, np.int64), np.zeros((0, 7), np.int8)
    if solver.shared().writes:
        solver.use(solver.Scores(LabelCache.default(), writes=False))
    result = task(shared, shard)
    return result, *solver.shared().take_new()


def _solve(shared: tuple[Game, bool], states: States) -> None:
    """A pool's task: have these positions scored."""
    game, best_only = shared
    solver.scores(game, states, best_only=best_only)
