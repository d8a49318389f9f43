"""Policies as tables by position: exact experts, clones, best responses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.policy import PolicyError, uniform_rows
from games.base import Floats, Game, Ints, Keys, Model, States, Table, one_line, pack
from games.progress import in_parts, report


class Tabular:
    """Probabilities by ``game.key(states, seat)``, so by what the seat can distinguish."""

    def __init__(self, keys: Keys, table: Table, *, complete: bool = False) -> None:
        """Hold one row per known position.

        Args:
            keys: uint64 [K, 2], ``game.key(states, seat)`` of K positions, all distinct.
            table: float64 [K, A], the action probabilities at each of them.
            complete: Whether a position without a row is an error, as for an expert; otherwise play is uniform there.

        Raises:
            PolicyError: Two keys are equal.
        """
        self._wide = bool(keys.size) and int(keys.max()) >> 32 > 0
        words = self._words(keys)
        order = np.argsort(words, kind="stable")
        if (words[order][1:] == words[order][:-1]).any():
            raise PolicyError("a table has two rows for one position; remove one")
        self.keys, self.table, self.complete = keys[order], taken(table, order), complete
        report(1, 1, "steps", step="sort positions")
        self._sorted = words[order]

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        known, row = self.find(game.key(states, seat))
        if self.complete and not known[legal.any(1)].all():
            state = states[np.flatnonzero(legal.any(1) & ~known)[0]]
            raise PolicyError(
                f"the table has no row for this position of {game.spec.name}: {one_line(game.render(state))}"
            )
        rows = uniform_rows(legal)
        known &= legal.any(1)
        rows[known] = self.table[row[known]]
        return rows

    def find(self, keys: Keys) -> tuple[np.ndarray, Ints]:
        """Look up keys.

        Args:
            keys: uint64 [N, 2].

        Returns:
            bool [N] whether each key is in the table, and int64 [N] its row if so.
        """
        known = np.zeros(len(keys), dtype=np.bool_)
        row = np.zeros(len(keys), dtype=np.int64)
        if not len(self._sorted):
            return known, row
        fits = np.arange(len(keys)) if self._wide else np.flatnonzero((keys >> np.uint64(32) == 0).all(1))
        words = self._words(keys[fits])
        row[fits] = np.minimum(np.searchsorted(self._sorted, words), len(self._sorted) - 1)
        known[fits] = self._sorted[row[fits]] == words
        return known, row

    def _words(self, keys: Keys) -> NDArray[Any]:
        """[N] keys as sortable scalars: one word each, or both words (slower) if a key of the table needs them."""
        if not self._wide:
            return pack(keys)
        pairs = np.ascontiguousarray(keys, dtype=np.uint64)
        return pairs.view([("first", np.uint64), ("second", np.uint64)])[:, 0]


class SeatRows:
    """One seat's rows of a model with their keys, for tables that become policies, and policies tables, many times."""

    def __init__(self, model: Model, seat: int) -> None:
        """Compute the keys.

        Args:
            model: The exact model with S positions.
            seat: The seat.
        """
        legal = model.legal(seat)
        report(0, 3, "steps", step="index positions")
        self.rows = np.flatnonzero(legal.any(1))
        self.legal = legal[self.rows]
        states = model.states[self.rows]
        report(1, 3, "steps", step="index positions")
        self.keys = model.game.key(states, seat)
        report(2, 3, "steps", step="index positions")
        _, self._first = np.unique(pack(self.keys), return_index=True)  # a graph repeats a position of several plies
        report(3, 3, "steps", step="index positions")
        self._shape = legal.shape

    def policy(self, table: Table) -> Tabular:
        """A table of the model as a policy, which knows every position of the seat.

        Args:
            table: float64 [S, A], of which the seat's rows are read.
        """
        rows = taken(table, self.rows[self._first])
        report(0, 1, "steps", step="sort positions")
        return Tabular(self.keys[self._first], rows, complete=True)

    def tabulate(self, policy: Tabular) -> Table:
        """What ``agents.policy.tabulate`` makes of a policy that is a table, without querying it.

        Args:
            policy: The policy; uniform where it has no row.

        Returns:
            float64 [S, A]; zero rows where the seat does not act.
        """
        known, row = policy.find(self.keys)
        table = np.zeros(self._shape)
        table[self.rows] = uniform_rows(self.legal)
        table[self.rows[known]] = policy.table[row[known]]
        return table


def from_model(model: Model, seat: int, table: Table) -> Tabular:
    """A model's table of one seat as a policy with a row for every position of that seat.

    Args:
        model: The exact model with S positions.
        seat: The seat that plays.
        table: float64 [S, A], its probabilities; rows where it does not act are ignored. Rows of positions that the
            seat cannot distinguish are equal in any policy; the first of them is kept.
    """
    return SeatRows(model, seat).policy(table)


def taken(table: Table, rows: Ints) -> Table:
    """Rows of a table, part by part, because tables of large games take seconds to copy.

    Args:
        table: float64 [N, A].
        rows: int64 [K] which rows.

    Returns:
        float64 [K, A].
    """
    found = np.empty((len(rows), *table.shape[1:]), dtype=table.dtype)
    for part in in_parts(len(rows), step="copy rows"):
        found[part] = table[rows[part]]
    return found
