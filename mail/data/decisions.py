"""What play produces and cloning takes: one row per own decision.

One seat of a game against a fixed policy in the other is a single-agent decision process; ``Decisions`` are
its transitions, from one own decision to the *next own decision* (ALGORITHMS: never to the opponent's view,
a fault of the reference code). R rows, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Floats, Ints, Keys, States


@dataclass(frozen=True)
class Decisions:
    """Rows of own decisions; checked where they are built, trusted afterwards."""

    seat: Ints
    """[R] who decided."""
    episode: Ints
    """[R] which game, counted from 0 within this batch."""
    state: States
    """[R, W]"""
    key: Keys
    """[R, 2] the position as the seat can tell it apart."""
    observation: NDArray[np.float32]
    """``[R, *shape]`` the seat's view."""
    legal: Bools
    """[R, A]"""
    played: Ints
    """[R] the action that was taken."""
    label: NDArray[np.float32]
    """[R, A] what the asked policy would do: its whole distribution; NaN where nobody was asked."""
    reward: Floats
    """[R] the seat's own reward until its next decision; what comes before its first one belongs to no row."""
    next: Ints
    """[R] row of that decision, or -1 where there is none."""
    ended: Bools
    """[R] whether the game was over before a next own decision."""

    def __post_init__(self) -> None:
        n, a = self.legal.shape
        for field in fields(self):
            if len(getattr(self, field.name)) != n:
                raise ValueError(f"Decisions.{field.name} has {len(getattr(self, field.name))} rows, legal has {n}")
        if self.label.shape != (n, a) or self.label.dtype != np.float32:
            raise ValueError(f"Decisions.label must be float32 [{n}, {a}], not {self.label.dtype} {self.label.shape}")
        if n and (self.played.min() < 0 or self.played.max() >= a):
            raise ValueError(f"Decisions.played must lie in 0..{a - 1}")
        if not self.legal[np.arange(n), self.played].all():
            raise ValueError("Decisions.played holds an illegal action")
        if n and (self.next.max() >= n or self.next.min() < -1):
            raise ValueError("Decisions.next points outside the rows")

    def __len__(self) -> int:
        return len(self.seat)

    @property
    def queried(self) -> Bools:
        """[R] rows that carry a label."""
        return ~np.isnan(self.label[:, 0])

    @property
    def games(self) -> int:
        """Episodes played."""
        return int(self.episode.max()) + 1 if len(self) else 0

    def take(self, rows: NDArray[Any]) -> Decisions:
        """A subset of rows (mask or indices in order); ``next`` follows, or becomes -1 where its row is left out."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        place = np.full(len(self) + 1, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        parts = {field.name: getattr(self, field.name)[chosen] for field in fields(self)}
        parts["next"] = place[parts["next"]]
        return Decisions(**parts)

    def labels(self) -> int:
        """Every ask."""
        return int(self.queried.sum())

    def distinct_labels(self) -> int:
        """Distinct (position, seat) asked."""
        asked = self.queried
        rows = np.column_stack([self.seat[asked].astype(np.uint64), self.key[asked]])
        return len(np.unique(rows, axis=0))

    def first_labels(self, seat: int, wanted: int) -> Decisions:
        """The rows up to a seat's ask number ``wanted``, game by game in order of play; all if there are fewer."""
        ordered = self.take(np.argsort(self.episode, kind="stable"))
        mine = np.flatnonzero(ordered.queried & (ordered.seat == seat))
        return ordered.take(np.arange(mine[wanted - 1] + 1)) if 0 < wanted < len(mine) else ordered

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Column name to array, for saving; ``Decisions(**arrays)`` is the way back."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def merge(parts: Sequence[Decisions]) -> Decisions:
    """Batches one after the other: rows, ``next`` and episode numbers shifted. Raises ValueError for no batch."""
    if not parts:
        raise ValueError("nothing to merge")
    columns: dict[str, list[NDArray[Any]]] = {field.name: [] for field in fields(Decisions)}
    rows = games = 0
    for part in parts:
        for name, values in part.arrays().items():
            shifted = values
            if name == "next":
                shifted = np.where(values >= 0, values + rows, -1)
            elif name == "episode":
                shifted = values + games
            columns[name].append(shifted)
        rows += len(part)
        games += part.games
    return Decisions(**{name: np.concatenate(values) for name, values in columns.items()})
