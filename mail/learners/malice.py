"""MALICE, exact: offline imitation that weighs positions by where deviations of the other seat lead.

Source: Tang, Swamy, Fang, Wu, "Multi-agent imitation learning: value is easy, regret is hard" (arXiv:2406.04219), for
two seats of a zero-sum game; docs/algorithms.md, "The regret gap". The regret gap is what one seat gains by leaving its
policy, less what it gains against the experts: against an equilibrium, the other seat's exploitability. Here for seat 0
with policies mu of a class, cloned from demonstrations alone:

    min over mu, max over nu of  sum over S of d(S; mu, nu) KL(mu_E(. | S), mu(. | S))
      =  E over demonstrations of  d(S; mu, nu) / d_E(S)  KL(mu_E(. | S), mu(. | S))

The ratios are finite only if the experts come to every position (*coverage*): without it no offline method can do this,
and the learner refuses. Visits d need the transitions, but no payoffs.

    repeat: nu = the deviation that leads mu to where it differs most (exact plan);  d_k = visits of (mu, nu)
            mu = fit to the labels, each position weighed by the mean of d_E and d_1 .. d_k         (follow the leader)
    return the mu with the least worst-case difference

Policies are softmax-linear in the features of the game. In a game without features they are tables, which fit every
label whatever its weight: there MALICE is behavioral cloning, and coverage alone makes it unexploitable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from agents.linear import SoftmaxLinear
from agents.policy import Seats, Uniform, tabulate, uniform_rows
from games.base import Floats, Game, GameError, Ints, Model, NashmailError, Table
from games.features import features
from mail.clone.cloners import check_features
from mail.clone.dataset import Demonstrations, Fit, demonstrations
from mail.clone.linear import LinearClone, check_ridge, fit_linear
from mail.clone.tabular import clone_tabular
from mail.data.decisions import Decisions
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.offline import Collected, Offline
from mail.learners.responses.planning import plan

_ZERO = 1e-12  # expected visits below this are rounding
_FLOOR = 1e-300  # of probabilities inside logarithms


@dataclass(frozen=True)
class MaliceConfig:
    """The settings of ``malice``."""

    rounds: int = 20
    """Deviations that are planned, and fits after them."""


def uncovered(model: Model, experts: tuple[Table, Table], seat: int) -> tuple[int, int]:
    """Positions at which a seat may have to act although two experts never come there.

    Args:
        model: The exact model.
        experts: [S, A] tables of seat 0 and seat 1.
        seat: Who acts.

    Returns:
        Their number, and that of all positions of the seat that play of any kind comes to.
    """
    anyone = tabulate(model, Uniform(), 0), tabulate(model, Uniform(), 1)
    reached = model.legal(seat).any(1) & (model.reach(anyone) > _ZERO)
    return int((reached & (model.reach(experts) <= _ZERO)).sum()), int(reached.sum())


def divergences(label: Floats, rows: Floats) -> Floats:
    """KL(label, rows) of each position.

    Args:
        label: [D, A] distributions.
        rows: [D, A] the policy.

    Returns:
        [D], in nats.
    """
    logs = np.log(np.maximum(label, _FLOOR)) - np.log(np.maximum(rows, _FLOOR))
    return np.asarray(np.where(label > 0, label * logs, 0.0).sum(1))


@dataclass(frozen=True)
class Deviation:
    """The other seat's play that leads a policy to where it differs most from the labels."""

    value: float
    """The expected sum of divergences in a game."""
    visits: Floats
    """[D] expected visits of the labelled positions."""


def worst_deviation(model: Model, seat: int, table: Table, rows: Ints, errors: Floats) -> Deviation:
    """Plan it exactly.

    Args:
        model: The exact model.
        seat: The seat that imitates.
        table: [S, A] its policy.
        rows: int64 [D] the labelled positions' rows in the model.
        errors: [D] what a visit of each counts.
    """
    costs = np.zeros(len(table))
    costs[rows] = errors
    value, best = plan(model.steps(1 - seat, table), model.legal(1 - seat), costs)
    other = uniform_rows(best)
    return Deviation(value, model.reach((table, other) if seat == 0 else (other, table))[rows])


def follow_the_leader(
    config: MaliceConfig, linear: LinearClone, model: Model, demonstrated: Demonstrations, seat: int
) -> tuple[SoftmaxLinear, float]:
    """The softmax-linear policy with the least worst-case divergence of all rounds, and that divergence.

    Args:
        config: The number of rounds.
        linear: Ridge and tolerances of a fit.
        model: The exact model.
        demonstrated: The seat's demonstrations.
        seat: The seat.
    """
    game, rows, label = model.game, model.index(demonstrated.state), demonstrated.distribution
    phi = features(game, demonstrated.state, seat)
    check_ridge(phi, demonstrated.legal, linear)
    weight, theta, candidates = demonstrated.count / demonstrated.count.sum(), None, []
    for round_ in range(config.rounds + 1):
        theta, _ = fit_linear(phi, demonstrated.legal, label, weight, linear, theta)
        policy = SoftmaxLinear(theta)
        errors = divergences(label, policy.probabilities(game, demonstrated.state, seat))
        worst = worst_deviation(model, seat, tabulate(model, policy, seat), rows, errors)
        candidates.append((worst.value, round_, policy))
        weight = (weight * (round_ + 1) + worst.visits / worst.visits.sum()) / (round_ + 2)
    value, _, policy = min(candidates, key=lambda one: one[:2])
    return policy, value


def featured(game: Game) -> bool:
    """Whether a game has features, in which policies are softmax-linear.

    Args:
        game: The game.
    """
    try:
        check_features(game)
    except GameError:
        return False
    return True


Method = Callable[[Model, Demonstrations, int], tuple[SoftmaxLinear, float]]
"""Fits one seat of a game with features: its policy, and that policy's worst-case divergence."""


class Malice(Offline[Method]):
    """The learner ``malice``.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        config: Its settings.
    """

    def __init__(self, options: Options, *, name: str = "malice", config: MaliceConfig = MaliceConfig()) -> None:
        super().__init__(options, name=name, method=partial(follow_the_leader, config, options.linear))
        self.config = config

    def check(self, game: Game, experts: Seats) -> None:
        model = self.options.exact_model(self.name)
        tables = tabulate(model, experts[0], 0), tabulate(model, experts[1], 1)
        model.steps(0, tables[1])  # refuses games that hide something
        for seat in (0, 1):
            missing, every = uncovered(model, tables, seat)
            if missing:
                raise NashmailError(
                    f"{self.name} needs experts whose games come to every position, and these never come to "
                    f"{missing:,} of {every:,} of seat {seat}; choose mail or murmail, which explore"
                )

    def fits(self, collector: Collector, experts: Seats, collected: Collected, budget: Budget) -> tuple[Fit, Fit]:
        first, second = (self._fit(collector, collected[seat], seat) for seat in (0, 1))
        return first, second

    def _fit(self, collector: Collector, decisions: Decisions, seat: int) -> Fit:
        stage, journal, game = f"{self.name}/fit", collector.journal, collector.game
        made = journal.load_fit(stage, seat, game, "cpu")
        if made is None:
            made, metrics = self._found(game, decisions, seat)
            journal.store_fit(stage, seat, game, made)
            self.log(collector, decisions, seat, metrics)
        return made

    def _found(self, game: Game, decisions: Decisions, seat: int) -> tuple[Fit, dict[str, float]]:
        model, shown = self.options.exact_model(self.name), demonstrations(decisions, seat)
        if not featured(game):
            return clone_tabular(game, decisions, seat, self.options.tabular), {}
        fitted, value = self.method(model, shown, seat)
        rows = fitted.probabilities(game, shown.state, seat)
        outside = np.where(shown.distribution > 0, 0.0, rows).sum(1).max()
        off = 0.5 * np.abs(rows - shown.distribution).sum(1).mean()
        return Fit(fitted, self.config.rounds, float(outside), float(off)), {"worst_deviation": value}
