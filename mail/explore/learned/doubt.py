"""Queries in doubt: an opponent leads the clone, by play alone, to where it knows least; the expert is queried there.

Beyond the paper (docs/algorithms.md, "Queries in doubt"), with what it allows: play and labels, no model, no payoff. It
is MURMAIL's response (arXiv:2505.17610), with what the clone does not know in place of its distance from the expert,
and the elliptical norm of linear exploration (arXiv:2602.22810) in the features of the *queried* seat. The clone is the
ridge regression of all labels in n-tuple features (``mail.clone.posterior``), and a position is *in doubt* where the
best action leads the second by less than ``caution`` standard deviations.

How games go there, at no query, says ``mail.explore.learned.leading``. When the explorer is done, the clone has a label
or no doubt on every line of play.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.base import Bools, Ints, Rng
from mail.explore.base import ExplorerContext
from mail.explore.learned.leading import Leading, LeadingConfig


@dataclass(frozen=True)
class DoubtConfig(LeadingConfig):
    """The constants of the explorer ``doubt``."""

    caution: float = 1.5
    """Standard deviations by which an answer must lead."""


class Doubt(Leading):
    """The explorer ``doubt``."""

    def __init__(self, context: ExplorerContext, config: DoubtConfig, *, rng: Rng) -> None:
        """Begin without a label.

        Args:
            context: The game, the explorer's seat and the experts.
            config: Its constants.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        super().__init__(context, config, rng=rng)
        self.config = config

    def choose(self, moves: Bools, reachable: Bools, most: int) -> Ints:
        """The earliest reachable positions in doubt; among those of one ply the most doubtful."""
        mine = self.unlabelled(reachable)
        if not len(mine):
            return mine
        doubt = self.learned.posterior.answers(self.seen.states[mine]).doubt
        doubtful = np.flatnonzero(doubt * self.config.caution > 1.0)
        if not len(doubtful) and not self.learned.labelled:  # without a label there is no clone
            doubtful = np.arange(1)
        order = np.lexsort((-doubt[doubtful], self.seen.ply[mine[doubtful]]))
        return mine[doubtful[order]][:most]


def doubt(context: ExplorerContext, rng: Rng) -> Doubt:
    """The explorer ``doubt``."""
    return Doubt(context, DoubtConfig(), rng=rng)
