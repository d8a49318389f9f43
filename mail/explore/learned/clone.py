"""The clone that explorers fit on the way: labels where there are any, else ridge regression of all labels.

Its logits are multiplied by the factor under which the labels are most probable. Source: ``mail.clone.posterior``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import Policy, greedy_rows
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Rng, States
from mail.clone.dataset import Fit, demonstrations
from mail.clone.posterior import Posterior
from mail.data.decisions import Decisions, merge
from mail.data.rollout import first_occurrences, labelled_table
from mail.explore.base import ExplorerContext
from mail.explore.mistakes.explorer import sharpest


@dataclass(frozen=True)
class RidgeConfig:
    """How an explorer's clone is fitted."""

    tuples: int = 200
    """Random walks of the clone's tuples."""
    lines: int = 0
    """Its tuples around each straight line as long as the board's shorter side, which random walks leave to chance."""
    ridge: float = 1e-3
    """Of the regression; small, so that labels are fitted."""
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

    keys: frozenset[tuple[int, int]]

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        there = [(int(one), int(other)) in self.keys for one, other in game.key(states, seat)]
        return np.asarray(first_occurrences(game, states, seat) & np.array(there, dtype=np.bool_))


class RidgeClone:
    """One seat's labels, and the clone of those that it was last fitted to."""

    def __init__(self, context: ExplorerContext, config: RidgeConfig, *, rng: Rng) -> None:
        """Begin without a label.

        Args:
            context: The game, the explorer's seat and the experts.
            config: Its constants.
            rng: Draws the tuples.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        self.context, self.seat, self.config = context, 1 - context.seat, config
        shape = {"tuples": config.tuples, "lines": config.lines}
        self.posterior = Posterior(context.game, self.seat, **shape, ridge=config.ridge, rng=rng)
        self.labelled: list[Decisions] = []
        self.pending: list[Decisions] = []
        """Labels after the last fit."""
        self.table = labelled_table(context.game, [])
        self.fit = Fit(self.posterior.policy(), 0, 1.0, 1.0)

    def policy(self) -> Labelled:
        """What plays in the queried seat."""
        return Labelled(self.table, self.fit.policy)

    def add(self, queried: Decisions) -> None:
        """Add labels; the regression knows of them after ``learn``.

        Args:
            queried: Decisions with labels, none of which there was before.
        """
        self.labelled.append(queried)
        self.pending.append(queried)
        self.table = labelled_table(self.context.game, self.labelled)

    def learn(self) -> None:
        """Fit to all labels."""
        new = merge(self.pending)
        self.posterior.add(new.state, new.label)
        self.pending = []
        shown = demonstrations(merge(self.labelled), self.seat)
        policy = sharpest(self.posterior.policy(), self.context, shown, self.seat, self.config.factors)
        found = policy.probabilities(self.context.game, shown.state, self.seat)
        self.fit = Fit.of(policy, len(self.labelled), found, shown.distribution)
