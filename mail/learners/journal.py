"""Where learners keep what would be paid for twice: rounds, shards of rounds, clones. A run is such a journal."""

from __future__ import annotations

from typing import Protocol

from games.base import Game
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions


class Journal(Protocol):
    """What a learner tells of its progress, and where its rounds and clones are kept. ``NullJournal`` keeps nothing.

    Of a round of several shards each is kept as it lands, until the round is stored.
    """

    def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
        """A round that has landed before, or None."""

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        """Keep a round that was just played."""

    def load_shard(self, learner: str, seat: int, round_: int, shard: int) -> Decisions | None:
        """A shard of an unfinished round that has landed before, or None."""

    def store_shard(self, learner: str, seat: int, round_: int, shard: int, decisions: Decisions) -> None:
        """Keep a shard that has just landed."""

    def load_fit(self, stage: str, seat: int, game: Game, device: str) -> Fit | None:
        """The clone that was fitted at this stage before, or None."""

    def store_fit(self, stage: str, seat: int, game: Game, fit: Fit) -> None:
        """Keep a clone that was just fitted, of a policy of this game."""

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        """Progress, once a round."""


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
