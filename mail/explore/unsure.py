"""Queries where clones disagree: an ensemble of clones replaces the expert wherever it is certain enough.

Beyond the paper (docs/algorithms.md, "Queries driven by disagreement"). Uses labels only: no model, no reward, no rules
beyond play. Its own seat explores like ``counts``. In the queried seat,
- positions with a label play the label, so no label is requested twice;
- the expert is queried where the ensemble's uncertainty, the mean probability of actions other than the most probable
  one, is above a threshold;
- the clones' most probable action is played elsewhere, at no cost.

The clones are trained further when the number of labels has grown by a share. Rounds without a query lower the
threshold: clones may agree on a wrong action, so the least certain decisions are queried first and the others later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.policy import Policy, greedy_rows
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Rng, States
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import demonstrations
from mail.clone.network import CloneConfig
from mail.clone.trainers import TRAINED_ON
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, first_occurrences, labelled_table
from mail.explore.base import ExplorerContext, Metrics
from mail.explore.counts import Counts

_MEMBER = replace(TRAINED_ON, learning_rate=3e-3, max_steps=100, mean_tolerance=1e-2)


@dataclass(frozen=True)
class UnsureConfig:
    """The constants of the explorer ``unsure``."""

    members: int = 3
    """Number of clones in the ensemble."""
    share: float = 0.7
    """Share of the labels that each member is trained on, sampled label by label, so that a single label matters."""
    doubt: float = 0.1
    """Initial threshold: query where the members' mean probability of their best action is below 1 minus this."""
    tighten: float = 0.8
    """Factor of the threshold after a round without a query."""
    growth: float = 0.05
    """Train further when the labels have grown by this share since the last training."""
    games_per_round: int = 4
    """Games played by one frozen snapshot."""
    clone: CloneConfig = _MEMBER
    """How each member is trained, where it is a network."""


@dataclass(frozen=True)
class Ensemble:
    """A frozen policy of the queried seat: the labels so far, and clones for the other positions."""

    labels: Tabular
    members: tuple[Policy, ...]
    doubt: float

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.labels.probabilities(game, states, seat)
        guessed = np.flatnonzero(~self.labelled(game, states, seat) & game.legal(states, seat).any(1))
        rows[guessed] = greedy_rows(self.mean(game, states[guessed], seat))
        return rows

    def mean(self, game: Game, states: States, seat: int) -> Floats:
        """The members' mean probabilities.

        Args:
            game: The game.
            states: [N, W].
            seat: The queried seat.

        Returns:
            float64 [N, A].
        """
        rows = [member.probabilities(game, states, seat) for member in self.members]
        return np.asarray(np.mean(rows, axis=0))

    def doubts(self, game: Game, states: States, seat: int) -> Floats:
        """The members' mean probability of actions other than their best one.

        Args:
            game: The game.
            states: [N, W].
            seat: The queried seat.

        Returns:
            float64 [N]; 0 where there is a label.
        """
        doubts = np.zeros(len(states))
        new = np.flatnonzero(~self.labelled(game, states, seat))
        doubts[new] = np.sort(self.mean(game, states[new], seat), axis=1)[:, :-1].sum(1)
        return doubts

    def labelled(self, game: Game, states: States, seat: int) -> Bools:
        """Whether positions have a label, as far as the seat can distinguish them.

        Args:
            game: The game.
            states: [N, W].
            seat: The queried seat.

        Returns:
            bool [N].
        """
        return self.labels.find(game.key(states, seat))[0]


@dataclass(frozen=True)
class UncertaintyRule:
    """Queries at positions without a label at which the ensemble is uncertain, once each."""

    ensemble: Ensemble

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        unsure = self.ensemble.doubts(game, states, seat) > self.ensemble.doubt
        return np.asarray(first_occurrences(game, states, seat) & unsure)


class Unsure(Counts):
    """The explorer ``unsure``: rounds of a few games, with clones trained from time to time.

    Args:
        context: The game, the explorer's seat and the experts.
        config: Its constants.
        rng: Draws the clones' first weights.
    """

    def __init__(self, context: ExplorerContext, config: UnsureConfig, *, rng: Rng) -> None:
        super().__init__(context)
        self.config, self.queried_seat = config, 1 - context.seat
        self.games_per_round = config.games_per_round
        settings = ClonerConfig(network=config.clone, ntuple=context.ntuple)
        self.members = [
            registry.trainer(context.cloner, context.game, config=settings, rng=rng, device=context.device)
            for _ in range(config.members)
        ]
        self.policies = [member.policy() for member in self.members]
        self.labelled: Decisions | None = None
        self.sampled: Bools = np.zeros((0, config.members), dtype=np.bool_)  # which label each member is trained on
        self.trained = 0  # number of labels at the last training
        self.doubt = config.doubt
        self.ensemble = self._frozen()

    def opponent_policy(self) -> Policy:
        return self.ensemble

    def labels(self) -> Selective:
        return Selective(self.context.experts[self.queried_seat], UncertaintyRule(self.ensemble), plays=True)

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        metrics = super().update(decisions, rng=rng)
        queried = decisions.take(decisions.queried)
        if len(queried):
            self._learn(queried, rng)
        else:
            self.doubt *= self.config.tighten
            self.ensemble = replace(self.ensemble, doubt=self.doubt)
        return {**metrics, "doubt": self.doubt}

    def _learn(self, queried: Decisions, rng: Rng) -> None:
        """Add labels, and train if there are enough new ones."""
        self.labelled = queried if self.labelled is None else merge([self.labelled, queried])
        coins = rng.random((len(queried), len(self.members))) < self.config.share
        coins[np.arange(len(queried)), rng.integers(len(self.members), size=len(queried))] = True  # each has a member
        self.sampled = np.concatenate([self.sampled, coins])
        if len(self.labelled) >= (1.0 + self.config.growth) * self.trained:
            self._train(self.labelled, rng)
        self.ensemble = self._frozen()

    def _train(self, labelled: Decisions, rng: Rng) -> None:
        """Train each member further on its sample of the labels."""
        for member, trainer in enumerate(self.members):
            rows = self.sampled[:, member]
            if rows.any():
                shown = demonstrations(labelled.take(rows), self.queried_seat)
                self.policies[member] = trainer.train(shown, rng=rng).policy
        self.trained = len(labelled)

    def _frozen(self) -> Ensemble:
        """The ensemble for the next rounds."""
        labels = labelled_table(self.context.game, [] if self.labelled is None else [self.labelled])
        return Ensemble(labels, tuple(self.policies), self.doubt)


def unsure(context: ExplorerContext, rng: Rng) -> Unsure:
    """The explorer ``unsure``."""
    return Unsure(context, UnsureConfig(), rng=rng)
