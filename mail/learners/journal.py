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
        """A round that was completed before.

        Args:
            learner: The learner's name.
            seat: The seat that learns from the round.
            round_: Its number.

        Returns:
            Its decisions; None if there is none.
        """

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        """Store a round that was just completed.

        Args:
            learner: The learner's name.
            seat: The seat that learns from the round.
            round_: Its number.
            decisions: Both seats' decisions.
        """

    def load_shard(self, learner: str, seat: int, round_: int, shard: int) -> Decisions | None:
        """A completed shard of an unfinished round.

        Args:
            learner: The learner's name.
            seat: The seat that learns from the round.
            round_: Its number.
            shard: The shard's number.

        Returns:
            Its decisions; None if there is none.
        """

    def store_shard(self, learner: str, seat: int, round_: int, shard: int, decisions: Decisions) -> None:
        """Store a shard that was just completed.

        Args:
            learner: The learner's name.
            seat: The seat that learns from the round.
            round_: Its number.
            shard: The shard's number.
            decisions: Both seats' decisions.
        """

    def load_fit(self, stage: str, seat: int, game: Game, device: str) -> Fit | None:
        """A clone that was fitted before.

        Args:
            stage: What it was fitted for.
            seat: Whose clone.
            game: The game that it plays.
            device: For torch.

        Returns:
            The clone; None if there is none.
        """

    def store_fit(self, stage: str, seat: int, game: Game, fit: Fit) -> None:
        """Store a clone that was just fitted.

        Args:
            stage: What it was fitted for.
            seat: Whose clone.
            game: The game that it plays.
            fit: The clone.
        """

    def load_values(self, stage: str, seat: int, round_: int) -> dict[str, float]:
        """What was found out in a round besides its decisions.

        Args:
            stage: Where in the learner.
            seat: The seat that learns.
            round_: Its number.

        Returns:
            By name; empty if there is nothing.
        """

    def store_values(self, stage: str, seat: int, round_: int, values: dict[str, float]) -> None:
        """Store what was found out in a round, before the round itself.

        Args:
            stage: Where in the learner.
            seat: The seat that learns.
            round_: Its number.
            values: By name.
        """

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        """Log progress, once per round.

        Args:
            learner: The learner's name.
            seat: The seat that learns.
            values: By name.
        """


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

    def load_values(self, stage: str, seat: int, round_: int) -> dict[str, float]:
        return {}

    def store_values(self, stage: str, seat: int, round_: int, values: dict[str, float]) -> None:
        return None

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        return None
