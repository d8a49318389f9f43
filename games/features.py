"""Feature maps phi(s, a), for softmax-linear policies and linear exploration.

A game may have its own (``Featured``; linear Markov games do). Any other game gets one block per action, with the
flattened observation and a constant 1: what a linear classifier of its observations would see. Source:
docs/algorithms.md, "Linear exploration".
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import numpy as np

from games.base import Floats, Game, States


@runtime_checkable
class Featured(Protocol):
    """A game that has feature maps of its own."""

    def features(self, states: States, seat: int) -> Floats:
        """The game's own features.

        Args:
            states: [N, W].
            seat: whose actions.

        Returns:
            float64 [N, A, d] phi(s, a).

        Raises:
            GameError: where the game has none.
        """


def has_features(game: Game) -> bool:
    """Whether a game has features of its own.

    Args:
        game: any game.
    """
    return isinstance(game, Featured)


def features(game: Game, states: States, seat: int) -> Floats:
    """Features of a seat's actions: the game's own, or the blocks described above.

    Args:
        game: any game.
        states: [N, W].
        seat: whose actions.

    Returns:
        float64 [N, A, d].
    """
    if isinstance(game, Featured):
        return np.asarray(game.features(states, seat), dtype=np.float64)
    seen = game.observe(states, seat).reshape(len(states), math.prod(game.spec.observation))
    block = np.concatenate([seen, np.ones((len(states), 1))], axis=1)
    actions = game.spec.actions
    wide = np.zeros((len(states), actions, actions, block.shape[1]))
    wide[:, np.arange(actions), np.arange(actions)] = block[:, None]
    return wide.reshape(len(states), actions, actions * block.shape[1])
