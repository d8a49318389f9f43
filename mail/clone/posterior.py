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
from games.base import Bools, Floats, Game, Ints, Rng, States
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

    def __init__(self, game: Game, seat: int, *, tuples: int, lines: int, ridge: float, rng: Rng) -> None:
        """Draw the tuples: random walks, and tuples around the straight lines as long as the board's shorter side.

        Args:
            game: A board of ours, as it is or up to its symmetries.
            seat: Whose labels.
            tuples: How many random walks.
            lines: How many tuples around each line.
            ridge: Of the regression, above 0.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        self.game, self.seat, self.ridge = game, seat, ridge
        self.grid = Grid.of(game, tied=base_of(game) is not game)
        length, side = suitable_length(self.grid), min(self.grid.rows, self.grid.columns)
        walks = self.grid.draw_tuples(tuples, length, rng=rng)
        around = [self.grid.draw_lines(side, max(side, length), rng=rng) for _ in range(lines)]
        self.cells = np.concatenate([walks, *around])  # [M, L]
        self._codes: Codes = np.zeros((0, len(self.cells)), dtype=np.uint64)  # [R, M]
        self._factor: Floats = np.zeros((0, 0))  # [R, R] L, the lower Cholesky factor of K + ridge I
        self._half: Floats = np.zeros((0, game.spec.actions))  # [R, A] L^{-1} Y

    def add(self, states: States, labels: NDArray[np.float32]) -> None:
        """Add labels: new rows of the factor, under the old ones.

        Args:
            states: [n, W] positions at which the seat decides, none of them twice.
            labels: float32 [n, A] the expert's distributions.
        """
        legal = self.game.legal(states, self.seat)
        codes, targets = self._images(states, labels.astype(np.float64) - legal / legal.sum(1, keepdims=True))
        below = self._solved(_agreement(codes, self._codes)).T
        corner = cholesky(_agreement(codes, codes) + self.ridge * np.eye(len(codes)) - below @ below.T, lower=True)
        self._factor = np.block([[self._factor, np.zeros((len(self._codes), len(codes)))], [below, corner]])
        half = solve_triangular(corner, targets - below @ self._half, lower=True)
        self._codes = np.concatenate([self._codes, codes])
        self._half = np.concatenate([self._half, half])

    def _solved(self, kernel: Floats) -> Floats:
        """[R, N] L^{-1} k of kernels [N, R]."""
        if not len(self._codes):
            return np.zeros((0, len(kernel)))
        return np.asarray(solve_triangular(self._factor, kernel.T, lower=True))

    def answers(self, states: States) -> Answers:
        """What it says.

        Args:
            states: [N, W] positions at which the seat decides.
        """
        tracked = Tracked(self)
        tracked.add(states)
        return tracked.answers(np.arange(len(states)))

    def policy(self) -> NtuplePolicy:
        """The n-tuple policy whose logits are f."""
        every: Floats = solve_triangular(self._factor, self._half, lower=True, trans=1)  # [R, A] (K + ridge I)^{-1} Y
        counts, codes, weights = [], [], []
        for column in self._codes.T:
            known, place = np.unique(column, return_inverse=True)
            summed = np.zeros((len(known), every.shape[1]))
            np.add.at(summed, place.ravel(), every / len(self.cells))
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


class Tracked:
    """What a regression says at positions that are looked at again and again, brought up to date as labels come.

    With n new labels this takes N R n steps, where solving anew would take N R^2.
    """

    def __init__(self, posterior: Posterior) -> None:
        """Begin without a position.

        Args:
            posterior: The regression.
        """
        self.posterior = posterior
        actions = posterior.game.spec.actions
        self._codes: Codes = posterior._codes[:0]  # [N, M]
        self._legal: Bools = np.zeros((0, actions), dtype=np.bool_)  # [N, A]
        self._solved: Floats = np.zeros((0, 0))  # [R, N] L^{-1} k
        self._latest: list[tuple[Codes, Floats]] = []  # rows and columns of these two to come: copying takes long
        self._explained: Floats = np.zeros(0)  # [N] |L^{-1} k|^2
        self._values: Floats = np.zeros((0, actions))  # [N, A] f, of illegal actions too

    def __len__(self) -> int:
        return len(self._legal)

    def add(self, states: States) -> None:
        """Add positions.

        Args:
            states: [n, W] positions at which the seat decides.
        """
        self.update()
        if not len(states):
            return
        posterior = self.posterior
        codes = posterior._show(posterior._digits(states))
        solved = posterior._solved(_agreement(codes, posterior._codes))
        self._latest.append((codes, solved))
        self._legal = np.concatenate([self._legal, posterior.game.legal(states, posterior.seat)])
        self._explained = np.concatenate([self._explained, (solved**2).sum(0)])
        self._values = np.concatenate([self._values, solved.T @ posterior._half])

    def update(self) -> None:
        """Take in the labels that were added to the regression."""
        posterior, known = self.posterior, len(self._solved)
        if known == len(posterior._codes):
            return
        self._codes = np.concatenate([self._codes, *(codes for codes, _ in self._latest)])
        before = np.concatenate([self._solved, *(solved for _, solved in self._latest)], axis=1)
        self._latest = []
        new = _agreement(posterior._codes[known:], self._codes) - posterior._factor[known:, :known] @ before
        solved = solve_triangular(posterior._factor[known:, known:], new, lower=True)
        self._solved = np.concatenate([before, solved])
        self._explained = self._explained + (solved**2).sum(0)
        self._values = self._values + solved.T @ posterior._half[known:]

    def answers(self, rows: Ints) -> Answers:
        """What the regression says.

        Args:
            rows: [n] numbers of positions, in the order in which they were added.
        """
        values = np.where(self._legal[rows], self._values[rows], -np.inf)
        return Answers(values, np.sqrt(np.clip(1.0 - self._explained[rows], 0.0, 1.0)))


def _agreement(one: Codes, other: Codes) -> Floats:
    """[N, R] the share of tuples at which patterns [N, M] and [R, M] are the same."""
    found = np.zeros((len(one), len(other)), dtype=np.int16)
    small = np.min_scalar_type(max(int(codes.max(initial=0)) for codes in (one, other)))  # compared many at once
    columns = (np.ascontiguousarray(codes.T, dtype=small) for codes in (one, other))
    for mine, its in zip(*columns, strict=True):
        found += mine[:, None] == its
    return np.asarray(found / max(1, one.shape[1]))
