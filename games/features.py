"""Feature maps phi(s, a), which softmax-linear policies and linear exploration are made of (docs/algorithms.md, "Linear
exploration").

A game may have its own (``Featured``: linear Markov games do). Any other game is given one block per action, of the
flattened observation and a constant 1: what a linear classifier of its observations would see.
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
        """[N, A, d] phi(s, a) of a seat. GameError where the game has none."""


def has_features(game: Game) -> bool:
    """Whether the features of a game are its own."""
    return isinstance(game, Featured)


def features(game: Game, states: States, seat: int) -> Floats:
    """[N, A, d] float64 features of a seat's actions: the game's own, or the blocks described above."""
    if isinstance(game, Featured):
        return np.asarray(game.features(states, seat), dtype=np.float64)
    seen = game.observe(states, seat).reshape(len(states), math.prod(game.spec.observation))
    block = np.concatenate([seen, np.ones((len(states), 1))], axis=1)
    actions = game.spec.actions
    wide = np.zeros((len(states), actions, actions, block.shape[1]))
    wide[:, np.arange(actions), np.arange(actions)] = block[:, None]
    return wide.reshape(len(states), actions, actions * block.shape[1])
