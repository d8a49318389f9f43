"""The settings and the result of a benchmark."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

Figures = dict[str, float]  # case -> figure

SECONDS, RATE = "seconds", "moves/s"  # units; times should be small, rates large
MEGABYTES, POSITIONS = "MB", "positions"


@dataclass(frozen=True)
class Settings:
    """The settings of a benchmark."""

    seed: int = 0
    repeats: int | None = None
    """Measurements per contestant; None for the benchmark's default."""
    seconds: float = 1.0
    """The length of one measurement of something fast."""
    big: bool = False
    """Whether to measure slow cases, too."""
    quick: bool = False
    """Whether to use sizes that take seconds, for a trial."""
    pgx: str | None = None
    """A Python that has pgx, a peer of ``play``."""


@dataclass(frozen=True)
class Result:
    """The result of a benchmark."""

    ours: Figures
    peers: dict[str, Figures]
    units: dict[str, str]  # case -> unit
    repeats: int
    same_result: bool | None
    """Whether all contestants computed the same; None if that cannot be compared."""
    cited: dict[str, Figures] = field(default_factory=dict)
    """Figures from elsewhere."""
    table: str = ""
    """The table of the documentation page, in Markdown."""

    def ratio(self) -> Figures:
        """{"case/peer": how many times better ours is}."""
        return {
            f"{case}/{peer}": figure / self.ours[case] if self.units[case] == SECONDS else self.ours[case] / figure
            for peer, figures in self.peers.items()
            for case, figure in figures.items()
        }


def note(line: str) -> None:
    """Print progress on standard error."""
    print(line, file=sys.stderr, flush=True)


def three_digits(value: float) -> str:
    """A figure with three digits, or in thousands."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
