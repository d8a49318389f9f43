"""The contract of an exact model of a game: values, best responses, equilibria and reach.

Source: docs/algorithms.md, "Exploitability and the Nash gap".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np

from games.base.arrays import Bools, Floats, Ints, States, Table
from games.base.game import Enumerable, Game

Lazy: TypeAlias = Floats | Callable[[], Floats]
"""An array, or a function that computes it when it is first asked for."""


class Response:
    """A best (or minimax) response of one seat: what it is worth and how it is played; not to be changed."""

    def __init__(self, seat: int, value: float, values: Lazy, action_values: Lazy, mixed: Table | None = None) -> None:
        """Put a response together.

        Args:
            seat: who responds.
            value: seat 0's expected (discounted) reward from the start.
            values: float64 [S], or integers where all are whole; see ``values``. A function if it should be computed
                only when it is asked for.
            action_values: float64 [S, A], see ``action_values``; a function likewise.
            mixed: float64 [S, A] how it is played where it has to randomise (equilibria of simultaneous moves and of
                games with hidden information); None: see ``policy``.
        """
        self.seat, self.value, self.mixed = seat, value, mixed
        self._values, self._action_values = values, action_values

    @cached_property
    def values(self) -> Floats:
        """[S] seat 0's expected reward from every position on."""
        return self._values() if callable(self._values) else self._values

    @cached_property
    def action_values(self) -> Floats:
        """[S, A] the responding seat's own expected reward of each action; -inf where illegal or not acting."""
        return self._action_values() if callable(self._action_values) else self._action_values

    @property
    def policy(self) -> Table:
        """[S, A] the response as a table: ``mixed``, or the lowest of the best actions; zero rows where not acting."""
        if self.mixed is not None:
            return self.mixed
        best = self.action_values.argmax(1)
        rows = np.flatnonzero(np.isfinite(self.action_values).any(1))
        table = np.zeros(self.action_values.shape)
        table[rows, best[rows]] = 1.0
        return table


@dataclass(frozen=True)
class Steps:
    """What follows each move while one seat is free and the other plays a table: K entries.

    At a position where the free seat does not act, action 0 stands for the one thing that happens there.
    """

    row: Ints
    """int64 [K] the position."""
    action: Ints
    """int64 [K] the free seat's action."""
    following: Ints
    """int64 [K] the next position at which somebody acts. Entries into the end of a game are left out."""
    weight: Floats
    """float64 [K] probability times discount; entries of one place add up."""
    start: Floats
    """float64 [S] the distribution of first positions."""


class Model(Protocol):
    """Exact knowledge of an enumerable game. A policy is a table float64 [S, A], one for each seat."""

    @property
    def game(self) -> Enumerable: ...

    @property
    def states(self) -> States:
        """[S, W] every position at which somebody acts."""

    @property
    def ties(self) -> tuple[str, ...]:
        """What ``equilibrium`` can do among equally good moves."""

    @property
    def scale(self) -> float:
        """The largest payoff that there can be, at least 1: what rounding of a value is measured by."""

    @property
    def decided_at_end(self) -> bool:
        """Whether every reward comes with the end of a game, so that ``outcomes`` says who wins."""

    @property
    def folded(self) -> tuple[Model, Ints] | None:
        """Where rows are histories: the model by positions, and the row [S] there of each row here. Else None."""

    def legal(self, seat: int) -> Bools:
        """Legal actions at every position.

        Args:
            seat: 0 or 1.

        Returns:
            bool [S, A]; all False where the seat does not act.
        """

    def index(self, states: States) -> Ints:
        """The rows of positions in ``states``.

        Args:
            states: [N, W].

        Returns:
            int64 [N].

        Raises:
            GameError: for a position that is not in the model.
        """

    def value(self, profile: tuple[Table, Table]) -> float:
        """Seat 0's expected (discounted) reward when both play their tables.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            The reward from the start.
        """

    def respond(self, seat: int, against: Table) -> Response:
        """The seat's exact best response to the other seat's table.

        Args:
            seat: who responds.
            against: float64 [S, A] the other seat's table.

        Returns:
            The response: its value, its action values and how it is played.
        """

    def solve(self) -> tuple[Response, Response]:
        """Minimax play.

        Returns:
            Both seats' responses.
        """

    def equilibrium(self, ties: str) -> tuple[Table, Table]:
        """Minimax play at every position.

        Args:
            ties: what to do among equally good moves, one of ``self.ties``.

        Returns:
            float64 [S, A] of each seat.

        Raises:
            GameError: for other ties.
        """

    def best_moves(self, seat: int, rows: Ints) -> Bools:
        """The moves that an expert may play.

        Args:
            seat: 0 or 1.
            rows: int64 [n] rows of the model.

        Returns:
            bool [n, A]; all False where the seat does not act.
        """

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """How a game between two tables ends.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            The probabilities that seat 0 wins, draws and loses.

        Raises:
            GameError: where not ``decided_at_end``.
        """

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """How often a game between two tables visits each position.

        Args:
            profile: float64 [S, A] of each seat.

        Returns:
            float64 [S] expected visits in one game, undiscounted for finite games.
        """

    def steps(self, seat: int, against: Table) -> Steps:
        """The decision process of one seat against a table of the other, one move at a time.

        Args:
            seat: the free seat, 0 or 1.
            against: float64 [S, A] of the other seat.

        Raises:
            GameError: where rows are not what the seat can tell apart.
        """


Known: TypeAlias = Model | Game
"""What is known of a game by those who need to know: its exact model, or the game where it has none."""


def model_and_game(known: Known) -> tuple[Model | None, Game]:
    """Take apart what is known of a game.

    Args:
        known: a model or a game.

    Returns:
        The model, None where only the game is known, and the game.
    """
    return (None, known) if isinstance(known, Game) else (known, known.game)
