"""The exact model of a Markov game: values, best responses, equilibria, reach.

With a horizon by backward induction over steps; without one for the endless discounted game, by policy iteration.
Sources: Shapley 1953; Hoffman and Karp 1966, where both seats choose; docs/algorithms.md, "Exploitability and the Nash
gap".
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from games.base import Bools, Floats, GameError, Ints, Model, Response, States, Steps, Table
from games.markov.game import MarkovGame
from games.markov.matrix import TIES
from games.markov.matrix import solve as solve_matrix
from games.progress import report
from games.quick import quick

_SWEEPS = 1000  # of policy iteration; it needs about ten
_SETTLED = 1e-13  # changes of value below this, relative to the largest there can be, are rounding
_NOISE = 1e-9  # the same where a linear program's tolerance comes in; below it a change that grows ends the iteration


class MarkovModel:
    """Exact knowledge of a Markov game: one row per state where it is discounted, per (step, state) with a horizon.

    Args:
        game: the game.

    Raises:
        GameError: for a game that breaks the contract of ``games.base``.
    """

    ties: tuple[str, ...] = TIES
    decided_at_end = False
    folded: tuple[Model, Ints] | None = None

    def __init__(self, game: MarkovGame) -> None:
        quick(game)
        self.game = game
        self.layers = game.horizon or 1
        rows = np.arange(self.layers * game.states)
        self.states: States = np.stack([rows % game.states, rows // game.states], axis=1)
        self._counts = game.joint_legal()
        self._moves = tuple(game.legal(self.states[: game.states], seat) for seat in (0, 1))  # [S, A]

    def __len__(self) -> int:
        return len(self.states)

    @property
    def span(self) -> float:
        """The most (discounted) steps of a game: the sum of the discounts of all steps."""
        discount = self.game.spec.discount
        if self.game.horizon is None:
            return 1.0 / (1.0 - discount)
        return float((discount ** np.arange(self.layers)).sum())

    @property
    def scale(self) -> float:
        """The largest (discounted) sum of rewards there can be, at least 1."""
        return max(1.0, self.span * float(np.abs(self.game.rewards).max()))

    def legal(self, seat: int) -> Bools:
        return np.tile(self._moves[seat], (self.layers, 1))

    def index(self, states: States) -> Ints:
        layer = states[:, 1] if self.game.horizon is not None else 0
        row = layer * self.game.states + states[:, 0]
        if len(row) and (row.min() < 0 or row.max() >= len(self)):
            raise GameError(f"not a position of {self.game.spec.name}: {states[int(row.argmax())].tolist()}")
        return np.asarray(row, dtype=np.int64)

    def strategies(self, seat: int, table: Table) -> Floats:
        """A table as strategies that are defined in every state.

        Args:
            seat: 0 or 1.
            table: float64 [S, A], S being the model's rows.

        Returns:
            float64 [layers, states, own actions]; column 0 has probability 1 where the seat does not move.
        """
        own = self.game.rewards.shape[1 + seat]
        layered = table.reshape(self.layers, self.game.states, -1)[:, :, :own]
        rests = ~self._moves[seat].any(1)
        if not rests.any():
            return layered
        layered = layered.copy()
        layered[:, rests] = 0.0
        layered[:, rests, 0] = 1.0
        return layered

    # --- measures --------------------------------------------------------------------------------------

    def value(self, profile: tuple[Table, Table]) -> float:
        return float(self.game.initial @ self.values(profile)[: self.game.states])

    def values(self, profile: tuple[Table, Table]) -> Floats:
        """Seat 0's expected (discounted) reward from every position on.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            float64 [S].
        """
        game = self.game
        weights = self._weights(profile)
        if game.horizon is None:
            rewards = np.einsum("sab,sab->s", weights[0], game.rewards)
            return game.transitions.evaluate(weights[0], rewards, game.spec.discount)
        values = np.zeros((self.layers + 1, game.states))
        for layer in reversed(range(self.layers)):
            values[layer] = np.einsum("sab,sab->s", weights[layer], self._backup(values[layer + 1]))
        return values[:-1].ravel()

    def respond(self, seat: int, against: Table) -> Response:
        """The seat's exact best response: one sweep over the steps, or policy iteration with exact evaluations.

        Args:
            seat: who responds.
            against: float64 [S, A] the other seat's table.

        Returns:
            The response.

        Raises:
            GameError: where policy iteration does not converge.
        """
        other = self.strategies(1 - seat, against)
        if self.game.horizon is None:
            return self._respond_endless(seat, other[0])
        return self._swept(seat, lambda layer, joint: self._against(seat, joint, other[layer]))

    def solve(self) -> tuple[Response, Response]:
        """An equilibrium, ties broken by the lowest action; ``equilibrium`` gives the other choices.

        Returns:
            Both seats' responses, with ``mixed`` policies.

        Raises:
            GameError: where policy iteration does not converge.
        """
        return self._solved("first")

    def equilibrium(self, ties: str) -> tuple[Table, Table]:
        """Minimax play at every position.

        Args:
            ties: one of ``games.markov.matrix.TIES``.

        Returns:
            float64 [S, A] of each seat.

        Raises:
            GameError: for other ties.
        """
        first, second = self._solved(ties)
        return first.policy, second.policy

    def best_moves(self, seat: int, rows: Ints) -> Bools:
        """The actions of the seat's equilibrium strategy.

        Args:
            seat: 0 or 1.
            rows: int64 [n] rows of the model.

        Returns:
            bool [n, A].
        """
        return np.asarray(self.solve()[seat].policy[rows] > 0)

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """Not available: rewards come along the way. GameError."""
        raise GameError(f"{self.game.spec.name} gives rewards along the way: its games are not won, drawn or lost")

    def duality_gap(self) -> float:
        """How far the solution is from an equilibrium: what the best responses to it gain, both seats together."""
        tables = self.equilibrium("first")
        return self.respond(0, tables[1]).value - self.respond(1, tables[0]).value

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """How often a game between two tables visits each position.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            float64 [S] expected visits, discounted where the game is: without a horizon they sum to 1 / (1 - discount).
        """
        game, weights = self.game, self._weights(profile)
        if game.horizon is None:
            return game.transitions.occupancy(weights[0], game.initial, game.spec.discount)
        visits = np.zeros((self.layers, game.states))
        visits[0] = game.initial
        for layer in range(1, self.layers):
            visits[layer] = game.spec.discount * game.transitions.flow(
                visits[layer - 1][:, None, None] * weights[layer - 1]
            )
        return visits.ravel()

    def steps(self, seat: int, against: Table) -> Steps:
        """The kernel under the other seat's table; with a horizon, from each step to the next."""
        game, other = self.game, self.strategies(1 - seat, against)
        counts = self._counts
        state, first, second = np.nonzero(counts[0][:, :, None] & counts[1][:, None, :])
        state, first, second = (part[~game.over[state]] for part in (state, first, second))
        move, following, probability = game.transitions.outcomes(state, first, second)
        kept = ~game.over[following]
        move, following, probability = move[kept], following[kept], probability[kept]
        own, others = (first, second) if seat == 0 else (second, first)
        endless = game.horizon is None
        parts = []
        for layer in range(1 if endless else self.layers - 1):
            weight = game.spec.discount * probability * other[layer, state[move], others[move]]
            played, after = np.flatnonzero(weight), layer + (not endless)
            rows = layer * game.states + state[move[played]], own[move[played]], after * game.states + following[played]
            parts.append((*rows, weight[played]))
        row, action, follows, weights = (
            (np.concatenate(column) for column in zip(*parts, strict=True))
            if parts
            else (*np.zeros((3, 0), dtype=np.int64), np.zeros(0))
        )
        start = np.zeros(len(self))
        start[: game.states] = game.initial
        return Steps(row, action, follows, weights, start)

    # --- one step back ---------------------------------------------------------------------------------

    def _backup(self, values: Floats) -> Floats:
        """[S, A, B] seat 0's reward of a joint action and what follows it."""
        return np.asarray(self.game.rewards + self.game.spec.discount * self.game.transitions.expect(values))

    def _against(self, seat: int, joint: Floats, other: Floats) -> Floats:
        """[S, A] a seat's own value of its actions when the other plays [S, B]; -inf where they do not count."""
        mean = np.einsum("sab,sb->sa", joint, other) if seat == 0 else -np.einsum("sab,sa->sb", joint, other)
        return np.where(self._counts[seat], mean, -np.inf)

    def _weights(self, profile: tuple[Table, Table]) -> Floats:
        """[layers, S, A, B] joint action probabilities."""
        first, second = self.strategies(0, profile[0]), self.strategies(1, profile[1])
        return np.asarray(first[:, :, :, None] * second[:, :, None, :])

    # --- best responses and equilibria -----------------------------------------------------------------

    def _swept(self, seat: int, own_values: Callable[[int, Floats], Floats]) -> Response:
        """Backward induction of one seat's response, given its action values per layer."""
        sign = 1.0 - 2.0 * seat
        values = np.zeros((self.layers + 1, self.game.states))
        actions = []
        for layer in reversed(range(self.layers)):
            report(self.layers - 1 - layer, self.layers, "steps", step="sweep")
            actions.append(own_values(layer, self._backup(values[layer + 1])))
            values[layer] = sign * actions[-1].max(1)
        return self._response(seat, values[:-1].ravel(), np.concatenate(actions[::-1]))

    def _respond_endless(self, seat: int, other: Floats) -> Response:
        game = self.game
        choice = self._counts[seat].argmax(1)  # any legal action to begin with
        states = np.arange(game.states)
        scale = max(1.0, float(np.abs(game.rewards).max())) / (1.0 - game.spec.discount)
        for sweep in range(_SWEEPS):
            report(sweep, None, "rounds", step="policy iteration")
            own = np.zeros((game.states, game.rewards.shape[1 + seat]))
            own[states, choice] = 1.0
            weights = own[:, :, None] * other[:, None, :] if seat == 0 else other[:, :, None] * own[:, None, :]
            rewards = np.einsum("sab,sab->s", weights, game.rewards)
            values = game.transitions.evaluate(weights, rewards, game.spec.discount)
            actions = self._against(seat, self._backup(values), other)
            better = actions.max(1) > actions[states, choice] + _SETTLED * scale
            if not better.any():
                return self._response(seat, values, actions)
            choice = np.where(better, actions.argmax(1), choice)
        raise GameError(
            f"{game.spec.name}: policy iteration did not settle in {_SWEEPS} steps; is the discount near 1?"
        )

    def _response(self, seat: int, values: Floats, actions: Floats, mixed: Table | None = None) -> Response:
        """Values and own actions of all layers as a response: [S, A], -inf where illegal or not acting."""
        start = float(self.game.initial @ values[: self.game.states])
        full = np.full((len(self), self.game.spec.actions), -np.inf)
        full[:, : actions.shape[1]] = actions
        full[~self.legal(seat)] = -np.inf
        return Response(seat, start, values, full, mixed)

    def _solved(self, ties: str) -> tuple[Response, Response]:
        if ties not in self._solutions:
            self._solutions[ties] = self._equilibrium(ties)
        return self._solutions[ties]

    @cached_property
    def _solutions(self) -> dict[str, tuple[Response, Response]]:
        return {}

    def _equilibrium(self, ties: str) -> tuple[Response, Response]:
        values = self._minimax_values
        following = values if self.game.horizon is None else np.append(values, np.zeros(self.game.states))
        tables = [np.zeros((len(self), self.game.spec.actions)) for _ in (0, 1)]
        actions: tuple[list[Floats], list[Floats]] = ([], [])
        for layer in range(self.layers):
            report(layer, self.layers, "steps", step="sweep")
            rows = slice(layer * self.game.states, (layer + 1) * self.game.states)
            after = rows if self.game.horizon is None else slice(rows.stop, rows.stop + self.game.states)
            joint = self._backup(following[after])
            saddle = solve_matrix(joint, *self._counts, ties=ties)
            tables[0][rows, : joint.shape[1]] = saddle.first
            tables[1][rows, : joint.shape[2]] = saddle.second
            actions[0].append(self._against(0, joint, saddle.second))
            actions[1].append(self._against(1, joint, saddle.first))
        for seat in (0, 1):
            tables[seat][~self.legal(seat)] = 0.0
        made = [self._response(seat, values, np.concatenate(actions[seat]), tables[seat]) for seat in (0, 1)]
        return made[0], made[1]

    @cached_property
    def _minimax_values(self) -> Floats:
        """[S] the value of the game from every position on.

        With a horizon by one sweep; else by the iteration of Hoffman and Karp, in which seat 0 plays the solutions of
        the matrix games and seat 1 an exact best response.
        """
        game = self.game
        if game.horizon is not None:
            swept = np.zeros((self.layers + 1, game.states))
            for layer in reversed(range(self.layers)):
                report(self.layers - 1 - layer, self.layers, "steps", step="sweep")
                swept[layer] = solve_matrix(self._backup(swept[layer + 1]), *self._counts).value
            return swept[:-1].ravel()
        values = np.zeros(game.states)
        scale = max(1.0, float(np.abs(game.rewards).max())) / (1.0 - game.spec.discount)
        change = np.inf
        for _ in range(_SWEEPS):
            saddle = solve_matrix(self._backup(values), *self._counts)
            better = self._respond_endless(1, saddle.first).values
            before, change = change, float(np.abs(better - values).max())
            if change <= _SETTLED * scale or (change >= before and change <= _NOISE * scale):
                return better
            values = better
        raise GameError(f"{game.spec.name}: no equilibrium found in {_SWEEPS} steps; is the discount near 1?")
