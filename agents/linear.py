"""Softmax-linear policies: pi(a | s) proportional to exp(theta . phi(s, a)) over the legal actions.

phi are the features of the game (``games.features``): its own, or blocks of its observation. Source:
docs/algorithms.md, "Linear exploration".
"""

from __future__ import annotations

import numpy as np

from agents.network import masked_softmax
from agents.policy import PolicyError
from games.base import Floats, Game, States
from games.features import features


class SoftmaxLinear:
    """The policy of one weight vector.

    Args:
        theta: float64 [d].

    Raises:
        PolicyError: for weights that are not a finite vector.
    """

    def __init__(self, theta: Floats) -> None:
        self.theta = np.asarray(theta, dtype=np.float64)
        if self.theta.ndim != 1 or not np.isfinite(self.theta).all():
            raise PolicyError(f"a softmax-linear policy needs one finite weight per feature, not {self.theta.shape}")

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """Probabilities as every policy gives them.

        Args:
            game: a game with d features.
            states: [N, W] positions.
            seat: who is to move.

        Returns:
            float64 [N, A]; zero rows where the seat does not act.

        Raises:
            PolicyError: where the game's features have another dimension than the weights.
        """
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        out = np.zeros(legal.shape)
        phi = features(game, states[rows], seat)
        if phi.shape[2] != len(self.theta):
            raise PolicyError(f"{game.spec.name} has {phi.shape[2]} features, this policy {len(self.theta)} weights")
        out[rows] = masked_softmax(np.einsum("nad,d->na", phi, self.theta), legal[rows])
        return out
