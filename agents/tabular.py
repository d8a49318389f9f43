"""Policies that are a table by position: exact experts, counted clones, best responses."""

from __future__ import annotations

import numpy as np

from agents.policy import PolicyError, uniform_rows
from games.base import Floats, Game, Ints, Keys, Model, States, Table, one_line, pack


class Tabular:
    """Probabilities looked up by ``game.key``.

    ``keys`` [K, 2] and ``table`` [K, A] are one row per known position. Elsewhere the policy plays uniformly,
    or, with ``complete=True``, raises PolicyError: an expert never guesses.
    """

    def __init__(self, keys: Keys, table: Table, *, complete: bool = False) -> None:
        packed = pack(keys)
        order = np.argsort(packed, kind="stable")
        if (packed[order][1:] == packed[order][:-1]).any():
            raise PolicyError("a table names a position twice")
        self.keys, self.table, self.complete = keys[order], table[order], complete
        self._packed = packed[order]

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        known, row = self.find(game.key(states))
        if self.complete and not known[legal.any(1)].all():
            state = states[np.flatnonzero(legal.any(1) & ~known)[0]]
            raise PolicyError(
                f"the table does not hold this position of {game.spec.name}: {one_line(game.render(state))}"
            )
        rows = uniform_rows(legal)
        known &= legal.any(1)
        rows[known] = self.table[row[known]]
        return rows

    def find(self, keys: Keys) -> tuple[np.ndarray, Ints]:
        """Whether each key is in the table [N], and its row [N] if so."""
        if not len(self._packed):
            return np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.int64)
        packed = pack(keys)
        row = np.minimum(np.searchsorted(self._packed, packed), len(self._packed) - 1)
        return self._packed[row] == packed, row


def from_model(model: Model, seat: int, table: Table) -> Tabular:
    """A model's table [S, A] of one seat as a policy that knows every position of that seat."""
    acts = np.flatnonzero(model.legal(seat).any(1))
    keys = model.game.key(model.states[acts])
    _, first = np.unique(pack(keys), return_index=True)  # a graph repeats a position that several plies reach
    return Tabular(keys[first], table[acts[first]], complete=True)
