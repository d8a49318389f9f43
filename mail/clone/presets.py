"""What ``train`` does differently on larger boards, in one place: the network, how it is fitted, and how many games.

Chosen for one CPU core, where a fit on 6x7 takes five minutes. There the size of the network decides, and whether it is
tied to its mirror image. Greedy clones of the first seat from the same 50,000 asks won so many of 400 games against
``suboptimal:1``: 48 % with 6,000 steps and no ties; 55 % with ties (12,000 steps: 54 %) and with 12,000 steps on every
position and its mirror image. Drawing its moves a clone still gains: at T = 0 it won 72 % after 12,000 steps and 60 %
after half of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.network import Architecture
from games.base import Game
from games.boards import Board
from games.symmetry import Quotient
from mail.clone.network import CloneConfig


@dataclass(frozen=True)
class Preset:
    """The defaults for one size of game."""

    clone: CloneConfig = field(default_factory=CloneConfig)
    """The network and its training."""
    episodes: int = 1000
    """Most exploration games per seat, unless a run says otherwise."""


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
LARGE_FROM = 36
"""Cells of the smallest board that is large; smaller ones can be enumerated, or nearly."""


def preset(game: Game) -> Preset:
    """The defaults for a game."""
    return LARGE if large(game) else SMALL


def large(game: Game) -> bool:
    """Whether this is a large board, as it is or up to its symmetries."""
    base = game.base if isinstance(game, Quotient) else game
    return isinstance(base, Board) and base.rows * base.columns >= LARGE_FROM
