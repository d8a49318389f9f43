"""The settings of ``train`` that differ on larger boards: the network, its training, and the number of games.

Chosen for one CPU core, where a fit on 6x7 takes five minutes. There, the size of the network and its ties to its
mirror image matter most. Greedy clones of the first seat from the same 50,000 queries won this share of 400 games
against ``suboptimal:1``: 48 % with 6,000 steps and no ties; 55 % with ties (12,000 steps: 54 %) and with 12,000 steps
on every position and its mirror image. The stochastic clone improves for longer: against T = 0 it won 72 % after 12,000
steps and 60 % after half of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.network import Architecture
from games.base import Game, deals
from mail.clone.network import CloneConfig


@dataclass(frozen=True)
class Preset:
    """The defaults for a size of game."""

    clone: CloneConfig = field(default_factory=CloneConfig)
    """The network and its training."""
    episodes: int = 1000
    """Default limit on exploration games per seat."""
    patience: float = 0.25
    """Of ``mail.learners.budget.Budget``: how long to wait for a new label, as a share of the games before it ..."""
    patience_games: int = 32
    """... and at least so many games."""


SMALL = Preset()
LARGE = Preset(
    CloneConfig(
        architecture=Architecture(channels=64, convolutions=1, hidden=128, blocks=3),
        learning_rate=2e-3,
        batch=256,
        max_steps=6000,
        passes=120,
        mirrored=True,
        precision="bfloat16",
    ),
    episodes=4000,
)
DEALT = Preset(episodes=10_000, patience=3.0, patience_games=500)
"""For games in which chance deals: a label that matters may wait for one deal among hundreds. In Leduc poker, with one
expert, exploration by counts stopped after 149 games without this, with 56 of 144 labels and 1.17 to gain."""
LARGE_FROM = 36
"""Cells from which a board is large. Smaller ones can be enumerated, or nearly."""


def preset(game: Game) -> Preset:
    """The defaults for a game.

    Args:
        game: The game.
    """
    return LARGE if large(game) else DEALT if deals(game) else SMALL


def large(game: Game) -> bool:
    """Whether a game is a large board, or the quotient of one.

    Args:
        game: The game.
    """
    return bool(game.spec.in_a_row) and game.spec.longest >= LARGE_FROM  # a stone for each cell
