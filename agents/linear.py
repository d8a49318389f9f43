"""Softmax-linear policies: pi(a | s) proportional to exp(theta . phi(s, a)) over the legal actions (docs/algorithms.md,
"Linear exploration").

phi are the features that a game declares (``Featured``: linear Markov games do). Any other game is given one block per
action, of the flattened observation and a constant 1: what a linear classifier of its observations would see.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import numpy as np

from agents.network import masked_softmax
from agents.policy import PolicyError
from games.base import Floats, Game, States


@runtime_checkable
class Featured(Protocol):
    """A game that has feature maps of its own."""

    def features(self, states: States, seat: int) -> Floats:
        """[N, A, d] phi(s, a) of a seat. GameError where the game has none."""


def features(game: Game, states: States, seat: int) -> Floats:
    """[N, A, d] float64 features of a seat's actions, the game's own or the blocks described above."""
    if isinstance(game, Featured):
        return np.asarray(game.features(states, seat), dtype=np.float64)
    seen = game.observe(states, seat).reshape(len(states), math.prod(game.spec.observation))
    block = np.concatenate([seen, np.ones((len(states), 1))], axis=1)
    actions = game.spec.actions
    wide = np.zeros((len(states), actions, actions, block.shape[1]))
    wide[:, np.arange(actions), np.arange(actions)] = block[:, None]
    return wide.reshape(len(states), actions, actions * block.shape[1])


class SoftmaxLinear:
    """The policy of one weight vector theta [d]. PolicyError for weights that are not a finite vector."""

    def __init__(self, theta: Floats) -> None:
        self.theta = np.asarray(theta, dtype=np.float64)
        if self.theta.ndim != 1 or not np.isfinite(self.theta).all():
            raise PolicyError(f"a softmax-linear policy needs one finite weight per feature, not {self.theta.shape}")

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """[N, A] rows; PolicyError where the game's features have another dimension than the weights."""
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        out = np.zeros(legal.shape)
        phi = features(game, states[rows], seat)
        if phi.shape[2] != len(self.theta):
            raise PolicyError(f"{game.spec.name} has {phi.shape[2]} features, this policy {len(self.theta)} weights")
        out[rows] = masked_softmax(np.einsum("nad,d->na", phi, self.theta), legal[rows])
        return out
