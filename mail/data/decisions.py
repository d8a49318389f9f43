"""The data that play produces and cloning takes: one row per own decision.

One seat of a game against a fixed policy in the other is a single-agent decision process. ``Decisions`` are its
transitions, from one own decision to the *next own decision*, never to a position of the opponent (docs/algorithms.md,
"Interactive imitation (MAIL)"). R rows, A actions.
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
    """Rows of own decisions. Shapes and values are checked here, and nowhere later."""

    seat: Ints
    """[R] the seat that decided."""
    episode: Ints
    """[R] the game, counted from 0 within this batch."""
    state: States
    """[R, W] the position."""
    key: Keys
    """[R, 2] the position as far as the seat can distinguish it."""
    observation: NDArray[np.float32]
    """``[R, *shape]`` the seat's observation."""
    legal: Bools
    """[R, A] the legal actions."""
    played: Ints
    """[R] the action that was played."""
    label: NDArray[np.float32]
    """[R, A] the label: the whole distribution of the queried policy; NaN where no policy was queried."""
    reward: Floats
    """[R] the seat's own reward until its next decision. Rewards before its first decision belong to no row."""
    next: Ints
    """[R] the row of that decision, or -1 if there is none."""
    ended: Bools
    """[R] whether the game ended before a next own decision."""

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
            raise ValueError("Decisions.next refers to rows that do not exist")

    def __len__(self) -> int:
        return len(self.seat)

    @property
    def queried(self) -> Bools:
        """[R] rows that carry a label."""
        return ~np.isnan(self.label[:, 0])

    @property
    def games(self) -> int:
        """Number of episodes."""
        return int(self.episode.max()) + 1 if len(self) else 0

    def take(self, rows: NDArray[Any]) -> Decisions:
        """A subset of rows.

        Args:
            rows: A mask bool [R], or ordered indices.

        Returns:
            The rows; ``next`` is renumbered, and -1 where its row is left out.
        """
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        place = np.full(len(self) + 1, -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        parts = {field.name: getattr(self, field.name)[chosen] for field in fields(self)}
        parts["next"] = place[parts["next"]]
        return Decisions(**parts)

    def labels(self) -> int:
        """Number of queries."""
        return int(self.queried.sum())

    def distinct_labels(self) -> int:
        """Number of distinct (position, seat) pairs that were queried."""
        mask = self.queried
        rows = np.column_stack([self.seat[mask].astype(np.uint64), self.key[mask]])
        return len(np.unique(rows, axis=0))

    def first_labels(self, seat: int, count: int) -> Decisions:
        """The rows up to one of the seat's queries, game by game in order of play.

        Args:
            seat: The queried seat.
            count: The number of queries.

        Returns:
            The rows; all if there are fewer queries.
        """
        ordered = self.take(np.argsort(self.episode, kind="stable"))
        mine = np.flatnonzero(ordered.queried & (ordered.seat == seat))
        return ordered.take(np.arange(mine[count - 1] + 1)) if 0 < count < len(mine) else ordered

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns by name, for saving. ``Decisions(**arrays)`` is the inverse."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def merge(parts: Sequence[Decisions]) -> Decisions:
    """Concatenate batches; ``next`` and episode numbers are shifted.

    Args:
        parts: At least one batch.

    Raises:
        ValueError: There are none.
    """
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
