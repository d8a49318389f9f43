"""What explorers share that lead a clone to positions of their choice, by play alone, and query the expert only there.

Games between the explorer and the clone cost no query. Where moves led in them is kept (``seen``), and of the clone's
moves at a position only the present one counts, so that what was seen serves for every later clone. A round of games
goes
1. to targets, positions without a label to which play can lead the present clone: the expert is queried there, a few
   times before the next fit, never twice, and its answer is played;
2. else to moves that were never played;
3. else the explorer is done: there is neither a target nor a move to be seen.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from agents.ntuple import Grid
from agents.policy import Policy, Uniform, uniform_rows
from agents.tabular import Tabular
from games.base import Bools, Ints, Rng
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.data.rollout import Selective
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.learned.clone import RidgeClone, RidgeConfig, Targets
from mail.explore.learned.seen import SeenMoves


@dataclass(frozen=True)
class LeadingConfig:
    """The constants that these explorers share."""

    clone: RidgeConfig = field(default_factory=RidgeConfig)
    """How the clone is fitted."""
    share: float = 0.05
    """Queries before the clone is fitted again, as a share of the labels so far; at least one."""
    games: int = 32
    """Games of a round that looks for moves never played."""


class Leading(Base):
    """An explorer that leads a clone to targets. What it needs to be made complete is how it chooses them."""

    decides = True

    def __init__(self, context: ExplorerContext, config: LeadingConfig, *, rng: Rng) -> None:
        """Begin without a label.

        Args:
            context: The game, the explorer's seat and the experts.
            config: The constants.
            rng: Draws the clone's tuples.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        super().__init__(context)
        self.queried_seat, self.games_per_round, self._most = 1 - context.seat, config.games, config.games
        self._share = config.share
        self.learned = RidgeClone(context, config.clone, rng=rng)
        self.seen = SeenMoves(context.game)
        self.plan: Policy = Uniform()
        self.answers: Ints = np.zeros(0, dtype=np.int64)
        """[P] the present clone's move at positions seen; of the other seat's positions nothing."""
        self.targets: Ints = np.zeros(0, dtype=np.int64)
        """Places at which the expert is queried in the rounds to come."""

    def behavior_policy(self) -> Policy:
        return self.plan

    def opponent_policy(self) -> Policy:
        return self.learned.policy()

    def labels(self) -> Selective:
        keys = frozenset((int(one), int(other)) for one, other in self.seen.keys[self.targets])
        return Selective(self.context.experts[self.queried_seat], Targets(keys), plays=True)

    def clone(self) -> Fit | None:
        return self.learned.fit if self.learned.labelled else None

    @abstractmethod
    def choose(self, moves: Bools, reachable: Bools, most: int) -> Ints:
        """Places of the next targets, at most some.

        Args:
            moves: bool [P, A] the moves that count.
            reachable: bool [P] what they lead to from the start.
            most: How many.
        """

    def tighten(self) -> bool:
        """Whether positions may be targets now that were none before; asked when nothing is left to see or query."""
        return False

    def searching(self, leads: Bools) -> Policy:
        """The policy that looks for moves never played.

        Args:
            leads: bool [P, A] the moves that lead to such.
        """
        return self._uniform(leads)

    def learn(self, moves: Bools, *, rng: Rng) -> Metrics:
        """Learn from a round beside the clone.

        Args:
            moves: bool [P, A] the moves that count.
            rng: The source of randomness.

        Returns:
            Values to log, by name.
        """
        return {}

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        self.seen.add(decisions)
        queried = decisions.take(decisions.queried)
        if len(queried):
            self.learned.add(queried)
            self.targets = self.targets[~self.learned.table.find(self.seen.keys[self.targets])[0]]
        moves, reachable = self._look(fresh=bool(len(queried)))
        self.targets = self.targets[reachable[self.targets]]
        if self.learned.pending and not len(self.targets):
            self.learned.learn()
            moves, reachable = self._look(fresh=True)
        metrics = self.learn(moves, rng=rng)
        self._aim(moves, reachable)
        self.games_per_round = len(self.targets) or self._most
        counts = {"targets": len(self.targets), "positions": len(self.seen), "reachable": int(reachable.sum())}
        return {**counts, **metrics}

    def unlabelled(self, rows: Bools) -> Ints:
        """Places of the clone's decisions without a label.

        Args:
            rows: bool [P] among which.
        """
        mine: Ints = np.flatnonzero(rows & (self.seen.seat == self.queried_seat))
        return np.asarray(mine[~self.learned.table.find(self.seen.keys[mine])[0]])

    def _look(self, *, fresh: bool) -> tuple[Bools, Bools]:
        """The moves that count against the present clone, and the positions that they lead to.

        Args:
            fresh: Whether there are new labels, or a new clone; else only positions are new.
        """
        known = 0 if fresh else len(self.answers)
        rows = known + np.flatnonzero(self.seen.seat[known:] == self.queried_seat)
        answers = np.zeros(len(self.seen), dtype=np.int64)
        answers[:known] = self.answers[:known]
        if len(rows):
            found = self.opponent_policy().probabilities(self.context.game, self.seen.states[rows], self.queried_seat)
            answers[rows] = found.argmax(1)
        self.answers = answers
        moves = self.seen.moves(self.queried_seat, answers)
        return moves, self.seen.reachable(moves)

    def _aim(self, moves: Bools, reachable: Bools) -> None:
        """Plan the next round: to targets, else to moves that were never played; done if there are none."""
        most = max(1, int(self._share * len(self.learned.table.keys)))
        if not len(self.targets):
            self.targets = self.choose(moves, reachable, most)
        leads = self._leads(moves)
        while (nothing := not len(self.targets) and not leads[reachable].any()) and self.tighten():
            self.targets = self.choose(moves, reachable, most)
            leads = self._leads(moves)
        self.done = nothing
        self.plan = self._uniform(leads) if len(self.targets) else self.searching(leads)

    def _leads(self, moves: Bools) -> Bools:
        """[P, A] the moves that lead to targets, or if there are none to moves that were never played."""
        wanted = np.zeros(len(self.seen), dtype=np.bool_)
        wanted[self.targets] = True
        return self.seen.leading(moves, wanted, unseen=not len(self.targets))

    def _uniform(self, leads: Bools) -> Policy:
        """Each of these moves alike."""
        own = np.flatnonzero((self.seen.seat == self.seat) & leads.any(1))
        return Tabular(self.seen.keys[own], uniform_rows(leads[own]))


def check(context: ExplorerContext) -> None:
    """The check of these explorers.

    Args:
        context: The game, the explorer's seat and the experts.

    Raises:
        NashmailError: For a game that is not played on a board.
    """
    Grid.of(context.game)
