"""Transition kernels of Markov games: where joint actions lead, as a table, as a list of entries, or of low rank.

Shape letters beside those of ``games.base``: A and B actions of the two seats, E entries, d features. A kernel answers
what exact measures and play need: expected values one step earlier, the flow of mass, the solution of the linear
systems of a fixed pair of policies, and draws of the next state. The low-rank kernel P(s' | s, a, b) = phi(s, a, b) .
M(s') (the linear Markov game) does so without ever holding S x S numbers. Source: docs/algorithms.md, "Setting".
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from games.base import Floats, GameError, Ints, Rng

_OFF = 1e-8  # how far a distribution may be from summing to 1
_FULL = 0.05  # share of nonzero entries from which a linear system is solved as a dense one
_SMALL = 200  # states up to which it always is
_TABLE = 0.25  # the same share from which a kernel is kept as a table rather than as a list


class Transitions(Protocol):
    """A transition kernel; ``shape`` is (S, A, B). Values are [S], or [S, T] for T of them at once."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def expect(self, values: Floats) -> Floats:
        """The expected value of the next state.

        Args:
            values: float64 [S] or [S, T] values of states.

        Returns:
            float64 [S, A, B] or [S, A, B, T].
        """

    def flow(self, mass: Floats) -> Floats:
        """Where mass goes in one step.

        Args:
            mass: float64 [S, A, B] on states and joint actions.

        Returns:
            float64 [S].
        """

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        """Solve v = rewards + discount * P_weights v: the values of a pair of policies.

        Args:
            weights: float64 [S, A, B] joint action probabilities.
            rewards: float64 [S] or [S, T].
            discount: per step.

        Returns:
            float64 v, of the shape of ``rewards``.
        """

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        """Solve x = start + discount * x P_weights: the expected discounted visits under a pair of policies.

        Args:
            weights: float64 [S, A, B] joint action probabilities.
            start: float64 [S] or [S, T] distributions of first states.
            discount: per step.

        Returns:
            float64 x, of the shape of ``start``.
        """

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        """Draw the next states.

        Args:
            states: int64 [N].
            first: int64 [N] seat 0's actions.
            second: int64 [N] seat 1's actions.
            rng: draws them.

        Returns:
            int64 [N].
        """

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        """Every next state of N moves.

        Args:
            states: int64 [N].
            first: int64 [N] seat 0's actions.
            second: int64 [N] seat 1's actions.

        Returns:
            The number of the move int64 [E], the next state int64 [E] and its probability float64 [E].
        """


def tabulated(kernel: Floats) -> Transitions:
    """A kernel from a table, kept as a list of entries where most are zero.

    Args:
        kernel: float64 [S, A, B, S] probabilities.

    Raises:
        GameError: for another shape, or rows that are no distributions.
    """
    if kernel.ndim != 4 or kernel.shape[0] != kernel.shape[3] or 0 in kernel.shape:
        raise GameError(f"transitions need the shape [S, A, B, S], not {list(kernel.shape)}")
    if not np.isfinite(kernel).all() or (kernel < 0).any():
        raise GameError("transition probabilities must be finite and not negative")
    if np.count_nonzero(kernel) > _TABLE * kernel.size:
        return Dense(kernel)
    s, a, b, following = np.nonzero(kernel)
    row = np.ravel_multi_index((s, a, b), kernel.shape[:3])
    return Entries(kernel.shape[:3], row, following, np.asarray(kernel[s, a, b, following], dtype=np.float64))


class Dense:
    """A kernel as a table [S, A, B, S]: for kernels in which most next states are possible.

    Args:
        kernel: float64 [S, A, B, S], finite and not negative (see ``tabulated``).

    Raises:
        GameError: where rows do not sum to 1.
    """

    def __init__(self, kernel: Floats) -> None:
        """Normalize the rows."""
        self.shape: tuple[int, int, int] = kernel.shape[:3]
        total = kernel.sum(3)
        _check_sums(total.ravel(), self.shape)
        self.kernel = kernel / total[..., None]

    def expect(self, values: Floats) -> Floats:
        flat = self.kernel.reshape(-1, self.shape[0]) @ values
        return np.asarray(flat.reshape(*self.shape, *values.shape[1:]))

    def flow(self, mass: Floats) -> Floats:
        return np.asarray(mass.ravel() @ self.kernel.reshape(-1, self.shape[0]))

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        return np.asarray(np.linalg.solve(np.eye(self.shape[0]) - discount * self._under(weights), rewards))

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        return np.asarray(np.linalg.solve(np.eye(self.shape[0]) - discount * self._under(weights).T, start))

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        return _sample_rows(self.kernel[states, first, second], rng=rng)

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        probability = self.kernel[states, first, second]  # [N, S]
        move, following = np.nonzero(probability)
        return move, following, probability[move, following]

    def _under(self, weights: Floats) -> Floats:
        """[S, S] the kernel under joint action weights."""
        states = self.shape[0]
        flat = self.kernel.reshape(states, -1, states)
        return np.asarray(np.matmul(weights.reshape(states, 1, -1), flat)[:, 0])


class Entries:
    """A kernel as a list of its nonzero entries, in order of (state, a, b, next).

    Args:
        shape: S, A and B.
        row: int64 [E] the flat index of (s, a, b).
        following: int64 [E] the next state.
        probability: float64 [E]; entries of one place are added up.

    Raises:
        GameError: for entries out of range, or rows that are no distributions.
    """

    def __init__(self, shape: tuple[int, int, int], row: Ints, following: Ints, probability: Floats) -> None:
        """Order and normalize the entries."""
        self.shape = shape
        states, pairs = shape[0], shape[0] * shape[1] * shape[2]
        if not len(row) == len(following) == len(probability):
            raise GameError("transition entries need one row, one next state and one probability each")
        if len(row) and (row.min() < 0 or row.max() >= pairs or following.min() < 0 or following.max() >= states):
            raise GameError("a transition entry names a state or an action that does not exist")
        if not np.isfinite(probability).all() or (probability < 0).any():
            raise GameError("transition probabilities must be finite and not negative")
        self.row, self.following, probability = _in_order(states, row, following, probability)
        total: Floats = np.bincount(self.row, weights=probability, minlength=pairs).astype(np.float64)
        _check_sums(total, shape)
        self.probability = probability / total[self.row]
        self._source = self.row // (shape[1] * shape[2])
        self._first = np.searchsorted(self.row, np.arange(pairs + 1))  # where each row's entries begin
        within = np.cumsum(self.probability)
        before = np.concatenate([[0.0], within])[self._first[:-1]]
        self._mark = self.row + np.minimum(within - before[self.row], 1.0)  # [E] row number plus cumulated probability
        self._mark[self._first[1:] - 1] = np.arange(pairs) + 1.0

    def expect(self, values: Floats) -> Floats:
        weighted = (self.probability * values[self.following].T).T
        return np.asarray(np.add.reduceat(weighted, self._first[:-1], axis=0).reshape(*self.shape, *values.shape[1:]))

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
        used = np.flatnonzero(held)
        source, target = self._source[used], self.following[used]
        if transposed:
            source, target = target, source
        if states <= _SMALL or len(used) > _FULL * states * states:
            full = np.bincount(source * states + target, weights=held[used], minlength=states * states)
            return np.asarray(np.linalg.solve(np.eye(states) - discount * full.reshape(states, states), right))
        kernel = csc_array((held[used], (source, target)), shape=(states, states))
        system = eye_array(states, format="csc") - discount * kernel
        return np.asarray(spsolve(system.tocsc(), right), dtype=np.float64).reshape(right.shape)

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
    """P(s' | s, a, b) = sum over j of phi_j(s, a, b) M_j(s'): simplex features and anchor distributions.

    Args:
        features: float64 [S, A, B, d], rows that are distributions.
        anchors: float64 [d, S], rows that are distributions.

    Raises:
        GameError: for other shapes, or rows that are no distributions.
    """

    def __init__(self, features: Floats, anchors: Floats) -> None:
        """Normalize both."""
        if features.ndim != 4 or anchors.shape != (features.shape[3], features.shape[0]):
            raise GameError(
                f"low-rank transitions need features [S, A, B, d] and anchors [d, S], not {list(features.shape)} "
                f"and {list(anchors.shape)}"
            )
        for name, rows in (("features", features), ("anchors", anchors)):
            if not np.isfinite(rows).all() or (rows < 0).any() or (np.abs(rows.sum(-1) - 1.0) > _OFF).any():
                raise GameError(f"the {name} of low-rank transitions must be distributions: not negative, summing to 1")
        self.features = features / features.sum(3, keepdims=True)
        self.anchors = anchors / anchors.sum(1, keepdims=True)
        self.shape: tuple[int, int, int] = features.shape[:3]
        within = np.cumsum(self.anchors, axis=1)
        within[:, -1] = 1.0
        self._mark = (within + np.arange(len(anchors))[:, None]).ravel()  # [d * S] anchor plus cumulated probability

    def expect(self, values: Floats) -> Floats:
        flat = self.features.reshape(-1, len(self.anchors)) @ (self.anchors @ values)
        return np.asarray(flat.reshape(*self.shape, *values.shape[1:]))

    def flow(self, mass: Floats) -> Floats:
        return np.asarray(mass.ravel() @ self.features.reshape(-1, len(self.anchors)) @ self.anchors)

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        held = self._under(weights)  # with y = M v: v = r + discount * held y
        small = np.eye(len(self.anchors)) - discount * (self.anchors @ held)
        return np.asarray(rewards + discount * held @ np.linalg.solve(small, self.anchors @ rewards))

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        held = self._under(weights)  # with z = x held: x = start + discount * z M
        small = np.eye(len(self.anchors)) - discount * (self.anchors @ held).T
        return np.asarray(start + discount * (self.anchors.T @ np.linalg.solve(small, held.T @ start)))

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        anchor = _sample_rows(self.features[states, first, second], rng=rng)
        found = np.searchsorted(self._mark, anchor + rng.random(len(anchor)), side="right")
        return np.asarray(np.clip(found - anchor * self.shape[0], 0, self.shape[0] - 1))

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        probability = self.features[states, first, second] @ self.anchors  # [N, S]
        move, following = np.nonzero(probability)
        return move, following, probability[move, following]

    def _under(self, weights: Floats) -> Floats:
        """[S, d] the features under joint action weights."""
        states, size = self.shape[0], len(self.anchors)
        return np.asarray(np.matmul(weights.reshape(states, 1, -1), self.features.reshape(states, -1, size))[:, 0])


def _check_sums(total: Floats, shape: tuple[int, int, int]) -> None:
    """Raise GameError unless the probabilities of every joint action, summed [S * A * B], are 1."""
    if (bad := np.abs(total - 1.0) > _OFF).any():
        s, a, b = np.unravel_index(int(bad.argmax()), shape)
        raise GameError(
            f"transitions from state {s} under actions ({a}, {b}) sum to {total[bad.argmax()]:.9g}, not to 1"
        )


def _in_order(states: int, row: Ints, following: Ints, probability: Floats) -> tuple[Ints, Ints, Floats]:
    """Entries by row and next state, without zeros, equal places added up."""
    kept = probability > 0
    if not kept.all():
        row, following, probability = row[kept], following[kept], probability[kept]
    place = row * states + following
    if len(place) and (np.diff(place) <= 0).any():
        order = np.argsort(place, kind="stable")
        place, probability = place[order], probability[order]
        begins = np.flatnonzero(np.diff(place, prepend=-1))
        place, probability = place[begins], np.add.reduceat(probability, begins)
    return place // states, place % states, np.asarray(probability, dtype=np.float64)


def _sample_rows(rows: Floats, *, rng: Rng) -> Ints:
    """[N] one column of each distribution [N, m], by one uniform number each."""
    within = np.cumsum(rows, axis=1)
    total = within[:, -1:]
    mark = np.minimum(rng.random((len(rows), 1)) * total, np.nextafter(total, 0.0))  # stays below the total
    return np.asarray(np.minimum((within <= mark).sum(1), rows.shape[1] - 1))
