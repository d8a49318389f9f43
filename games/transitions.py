"""Where joint actions of a Markov game lead: transition kernels, tabulated or of low rank.

Shape letters beside those of ``games.base``: S states, A and B actions of the two seats, E entries, d features.
A kernel answers the four questions that exact measures and play ask of it: what a value is worth one step
earlier, where mass flows, where a fixed pair of policies leads for good, and a draw of the next state. The
low-rank kernel P(s' | s, a, b) = phi(s, a, b) . M(s') (the linear Markov game) answers all of them without
ever holding S x S numbers.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from games.base import Floats, GameError, Ints, Rng

_OFF = 1e-8  # how far a distribution may be from summing to 1
_FULL = 0.05  # share of nonzero entries from which a linear system is solved as a dense one


class Transitions(Protocol):
    """A transition kernel; ``shape`` is (S, A, B)."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def expect(self, values: Floats) -> Floats:
        """[S, A, B] expected value of the next state, for values [S]."""

    def flow(self, mass: Floats) -> Floats:
        """[S] where mass [S, A, B] on states and actions goes in one step."""

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        """[S] the solution of v = rewards [S] + discount * P_weights v, for joint action weights [S, A, B]."""

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        """[S] the solution of x = start [S] + discount * x P_weights: expected discounted visits."""

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        """[N] a next state for each state and pair of actions."""

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        """Every next state of N moves: which move [E], next state [E], probability [E]."""


class Entries:
    """A kernel as a list of its nonzero entries, in order of (state, a, b, next)."""

    def __init__(self, shape: tuple[int, int, int], row: Ints, following: Ints, probability: Floats) -> None:
        """``row`` [E] is the flat index of (s, a, b), ``following`` [E] the next state. GameError if not a kernel."""
        self.shape = shape
        states, pairs = shape[0], shape[0] * shape[1] * shape[2]
        if not len(row) == len(following) == len(probability):
            raise GameError("transition entries need one row, one next state and one probability each")
        if len(row) and (row.min() < 0 or row.max() >= pairs or following.min() < 0 or following.max() >= states):
            raise GameError("a transition entry names a state or an action that does not exist")
        if not np.isfinite(probability).all() or (probability < 0).any():
            raise GameError("transition probabilities must be finite and not negative")
        order = np.lexsort((following, row))
        order = order[probability[order] > 0]
        self.row, self.following, self.probability = row[order], following[order], probability[order]
        total = np.bincount(self.row, weights=self.probability, minlength=pairs)
        if (bad := np.abs(total - 1.0) > _OFF).any():
            s, a, b = np.unravel_index(int(bad.argmax()), shape)
            raise GameError(
                f"transitions from state {s} under actions ({a}, {b}) sum to {total[bad.argmax()]:.9g}, not to 1"
            )
        self.probability = self.probability / total[self.row]
        self._first = np.searchsorted(self.row, np.arange(pairs + 1))  # where each row's entries begin
        within = np.cumsum(self.probability)
        before = np.concatenate([[0.0], within])[self._first[:-1]]
        self._mark = self.row + np.minimum(within - before[self.row], 1.0)  # [E] row number plus cumulated probability
        self._mark[self._first[1:] - 1] = np.arange(pairs) + 1.0

    @classmethod
    def dense(cls, kernel: Floats) -> Entries:
        """From probabilities [S, A, B, S]."""
        if kernel.ndim != 4 or kernel.shape[0] != kernel.shape[3]:
            raise GameError(f"transitions need the shape [S, A, B, S], not {list(kernel.shape)}")
        if not np.isfinite(kernel).all():
            raise GameError("transition probabilities must be finite and not negative")
        s, a, b, following = np.nonzero(kernel)
        row = np.ravel_multi_index((s, a, b), kernel.shape[:3])
        return cls(kernel.shape[:3], row, following, np.asarray(kernel[s, a, b, following], dtype=np.float64))

    def expect(self, values: Floats) -> Floats:
        weighted = self.probability * values[self.following]
        return np.add.reduceat(weighted, self._first[:-1]).reshape(self.shape)

    def flow(self, mass: Floats) -> Floats:
        moved = self.probability * mass.ravel()[self.row]
        return np.asarray(np.bincount(self.following, weights=moved, minlength=self.shape[0]), dtype=np.float64)

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        return self._solve(weights, rewards, discount, transposed=False)

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        return self._solve(weights, start, discount, transposed=True)

    def _solve(self, weights: Floats, right: Floats, discount: float, *, transposed: bool) -> Floats:
        from scipy.sparse import csc_array, eye_array
        from scipy.sparse.linalg import spsolve

        states = self.shape[0]
        held = self.probability * weights.ravel()[self.row]
        source = self.row // (self.shape[1] * self.shape[2])
        used = held > 0
        if used.sum() > _FULL * states * states:
            flat = source * states + self.following
            full = np.bincount(flat, weights=held, minlength=states * states).reshape(states, states)
            dense = np.eye(states) - discount * (full.T if transposed else full)
            return np.asarray(np.linalg.solve(dense, right))
        kernel = csc_array((held[used], (source[used], self.following[used])), shape=(states, states))
        system = eye_array(states, format="csc") - discount * (kernel.T if transposed else kernel)
        return np.asarray(spsolve(system.tocsc(), right), dtype=np.float64)

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        row = (states * self.shape[1] + first) * self.shape[2] + second
        return np.asarray(self.following[np.searchsorted(self._mark, row + rng.random(len(row)), side="right")])

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        row = (states * self.shape[1] + first) * self.shape[2] + second
        count = self._first[row + 1] - self._first[row]
        move = np.repeat(np.arange(len(row)), count)
        entry = np.arange(len(move)) - np.repeat(np.cumsum(count) - count, count) + self._first[row][move]
        return move, self.following[entry], self.probability[entry]


class LowRank:
    """P(s' | s, a, b) = sum over j of phi_j(s, a, b) M_j(s'): simplex features and anchor distributions."""

    def __init__(self, features: Floats, anchors: Floats) -> None:
        """``features`` [S, A, B, d] and ``anchors`` [d, S], rows of both distributions; GameError if they are not."""
        if features.ndim != 4 or anchors.shape != (features.shape[3], features.shape[0]):
            raise GameError(
                f"low-rank transitions need features [S, A, B, d] and anchors [d, S], not {list(features.shape)} "
                f"and {list(anchors.shape)}"
            )
        for name, rows in (("features", features), ("anchors", anchors)):
            if not np.isfinite(rows).all() or (rows < 0).any() or (np.abs(rows.sum(-1) - 1.0) > _OFF).any():
                raise GameError(f"the {name} of low-rank transitions must be distributions: not negative, summing to 1")
        self.features, self.anchors = features, anchors
        self.shape: tuple[int, int, int] = features.shape[:3]
        self._feature_mark = _marks(features.reshape(-1, features.shape[3]))
        self._anchor_mark = _marks(anchors)

    def expect(self, values: Floats) -> Floats:
        return np.asarray(self.features @ (self.anchors @ values))

    def flow(self, mass: Floats) -> Floats:
        return np.asarray(np.einsum("sab,sabd->d", mass, self.features) @ self.anchors)

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        held = np.einsum("sab,sabd->sd", weights, self.features)  # [S, d]; with y = M v: v = r + discount * held y
        small = np.eye(len(self.anchors)) - discount * (self.anchors @ held)
        return np.asarray(rewards + discount * held @ np.linalg.solve(small, self.anchors @ rewards))

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        held = np.einsum("sab,sabd->sd", weights, self.features)  # with z = x held: x = start + discount * z M
        small = np.eye(len(self.anchors)) - discount * (self.anchors @ held).T
        return np.asarray(start + discount * np.linalg.solve(small, start @ held) @ self.anchors)

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        row = (states * self.shape[1] + first) * self.shape[2] + second
        anchor = _draw(self._feature_mark, row, self.features.shape[3], rng=rng)
        return _draw(self._anchor_mark, anchor, self.shape[0], rng=rng)

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        probability = self.features[states, first, second] @ self.anchors  # [N, S]
        move, following = np.nonzero(probability)
        return move, following, probability[move, following]


def _marks(rows: Floats) -> NDArray[np.float64]:
    """[n * m] row number plus cumulated probability of each entry of n distributions over m."""
    total = np.cumsum(rows, axis=1)
    total /= total[:, -1:]
    return np.asarray((total + np.arange(len(rows))[:, None]).ravel())


def _draw(marks: Floats, row: Ints, size: int, *, rng: Rng) -> Ints:
    """[N] one entry of each row, by one uniform number each."""
    found = np.searchsorted(marks, row + rng.random(len(row)), side="right") - row * size
    return np.asarray(np.minimum(found, size - 1))
