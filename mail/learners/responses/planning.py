"""The best plan of one seat for rewards that positions pay, whoever acts there, when the other seat plays a table.

MURMAIL's inner problem: the other seat is steered to where the clone is in doubt (``mail.learners.responses.murmail``).
"""

from __future__ import annotations

import numpy as np

from games.base import Bools, Floats, Steps

_SWEEPS = 10_000
_SETTLED = 1e-10  # changes below this, relative to the largest reward, end the sweeps
_TIE = 1e-9  # actions this close to the best are as good


def plan(
    steps: Steps, free: Bools, rewards: Floats, *, bonus: Floats | None = None, cap: float = np.inf
) -> tuple[float, Bools]:
    """Value iteration over positions, optimistic where there is a bonus.

    Args:
        steps: The process of the planning seat, whose weights are discounted or whose games end.
        free: bool [S, A], the legal actions where the planning seat acts; all False elsewhere.
        rewards: float64 [S], what it pays to be at each position, 0 or more.
        bonus: float64 [S, A], added to the value of each action; None for none.
        cap: No action counts as worth more than this.

    Returns:
        The expected sum of rewards from the start, and bool [S, A], the best actions where the seat acts.
    """
    positions, actions = free.shape
    place = steps.row * actions + steps.action
    acting = free.any(1)
    values, worth = np.zeros(positions), np.zeros((positions, actions))
    scale = max(1e-300, float(rewards.max(initial=0.0)))
    for _ in range(_SWEEPS):
        ahead = np.bincount(place, weights=steps.weight * values[steps.following], minlength=positions * actions)
        ahead = np.minimum(ahead.reshape(positions, actions) + (0.0 if bonus is None else bonus), cap)
        worth = np.where(free, ahead, -np.inf)
        best = np.where(acting, worth.max(1), ahead[:, 0])
        changed = np.abs(rewards + best - values).max(initial=0.0)
        values = rewards + best
        if changed <= _SETTLED * scale:
            break
    close = worth >= worth.max(1, keepdims=True) - _TIE * max(1.0, float(values.max(initial=0.0)))
    return float(steps.start @ values), np.asarray(free & close)
