"""Queries at mistakes: the expert is queried where an opponent can make the *clone* give the value of the game away.

Beyond the paper (docs/algorithms.md, "Queries at mistakes"). Like ``refute`` this explorer knows the rules and the
payoffs through an exact model; unlike it, it pays for no label on the way to a mistake. In each round it
1. walks where an opponent can lead the greedy clone before its first mistake, and takes the earliest mistakes;
   once there is none, those at which the stochastic clone errs with the largest probability,
2. answers those that the rules answer by themselves (a win at once, else a block of one) without a query,
3. plays a line to each of the others, and queries the expert there,
4. trains the clone further on all labels.

N-tuple clones are sharpened: the temperature is the one in a short list under which the labels are most probable, for
labels of one action the lowest. It is done when the greedy clone makes no mistake, so that its exploitability is
exactly 0, and the stochastic one is exploitable by at most a tolerance, by a bound that is exact but for negligible
moves, which count as lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.ntuple import NtuplePolicy
from agents.policy import Policy, greedy_rows, uniform_rows
from agents.tactics import forced
from games.base import Floats, Ints, NashmailError, Rng, pack
from games.graph import GameGraph
from games.layers import Words
from games.plies.graph import CompactGraph
from games.symmetry import board_behind, up_to_symmetry
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Demonstrations, Fit, demonstrations
from mail.clone.network import CloneConfig
from mail.clone.trainers import TRAINED_ON
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.mistakes.walk import NONE, Clone, Layer, Region, line_to, walk
from mail.explore.refute import AtKeys, Line, graph_of


@dataclass(frozen=True)
class MistakesConfig:
    """The constants of the explorer ``mistakes``."""

    tolerance: float = 0.009
    """Stop when the stochastic clone's exploitability is at most this, and the greedy clone's exactly 0."""
    negligible: float = 1e-3
    """Moves of the clone with a joint probability below this are not followed; they count as lost. Divided by ten where
    that alone is more than the tolerance."""
    share: float = 0.05
    """Queries before the clone is trained again, as a share of the labels so far; at least one."""
    tactics: bool = True
    """On boards, whether the rules answer where a move wins at once or must block."""
    factors: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
    """How much an n-tuple clone may be sharpened."""
    strictest: float = 1024.0
    """The tolerances of training are halved while the clone errs at labelled positions alone, down to this part."""
    clone: CloneConfig = TRAINED_ON
    """How a network is fitted."""


@dataclass(frozen=True)
class Target:
    """A query to come: a line to a position, and the position's key."""

    line: Line
    key: int


@dataclass(frozen=True)
class NextMistakes:
    """The next mistakes of a clone."""

    layers: list[Layer]
    """A walk that comes to all of them."""
    rows: Ints
    """Rows of the graph, without a label."""
    metrics: Metrics
    clean: bool
    """Whether there is no mistake that matters, with a label or without."""


class Mistakes(Base):
    """The explorer ``mistakes``: one game for each query, several queries between two trainings."""

    decides = True

    def __init__(self, context: ExplorerContext, config: MistakesConfig, *, rng: Rng) -> None:
        """Begin without a label.

        Args:
            context: What the explorer may know; it needs the exact model.
            config: The settings.
            rng: Draws the clone's tuples or weights.

        Raises:
            NashmailError: There is no model, or it is not the graph of a game that ends in a win, a draw or a loss.
        """
        super().__init__(context)
        self.graph, self.config, self.queried_seat = walkable(context), config, 1 - context.seat
        settings = ClonerConfig(network=config.clone, ntuple=context.ntuple)
        self.trainer = registry.trainer(context.cloner, context.game, config=settings, rng=rng, device=context.device)
        self.negligible, self.strictness = config.negligible, 1.0
        self.labelled: Decisions | None = None
        self.by_rules: Demonstrations | None = None
        self.known = NONE
        """[k] names of positions that have a label, from the expert or the rules."""
        self.fit = Fit(self.trainer.policy(), 0, 1.0, 1.0)
        tied = isinstance(self.fit.policy, NtuplePolicy) and self.fit.policy.tied
        self.naming = up_to_symmetry(context.game) if tied else context.game
        self.target: Target
        """Where the expert is queried next."""
        self.targets: list[Target] = []
        """The targets after it."""
        self._aim(rng)

    def behavior_policy(self) -> Policy:
        return self.target.line.policy(self.graph, self.seat)

    def opponent_policy(self) -> Policy:
        return self.target.line.policy(self.graph, self.queried_seat)

    def labels(self) -> Selective:
        key = np.array([self.target.key], dtype=np.uint64)
        return Selective(self.context.experts[self.queried_seat], AtKeys(key), plays=True)

    def clone(self) -> Fit | None:
        return self.fit if registry.trains(self.context.cloner) else None

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        queried = decisions.take(decisions.queried)
        self.labelled = queried if self.labelled is None else merge([self.labelled, queried])
        self.known = np.append(self.known, self._names(self.target.line.rows[-1:]))
        if self.targets:
            self.target = self.targets.pop(0)
            return {}
        self._train(rng)
        return self._aim(rng)

    def _train(self, rng: Rng) -> None:
        """Train the clone on all labels, and sharpen it."""
        parts = [] if self.labelled is None else [demonstrations(self.labelled, self.queried_seat)]
        parts += [] if self.by_rules is None else [self.by_rules]
        samples = parts[0] if len(parts) == 1 else parts[0].joined(parts[1])
        fit = self.trainer.train(samples, rng=rng, strictness=self.strictness)
        if isinstance(fit.policy, NtuplePolicy):
            fit = replace(
                fit, policy=sharpest(fit.policy, self.context, samples, self.queried_seat, self.config.factors)
            )
        self.fit = fit

    def _names(self, rows: Ints) -> Words:
        """[n] what positions are called: alike for those that the clone cannot answer differently."""
        return pack(self.naming.key(self.graph.states[rows], self.queried_seat))

    def _new(self, rows: Ints) -> Ints:
        """Those without a label, one for each name, in order."""
        names = self._names(rows)
        first = np.sort(np.unique(names, return_index=True)[1])
        return rows[first[~np.isin(names[first], self.known)]]

    def _aim(self, rng: Rng) -> Metrics:
        """Find the next mistakes, let the rules answer what they can, and plan lines to the others."""
        while True:
            found = self._mistakes()
            stuck = not found.clean and not len(found.rows) and self.strictness >= self.config.strictest
            self.done = (stuck or found.clean) and self.labelled is not None
            if self.done:
                return found.metrics
            left = found.rows
            if stuck or found.clean:  # a clone that needs no label, but without any there is no clone
                left = next(layer.rows[layer.mine][:1] for layer in found.layers if layer.mine.any())
            elif self.config.tactics:
                left = self._by_rules(left)
            if len(left):
                self.target, *self.targets = (self._target(found.layers, int(row)) for row in left)
                return found.metrics
            if not len(found.rows):
                self.strictness *= 2.0
            self._train(rng)

    def _mistakes(self) -> NextMistakes:
        """The next mistakes: of the greedy clone the earliest, else of the stochastic one the costliest."""
        most = max(1, int(self.config.share * len(self.known)))
        layers: list[Layer] = []
        rows: Ints = np.zeros(0, dtype=np.int64)
        clean = True
        for layer in walk(self.graph, self._clone(greedy=True), self.queried_seat, 0.5):
            layers.append(layer)
            here = layer.rows[layer.errs() > 0]
            if len(here):
                clean, rows = False, self._new(np.concatenate([rows, here]))
            if len(rows) >= most:
                break
        return self._stochastic(most) if clean else NextMistakes(layers, rows[:most], {}, False)

    def _stochastic(self, most: int) -> NextMistakes:
        """The costliest mistakes of the stochastic clone."""
        graph, tolerance, span = self.graph, self.config.tolerance, _span(self.graph, self.queried_seat)
        while True:
            layers = list(walk(graph, self._clone(greedy=False), self.queried_seat, self.negligible))
            region = Region(layers, self._names)
            loss = span * region.bound()
            metrics = {"clone_exploitability": loss, "clone_greedy_exploitability": 0.0}
            if loss <= tolerance:
                return NextMistakes(layers, np.zeros(0, dtype=np.int64), metrics, True)
            if span * region.bound(unknown=0.0) > tolerance / 2.0:
                break
            self.negligible /= 10.0
        rows = region.worst(most, self.known, tolerance / 2.0 / span)
        return NextMistakes(layers, np.array(rows, dtype=np.int64), metrics, False)

    def _clone(self, *, greedy: bool) -> Clone:
        """The clone at rows of the graph."""
        graph, policy, seat = self.graph, self.fit.policy, self.queried_seat

        def answer(rows: Ints) -> Floats:
            found = policy.probabilities(graph.game, graph.states[rows], seat)
            return greedy_rows(found) if greedy else found

        return answer

    def _by_rules(self, rows: Ints) -> Ints:
        """Label the rows that the rules answer, and return the others."""
        game = self.context.game
        if board_behind(game) is None or not len(rows):
            return rows
        states = self.graph.states[rows]
        moves = forced(game, states, self.queried_seat)
        there = moves.any(1)
        if there.any():
            label = greedy_rows(uniform_rows(moves[there]))  # the lowest, so that labels are of one action
            samples = _labelled(self.context, states[there], label, self.queried_seat)
            self.by_rules = samples if self.by_rules is None else self.by_rules.joined(samples)
            self.known = np.append(self.known, self._names(rows[there]))
        return rows[~there]

    def _target(self, layers: list[Layer], row: int) -> Target:
        key = pack(self.graph.game.key(self.graph.states[[row]], self.queried_seat))
        return Target(line_to(layers, row), int(key[0]))


def sharpest(
    policy: NtuplePolicy, context: ExplorerContext, samples: Demonstrations, seat: int, factors: tuple[float, ...]
) -> NtuplePolicy:
    """The policy at the temperature under which its labels are most probable.

    Args:
        policy: As it was trained.
        context: The game, and whether a label is a set.
        samples: The labels.
        seat: Whose they are.
        factors: By which the weights may be multiplied; of equally good ones the largest is taken.
    """
    policies = [policy.sharpened(factor) for factor in factors]

    def surprise(candidate: NtuplePolicy) -> float:
        found = candidate.probabilities(context.game, samples.state, seat)
        if context.ntuple.sets:
            return float(-np.log(np.maximum(np.where(samples.total > 0, found, 0.0).sum(1), 1e-300)).mean())
        return float(-(samples.distribution * np.log(np.maximum(found, 1e-300))).sum(1).mean())

    surprises = np.array([surprise(candidate) for candidate in policies])
    return policies[int(np.flatnonzero(surprises <= surprises.min() + 1e-9)[-1])]


def _labelled(context: ExplorerContext, states: Ints, label: Floats, seat: int) -> Demonstrations:
    """Labels [n, A] of positions as a data set."""
    game = context.game
    legal, count = game.legal(states, seat), np.ones(len(states), dtype=np.int64)
    return Demonstrations(states, game.key(states, seat), game.observe(states, seat), legal, label, count)


def _span(graph: GameGraph | CompactGraph, seat: int) -> float:
    """The most that a seat can lose: the value of the game less the worst payoff."""
    return (1.0 - 2.0 * seat) * graph.solve()[0].value - graph.worst_payoff(seat)


def walkable(context: ExplorerContext) -> GameGraph | CompactGraph:
    """The exact model that the explorer walks through.

    Args:
        context: What the explorer may know.

    Raises:
        NashmailError: There is no model, or it is not the graph of a game with one start that is decided at its end.
    """
    model = context.plies or graph_of(context, "mistakes")
    if len(model.roots) != 1 or not model.decided_at_end:
        name = context.game.spec.name
        raise NashmailError(
            f"the explorer mistakes needs a game with one start that pays at its end, unlike {name}; choose refute"
        )
    return model


def mistakes(context: ExplorerContext, rng: Rng) -> Mistakes:
    """The explorer ``mistakes``."""
    return Mistakes(context, MistakesConfig(), rng=rng)
