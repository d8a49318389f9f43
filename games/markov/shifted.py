"""Games in which the state-level and the feature-level coefficient come apart: ``shifted:N,d,SHARE``.

Player 1 decides once: for N states that the experts visit or, at no cost to it, for N states that they never visit.
From then on player 0 alone decides, in states drawn anew from its side, and earns phi(s, a) . theta. The
concentrability coefficient of states is infinite. Features of the unseen side lie in the second half of the d
dimensions, those of the seen side by at most ``share``, so that the coefficient of features grows like 1 / share^2 and
is infinite for share 0. The expert is argmax over a of phi(s, a) . theta on both sides.

See docs/algorithms.md, "Concentrability and bounds".
"""

from __future__ import annotations

import re

import numpy as np

from games.base import Floats, GameError
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.transitions import LowRank

DISCOUNT = 0.9
ACTIONS = 3
_LARGEST = 100_000
_WIDEST = 100


def shifted(side: int, dimension: int, share: float, seed: int = 0) -> MarkovGame:
    """The game with equally many states on either side.

    Args:
        side: N, the states of one side.
        dimension: d, even.
        share: largest weight of the second half of the features on the seen side, from 0 to 1.
        seed: of the random game.

    Returns:
        The game ``shifted:N,d,SHARE`` or ``shifted:N,d,SHARE,seed``.

    Raises:
        GameError: for numbers out of range.
    """
    if not 1 <= side <= _LARGEST or not 2 <= dimension <= _WIDEST or dimension % 2 or not 0.0 <= share <= 1.0:
        raise GameError(
            f"shifted:N,d,SHARE needs N from 1 to {_LARGEST}, an even d from 2 to {_WIDEST} and a share from 0 to 1"
        )
    rng = np.random.default_rng([side, dimension, seed])
    phi = _features(side, dimension, share, rng)  # [S, A, d], nothing at the fork
    theta = np.random.default_rng([dimension, seed]).uniform(-1.0, 1.0, dimension)
    states = len(phi)
    seen, unseen = slice(1, 1 + side), slice(1 + side, states)
    rewards = np.repeat((phi @ theta)[:, :, None], 2, axis=2)
    worth = [float(rewards[part, :, 0].max(1).mean()) / (1.0 - DISCOUNT) for part in (seen, unseen)]
    rewards[0, :, 1] = DISCOUNT * (worth[0] - worth[1])  # both of player 1's choices are worth the same
    leads = np.zeros((states, ACTIONS, 2, 2))  # to the seen or the unseen side
    leads[0, :, 0, 0] = leads[0, :, 1, 1] = leads[seen, :, :, 0] = leads[unseen, :, :, 1] = 1.0
    anchors = np.zeros((2, states))
    anchors[0, seen] = anchors[1, unseen] = 1.0 / side
    legal = np.ones((states, ACTIONS), dtype=np.bool_), np.zeros((states, 2), dtype=np.bool_)
    legal[0][0], legal[1][0] = False, True
    fork = np.zeros((states, ACTIONS, 2))
    fork[0, :2] = np.eye(2)
    start = np.zeros(states)
    start[0] = 1.0
    view = np.concatenate([phi.reshape(states, -1), fork[:, 0, :1]], axis=1).astype(np.float32)
    return MarkovGame(
        f"shifted:{side},{dimension},{share:g}" + (f",{seed}" if seed else ""),
        Dynamics(rewards, LowRank(leads, anchors), start, discount=DISCOUNT, legal=legal),
        Views(linear=Linear((phi, fork), name="simplex"), observations=(view, view)),
    )


def named(parameters: str) -> MarkovGame:
    """The game of a name's parameters.

    Args:
        parameters: ``N,d,SHARE`` or ``N,d,SHARE,seed``; 50,6,0.3 if empty.

    Raises:
        GameError: for anything else.
    """
    parts = (parameters or "50,6,0.3").split(",")
    if len(parts) not in (3, 4) or not all(re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", part) for part in parts):
        raise GameError(f"shifted:{parameters} is no such game; write shifted:N,d,SHARE, say shifted:50,6,0.3")
    if any("." in part for part in [*parts[:2], *parts[3:]]):
        raise GameError(f"shifted:{parameters}: only the share has a point in it")
    return shifted(int(parts[0]), int(parts[1]), float(parts[2]), *(int(part) for part in parts[3:]))


def _features(side: int, dimension: int, share: float, rng: np.random.Generator) -> Floats:
    """[1 + 2 side, A, d] simplex features: zeros at the fork, the seen side's, the unseen side's."""
    half = dimension // 2
    lower, upper, far = rng.dirichlet(np.ones(half), size=(3, side, ACTIONS))
    table = np.zeros((1 + 2 * side, ACTIONS, dimension))
    weight = share * rng.uniform(0.0, 1.0, (side, ACTIONS, 1))
    table[1 : 1 + side, :, :half] = (1.0 - weight) * lower
    table[1 : 1 + side, :, half:] = weight * upper
    table[1 + side :, :, half:] = far
    return table
