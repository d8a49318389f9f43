"""Queries in doubt: an opponent leads the clone, by play alone, to where it knows least; the expert is queried there.

Beyond the paper (docs/algorithms.md, "Queries in doubt"), with what it allows: play and labels, no model, no payoff. It
is MURMAIL's response (arXiv:2505.17610), with what the clone does not know in place of its distance from the expert,
and the elliptical norm of linear exploration (arXiv:2602.22810) in the features of the *queried* seat. The clone is the
ridge regression of all labels in n-tuple features (``mail.clone.posterior``), and a position is *in doubt* where the
best action leads the second by less than ``caution`` standard deviations.

How games go there, at no query, says ``mail.explore.learned.leading``. An answer is followed only where the clone has a
label or no doubt, so that nothing is looked for, and no query spent, behind an answer that may change; and all moves
that can be played against these answers are seen before the expert is queried at the earliest doubt. With nothing
unseen and nothing in doubt the caution grows; after the last it is done.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from agents.policy import greedy_rows
from games.base import Bools, Floats, Ints, Rng
from mail.clone.posterior import Answers, Tracked
from mail.explore.base import ExplorerContext
from mail.explore.learned.clone import RidgeConfig
from mail.explore.learned.leading import Leading, LeadingConfig
from mail.explore.learned.seen import UNSEEN


@dataclass(frozen=True)
class DoubtConfig(LeadingConfig):
    """The constants of the explorer ``doubt``."""

    clone: RidgeConfig = field(default_factory=lambda: RidgeConfig(lines=4, ridge=1e-2))
    """How the clone is fitted."""
    games: int = 64
    """Most games of a round that looks for moves never played."""
    cautions: tuple[float, ...] = (1.0, 1.25, 1.5, 1.75)
    """Standard deviations by which an answer must lead, one after the other: what is most doubtful on any line of play
    is queried before what is doubtful at all."""


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
        self.config, self.games_per_round = config, 1
        self.level = 0
        """Of the caution."""
        self.tracked = Tracked(self.learned.posterior)
        self.tracked_row: Ints = np.zeros(0, dtype=np.int64)
        """[P] the number of each position seen in ``tracked``, or -1."""
        self.in_doubt: Ints = np.zeros(0, dtype=np.int64)
        """Places of the positions in doubt to which the last walk came, ..."""
        self.doubts: Floats = np.zeros(0)
        """... and how doubtful they are."""

    def choose(self, moves: Bools, reachable: Bools, most: int) -> Ints:
        """The earliest positions in doubt, among those of one ply the most doubtful; none while a move is unseen."""
        if self._unseen(moves, reachable):
            return self.in_doubt[:0]
        order = np.lexsort((self.in_doubt, -self.doubts, self.seen.ply[self.in_doubt]))
        return np.asarray(self.in_doubt[order][:most])

    def tighten(self) -> bool:
        if self.level + 1 == len(self.config.cautions):
            return False
        self.level += 1
        self._walk()
        return True

    def _look(self, *, fresh: bool) -> tuple[Bools, Bools]:
        """The moves that are followed, and the positions that they lead to from the start."""
        moves, reachable = self._walk()
        self._most = min(max(1, self._unseen(moves, reachable)), self.config.games)
        return moves, reachable

    def _unseen(self, moves: Bools, reachable: Bools) -> int:
        """How many moves that are followed were never played."""
        return int((moves & (self.seen.successor == UNSEEN))[reachable].sum())

    def _walk(self) -> tuple[Bools, Bools]:
        """The moves that are followed, and the positions that they lead to; notes those in doubt."""
        doubts: dict[int, float] = {}
        caution, table = self.config.cautions[self.level], self.learned.table
        unknown = np.full(len(self.seen) - len(self.tracked_row), -1)
        self.tracked_row = np.append(self.tracked_row, unknown)

        def answers(rows: Ints) -> Bools:
            labelled, row = table.find(self.seen.keys[rows])
            moves = np.zeros((len(rows), self.seen.legal.shape[1]), dtype=np.bool_)
            moves[labelled] = greedy_rows(table.table[row[labelled]].astype(np.float64)) > 0
            others = np.flatnonzero(~labelled)
            found = self._answers(rows[others])
            sure = found.doubt * caution <= 1.0
            moves[others[sure], found.values[sure].argmax(1)] = True
            doubts.update(zip(rows[others[~sure]].tolist(), found.doubt[~sure].tolist(), strict=True))
            return moves

        walked = self.seen.walk(self.queried_seat, answers)
        self.in_doubt = np.array(list(doubts), dtype=np.int64)
        self.doubts = np.array(list(doubts.values()))
        return walked

    def _answers(self, rows: Ints) -> Answers:
        """What the clone says at positions of the queried seat, by place."""
        new = rows[self.tracked_row[rows] < 0]
        self.tracked_row[new] = len(self.tracked) + np.arange(len(new))
        self.tracked.add(self.seen.states[new])
        return self.tracked.answers(self.tracked_row[rows])


def doubt(context: ExplorerContext, rng: Rng) -> Doubt:
    """The explorer ``doubt``."""
    return Doubt(context, DoubtConfig(), rng=rng)
