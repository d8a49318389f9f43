"""Queries in doubt: an opponent leads the clone, by play alone, to where it knows least; the expert is queried there.

Beyond the paper (docs/algorithms.md, "Queries in doubt"), with what it allows: play and labels, no model, no payoff. It
is MURMAIL's response (arXiv:2505.17610), with what the clone does not know in place of its distance from the expert,
and the elliptical norm of linear exploration (arXiv:2602.22810) in the features of the *queried* seat. The clone is the
ridge regression of all labels in n-tuple features (``mail.clone.posterior``), and a position is *in doubt* where the
best action leads the second by less than ``caution`` standard deviations.

Games between the explorer and the clone cost no query. Where moves led in them is kept (``mail.explore.seen``), and a
round of games goes
1. to positions in doubt, if play can lead the present clone to any: the expert is queried at the earliest of them, a
   few before the next fit, never twice, and its answer is played;
2. else to moves that were never played;
3. else it is done: on every line of play the clone has a label or no doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.ntuple import Grid
from agents.policy import Policy, Uniform, greedy_rows, uniform_rows
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, Rng, States, pack
from mail.clone.dataset import Fit, demonstrations
from mail.clone.posterior import Posterior
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, first_occurrences, labelled_table
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.mistakes.explorer import sharpest
from mail.explore.seen import SeenMoves


@dataclass(frozen=True)
class DoubtConfig:
    """The constants of the explorer ``doubt``."""

    tuples: int = 200
    """M, how many tuples."""
    ridge: float = 1e-3
    """Of the regression; small, so that labels are fitted."""
    caution: float = 1.5
    """Standard deviations by which an answer must lead."""
    share: float = 0.05
    """Queries before the clone is fitted again, as a share of the labels so far; at least one."""
    games: int = 32
    """Games of a round that looks for moves never played."""
    factors: tuple[float, ...] = (1.0, 4.0, 16.0, 64.0, 256.0)
    """By which the clone's logits may be multiplied; the one under which the labels are most probable is taken."""


@dataclass(frozen=True)
class Labelled:
    """A frozen policy of the queried seat: labels where there are any, else a clone, both greedily."""

    labels: Tabular
    clone: Policy

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.labels.probabilities(game, states, seat)
        guessed = ~self.labels.find(game.key(states, seat))[0] & game.legal(states, seat).any(1)
        rows[guessed] = self.clone.probabilities(game, states[guessed], seat)
        return greedy_rows(rows)


@dataclass(frozen=True)
class Targets:
    """Queries at some positions, once each among those of one ply of a round."""

    keys: np.ndarray  # uint64 [K] packed

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.asarray(first_occurrences(game, states, seat) & np.isin(pack(game.key(states, seat)), self.keys))


class Doubt(Base):
    """The explorer ``doubt``."""

    decides = True

    def __init__(self, context: ExplorerContext, config: DoubtConfig, *, rng: Rng) -> None:
        """Begin without a label.

        Args:
            context: The game, the explorer's seat and the experts.
            config: Its constants.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        super().__init__(context)
        self.config, self.queried_seat = config, 1 - context.seat
        self.games_per_round = config.games
        self.posterior = Posterior(context.game, self.queried_seat, tuples=config.tuples, ridge=config.ridge, rng=rng)
        self.seen = SeenMoves(context.game)
        self.labelled: list[Decisions] = []
        self.pending: list[Decisions] = []
        """Labels after the last fit."""
        self.table = labelled_table(context.game, [])
        self.fit: Fit | None = None
        self.plan: Policy = Uniform()
        self.answers: Ints = np.zeros(0, dtype=np.int64)
        """[P] the present clone's move at positions seen; of the other seat's positions nothing."""
        self.targets: Ints = np.zeros(0, dtype=np.int64)
        """Places at which the expert is queried in the rounds to come."""

    def behavior_policy(self) -> Policy:
        return self.plan

    def opponent_policy(self) -> Policy:
        return Labelled(self.table, Uniform() if self.fit is None else self.fit.policy)

    def labels(self) -> Selective:
        keys = pack(self.seen.keys[self.targets])
        return Selective(self.context.experts[self.queried_seat], Targets(keys), plays=True)

    def clone(self) -> Fit | None:
        return self.fit

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        self.seen.add(decisions)
        queried = decisions.take(decisions.queried)
        if len(queried):
            self.labelled.append(queried)
            self.pending.append(queried)
            self.table = labelled_table(self.context.game, self.labelled)
            self.targets = self.targets[~np.isin(pack(self.seen.keys[self.targets]), pack(queried.key))]
        moves, reachable = self._look(fresh=bool(len(queried)))
        self.targets = self.targets[reachable[self.targets]]
        if self.pending and not len(self.targets):
            self._learn()
            moves, reachable = self._look(fresh=True)
        self._aim(moves, reachable)
        self.games_per_round = len(self.targets) or self.config.games
        return {"targets": len(self.targets), "positions": len(self.seen), "reachable": int(reachable.sum())}

    def _learn(self) -> None:
        """Fit the clone to all labels."""
        new = merge(self.pending)
        self.posterior.add(new.state, new.label)
        self.pending = []
        shown = demonstrations(merge(self.labelled), self.queried_seat)
        policy = sharpest(self.posterior.policy(), self.context, shown, self.queried_seat, self.config.factors)
        found = policy.probabilities(self.context.game, shown.state, self.queried_seat)
        outside = float(np.where(shown.distribution > 0, 0.0, found).sum(1).max())
        distance = float(0.5 * np.abs(found - shown.distribution).sum(1).mean())
        self.fit = Fit(policy, len(self.labelled), outside, distance)

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

    def _in_doubt(self, reachable: Bools) -> Ints:
        """Places of the earliest reachable positions in doubt; among those of one ply the most doubtful.

        Args:
            reachable: bool [P].
        """
        mine: Ints = np.flatnonzero(reachable & (self.seen.seat == self.queried_seat))
        mine = mine[~self.table.find(self.seen.keys[mine])[0]]
        if not len(mine):
            return mine
        doubt = self.posterior.answers(self.seen.states[mine]).doubt
        doubtful = np.flatnonzero(doubt * self.config.caution > 1.0)
        if not len(doubtful) and not self.labelled:  # without a label there is no clone
            doubtful = np.arange(1)
        order = np.lexsort((-doubt[doubtful], self.seen.ply[mine[doubtful]]))
        return mine[doubtful[order]][: max(1, int(self.config.share * len(self.table.keys)))]

    def _aim(self, moves: Bools, reachable: Bools) -> None:
        """Plan the next round: to positions in doubt, else to moves that were never played; done if there are none."""
        if not len(self.targets):
            self.targets = self._in_doubt(reachable)
        wanted = np.zeros(len(self.seen), dtype=np.bool_)
        wanted[self.targets] = True
        leads = self.seen.leading(moves, wanted, unseen=not len(self.targets))
        self.done = not len(self.targets) and not leads[reachable].any()
        own = np.flatnonzero((self.seen.seat == self.seat) & leads.any(1))
        self.plan = Tabular(self.seen.keys[own], uniform_rows(leads[own]))


def check(context: ExplorerContext) -> None:
    """The explorer's check.

    Args:
        context: The game, the explorer's seat and the experts.

    Raises:
        NashmailError: For a game that is not played on a board.
    """
    Grid.of(context.game)


def doubt(context: ExplorerContext, rng: Rng) -> Doubt:
    """The explorer ``doubt``."""
    return Doubt(context, DoubtConfig(), rng=rng)
