"""Queries where the exact best response to the clone leads: explorers for every game that has an exact model.

Beyond the paper (docs/algorithms.md, "Queries driven by refutation"). The clone is the table of the labels, uniform
elsewhere. Each round the explorer plays the exact best response to it, all best actions alike, and the expert is
queried at positions without a label. The queried seat plays all actions that the clone ever plays alike, so that what
the clone does seldom is seen too. A clone that errs only where it has no label is exploited only by a response that
comes there: the response leads to every label that matters, and no others are queried. Done when nothing can
be gained from the clone, or where no play of the response against it leads to a position without a label: what is left
then is what the expert itself loses to best responses. It knows the rules and payoffs, as an exact model: compare its
queries with those of explorers that do not.

``RefuteClone`` is ``refute`` with hidden information, where no line of positions can be planned: it plays the response
to a clone that is trained on, and queries where that leads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import Policy, tabulate, uniform_rows
from agents.tabular import SeatRows, Tabular
from games.base import Model, Response, Rng, Table
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Fit, demonstrations
from mail.clone.network import CloneConfig
from mail.clone.trainers import TRAINED_ON
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective, UnseenOnly, labelled_table
from mail.explore.base import Base, ExplorerContext, Metrics, exact_model

_ROUNDING = 1e-9  # values this close are equal


@dataclass(frozen=True)
class RespondConfig:
    """The settings of ``respond``."""

    tolerance: float = 1e-6
    """Stop when the clone's exploitability is at most this, in units of reward."""
    games_per_round: int = 8
    """Games against one best response."""


class Respond(Base):
    """The explorer ``respond``. It knows whether a label is missing, so a long wait for one does not end it.

    Args:
        context: The game with its model, the explorer's seat and the experts.
        config: Its constants.
    """

    decides = True

    def __init__(self, context: ExplorerContext, config: RespondConfig) -> None:
        super().__init__(context)
        self.model, self.config, self.queried_seat = model_of(context), config, 1 - context.seat
        self.games_per_round = config.games_per_round
        self.labelled: list[Decisions] = []
        self.table = labelled_table(context.game, [])
        self.rows = tuple(SeatRows(self.model, seat) for seat in (0, 1))
        self.response = self._respond()

    def behavior_policy(self) -> Policy:
        return self.rows[self.seat].policy(self._best())

    def _best(self) -> Table:
        """[S, A] all best actions of the response alike."""
        values = self.response.action_values
        return uniform_rows(np.isfinite(values) & (values >= values.max(1, keepdims=True) - _ROUNDING))

    def opponent_policy(self) -> Tabular:
        return Tabular(self.table.keys, uniform_rows(self.table.table > 0))

    def labels(self) -> Selective:
        return Selective(self.context.experts[self.queried_seat], UnseenOnly(self.table), plays=True)

    def clone(self) -> Fit | None:
        return Fit(self.table, 0, 0.0, 0.0)

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        queried = decisions.take(decisions.queried)
        if len(queried):
            self.labelled.append(queried)
            self.table = labelled_table(self.context.game, self.labelled)
            self.response = self._respond()
        gained = (1 - 2 * self.seat) * (self.response.value - self.model.solve()[0].value)
        self.done = bool(self.labelled) and (gained <= self.config.tolerance or not (len(queried) or self._leads_on()))
        return {"clone_exploitability": max(0.0, gained)}

    def _leads_on(self) -> bool:
        """Whether the present play of both seats can come to a position of the queried seat without a label."""
        queried = self.rows[self.queried_seat]
        tables = self._best(), queried.tabulate(self.opponent_policy())
        reached = self.model.reach(tables if self.seat == 0 else tables[::-1]) > 0
        return not bool(self.table.find(queried.keys[reached[queried.rows]])[0].all())

    def _respond(self) -> Response:
        return self.model.respond(self.seat, self.rows[self.queried_seat].tabulate(self.table))


@dataclass(frozen=True)
class RefuteCloneConfig(RespondConfig):
    """The settings of ``refute`` where something is hidden."""

    tolerance: float = 0.01
    growth: float = 0.05
    """Train when the labels have grown by this share, or where the response leads to none."""
    strictest: float = 256.0
    """Done where the response leads to no new label and the clone's tolerances have been divided by this: what is left
    then is what the expert loses."""
    clone: CloneConfig = TRAINED_ON
    """How a network is fitted; its tolerances are halved whenever the response leads to no new label."""


class RefuteClone(Respond):
    """The explorer ``refute`` where something is hidden: the response is to a clone that is trained on.

    Args:
        context: The game with its model, the explorer's seat and the experts.
        config: Its constants.
        rng: Draws the clone's first weights.
    """

    def __init__(self, context: ExplorerContext, config: RefuteCloneConfig, *, rng: Rng) -> None:
        settings = ClonerConfig(network=config.clone)
        self.trainer = registry.trainer(context.cloner, context.game, config=settings, rng=rng, device=context.device)
        self.fit = Fit(self.trainer.policy(), 0, 1.0, 1.0)
        self.training, self.strictness, self.fitted = config, 1.0, 0
        super().__init__(context, config)

    def clone(self) -> Fit | None:
        return self.fit

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        queried = decisions.take(decisions.queried)
        if len(queried):
            self.labelled.append(queried)
            self.table = labelled_table(self.context.game, self.labelled)
        labels = len(self.table.keys)
        if self._leads_on() and (not labels or labels < (1.0 + self.training.growth) * self.fitted):
            return {}
        if labels == self.fitted:
            self.strictness *= 2.0
        self.fitted = labels
        samples = demonstrations(merge(self.labelled), self.queried_seat)
        self.fit = self.trainer.train(samples, rng=rng, strictness=self.strictness)
        self.response = self._respond()
        gained = (1 - 2 * self.seat) * (self.response.value - self.model.solve()[0].value)
        last = self.strictness >= self.training.strictest and not self._leads_on()
        self.done = gained <= self.config.tolerance or last
        return {"clone_exploitability": max(0.0, gained)}

    def _respond(self) -> Response:
        return self.model.respond(self.seat, tabulate(self.model, self.fit.policy, self.queried_seat))


def model_of(context: ExplorerContext) -> Model:
    """The exact model that the explorer needs.

    Args:
        context: The game with its model, the explorer's seat and the experts.

    Raises:
        NashmailError: The game has none.
    """
    return exact_model("the explorer respond", context.model, instead="another explorer")


def respond(context: ExplorerContext, rng: Rng) -> Respond:
    """Make the explorer ``respond``; it draws nothing."""
    return Respond(context, RespondConfig())
