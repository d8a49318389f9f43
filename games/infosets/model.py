"""The exact model of a game of hidden information: value, best responses, equilibrium and reach.

Source: the sequence form (von Stengel 1996; docs/algorithms.md, "Hidden information").

A row of the model is an information state: first seat 0's, then seat 1's, each by depth. A table [S, A] is a policy in
the rows of both seats, and a policy is queried once for each information state. The value of an information state is
weighted by the probability that chance and the other seat lead there (counterfactual reach). A best response that was
chosen history by history would see the hidden cards, and its value would be too high.

Shape letters: S rows, A actions, I information states and Q sequences of one seat, W words of a state.
"""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import numpy as np

from games.base import Bools, Floats, GameError, Hidden, Ints, Model, Response, States, Steps, Table, one_line
from games.cost import Meter
from games.infosets.program import equilibrium
from games.infosets.treeplex import Treeplex
from games.infosets.unroll import Entries, unroll
from games.quick import quick


class InfosetModel:
    """Exact knowledge of a game of hidden information with perfect recall.

    Args:
        game: a game that says how likely its starts are.
        meter: counts the histories while they are listed, and stops where they are too many; by default it limits the
            memory alone.
        most: the largest number of sequences of both seats together; no limit by default.

    Raises:
        GameError: for a game that breaks its contract, has imperfect recall, discounts, or is too large.
    """

    ties: tuple[str, ...] = ("first",)
    scale = 1.0
    decided_at_end = False
    folded: tuple[Model, Ints] | None = None

    def __init__(self, game: Hidden, *, meter: Meter | None = None, most: float = float("inf")) -> None:
        quick(game)
        self.game = game
        unrolled = unroll(game, meter=meter, most=most)
        self.seats: tuple[Treeplex, Treeplex] = unrolled.seats
        self.histories = unrolled.histories
        """Ways to come to a decision, chance included, that the seats' own actions or the position tell apart."""
        self.states: States = np.concatenate(unrolled.states)
        self.payoff = _sparse(unrolled.payoff, (len(unrolled.seats[0]), len(unrolled.seats[1])))
        """Sparse [Q of seat 0, Q of seat 1] seat 0's expected reward after each pair of sequences."""
        self._transposed = self.payoff.T.tocsr()
        self._reach = tuple(
            _sparse(unrolled.reach[seat], (len(unrolled.seats[seat].parent), len(unrolled.seats[1 - seat])))
            for seat in (0, 1)
        )

    def __len__(self) -> int:
        return len(self.states)

    # --- where things are ------------------------------------------------------------------------------

    def rows(self, seat: int) -> slice:
        """The rows of a seat's information states.

        Args:
            seat: 0 or 1.

        Returns:
            A slice of the S rows.
        """
        first = len(self.seats[0].parent)
        return slice(0, first) if seat == 0 else slice(first, len(self))

    def legal(self, seat: int) -> Bools:
        """Legal actions, by row.

        Args:
            seat: 0 or 1.

        Returns:
            bool [S, A]; all False in the rows of the other seat.
        """
        legal = np.zeros((len(self), self.game.spec.actions), dtype=np.bool_)
        legal[self.rows(seat)] = self.seats[seat].legal
        return legal

    def index(self, states: States) -> Ints:
        """The row of each position: the information state of the seat that moves (of seat 0 where both do).

        Args:
            states: [N, W] positions.

        Returns:
            int64 [N].

        Raises:
            GameError: for a position at which no seat moves, or that the game does not have.
        """
        acting = self.game.acting(states)
        found = np.full(len(states), -1, dtype=np.int64)
        for seat in (1, 0):
            rows = np.flatnonzero(acting[:, seat])
            keys = np.ascontiguousarray(self.game.key(states[rows], seat))
            found[rows] = [self._row_of_key[seat].get(key.tobytes(), -1) for key in keys]
        if (found < 0).any():
            state = states[int((found < 0).argmax())]
            raise GameError(
                f"not a position of {self.game.spec.name} with a move to make: {one_line(self.game.render(state))}"
            )
        return found

    @cached_property
    def _row_of_key(self) -> tuple[dict[bytes, int], dict[bytes, int]]:
        first, second = (
            {key.tobytes(): place for place, key in enumerate(self.game.key(self.states[self.rows(seat)], seat))}
            for seat in (0, 1)
        )
        ahead = len(first)
        return first, {key: place + ahead for key, place in second.items()}

    # --- measures --------------------------------------------------------------------------------------

    def plan(self, seat: int, table: Table) -> Floats:
        """A table as the seat's realization plan.

        Args:
            seat: 0 or 1.
            table: float64 [S, A], of which the seat's rows are read.

        Returns:
            float64 [Q].
        """
        own = self.seats[seat]
        return own.plan(own.behavior(table[self.rows(seat)]))

    def gains(self, seat: int, plan: Floats) -> Floats:
        """What the seat gains against a plan of the other seat.

        Args:
            seat: 0 or 1.
            plan: float64 [Q of the other seat] its realization plan.

        Returns:
            float64 [Q] the seat's own expected reward right after each of its sequences, see ``Treeplex.expect``.
        """
        return np.asarray(self.payoff @ plan if seat == 0 else -(self._transposed @ plan))

    def value(self, profile: tuple[Table, Table]) -> float:
        """Seat 0's expected reward when both play their tables.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            The reward of one game.
        """
        return float(self.plan(0, profile[0]) @ self.gains(0, self.plan(1, profile[1])))

    def respond(self, seat: int, against: Table) -> Response:
        """The exact best response to the other seat's table.

        Args:
            seat: who responds.
            against: float64 [S, A] the other seat's table.

        Returns:
            The response. Its ``values`` count what follows a row, also in rows that it and the table do not reach
            together; they are 0 where chance and the other seat alone do not lead there.
        """
        plan, own = self.plan(1 - seat, against), self.seats[seat]
        weighted, state_values = own.best(self.gains(seat, plan))

        def values() -> Floats:
            reply = own.plan(own.first_best(weighted, state_values))
            others = self.expect(1 - seat, reply, against)[1]
            return np.asarray(self.both_values(seat, state_values, plan, others, reply))

        value = (1 - 2 * seat) * float(weighted[0])
        return Response(seat, value, values, partial(self.own_values, seat, plan, weighted))

    def solve(self) -> tuple[Response, Response]:
        """An equilibrium, by linear programs; a seat plays uniformly where its own actions never lead.

        Returns:
            Both seats' responses to each other, with ``mixed`` policies.

        Raises:
            GameError: where the solver finds none.
        """
        return self._equilibrium

    def equilibrium(self, ties: str) -> tuple[Table, Table]:
        """The equilibrium of ``solve`` as tables.

        Args:
            ties: ``first``, the equilibrium that the linear program ends on.

        Returns:
            float64 [S, A] of each seat.

        Raises:
            GameError: for other ties, and where the solver finds no equilibrium.
        """
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
        """The actions of the seat's equilibrium strategy.

        Args:
            seat: 0 or 1.
            rows: int64 [n] rows of the model.

        Returns:
            bool [n, A]; all False in rows of the other seat.
        """
        return np.asarray(self.solve()[seat].policy[rows] > 0)

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """Not available: rewards of games of hidden information are not wins, draws and losses.

        Args:
            profile: float64 [S, A] of each seat.

        Raises:
            GameError: always.
        """
        raise GameError(f"{self.game.spec.name} is not counted in games won, drawn or lost")

    @cached_property
    def _equilibrium(self) -> tuple[Response, Response]:
        (first, second), name = self.seats, self.game.spec.name
        one, two = equilibrium(first, second, self.payoff, name)
        return self.as_responses((self.table(0, first.normalised(one)), self.table(1, second.normalised(two))))

    def as_responses(self, profile: tuple[Table, Table]) -> tuple[Response, Response]:
        """A profile as a pair of responses, each with its values against the other.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            For each seat a response whose ``mixed`` policy is the seat's table.
        """
        plans = self.plan(0, profile[0]), self.plan(1, profile[1])
        swept = [self.expect(seat, plans[1 - seat], profile[seat]) for seat in (0, 1)]
        values = self.both_values(0, swept[0][1], plans[1], swept[1][1], plans[0])
        value = float(swept[0][0][0])
        made = [
            Response(seat, value, values, self.own_values(seat, plans[1 - seat], swept[seat][0]), profile[seat])
            for seat in (0, 1)
        ]
        return made[0], made[1]

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """The probability that a game between the two tables comes to each row.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            float64 [S].
        """
        plans = self.plan(0, profile[0]), self.plan(1, profile[1])
        return np.concatenate(
            [plans[seat][self.seats[seat].parent] * self.counterfactual_reach(seat, plans[1 - seat]) for seat in (0, 1)]
        )

    def steps(self, seat: int, against: Table) -> Steps:
        raise GameError(
            f"{self.game.spec.name} hides something from a seat, whose decisions are then no process of positions;"
            " choose a learner that needs none"
        )

    def counterfactual_reach(self, seat: int, plan: Floats) -> Floats:
        """How likely the others let the seat come to each of its information states.

        Args:
            seat: 0 or 1.
            plan: float64 [Q of the other seat] its realization plan.

        Returns:
            float64 [I] the probability that chance and the other seat lead there, if the seat does what leads there.
        """
        return np.asarray(self._reach[seat] @ plan)

    def led_to(self, seat: int, amounts: Floats) -> Floats:
        """What the other seat gains by leading a seat to information states that pay.

        Args:
            seat: 0 or 1.
            amounts: float64 [I] what each pays, times the seat's own probability of doing what leads there.

        Returns:
            float64 [Q of the other seat] the gain right after each of its sequences, see ``Treeplex.best``.
        """
        return np.asarray(self._reach[seat].T @ amounts)

    def table(self, seat: int, behavior: Floats) -> Table:
        """A behavior strategy of one seat as a table of the model.

        Args:
            seat: 0 or 1.
            behavior: float64 [Q] the probability of each sequence's last action.

        Returns:
            float64 [S, A]; zero in the rows of the other seat.
        """
        table = np.zeros((len(self), self.game.spec.actions))
        table[self.rows(seat)] = self.seats[seat].table(behavior)
        return table

    # --- parts -----------------------------------------------------------------------------------------

    def expect(self, seat: int, plan: Floats, table: Table) -> tuple[Floats, Floats]:
        """Values of a seat that plays its table against a plan.

        Args:
            seat: 0 or 1.
            plan: float64 [Q of the other seat] its realization plan.
            table: float64 [S, A] the seat's own table.

        Returns:
            float64 [Q] and [I], counterfactual values as in ``Treeplex.expect``.
        """
        own = self.seats[seat]
        return own.expect(self.gains(seat, plan), own.behavior(table[self.rows(seat)]))

    def own_values(self, seat: int, plan: Floats, values: Floats) -> Floats:
        """The seat's action values, from counterfactual ones.

        Args:
            seat: 0 or 1.
            plan: float64 [Q of the other seat] the plan that they were computed against.
            values: float64 [Q] counterfactual values of the seat's sequences.

        Returns:
            float64 [S, A] the values divided by the counterfactual reach, 0 where that is 0; -inf where an action is
            illegal or the seat does not act.
        """
        own = self.seats[seat]
        reach = self.counterfactual_reach(seat, plan)[own.infoset[1:]]
        amounts = np.divide(values[1:], reach, out=np.zeros(len(reach)), where=reach > 0)
        table = np.full((len(self), self.game.spec.actions), -np.inf)
        table[self.rows(seat)][own.infoset[1:], own.action[1:]] = amounts
        return table

    def both_values(self, seat: int, state_values: Floats, plan: Floats, others: Floats, reply: Floats) -> Floats:
        """Seat 0's value of every row, from the counterfactual values of both seats.

        Args:
            seat: the seat that responds.
            state_values: float64 [I] what it gets in each of its information states against ``plan``.
            plan: float64 [Q of the other seat] the other seat's realization plan.
            others: float64 [I of the other seat] what the other seat gets against ``reply``.
            reply: float64 [Q] the realization plan of the seat that responds.

        Returns:
            float64 [S] the values divided by the counterfactual reach; 0 where that is 0.
        """
        parts = []
        for mover, amounts, against in ((seat, state_values, plan), (1 - seat, others, reply)):
            reach = self.counterfactual_reach(mover, against)
            parts.append((1 - 2 * mover) * np.divide(amounts, reach, out=np.zeros(len(reach)), where=reach > 0))
        return np.concatenate(parts if seat == 0 else parts[::-1])


def sequence_form(model: Model) -> InfosetModel | None:
    """The model, if it has the sequence form, which regret minimisation works on.

    Args:
        model: any model.

    Returns:
        The model itself; None if it is of another kind.
    """
    return model if isinstance(model, InfosetModel) else None


def _sparse(entries: Entries, shape: tuple[int, int]) -> Any:
    """A ``csr_array`` of this shape; entries of one place are added up."""
    from scipy.sparse import coo_array

    return coo_array((entries.amount, (entries.row, entries.column)), shape=shape).tocsr()
