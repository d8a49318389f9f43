"""Both seats imitated together, with one reward: what seat 0 gains by it, seat 1 loses.

Song, Ren, Sadigh, Ermon, "Multi-agent generative adversarial imitation learning" (arXiv:1807.09936), for two seats of a
zero-sum game; docs/algorithms.md, "Joint forms". Each seat plays against the other's expert, and one critic compares

    rho_1 = visits of (s, a, b) when the expert of seat 0 meets the learner in seat 1
    rho_2 = the same when the learner in seat 0 meets the expert of seat 1

They are equal if and only if both learners play as their experts wherever the experts come. A reward r(s, a, b) that is
high on rho_1 pays seat 0 for resembling its expert and seat 1, which gets -r, for resembling its own.

Every position that a seat can lead the other's expert to is a state here, whoever moves there, because rewards come at
the moves of both. Shapes: m positions, A actions of either seat; a seat that rests has action 0 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from agents.policy import Seats, tabulate, uniform_rows
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, Keys, Model, NashmailError, Steps, Table
from mail.clone.dataset import Fit, demonstrations
from mail.clone.tabular import completed_table
from mail.data.decisions import Decisions
from mail.learners.budget import Budget
from mail.learners.collect import Collector
from mail.learners.inverse.process import Process, endless, reached_rows, softmax
from mail.learners.inverse.reward import jensen_shannon, shares
from mail.learners.offline import Collected, Offline

Pair = tuple[Floats, Floats]


@dataclass(frozen=True)
class Side:
    """A seat's process against the other seat's expert, over all positions that it can lead that expert to."""

    process: Process
    place: Ints
    """[n] the number of each of its positions in the ``Duel``."""


@dataclass(frozen=True)
class Duel:
    """A game in which each seat meets the other's expert."""

    keys: tuple[Keys, Keys]
    """Per seat uint64 [m, 2]."""
    acts: tuple[Bools, Bools]
    """Per seat [m] whether it moves there."""
    legal: tuple[Bools, Bools]
    """Per seat [m, A] its actions; action 0 alone where it rests."""
    experts: Pair
    """Per seat [m, A] what its expert plays; action 0 where it rests."""
    sides: tuple[Side, Side]

    def solved(self, pays: Pair) -> Pair:
        """Each seat's soft-optimal policy against the other's expert.

        Args:
            pays: Per seat [m, A, A] what it gains where both move, seat 0's action first.

        Returns:
            Per seat [m, A] at temperature 1; uniform where it cannot lead the other's expert.
        """
        policies = []
        for seat, side in enumerate(self.sides):
            other = self.experts[1 - seat][side.place]
            mean = np.einsum("nab,nb->na" if seat == 0 else "nba,nb->na", pays[seat][side.place], other)
            rows = self.uniform[seat].copy()
            rows[side.place] = softmax(side.process.soft(mean)[0], 1.0)
            policies.append(rows)
        return policies[0], policies[1]

    @cached_property
    def uniform(self) -> Pair:
        """Per seat [m, A] uniform play."""
        return uniform_rows(self.legal[0]), uniform_rows(self.legal[1])

    def visits(self, policies: Pair) -> Pair:
        """rho_1 and rho_2, as shares.

        Args:
            policies: Per seat [m, A].

        Returns:
            [m, A, A] twice, each of which sums to 1.
        """
        visited = []
        for seat in (1, 0):  # the learner in seat 1 first: that is rho_1
            side = self.sides[seat]
            own = side.process.visits(policies[seat][side.place])
            other = self.experts[1 - seat][side.place]
            joint = np.zeros((len(self.keys[0]), own.shape[1], own.shape[1]))
            pair = (own, other) if seat == 0 else (other, own)
            joint[side.place] = pair[0][:, :, None] * pair[1][:, None, :]
            visited.append(shares(joint))
        return visited[0], visited[1]


@dataclass(frozen=True)
class SoftResponses:
    """A pair of policies, and how far their visits are apart."""

    policies: Pair
    visits: Pair
    divergence: float
    """Jensen-Shannon divergence of rho_1 and rho_2, in nats."""


def soft_responses(duel: Duel, pays: Pair) -> SoftResponses:
    """The soft-optimal policies of rewards, and their visits.

    Args:
        duel: The game.
        pays: As in ``Duel.solved``.
    """
    policies = duel.solved(pays)
    visits = duel.visits(policies)
    return SoftResponses(policies, visits, jensen_shannon(*visits))


def duel_of(model: Model, experts: tuple[Table, Table]) -> Duel:
    """The game of an exact model with these experts.

    Args:
        model: The exact model.
        experts: [S, A] tables of seat 0 and seat 1.

    Raises:
        NashmailError: A seat cannot tell its positions apart.
    """
    steps = [model.steps(seat, experts[1 - seat]) for seat in (0, 1)]
    reached = [reached_rows(found) for found in steps]
    rows = np.flatnonzero(reached[0] | reached[1])
    place = np.full(len(model.states), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    moves: list[Bools] = [model.legal(seat)[rows] for seat in (0, 1)]
    keys = [model.game.key(model.states[rows], seat) for seat in (0, 1)]
    for seat in (0, 1):
        own = keys[seat][moves[seat].any(1)]
        if len(np.unique(own, axis=0)) != len(own):
            raise NashmailError(f"{model.game.spec.name} comes to one position after different numbers of moves")
    legal = _rested(moves[0]), _rested(moves[1])
    sides = [_side(steps[seat], place, np.flatnonzero(reached[seat]), keys[seat], legal[seat]) for seat in (0, 1)]
    return Duel(
        (keys[0], keys[1]),
        (np.asarray(moves[0].any(1)), np.asarray(moves[1].any(1))),
        legal,
        (_rested(experts[0][rows] * moves[0]), _rested(experts[1][rows] * moves[1])),
        (sides[0], sides[1]),
    )


def _side(steps: Steps, place: Ints, own: Ints, keys: Keys, legal: Bools) -> Side:
    """A seat's side of a duel whose positions have these places, keys and legal actions, of its own rows ``own``."""
    here = np.full(len(place), -1, dtype=np.int64)
    here[own] = np.arange(len(own))
    kept = here[steps.row] >= 0
    moves = here[steps.row[kept]] * legal.shape[1] + steps.action[kept]
    shape = (len(own) * legal.shape[1], len(own))
    kernel = csr_array((steps.weight[kept], (moves, here[steps.following[kept]])), shape=shape)
    kernel.sum_duplicates()
    at = place[own]
    return Side(Process(keys[at], legal[at], kernel, steps.start[own], endless(kernel)), at)


def _rested(rows: np.ndarray) -> np.ndarray:
    """Rows of a seat, with action 0 where it rests."""
    rows = rows.copy()
    rows[~rows.any(1), 0] = True
    return rows


@dataclass(frozen=True)
class Agreement:
    """What a joint method found."""

    policies: Pair
    """Per seat [m, A]."""
    rounds: int
    divergence: float
    """Jensen-Shannon divergence of the visits that it makes equal, in nats."""


Method = Callable[[Duel], Agreement]
"""Fits both seats."""


class Joint(Offline[Method]):
    """A learner that imitates both seats' experts with one reward.

    An expert plays as its demonstrations show where they do, and as it is where they do not: it is a playable opponent.
    """

    def check(self, game: Game, experts: Seats) -> None:
        self.duel(experts)

    def duel(self, experts: Seats, collected: Collected | None = None) -> Duel:
        """The game with these experts, who play as demonstrated where that is known.

        Args:
            experts: Seat 0's and seat 1's expert.
            collected: The demonstrations; None for none.
        """
        model = self.options.exact_model(self.name)
        tables = tabulate(model, experts[0], 0), tabulate(model, experts[1], 1)
        for seat, decisions in enumerate(collected or ()):
            shown = demonstrations(decisions, seat)
            table = Tabular(shown.key, shown.distribution)
            acting = np.flatnonzero(model.legal(seat).any(1))
            known, row = table.find(model.game.key(model.states[acting], seat))
            tables[seat][acting[known]] = table.table[row[known]]
        return duel_of(model, tables)

    def fits(self, collector: Collector, experts: Seats, collected: Collected, budget: Budget) -> tuple[Fit, Fit]:
        stage, journal, game = f"{self.name}/joint", collector.journal, collector.game
        made = [journal.load_fit(stage, seat, game, "cpu") for seat in (0, 1)]
        if made[0] is None or made[1] is None:
            duel = self.duel(experts, collected)
            result = self.method(duel)
            for seat in (0, 1):
                fit = fit_of(game, duel, result, collected[seat], seat)
                made[seat] = fit
                journal.store_fit(stage, seat, game, fit)
                self.log(collector, collected[seat], seat, {"jensen_shannon": result.divergence})
        first, second = made
        assert first is not None and second is not None
        return first, second


def fit_of(game: Game, duel: Duel, result: Agreement, decisions: Decisions, seat: int) -> Fit:
    """One seat's policy, completed outside the duel, and how closely it fits its labels.

    Args:
        game: The game.
        duel: The game with its experts.
        result: What the method found.
        decisions: The demonstrations.
        seat: The seat.
    """
    own = np.zeros(len(duel.keys[seat]), dtype=np.bool_)
    own[duel.sides[seat].place] = True
    own &= duel.acts[seat]
    policy = Tabular(duel.keys[seat][own], result.policies[seat][own])
    if game.spec.unlabelled is not None:
        policy = completed_table(game, policy, seat, game.spec.unlabelled)
    shown = demonstrations(decisions, seat)
    rows = policy.probabilities(game, shown.state, seat)
    outside = np.where(shown.distribution > 0, 0.0, rows).sum(1).max()
    return Fit(policy, result.rounds, float(outside), float(0.5 * np.abs(rows - shown.distribution).sum(1).mean()))
