"""The best plan of one seat for rewards that positions pay, whoever acts there, when the other seat plays a table.

MURMAIL's inner problem: the other seat is steered to where the clone is in doubt (``mail.learners.responses.murmail``).
With hidden information one action is chosen for all positions that the planning seat cannot tell apart, by how likely
chance and the other seat make each of them; a plan by positions would see the hidden cards.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from games.base import Bools, Floats, Game, Ints, Model, States, Steps, Table, deals
from games.infosets.model import InfosetModel

_SWEEPS = 10_000
_SETTLED = 1e-10  # changes below this, relative to the largest reward, end the sweeps
_TIE = 1e-9  # actions this close to the best are as good


def plan(
    steps: Steps,
    free: Bools,
    rewards: Floats,
    *,
    bonus: Floats | None = None,
    cap: float = np.inf,
    alike: Ints | None = None,
) -> tuple[float, Bools]:
    """Value iteration over positions, optimistic where there is a bonus.

    Args:
        steps: The process of the planning seat, whose weights are discounted or whose games end.
        free: bool [S, A], the legal actions where the planning seat acts; all False elsewhere.
        rewards: float64 [S], what it pays to be at each position, 0 or more.
        bonus: float64 [S, A], added to the value of each action; None for none.
        cap: No action counts as worth more than this.
        alike: int64 [S], equal for positions that the planning seat cannot tell apart, in games that end; None where
            it sees everything.

    Returns:
        The expected sum of rewards from the start, and bool [S, A], the best actions where the seat acts.
    """
    positions, actions = free.shape
    place = steps.row * actions + steps.action
    acting, each = free.any(1), np.arange(positions)
    shares = np.ones(0) if alike is None else _shares(steps, alike)
    values, worth = np.zeros(positions), np.zeros((positions, actions))
    scale = max(1e-300, float(rewards.max(initial=0.0)))
    for _ in range(_SWEEPS):
        ahead = np.bincount(place, weights=steps.weight * values[steps.following], minlength=positions * actions)
        ahead = np.minimum(ahead.reshape(positions, actions) + (0.0 if bonus is None else bonus), cap)
        worth = np.where(free, ahead if alike is None else _pooled(ahead, alike, shares), -np.inf)
        best = ahead[each, np.where(acting, worth.argmax(1), 0)]
        changed = np.abs(rewards + best - values).max(initial=0.0)
        values = rewards + best
        if changed <= _SETTLED * scale:
            break
    close = worth >= worth.max(1, keepdims=True) - _TIE * max(1.0, float(values.max(initial=0.0)))
    return float(steps.start @ values), np.asarray(free & close)


def _shares(steps: Steps, alike: Ints) -> Floats:
    """[S] how likely each position is among those that the planning seat cannot tell apart.

    That is in proportion to its probability by chance and the other seat, if the planning seat does what leads there.
    """
    reach, before = steps.start, np.zeros(0)
    while not np.array_equal(reach, before):  # ends with the longest game
        before = reach
        onward = np.bincount(steps.following, weights=steps.weight * reach[steps.row], minlength=len(reach))
        reach = steps.start + onward
    total, count = np.bincount(alike, weights=reach), np.bincount(alike)
    return np.where(total[alike] > 0, reach / np.maximum(total[alike], 1e-300), 1.0 / count[alike])


def _pooled(ahead: Floats, alike: Ints, shares: Floats) -> Floats:
    """[S, A] the mean of ``ahead`` [S, A] over positions that are alike."""
    means = np.zeros((int(alike.max()) + 1, ahead.shape[1]))
    np.add.at(means, alike, shares[:, None] * ahead)
    return np.asarray(means[alike])


def alike_for(game: Game, states: States, seat: int) -> Ints | None:
    """What a seat cannot tell apart, as ``plan`` takes it.

    Args:
        game: The game.
        states: [S, W] distinct positions.
        seat: Who looks.

    Returns:
        int64 [S], equal for positions at which the seat acts and that are alike for it; None where none are.
    """
    acting = np.flatnonzero(game.acting(states)[:, seat])
    kinds, kind = np.unique(game.key(states[acting], seat), axis=0, return_inverse=True)
    if len(kinds) == len(acting):
        return None
    alike = len(kinds) + np.arange(len(states))
    alike[acting] = kind.reshape(-1)
    return alike


def plan_exactly(model: Model, seat: int, table: Table, rewards: Floats) -> tuple[float, Bools]:
    """The best plan of the other seat, by the exact model.

    Args:
        model: The exact model.
        seat: Plays the table, and is led.
        table: float64 [S, A].
        rewards: float64 [S], what it pays to lead the seat to each of its rows, 0 or more.

    Returns:
        As of ``plan``.

    Raises:
        GameError: Rows of the model are not what a seat can tell apart.
    """
    if not deals(model.game):
        return plan(model.steps(1 - seat, table), model.legal(1 - seat), rewards)
    model = cast(InfosetModel, model)
    own, planner = model.seats[seat], model.seats[1 - seat]
    gains = model.led_to(seat, model.plan(seat, table)[own.parent] * rewards[model.rows(seat)])
    values, state_values = planner.best(gains)
    close = values[1:] >= state_values[planner.infoset[1:]] - _TIE * float(values[0])
    best = np.zeros(model.legal(1 - seat).shape, dtype=np.bool_)
    best[model.rows(1 - seat)][planner.infoset[1:], planner.action[1:]] = close
    return float(values[0]), best
