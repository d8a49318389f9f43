"""The exact model of a game of hidden information: value, best responses, equilibrium and reach.

A position of the model is an information state: rows are seat 0's, then seat 1's, each by depth. A table [S, A] is a
policy for both seats' rows at once, and each is asked once for each information state. What a seat gains is weighed by
the probability that chance and the other seat let it come there; history by history it would be wrong.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import numpy as np

from games.base import Bools, Floats, GameError, Hidden, Ints, Model, Response, States, Table, one_line
from games.cost import Meter
from games.infosets.program import maximin
from games.infosets.treeplex import Treeplex
from games.infosets.unroll import Entries, unroll
from games.quick import quick


class InfosetModel:
    """Exact knowledge of a game of hidden information with perfect recall.

    Args:
        game: a game that says how likely its starts are.
        meter: watches the histories being listed; by default it minds the memory alone.

    Raises:
        GameError: for a game that breaks its contract, has imperfect recall, discounts, or is too large.
    """

    ties: tuple[str, ...] = ("first",)
    scale = 1.0
    decided_at_end = False
    folded: tuple[Model, Ints] | None = None

    def __init__(self, game: Hidden, *, meter: Meter | None = None) -> None:
        quick(game)
        self.game = game
        found = unroll(game, meter=meter)
        self.seats: tuple[Treeplex, Treeplex] = found.seats
        self.histories = found.histories
        """Ways to come to a decision, chance included, that the seats' own actions or the position tell apart."""
        self.states: States = np.concatenate(found.states)
        self.payoff = _sparse(found.payoff, (len(found.seats[0]), len(found.seats[1])))
        """Sparse [Q of seat 0, Q of seat 1] seat 0's expected reward after each pair of sequences."""
        self._transposed = self.payoff.T.tocsr()
        self._led = tuple(
            _sparse(found.led[seat], (len(found.seats[seat].parent), len(found.seats[1 - seat]))) for seat in (0, 1)
        )

    def __len__(self) -> int:
        return len(self.states)

    # --- where things are ------------------------------------------------------------------------------

    def rows(self, seat: int) -> slice:
        """The seat's information states."""
        first = len(self.seats[0].parent)
        return slice(0, first) if seat == 0 else slice(first, len(self))

    def legal(self, seat: int) -> Bools:
        """[S, A] legal actions in the seat's information states."""
        legal = np.zeros((len(self), self.game.spec.actions), dtype=np.bool_)
        legal[self.rows(seat)] = self.seats[seat].legal
        return legal

    def index(self, states: States) -> Ints:
        """[N] the information state of whoever moves in each position (of seat 0 where both do). GameError where nobody
        does, or it is none of the game's.
        """
        acting = self.game.acting(states)
        found = np.full(len(states), -1, dtype=np.int64)
        for seat in (1, 0):
            rows = np.flatnonzero(acting[:, seat])
            keys = np.ascontiguousarray(self.game.key(states[rows], seat))
            found[rows] = [self._numbers[seat].get(key.tobytes(), -1) for key in keys]
        if (found < 0).any():
            state = states[int((found < 0).argmax())]
            raise GameError(
                f"not a position of {self.game.spec.name} with a move to make: {one_line(self.game.render(state))}"
            )
        return found

    @cached_property
    def _numbers(self) -> tuple[dict[bytes, int], dict[bytes, int]]:
        first, second = (
            {key.tobytes(): place for place, key in enumerate(self.game.key(self.states[self.rows(seat)], seat))}
            for seat in (0, 1)
        )
        ahead = len(first)
        return first, {key: place + ahead for key, place in second.items()}

    # --- measures --------------------------------------------------------------------------------------

    def plan(self, seat: int, table: Table) -> Floats:
        """[Q] a table [S, A] of the seat as sequence weights."""
        own = self.seats[seat]
        return own.plan(own.weights(table[self.rows(seat)]))

    def gains(self, seat: int, plan: Floats) -> Floats:
        """[Q] what the seat gains after each of its sequences against the other seat's plan."""
        return np.asarray(self.payoff @ plan if seat == 0 else -(self._transposed @ plan))

    def value(self, profile: tuple[Table, Table]) -> float:
        """Seat 0's expected reward when both play their tables."""
        return float(self.plan(0, profile[0]) @ self.gains(0, self.plan(1, profile[1])))

    def respond(self, seat: int, against: Table) -> Response:
        """Exact best response to the other seat's table. ``values`` of positions that this response and the table never
        come to together are of what would follow; where chance and the other seat alone never lead, they are 0.
        """
        plan, own = self.plan(1 - seat, against), self.seats[seat]
        weighted, worth = own.best(self.gains(seat, plan))

        def values() -> Floats:
            reply = own.plan(_first_best(own, weighted))
            others = self.expect(1 - seat, reply, against)[1]
            return np.asarray(self.both_values(seat, worth, plan, others, reply))

        value = (1 - 2 * seat) * float(weighted[0])
        return Response(seat, value, values, partial(self.own_values, seat, plan, weighted))

    def solve(self) -> tuple[Response, Response]:
        """An equilibrium, by linear programs; where a seat never comes by its own doing it mixes all actions alike."""
        return self._equilibrium

    def equilibrium(self, ties: str) -> tuple[Table, Table]:
        """[S, A] per seat: the equilibrium that the linear program ends on, for ``first`` alone."""
        if ties == "vertex":
            raise GameError(f"the expert {ties!r} plays Markov games")
        if ties not in self.ties:
            raise GameError(
                f"in {self.game.spec.name} an equilibrium mixes actions by itself, so they cannot be mixed alike as the"
                f" expert {ties!r} does"
            )
        first, second = self.solve()
        return first.policy, second.policy

    def best_moves(self, seat: int, rows: Ints) -> Bools:
        """[n, A] the actions of the seat's equilibrium strategy at these rows [n]."""
        return np.asarray(self.solve()[seat].policy[rows] > 0)

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """GameError: games of hidden information are not counted as won, drawn or lost."""
        raise GameError(f"{self.game.spec.name} is not counted in games won, drawn or lost")

    @cached_property
    def _equilibrium(self) -> tuple[Response, Response]:
        (first, second), name = self.seats, self.game.spec.name
        one = self.full(0, first.normalised(maximin(first, second, self.payoff, name)))
        two = self.full(1, second.normalised(maximin(second, first, -self._transposed, name)))
        return self.answers((one, two))

    def answers(self, profile: tuple[Table, Table]) -> tuple[Response, Response]:
        """A profile as two responses: each seat's play as it is (``Response.mixed``), its values against the other."""
        plans = self.plan(0, profile[0]), self.plan(1, profile[1])
        swept = [self.expect(seat, plans[1 - seat], profile[seat]) for seat in (0, 1)]
        values = self.both_values(0, swept[0][1], plans[1], swept[1][1], plans[0])
        worth = float(swept[0][0][0])
        made = [
            Response(seat, worth, values, self.own_values(seat, plans[1 - seat], swept[seat][0]), profile[seat])
            for seat in (0, 1)
        ]
        return made[0], made[1]

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """[S] the probability that a game between the two tables comes to each information state."""
        plans = self.plan(0, profile[0]), self.plan(1, profile[1])
        return np.concatenate(
            [plans[seat][self.seats[seat].parent] * self.led(seat, plans[1 - seat]) for seat in (0, 1)]
        )

    def led(self, seat: int, plan: Floats) -> Floats:
        """[I] the probability that chance and the other seat's plan lead to each of the seat's information states, if
        the seat does what leads there.
        """
        return np.asarray(self._led[seat] @ plan)

    def full(self, seat: int, weights: Floats) -> Table:
        """[S, A] weights [Q] of the seat as a table."""
        table = np.zeros((len(self), self.game.spec.actions))
        table[self.rows(seat)] = self.seats[seat].table(weights)
        return table

    # --- parts -----------------------------------------------------------------------------------------

    def expect(self, seat: int, plan: Floats, table: Table) -> tuple[Floats, Floats]:
        """Weighted values [Q] and [I] of a seat that plays its table against a plan."""
        own = self.seats[seat]
        return own.expect(self.gains(seat, plan), own.weights(table[self.rows(seat)]))

    def own_values(self, seat: int, plan: Floats, values: Floats) -> Floats:
        """[S, A] the seat's action values from weighted ones [Q]; -inf where illegal or not acting."""
        own, odds = self.seats[seat], self.led(seat, plan)[self.seats[seat].infoset[1:]]
        amounts = np.divide(values[1:], odds, out=np.zeros(len(odds)), where=odds > 0)
        table = np.full((len(self), self.game.spec.actions), -np.inf)
        table[self.rows(seat)][own.infoset[1:], own.action[1:]] = amounts
        return table

    def both_values(self, seat: int, worth: Floats, plan: Floats, others: Floats, reply: Floats) -> Floats:
        """[S] seat 0's values from both seats' weighted ones: the seat's ``worth`` [I] against the other's ``plan``,
        and what the ``others`` [I] get against its ``reply``.
        """
        parts = []
        for mover, amounts, against in ((seat, worth, plan), (1 - seat, others, reply)):
            odds = self.led(mover, against)
            parts.append((1 - 2 * mover) * np.divide(amounts, odds, out=np.zeros(len(odds)), where=odds > 0))
        return np.concatenate(parts if seat == 0 else parts[::-1])


def _first_best(seat: Treeplex, values: Floats) -> Floats:
    """[Q] weights of the best action of each information state, the lowest of equals."""
    best = np.maximum.reduceat(values[1:], seat.first - 1)[seat.infoset[1:]]
    rows = 1 + np.flatnonzero(values[1:] == best)
    _, lowest = np.unique(seat.infoset[rows], return_index=True)
    weights = np.zeros(len(seat))
    weights[0] = 1.0
    weights[rows[lowest]] = 1.0
    return weights


def _sparse(entries: Entries, shape: tuple[int, int]) -> Any:
    from scipy.sparse import coo_array

    return coo_array((entries.amount, (entries.row, entries.column)), shape=shape).tocsr()
