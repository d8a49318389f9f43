"""What is run: a cell is one learner on one seat of one board with one seed."""

from __future__ import annotations

from dataclasses import dataclass

WALK = "mail-walk"
"""In an explorer's place: the learner that walks instead of playing games."""
MOST_GAMES = {
    "expert": 256,
    "uniform": 20_000,
    "counts": 4000,
    "deep": 4000,
    "unsure": 8000,
    "doubt": 20_000,
    "refute": 4000,
    "mistakes": 8000,
    WALK: 60_000,
}
"""Budgets of one cell; two deterministic experts only ever play one game."""
NTUPLES = ("doubt", "mistakes", WALK)
"""Whose clones are made of n-tuples, by default as here; the others' are networks."""


@dataclass(frozen=True)
class Cell:
    """One run."""

    game: str
    symmetry: bool
    explorer: str
    """Or ``WALK``."""
    seat: int
    seed: int
    expert: str = "first"
    """The queried expert, which also sits in the explorer's seat where it is the explorer ``expert``."""
    games: int = 0
    """Its budget; 0 for ``MOST_GAMES``."""
    growth: float = 1 / 8
    """By how much the distinct labels have grown when they are cloned afresh."""

    @property
    def most_games(self) -> int:
        """Its budget."""
        return self.games or MOST_GAMES[self.explorer]

    @property
    def cloner(self) -> str:
        """What its explorer trains."""
        return "ntuple" if self.explorer in NTUPLES else "network"

    @property
    def group(self) -> str:
        """What it shares with the other seeds."""
        return f"{self.game}, symmetry {'on' if self.symmetry else 'off'}, {self.explorer}, seat {self.seat}"

    @property
    def name(self) -> str:
        """Of its file among finished cells."""
        return named(self.group, self.seed)


def named(group: str, seed: int) -> str:
    """The name of a cell of this group."""
    return f"{group}, seed {seed}".replace(", ", "_").replace(" ", "-").replace(":", "-")
