"""The storage of learners for what is expensive: rounds, shards of rounds, clones. A run is such a journal."""

from __future__ import annotations

from typing import Protocol

from games.base import Game
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions


class Journal(Protocol):
    """Stores a learner's rounds and clones, and logs its progress. ``NullJournal`` stores nothing.

    Each shard of a round is stored when it completes, until the round is stored.
    """

    def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
        """A round that was completed before, or None."""

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        """Store a round that was just completed."""

    def load_shard(self, learner: str, seat: int, round_: int, shard: int) -> Decisions | None:
        """A completed shard of an unfinished round, or None."""

    def store_shard(self, learner: str, seat: int, round_: int, shard: int, decisions: Decisions) -> None:
        """Store a shard that was just completed."""

    def load_fit(self, stage: str, seat: int, game: Game, device: str) -> Fit | None:
        """The clone that was fitted at this stage before, or None."""

    def store_fit(self, stage: str, seat: int, game: Game, fit: Fit) -> None:
        """Store a clone that was just fitted, of a policy of this game."""

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        """Log progress, once per round."""


class NullJournal:
    """A journal for learning in memory."""

    def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
        return None

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        return None

    def load_shard(self, learner: str, seat: int, round_: int, shard: int) -> Decisions | None:
        return None

    def store_shard(self, learner: str, seat: int, round_: int, shard: int, decisions: Decisions) -> None:
        return None

    def load_fit(self, stage: str, seat: int, game: Game, device: str) -> Fit | None:
        return None

    def store_fit(self, stage: str, seat: int, game: Game, fit: Fit) -> None:
        return None

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        return None
