"""How a benchmark is run, and what it finds."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

Figures = dict[str, float]  # case -> figure

SECONDS, RATE = "seconds", "moves/s"  # units; of times less is better, of rates more
MEGABYTES, POSITIONS = "MB", "positions"


@dataclass(frozen=True)
class Settings:
    """How a benchmark is run."""

    seed: int = 0
    repeats: int | None = None
    """Measurements per contestant; None leaves it to the benchmark."""
    seconds: float = 1.0
    """How long one measurement of something fast goes on."""
    big: bool = False
    """Measure what takes minutes, too."""
    quick: bool = False
    """Measure at sizes that take seconds, to try it out."""


@dataclass(frozen=True)
class Result:
    """What a benchmark found."""

    ours: Figures
    peers: dict[str, Figures]
    units: dict[str, str]  # case -> unit
    repeats: int
    same_result: bool | None
    """Whether all contestants computed the same; None where that cannot be compared."""
    cited: dict[str, Figures] = field(default_factory=dict)
    """Figures that this run did not measure."""
    table: str = ""
    """The table of the page, in Markdown."""

    def ratio(self) -> Figures:
        """{"case/peer": how many times better ours is}."""
        return {
            f"{case}/{peer}": figure / self.ours[case] if self.units[case] == SECONDS else self.ours[case] / figure
            for peer, figures in self.peers.items()
            for case, figure in figures.items()
        }


def note(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def shown(value: float) -> str:
    """A figure in three digits, or in thousands."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
