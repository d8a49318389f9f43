"""An estimate of how many histories a game has, before they are listed.

Source: Knuth, "Estimating the efficiency of backtrack programs" (1975). A random walk from the start counts the ways to
go on at each ply. The product of these counts is an unbiased estimate of the number of histories of that length. A few
walks tell the order of magnitude, and nothing more is needed.
"""

from __future__ import annotations

import time

import numpy as np

from games.base import Floats, Hidden, Ints, Rng, States
from games.quick import random_legal

_WALKS, _BATCH = 256, 16


def estimate_histories(game: Hidden, *, seconds: float = 1.0) -> float:
    """Estimate how many histories have a move to make, from at most 256 random walks.

    A walk that is not over when the time is counts as far as it went, so the estimate is then too low.

    Args:
        game: a game whose positions can be listed.
        seconds: processor time after which no further walk begins.

    Returns:
        The mean over the walks, at most 1e300.
    """
    begun, rng, starts = time.process_time(), np.random.default_rng(0), game.starts()
    found: list[float] = []
    while len(found) < _WALKS and (not found or time.process_time() - begun < seconds):
        states = starts[rng.integers(len(starts), size=_BATCH)]
        ways = np.full(_BATCH, float(len(starts)))
        total = np.zeros(_BATCH)
        running = np.arange(_BATCH)
        while len(states) and (time.process_time() - begun < seconds or not total.any()):
            total[running] += ways
            states, branches, on = _walk_on(game, states, rng)
            with np.errstate(over="ignore"):
                ways = (ways * branches)[on]
            states, running = states[on], running[on]
        found.extend(total.tolist())
    return min(1e300, float(np.mean(found)))


def _walk_on(game: Hidden, states: States, rng: Rng) -> tuple[States, Floats, np.ndarray]:
    """One move of each walk: the next positions, the ways there were to go on, and whether the game goes on."""
    branches = np.ones(len(states))
    actions: Ints = np.full((len(states), 2), -1, dtype=np.int64)
    for seat in (0, 1):
        legal = game.legal(states, seat)
        actions[:, seat] = random_legal(legal, rng)
        branches *= np.maximum(legal.sum(1), 1)
    found = game.successors(states, actions)
    counts = np.bincount(found.rows, minlength=len(states))
    order = np.argsort(found.rows, kind="stable")
    place = order[np.cumsum(counts) - counts + rng.integers(counts)]
    return found.states[place], branches * counts, ~found.done[place]
