"""Who plays: one interface for experts, clones, random play, and wrappers around them.

A policy is a batched map from positions to action probabilities. It has no state and no generator: whoever
plays it samples (``sample``), so that every draw comes from an addressed stream.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from games.base import Floats, Game, Ints, Model, NashmailError, Rng, States, Table
from games.symmetry import Quotient

SLACK = 1e-9
"""Probabilities this close to the largest one, relative to it, equal it. Two ways to the same answer differ by what
processors make of its last bits, ten thousand times less: what is decided with this slack is the same by both."""

_ASKED = 1 << 16  # positions that ``tabulate`` asks for at once: what a policy makes of them need not all be held


class PolicyError(NashmailError):
    """A policy, or the file of one, that is not what it says."""


class HistoryWarning(UserWarning):
    """A policy that depends on the history of a game is asked by position: what is measured is another policy."""


@runtime_checkable
class Policy(Protocol):
    """Anything that can be asked what it would do."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """[N, A] rows that sum to 1, exactly 0 on illegal actions; zero rows where the seat does not act.

        Equal ``game.key(states, seat)`` give equal rows, and the same batch the same bits. The last bits of a network's
        row may depend on the batch it is asked in, so rows of different batches are equal to 1e-9.
        """


Seats = tuple[Policy, Policy]


def by_history(policy: Policy) -> bool:
    """Whether the policy may answer differently where equal positions were reached by different moves.

    Such a policy (one with a true ``by_history``) is itself in ``games.histories``, where states are moves.
    """
    return bool(getattr(policy, "by_history", False))


def query(policy: Policy, game: Game, states: States, seat: int) -> Floats:
    """The policy's probabilities [N, A], checked. Raises PolicyError for rows that are no legal distribution."""
    rows = policy.probabilities(game, states, seat)
    legal = game.legal(states, seat)
    if rows.shape != legal.shape:
        raise PolicyError(f"{_name(policy)} gives probabilities of shape {rows.shape}; expected {legal.shape}")
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise PolicyError(f"{_name(policy)} gives negative or non-finite probabilities")
    if (rows[~legal] != 0).any():
        raise PolicyError(f"{_name(policy)} puts probability on an illegal action of seat {seat}")
    off = np.abs(rows.sum(1) - legal.any(1))
    if len(off) and off.max() > 1e-6:
        raise PolicyError(f"{_name(policy)} gives probabilities that do not sum to 1 (off by {off.max():.3g})")
    return rows


def sample(probabilities: Floats, *, rng: Rng) -> Ints:
    """One action per row [N]: one uniform draw per row against the cumulated probabilities; -1 for zero rows."""
    cumulated = probabilities.cumsum(1)
    total = cumulated[:, -1:]
    mark = np.minimum(rng.random((len(cumulated), 1)) * total, np.nextafter(total, 0.0))  # stays below the total
    action = (cumulated <= mark).sum(1)
    return np.where(total[:, 0] > 0, action, -1)


Asker = Callable[[Iterator[States]], Iterable[Floats]]
"""Answers for a policy, batch by batch of positions."""


def tabulate(model: Model, policy: Policy, seat: int, *, asker: Asker | None = None, at_once: int = _ASKED) -> Table:
    """[S, A] the policy on every position of the model, each asked once; zero rows where the seat does not act.

    ``asker`` answers for it in batches of ``at_once`` positions; by default it is asked here, one after the other.
    HistoryWarning for a policy by histories on a model of positions.
    """
    if by_history(policy) and model.folded is None:
        warnings.warn(
            f"{_name(policy)} may depend on the history of a game, but is asked at one history of each position of "
            f"{model.game.spec.name}: what is measured is that policy of positions, which may be another",
            HistoryWarning,
            stacklevel=2,
        )
    acting = np.flatnonzero(model.legal(seat).any(1))
    rows = [acting[start : start + at_once] for start in range(0, len(acting), at_once)]
    batches = (model.states[places] for places in rows)
    answers = (query(policy, model.game, states, seat) for states in batches) if asker is None else asker(batches)
    table = np.zeros((len(model.states), model.game.spec.actions))
    for places, found in zip(rows, answers, strict=True):
        table[places] = found
    return table


class Uniform:
    """Every legal action alike."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return uniform_rows(game.legal(states, seat))


class Greedy:
    """The most probable action of another policy, the lowest of equals (see ``SLACK``), with certainty."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @property
    def by_history(self) -> bool:
        return by_history(self.policy)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return greedy_rows(self.policy.probabilities(game, states, seat))


class Tempered:
    """Another policy's probabilities to the power 1 / temperature: 1 leaves them, small sharpens, large flattens."""

    def __init__(self, policy: Policy, temperature: float) -> None:
        if not 0 < temperature < np.inf:
            raise PolicyError(f"a temperature is above 0 and finite, not {temperature}; use Greedy for the limit 0")
        self.policy, self.temperature = policy, temperature

    @property
    def by_history(self) -> bool:
        return by_history(self.policy)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.policy.probabilities(game, states, seat)
        top = rows.max(1, keepdims=True)
        scaled = np.divide(rows, top, out=np.zeros_like(rows), where=top > 0) ** (1.0 / self.temperature)
        return _normalised(scaled)


class Mixture:
    """At every position anew, one of several policies: the weighted mean of their probabilities.

    This is exploration noise and the like. It is *not* the average over iterates, which draws one member per
    game: measure those member by member.
    """

    def __init__(self, members: Sequence[Policy], weights: Sequence[float]) -> None:
        if not members or len(members) != len(weights) or not _sums_to_one(weights):
            raise PolicyError("a mixture needs one weight per member, none negative, summing to 1")
        self.members, self.weights = tuple(members), tuple(weights)

    @property
    def by_history(self) -> bool:
        return any(by_history(member) for member in self.members)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        total = sum(
            weight * member.probabilities(game, states, seat)
            for weight, member in zip(self.weights, self.members, strict=True)
        )
        return np.asarray(total, dtype=np.float64)


class Lifted:
    """A policy of the quotient game, played on the board: asked on the canonical image, its answer moved back."""

    def __init__(self, policy: Policy, quotient: Quotient) -> None:
        self.policy, self.quotient = policy, quotient

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        canonical, which = self.quotient.canonical(states)
        rows = self.policy.probabilities(self.quotient, canonical, seat)
        return np.asarray(np.take_along_axis(rows, self.quotient.to_canonical(which), axis=1))


def lift(policy: Policy, game: Game) -> Policy:
    """A policy of ``game`` as it plays the game itself: where that is a quotient, on the board."""
    # A quotient alone has positions to move there and answers to move back.
    return Lifted(policy, game) if isinstance(game, Quotient) else policy


def greedy_rows(rows: Floats) -> Floats:
    """[N, A] the most probable action of each row, with certainty: the lowest of those within ``SLACK`` of the largest
    probability. Zero rows stay zero.
    """
    greedy = np.zeros_like(rows)
    greedy[np.arange(len(rows)), (rows >= rows.max(1, keepdims=True) * (1.0 - SLACK)).argmax(1)] = 1.0
    return np.where(rows.sum(1, keepdims=True) > 0, greedy, 0.0)


def uniform_rows(legal: np.ndarray) -> Floats:
    """[N, A] the uniform distribution over the legal actions of each row."""
    return _normalised(legal.astype(np.float64))


def _normalised(rows: Floats) -> Floats:
    total = rows.sum(1, keepdims=True)
    return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))


def _sums_to_one(weights: Sequence[float]) -> bool:
    """Whether no weight is negative (or NaN) and they sum to 1."""
    return all(weight >= 0 for weight in weights) and abs(sum(weights) - 1.0) <= 1e-9


def _name(policy: Policy) -> str:
    return type(policy).__name__
