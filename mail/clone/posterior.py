"""Ridge regression of labels in the features of n-tuples, with how sure it is of its answers.

The features phi(s) are indicators of the patterns that M tuples of cells show (``agents.ntuple``), each 1 / sqrt(M), so
that |phi(s)| = 1. With labels Y (distributions, less uniform play) at positions s_i, K_ij = phi(s_i)^T phi(s_j) and
k_i = phi(s_i)^T phi(s),

    f(s) = k^T (K + ridge I)^{-1} Y
    deviation(s)^2 = 1 - k^T (K + ridge I)^{-1} k = ridge phi(s)^T Lambda^{-1} phi(s)

with Lambda = ridge I + sum of phi phi^T: the deviation is the elliptical norm of linear exploration (arXiv:2602.22810;
Abbasi-Yadkori, Pal, Szepesvari, NeurIPS 2011), here of the seat that is cloned. f is linear in phi, so that it is an
n-tuple policy's logits.

Shape letters: N positions, R labelled ones, M tuples of L cells, A actions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from agents.ntuple import Codes, Digits, Grid, NtuplePolicy
from games.base import Bools, Floats, Game, Rng, States
from games.symmetry import base_of
from mail.clone.ntuple import suitable_length


@dataclass(frozen=True)
class Answers:
    """What the regression says at N positions."""

    values: Floats
    """[N, A] f; -inf for illegal actions."""
    deviation: Floats
    """[N] from 0, where it is sure, to 1, where it knows nothing."""

    @property
    def doubt(self) -> Floats:
        """[N] deviations per lead of the best action over the second; 0 where one action alone is legal."""
        ordered = np.sort(self.values, axis=1)
        lead = ordered[:, -1] - ordered[:, -2]
        return np.asarray(np.where(np.isinf(lead), 0.0, self.deviation / np.maximum(lead, 1e-12)))


class Posterior:
    """The regression of one seat's labels, which are added as they come."""

    def __init__(self, game: Game, seat: int, *, tuples: int, ridge: float, rng: Rng) -> None:
        """Draw the tuples.

        Args:
            game: A board of ours, as it is or up to its symmetries.
            seat: Whose labels.
            tuples: M.
            ridge: Of the regression, above 0.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        self.game, self.seat, self.ridge = game, seat, ridge
        self.grid = Grid.of(game, tied=base_of(game) is not game)
        self.cells = self.grid.draw_tuples(tuples, suitable_length(self.grid), rng=rng)
        self._codes: Codes = np.zeros((0, tuples), dtype=np.uint64)  # [R, M]
        self._targets: Floats = np.zeros((0, game.spec.actions))  # [R, A] Y
        self._kernel: Floats = np.zeros((0, 0))  # [R, R] K
        self._factor: Floats = np.zeros((0, 0))  # [R, R] lower Cholesky factor of K + ridge I
        self._weights: Floats = np.zeros((0, game.spec.actions))  # [R, A] (K + ridge I)^{-1} Y

    def add(self, states: States, labels: NDArray[np.float32]) -> None:
        """Add labels and solve again.

        Args:
            states: [n, W] positions at which the seat decides, none of them twice.
            labels: float32 [n, A] the expert's distributions.
        """
        legal = self.game.legal(states, self.seat)
        codes, targets = self._images(states, labels.astype(np.float64) - legal / legal.sum(1, keepdims=True))
        across = _agreement(codes, self._codes)
        self._kernel = np.block([[self._kernel, across.T], [across, _agreement(codes, codes)]])
        self._codes = np.concatenate([self._codes, codes])
        self._targets = np.concatenate([self._targets, targets])
        self._factor = cholesky(self._kernel + self.ridge * np.eye(len(self._codes)), lower=True)
        half = solve_triangular(self._factor, self._targets, lower=True)
        self._weights = solve_triangular(self._factor, half, lower=True, trans=1)

    def answers(self, states: States) -> Answers:
        """What it says.

        Args:
            states: [N, W] positions at which the seat decides.
        """
        legal: Bools = self.game.legal(states, self.seat)
        kernel = _agreement(self._show(self._digits(states)), self._codes)
        explained = (solve_triangular(self._factor, kernel.T, lower=True) ** 2).sum(0) if len(self._codes) else 0.0
        deviation = np.sqrt(np.clip(1.0 - explained, 0.0, 1.0)) * np.ones(len(states))
        return Answers(np.where(legal, kernel @ self._weights, -np.inf), deviation)

    def policy(self) -> NtuplePolicy:
        """The n-tuple policy whose logits are f."""
        counts, codes, weights = [], [], []
        for column in self._codes.T:
            known, place = np.unique(column, return_inverse=True)
            summed = np.zeros((len(known), self._weights.shape[1]))
            np.add.at(summed, place.ravel(), self._weights / len(self.cells))
            counts.append(len(known))
            codes.append(known)
            weights.append(summed.astype(np.float32))
        found = np.concatenate(codes), np.concatenate(weights)
        return NtuplePolicy(self.cells, np.array(counts, dtype=np.int64), *found, tied=False)

    def _images(self, states: States, targets: Floats) -> tuple[Codes, Floats]:
        """The patterns of positions and of their images that differ from them, and what is to be said there."""
        digits = self._digits(states)
        codes, found = [self._show(digits)], [targets]
        for source, actions in zip(self.grid.sources[1:], self.grid.maps[1:], strict=True):
            other = np.flatnonzero((digits[:, source] != digits).any(1))
            codes.append(self._show(digits[other][:, source]))
            found.append(targets[other][:, np.argsort(actions)])
        return np.concatenate(codes), np.concatenate(found)

    def _digits(self, states: States) -> Digits:
        """[N, C] the states of cells."""
        return self.grid.digits(self.game.observe(states, self.seat))

    def _show(self, digits: Digits) -> Codes:
        """[N, M] the codes of the patterns that cells [N, C] show."""
        places = np.arange(self.cells.shape[1], dtype=np.uint64)
        return np.asarray((digits[:, self.cells].astype(np.uint64) << (2 * places)).sum(2, dtype=np.uint64))


def _agreement(one: Codes, other: Codes) -> Floats:
    """[N, R] the share of tuples at which patterns [N, M] and [R, M] are the same."""
    found: Floats = np.zeros((len(one), len(other)))
    for m in range(one.shape[1]):
        found += one[:, m, None] == other[None, :, m]
    return np.asarray(found / max(1, one.shape[1]))
