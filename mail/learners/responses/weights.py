"""A policy by exponential weights: one row of weights per position, updated where the expert was queried.

    g(s, a) = mu(a | s) - target(a),   mu'(a | s) proportional to mu(a | s) exp(-rate g(s, a))   for *all* a at s

Unbiased for the gradient of 1/2 E |mu - mu_E|^2 over visited positions, with the expert's distribution or one action
sampled from it as ``target`` (arXiv:2505.17610; docs/algorithms.md, "Responses"). The weights start uniform and never
reach an exact 0.
"""

from __future__ import annotations

import math

import numpy as np

from agents.tabular import Tabular
from games.base import Bools, Floats, Keys


class ExponentialWeights:
    """Weights of one seat's policy, at the positions that it has been updated at; uniform elsewhere."""

    def __init__(self, actions: int, rate: float, *, exact: bool = False) -> None:
        """Start uniform.

        Args:
            actions: A, of the larger seat.
            rate: The step size eta, per sampled position.
            exact: Whether targets are the expert's distributions p. Steps are then at most 1 / (2 max p_a (1 - p_a)),
                with which the map converges to p: its Jacobian is diag(p) - p p', whose rows sum to at most
                2 p_a (1 - p_a) in absolute value. Where the expert is deterministic that is no limit.
        """
        self.rate, self.exact = rate, exact
        self.keys: Keys = np.zeros((0, 2), dtype=np.uint64)
        self.logits: Floats = np.zeros((0, actions))
        self._places: dict[tuple[int, int], int] = {}

    def update(self, keys: Keys, legal: Bools, targets: Floats) -> float:
        """One step at every distinct position among these; several targets of a position are averaged.

        Args:
            keys: uint64 [n, 2], positions of the seat.
            legal: bool [n, A].
            targets: float64 [n, A], distributions of the expert, or sampled actions as unit rows.

        Returns:
            The mean of |mu - target|^2 over the positions, before the step.
        """
        distinct, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)
        mean = np.zeros((len(distinct), targets.shape[1]))
        np.add.at(mean, inverse, targets)
        mean /= np.bincount(inverse)[:, None]
        rows = self._rows(distinct, legal[first])
        error = _softmax(self.logits[rows]) - mean
        self.logits[rows] -= self._steps(mean) * error
        return float((error**2).sum(1).mean()) if len(rows) else 0.0

    def probabilities(self, keys: Keys, legal: Bools) -> Floats:
        """The policy at positions.

        Args:
            keys: uint64 [n, 2] of the positions.
            legal: bool [n, A].

        Returns:
            [n, A].
        """
        places = [self._places.get((int(key[0]), int(key[1])), -1) for key in keys]
        rows = _softmax(np.where(legal, 0.0, -math.inf))
        known = np.array(places, dtype=np.int64) >= 0
        rows[known] = _softmax(self.logits[np.array(places, dtype=np.int64)[known]])
        return rows

    def policy(self) -> Tabular:
        """The present policy, frozen."""
        return Tabular(self.keys.copy(), _softmax(self.logits))

    def _steps(self, targets: Floats) -> Floats:
        """[n, 1] the step at each of these targets [n, A]."""
        if not self.exact:
            return np.full((len(targets), 1), self.rate)
        curved = 2.0 * (targets * (1.0 - targets)).max(1, keepdims=True, initial=0.0)
        return np.asarray(np.minimum(self.rate, 1.0 / np.maximum(curved, 1.0 / self.rate)))

    def _rows(self, keys: Keys, legal: Bools) -> np.ndarray:
        """[n] the rows of distinct positions, new ones included."""
        new = [place for place, key in enumerate(keys) if (int(key[0]), int(key[1])) not in self._places]
        for place in new:
            self._places[int(keys[place, 0]), int(keys[place, 1])] = len(self._places)
        self.keys = np.concatenate([self.keys, keys[new]])
        self.logits = np.concatenate([self.logits, np.where(legal[new], 0.0, -math.inf)])
        return np.array([self._places[int(key[0]), int(key[1])] for key in keys], dtype=np.int64)


def derived_rate(positions: int, actions: int, iterations: int) -> float:
    """eta = sqrt(2 S log A / K): the step size of mirror descent over S rows of A weights for K sampled gradients.

    Args:
        positions: S.
        actions: A.
        iterations: K.
    """
    return math.sqrt(2.0 * positions * math.log(max(2, actions)) / max(1, iterations))


def _softmax(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max(1, keepdims=True)) if len(logits) else logits
    return np.asarray(weights / weights.sum(1, keepdims=True)) if len(logits) else logits
