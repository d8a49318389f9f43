"""Asks where clones disagree: an ensemble answers for the expert wherever it is sure, and counting leads on.

Beyond the paper (docs/algorithms.md, "Queries driven by disagreement"), and without model, reward or rules beyond play:
it uses labels alone. Its own seat explores like ``counts``. In the asked seat sits
- the label, at positions that have one: no label is asked for twice;
- the expert, asked, where the clones, each of its own first weights, taken together leave more than a tolerated
  doubt: probability on other actions than their most probable one;
- the clones' most probable action elsewhere, which costs no ask.
The clones are trained on when the labels have grown by a share. Rounds without an ask make the tolerated doubt
smaller: clones may agree on what is wrong, so the least sure decisions are asked first and the rest only then.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Policy, greedy_rows
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Rng, States
from mail.clone.dataset import demonstrations
from mail.clone.network import CloneConfig, train_on
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, first_occurrences, labelled_table
from mail.explore.base import ExplorerContext, Metrics
from mail.explore.counts import Counts


@dataclass(frozen=True)
class UnsureConfig:
    """The unsure explorer's constants."""

    members: int = 3
    """Clones of the ensemble."""
    share: float = 0.7
    """Of the labels that each member is shown, drawn label by label: what hangs on one label divides them."""
    doubt: float = 0.1
    """Tolerated at first: ask where the members' mean probability of their best action is below 1 minus this."""
    tighten: float = 0.8
    """What the tolerated doubt is multiplied by after a round without an ask."""
    growth: float = 0.05
    """Train on when the labels have grown by this share since the last time."""
    games_per_round: int = 4
    """Games played by one frozen snapshot."""
    clone: CloneConfig = field(
        default_factory=lambda: CloneConfig(
            Architecture(convolutions=1), learning_rate=3e-3, max_steps=100, tolerance=1e-2, mean_tolerance=1e-2
        )
    )
    """How each member is trained on."""


@dataclass(frozen=True)
class Ensemble:
    """What is known of the asked seat, frozen: the labels so far, and clones for the rest. It plays that seat."""

    labels: Tabular
    members: tuple[NetworkPolicy, ...]
    doubt: float

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        rows = self.labels.probabilities(game, states, seat)
        guessed = np.flatnonzero(~self.labelled(game, states, seat) & game.legal(states, seat).any(1))
        rows[guessed] = greedy_rows(self.mean(game, states[guessed], seat))
        return rows

    def mean(self, game: Game, states: States, seat: int) -> Floats:
        """[N, A] the members' mean probabilities."""
        rows = [member.probabilities(game, states, seat) for member in self.members]
        return np.asarray(np.mean(rows, axis=0))

    def doubts(self, game: Game, states: States, seat: int) -> Floats:
        """[N] the members' mean probability of other actions than their best one; 0 where there is a label."""
        doubts = np.zeros(len(states))
        new = np.flatnonzero(~self.labelled(game, states, seat))
        doubts[new] = np.sort(self.mean(game, states[new], seat), axis=1)[:, :-1].sum(1)
        return doubts

    def labelled(self, game: Game, states: States, seat: int) -> Bools:
        """[N] positions that have a label, as far as the seat can tell them apart."""
        return self.labels.find(game.key(states, seat))[0]


@dataclass(frozen=True)
class UncertaintyRule:
    """Wants to ask at positions that the ensemble has no label for and is not sure of, each once."""

    ensemble: Ensemble

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        unsure = self.ensemble.doubts(game, states, seat) > self.ensemble.doubt
        return np.asarray(first_occurrences(game, states, seat) & unsure)


class Unsure(Counts):
    """The explorer: rounds of a few games, clones trained on now and then."""

    def __init__(self, setting: ExplorerContext, config: UnsureConfig, *, rng: Rng) -> None:
        super().__init__(setting)
        self.config, self.asked_seat = config, 1 - setting.seat
        self.games_per_round = config.games_per_round
        spec = setting.game.spec
        self.nets = [
            PolicyNet(spec.observation, spec.actions, config.clone.architecture, rng=rng).to(setting.device)
            for _ in range(config.members)
        ]
        rate = config.clone.learning_rate
        self.optimizers = [torch.optim.Adam(net.parameters(), lr=rate, fused=True) for net in self.nets]
        self.labelled: Decisions | None = None
        self.shown: Bools = np.zeros((0, config.members), dtype=np.bool_)  # which member sees which label
        self.trained = 0  # labels at the last training
        self.doubt = config.doubt
        self.ensemble = self._frozen()

    def opponent_policy(self) -> Policy:
        return self.ensemble

    def labels(self) -> Selective:
        return Selective(self.setting.experts[self.asked_seat], UncertaintyRule(self.ensemble), plays=True)

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        metrics = super().update(decisions, rng=rng)
        asked = decisions.take(decisions.queried)
        if len(asked):
            self._learn(asked, rng)
        else:
            self.doubt *= self.config.tighten
            self.ensemble = replace(self.ensemble, doubt=self.doubt)
        return {**metrics, "doubt": self.doubt}

    def _learn(self, asked: Decisions, rng: Rng) -> None:
        """Take in labels, and train on if they have grown by enough."""
        self.labelled = asked if self.labelled is None else merge([self.labelled, asked])
        coins = rng.random((len(asked), len(self.nets))) < self.config.share
        coins[np.arange(len(asked)), rng.integers(len(self.nets), size=len(asked))] = True  # somebody sees each
        self.shown = np.concatenate([self.shown, coins])
        if len(self.labelled) >= (1.0 + self.config.growth) * self.trained:
            self._train(self.labelled, rng)
        self.ensemble = self._frozen()

    def _train(self, labelled: Decisions, rng: Rng) -> None:
        """Train each member on, on the labels it is shown."""
        for member, (net, optimizer) in enumerate(zip(self.nets, self.optimizers, strict=True)):
            rows = self.shown[:, member]
            if rows.any():
                shown = demonstrations(labelled.take(rows), self.asked_seat)
                train_on(net, optimizer, shown, self.config.clone, rng=rng, device=self.setting.device)
        self.trained = len(labelled)

    def _frozen(self) -> Ensemble:
        """The ensemble of the coming rounds."""
        labels = labelled_table(self.setting.game, [] if self.labelled is None else [self.labelled])
        members = tuple(NetworkPolicy(copy.deepcopy(net), device=self.setting.device) for net in self.nets)
        return Ensemble(labels, members, self.doubt)


def unsure(setting: ExplorerContext, rng: Rng) -> Unsure:
    """The explorer ``unsure``."""
    return Unsure(setting, UnsureConfig(), rng=rng)
