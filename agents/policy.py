"""Policies: one interface for experts, clones and random play, and wrappers around them.

A policy is a batched map from positions to action probabilities. It has no state and no generator: whoever plays it
samples (``sample``), so that every draw comes from an addressed stream. Shape letters are those of ``games.base``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from games.base import Bools, Floats, Game, Ints, Model, NashmailError, Rng, States, Table
from games.compiled.loading import kernels, plain
from games.progress import PART, in_parts, report
from games.symmetry import Quotient

SLACK = 1e-9
"""Probabilities this close to the largest one, relative to it, equal it. Two ways to the same answer differ by what
processors make of its last bits, ten thousand times less: what is decided with this slack is the same by both."""

_OFF = 1e-6  # how far from 1 a row may sum to
_ASKED = 1 << 16  # positions that ``tabulate`` asks for at once: what a policy makes of them need not all be held


class PolicyError(NashmailError):
    """A policy, or the file of one, that is not what it says."""


class HistoryWarning(UserWarning):
    """A policy that depends on the history of a game is asked by position: what is measured is another policy."""


@runtime_checkable
class Policy(Protocol):
    """Anything that can be queried for what it would do."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """Action probabilities.

        Equal ``game.key(states, seat)`` give equal rows, and the same batch the same bits. The last bits of a network's
        row may depend on the batch, so rows of different batches are equal to 1e-9.

        Args:
            game: the game that is played.
            states: [N, W] positions.
            seat: who is to move.

        Returns:
            float64 [N, A] rows that sum to 1, exactly 0 for illegal actions; zero rows where the seat does not act.
        """


Seats = tuple[Policy, Policy]


def by_history(policy: Policy) -> bool:
    """Whether a policy may answer differently where equal positions were reached by different moves.

    Such a policy (one whose ``by_history`` is true) is measured exactly in ``games.histories``, where states are
    histories.

    Args:
        policy: any policy.
    """
    return bool(getattr(policy, "by_history", False))


def query(policy: Policy, game: Game, states: States, seat: int) -> Floats:
    """A policy's probabilities, checked.

    Args:
        policy: any policy.
        game: the game that is played.
        states: [N, W] positions.
        seat: who is to move.

    Returns:
        float64 [N, A].

    Raises:
        PolicyError: for rows that are no distributions over legal actions.
    """
    rows = policy.probabilities(game, states, seat)
    legal = game.legal(states, seat)
    if rows.shape != legal.shape:
        raise PolicyError(f"{_name(policy)} gives probabilities of shape {rows.shape}; expected {legal.shape}")
    if rows.dtype == np.float64 and (compiled := kernels(len(rows))):
        fine = compiled.distributions(plain(rows, np.float64), plain(legal, np.bool_), _OFF)
        if fine:
            return rows
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise PolicyError(f"{_name(policy)} gives negative or non-finite probabilities")
    if (rows[~legal] != 0).any():
        raise PolicyError(f"{_name(policy)} puts probability on an illegal action of seat {seat}")
    off = np.abs(rows.sum(1) - legal.any(1))
    if len(off) and off.max() > _OFF:
        raise PolicyError(f"{_name(policy)} gives probabilities that do not sum to 1 (off by {off.max():.3g})")
    return rows


def sample(probabilities: Floats, *, rng: Rng) -> Ints:
    """Draw one action for each row, by one uniform number each.

    Args:
        probabilities: float64 [N, A] distributions, or zero rows.
        rng: draws them.

    Returns:
        int64 [N]; -1 for zero rows.
    """
    numbers = rng.random((len(probabilities), 1))
    if probabilities.dtype == np.float64 and (compiled := kernels(len(probabilities))):
        drawn = np.empty(len(probabilities), dtype=np.int64)
        compiled.sample(plain(probabilities, np.float64), numbers[:, 0].copy(), drawn)
        return drawn
    cumulated = probabilities.cumsum(1)
    total = cumulated[:, -1:]
    mark = np.minimum(numbers * total, np.nextafter(total, 0.0))  # stays below the total
    action = (cumulated <= mark).sum(1)
    return np.where(total[:, 0] > 0, action, -1)


def choose(legal: Bools, *, rng: Rng) -> Ints:
    """Draw one of the legal actions for each row, all with equal probability, by one uniform number each.

    Args:
        legal: bool [N, A].
        rng: draws them.

    Returns:
        int64 [N]; -1 where none is legal.
    """
    if not (compiled := kernels(len(legal))):
        return sample(legal.astype(np.float64), rng=rng)
    drawn = np.empty(len(legal), dtype=np.int64)
    compiled.choose(plain(legal, np.bool_), rng.random((len(legal), 1))[:, 0], drawn)
    return drawn


Asker = Callable[[Iterator[States]], Iterable[Floats]]
"""Answers for a policy, batch by batch of positions."""


def tabulate(model: Model, policy: Policy, seat: int, *, asker: Asker | None = None, at_once: int = _ASKED) -> Table:
    """A policy at every position of a model, each queried once.

    Warns with a HistoryWarning about a policy of histories on a model of positions.

    Args:
        model: the exact model.
        policy: any policy.
        seat: who is to move.
        asker: answers batches of positions in the policy's place, in workers for example; by default the policy is
            queried here, batch by batch.
        at_once: positions in a batch.

    Returns:
        float64 [S, A]; zero rows where the seat does not act.

    Raises:
        PolicyError: for rows that are no distributions over legal actions.
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
        report(int(places[-1]) + 1, len(table), "positions", step="tabulate")
    return table


class Uniform:
    """All legal actions with equal probability."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return uniform_rows(game.legal(states, seat))


class PolicyWrapper:
    """What changes the answers of one other policy.

    Args:
        policy: the other policy.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @property
    def by_history(self) -> bool:
        """As the other policy, see ``by_history``."""
        return by_history(self.policy)


class Greedy(PolicyWrapper):
    """The most probable action of another policy, the lowest of equals (see ``SLACK``), with certainty.

    Args:
        policy: the other policy.
    """

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return greedy_rows(self.policy.probabilities(game, states, seat))


class Tempered(PolicyWrapper):
    """Another policy's probabilities to the power 1 / temperature, normalised: small sharpens, large flattens.

    Args:
        policy: the other policy.
        temperature: above 0; 1 changes nothing.

    Raises:
        PolicyError: for a temperature out of range.
    """

    def __init__(self, policy: Policy, temperature: float) -> None:
        if not 0 < temperature < np.inf:
            raise PolicyError(f"a temperature is above 0 and finite, not {temperature}; use Greedy for the limit 0")
        super().__init__(policy)
        self.temperature = temperature

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.policy.probabilities(game, states, seat)
        top = rows.max(1, keepdims=True)
        scaled = np.divide(rows, top, out=np.zeros_like(rows), where=top > 0) ** (1.0 / self.temperature)
        return _normalised(scaled)


class Mixture:
    """At every position anew, one of several policies: the weighted mean of their probabilities.

    This is exploration noise and the like. It is *not* the average over iterates, which draws one member per game:
    measure those member by member.

    Args:
        members: the policies.
        weights: one for each, not negative; they sum to 1.

    Raises:
        PolicyError: for weights that are no distribution over the members.
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
    """A policy of a quotient game, played on the board: queried at the canonical image, its answer mapped back.

    Args:
        policy: plays the quotient.
        quotient: the game up to symmetry.
    """

    def __init__(self, policy: Policy, quotient: Quotient) -> None:
        self.policy, self.quotient = policy, quotient

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        canonical, which = self.quotient.canonical(states)
        rows = self.policy.probabilities(self.quotient, canonical, seat)
        return np.asarray(np.take_along_axis(rows, self.quotient.to_canonical(which), axis=1))


def lift(policy: Policy, game: Game) -> Policy:
    """A policy as it plays the game itself: of a quotient, on its board.

    Args:
        policy: any policy of ``game``.
        game: any game.
    """
    # A quotient alone has positions to move there and answers to move back.
    return Lifted(policy, game) if isinstance(game, Quotient) else policy


def greedy_rows(rows: Floats) -> Floats:
    """The most probable action of each row, with certainty.

    Probabilities within ``SLACK`` of the largest count as equal to it, and the lowest of equal actions is taken.

    Args:
        rows: float64 [N, A].

    Returns:
        float64 [N, A]; zero rows stay zero.
    """
    return _by_parts(_greedy, rows)


def _greedy(rows: Floats) -> Floats:
    greedy = np.zeros_like(rows)
    greedy[np.arange(len(rows)), (rows >= rows.max(1, keepdims=True) * (1.0 - SLACK)).argmax(1)] = 1.0
    return np.where(rows.sum(1, keepdims=True) > 0, greedy, 0.0)


def uniform_rows(legal: np.ndarray) -> Floats:
    """The uniform distribution over the legal actions of each row.

    Args:
        legal: bool [N, A].

    Returns:
        float64 [N, A]; zero rows where none is legal.
    """
    return _by_parts(_uniform, legal)


def _uniform(legal: np.ndarray) -> Floats:
    if legal.dtype == np.bool_ and (compiled := kernels(len(legal))):
        rows = np.empty(legal.shape)
        compiled.uniform(plain(legal, np.bool_), rows)
        return rows
    return _normalised(legal.astype(np.float64))


def _by_parts(rule: Callable[[np.ndarray], Floats], rows: np.ndarray) -> Floats:
    """What a rule makes of each row, part by part where they are many: millions of rows take seconds."""
    if len(rows) <= PART:
        return rule(rows)
    made = np.empty(rows.shape)
    for part in in_parts(len(rows), step="tabulate"):
        made[part] = rule(rows[part])
    return made


def _normalised(rows: Floats) -> Floats:
    total = rows.sum(1, keepdims=True)
    return np.asarray(np.divide(rows, total, out=np.zeros_like(rows), where=total > 0))


def _sums_to_one(weights: Sequence[float]) -> bool:
    """Whether no weight is negative (or NaN) and they sum to 1."""
    return all(weight >= 0 for weight in weights) and abs(sum(weights) - 1.0) <= 1e-9


def _name(policy: Policy) -> str:
    return type(policy).__name__
