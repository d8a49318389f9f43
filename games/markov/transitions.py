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

from games.base import Floats, GameError, Ints, Rng

_OFF = 1e-8  # how far a distribution may be from summing to 1
_FULL = 0.05  # share of nonzero entries from which a linear system is solved as a dense one
_SMALL = 200  # states up to which it always is
_TABLE = 0.25  # the same share from which a kernel is kept as a table rather than as a list


class Transitions(Protocol):
    """A transition kernel; ``shape`` is (S, A, B). Where values or right-hand sides are [S], [S, T] gives T answers."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def expect(self, values: Floats) -> Floats:
        """[S, A, B] (or [S, A, B, T]) expected value of the next state, for values [S] (or [S, T])."""

    def flow(self, mass: Floats) -> Floats:
        """[S] where mass [S, A, B] on states and actions goes in one step."""

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        """The solution of v = rewards + discount * P_weights v, for joint action weights [S, A, B]; rewards [S] or
        [S, T].
        """

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        """The solution of x = start + discount * x P_weights: expected discounted visits; start [S] or [S, T]."""

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        """[N] a next state for each state and pair of actions."""

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        """Every next state of N moves: which move [E], next state [E], probability [E]."""


def tabulated(kernel: Floats) -> Transitions:
    """The kernel with probabilities [S, A, B, S], kept as a list of entries where most are zero. GameError if none."""
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
    """A kernel as a table [S, A, B, S]: for kernels in which most next states are possible."""

    def __init__(self, kernel: Floats) -> None:
        """``kernel`` is finite and not negative (see ``tabulated``); GameError where it does not sum to 1."""
        self.shape: tuple[int, int, int] = kernel.shape[:3]
        total = kernel.sum(3)
        _whole(total.ravel(), self.shape)
        self.kernel = kernel / total[..., None]

    def expect(self, values: Floats) -> Floats:
        flat = self.kernel.reshape(-1, self.shape[0]) @ values
        return np.asarray(flat.reshape(*self.shape, *values.shape[1:]))

    def flow(self, mass: Floats) -> Floats:
        return np.asarray(mass.ravel() @ self.kernel.reshape(-1, self.shape[0]))

    def evaluate(self, weights: Floats, rewards: Floats, discount: float) -> Floats:
        return np.asarray(np.linalg.solve(np.eye(self.shape[0]) - discount * self._held(weights), rewards))

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        return np.asarray(np.linalg.solve(np.eye(self.shape[0]) - discount * self._held(weights).T, start))

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        return _drawn(self.kernel[states, first, second], rng=rng)

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        probability = self.kernel[states, first, second]  # [N, S]
        move, following = np.nonzero(probability)
        return move, following, probability[move, following]

    def _held(self, weights: Floats) -> Floats:
        """[S, S] the kernel under joint action weights."""
        states = self.shape[0]
        flat = self.kernel.reshape(states, -1, states)
        return np.asarray(np.matmul(weights.reshape(states, 1, -1), flat)[:, 0])


class Entries:
    """A kernel as a list of its nonzero entries, in order of (state, a, b, next)."""

    def __init__(self, shape: tuple[int, int, int], row: Ints, following: Ints, probability: Floats) -> None:
        """``row`` [E] is the flat index of (s, a, b), ``following`` [E] the next state; entries of one place add up.

        GameError if that is no kernel.
        """
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
        _whole(total, shape)
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
        held = self._held(weights)  # with y = M v: v = r + discount * held y
        small = np.eye(len(self.anchors)) - discount * (self.anchors @ held)
        return np.asarray(rewards + discount * held @ np.linalg.solve(small, self.anchors @ rewards))

    def occupancy(self, weights: Floats, start: Floats, discount: float) -> Floats:
        held = self._held(weights)  # with z = x held: x = start + discount * z M
        small = np.eye(len(self.anchors)) - discount * (self.anchors @ held).T
        return np.asarray(start + discount * (self.anchors.T @ np.linalg.solve(small, held.T @ start)))

    def sample(self, states: Ints, first: Ints, second: Ints, *, rng: Rng) -> Ints:
        anchor = _drawn(self.features[states, first, second], rng=rng)
        found = np.searchsorted(self._mark, anchor + rng.random(len(anchor)), side="right")
        return np.asarray(np.clip(found - anchor * self.shape[0], 0, self.shape[0] - 1))

    def outcomes(self, states: Ints, first: Ints, second: Ints) -> tuple[Ints, Ints, Floats]:
        probability = self.features[states, first, second] @ self.anchors  # [N, S]
        move, following = np.nonzero(probability)
        return move, following, probability[move, following]

    def _held(self, weights: Floats) -> Floats:
        """[S, d] the features under joint action weights."""
        states, size = self.shape[0], len(self.anchors)
        return np.asarray(np.matmul(weights.reshape(states, 1, -1), self.features.reshape(states, -1, size))[:, 0])


def _whole(total: Floats, shape: tuple[int, int, int]) -> None:
    """GameError unless what every joint action leads to, summed [S * A * B], is 1."""
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


def _drawn(rows: Floats, *, rng: Rng) -> Ints:
    """[N] one column of each distribution [N, m], by one uniform number each."""
    within = np.cumsum(rows, axis=1)
    total = within[:, -1:]
    mark = np.minimum(rng.random((len(rows), 1)) * total, np.nextafter(total, 0.0))  # stays below the total
    return np.asarray(np.minimum((within <= mark).sum(1), rows.shape[1] - 1))
