"""Asks driven by refutation: lead the *clone* down the line on which it loses most, and ask there.

Beyond the paper (docs/algorithms.md, "Queries driven by refutation"). This explorer knows the rules and the payoffs, as
an exact model, and says so: its asks are to be compared with those of explorers that do not. Each round it
1. fits the clone to all labels so far (the same network, trained on),
2. computes the best response to the clone *as it is* (stochastic), over the positions that an opponent can lead
   it to with more than a negligible probability,
3. follows lines: its own best moves, and at the clone's decisions the action that contributes most to what
   the clone loses, probability times value lost,
4. asks the expert at each decision on the line that was never asked, *until its answer leaves the line*: what
   comes after that, a clone that has learned the answer need not know.
It is done when the greedy clone cannot be exploited at all and the stochastic one by less than a tolerance,
both measured exactly, on all positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Policy, greedy_rows, tabulate
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, NashmailError, Rng, States, Table, pack
from games.graph import GameGraph
from mail.clone.dataset import Fit, demonstrations
from mail.clone.network import CloneConfig, train_on
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective
from mail.evaluation.gap import exploitability
from mail.explore.base import Base, ExplorerContext, Metrics

_ROUNDING = 1e-12  # values this close are equal


@dataclass(frozen=True)
class RefuteConfig:
    """The refuting explorer's constants."""

    tolerance: float = 0.01
    """Stop when the stochastic clone's exploitability is at most this, and the greedy one's exactly 0."""
    negligible: float = 1e-3
    """Moves of the clone that come with less than this probability, all its moves before them included, are
    taken for perfect play while looking for lines; when the rest is within the tolerance, they are measured."""
    lines: float = 0.08
    """Lines before the clone is fitted anew, as a share of the labels so far; one at least."""
    clone: CloneConfig = field(
        default_factory=lambda: CloneConfig(
            Architecture(convolutions=1), learning_rate=1e-3, max_steps=1000, tolerance=1e-2, mean_tolerance=0.1
        )
    )
    """How the clone is fitted: gently, since what it forgets has to be asked about, and loosely at first: both
    tolerances are halved whenever the costliest lines bring nothing to ask."""


@dataclass(frozen=True)
class Line:
    """One game as it is planned: rows of the graph and the move at each."""

    rows: Ints  # [n]
    moves: Ints  # [n]


@dataclass(frozen=True)
class AtKeys:
    """Wants to ask at these positions and nowhere else."""

    keys: np.ndarray  # uint64 [K] packed

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.isin(pack(game.key(states, seat)), self.keys)


class Refute(Base):
    """One line a round, several rounds between two fits."""

    def __init__(self, setting: ExplorerContext, config: RefuteConfig, *, rng: Rng) -> None:
        super().__init__(setting)
        self.graph, self.config, self.asked_seat = _graph(setting), config, 1 - setting.seat
        spec = setting.game.spec
        net = PolicyNet(spec.observation, spec.actions, config.clone.architecture, rng=rng)
        self.net = net.to(setting.device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=config.clone.learning_rate, fused=True)
        self.clone_config = config.clone
        self.labelled: Decisions | None = None
        self.shown = 0  # labels of the last fit
        self.answers: dict[int, np.ndarray] = {}  # packed key of a position to its label
        self.fit = Fit(self._policy(), 0, 1.0, 1.0)
        self.lines: list[Line] = []
        self._aim(rng)

    def behavior_policy(self) -> Policy:
        return self._along(self.seat)

    def opponent_policy(self) -> Policy:
        return self._along(self.asked_seat)

    def labels(self) -> Selective:
        return Selective(self.setting.experts[self.asked_seat], AtKeys(self._unanswered()), plays=True)

    def _unanswered(self) -> np.ndarray:
        """Packed keys of the asked seat's decisions on the line, as far as the answers there are stay on it."""
        line = self.lines[0]
        mine = self.graph.seat[line.rows] == self.asked_seat
        keys = pack(self.graph.game.key(self.graph.states[line.rows[mine]], self.asked_seat))
        wanted = []
        for key, move in zip(keys.tolist(), line.moves[mine], strict=True):
            if key not in self.answers:
                wanted.append(key)
            elif self.answers[key][move] == 0:
                break
        return np.array(wanted, dtype=np.uint64)

    def clone(self) -> Fit | None:
        return replace(self.fit, policy=self._policy())

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        asked = decisions.take(decisions.queried)
        self.labelled = asked if self.labelled is None else merge([self.labelled, asked])
        self.answers.update(zip(pack(asked.key).tolist(), asked.label, strict=True))
        self.lines.pop(0)
        if self.lines:
            return {}
        self._fit(self.labelled, rng)
        return self._aim(rng)

    def _fit(self, labelled: Decisions, rng: Rng) -> None:
        """Train the clone on."""
        before = self.clone_config
        if len(labelled) == self.shown:
            halved = (before.tolerance / 2, before.mean_tolerance / 2)
            self.clone_config = replace(before, tolerance=halved[0], mean_tolerance=halved[1])
        self.shown = len(labelled)
        shown = demonstrations(labelled, self.asked_seat)
        self.fit = train_on(self.net, self.optimizer, shown, self.clone_config, rng=rng, device=self.setting.device)

    def _policy(self) -> NetworkPolicy:
        return NetworkPolicy(self.net, device=self.setting.device)

    def _along(self, seat: int) -> Tabular:
        """One seat's moves on the line at hand, with certainty; uniform play off it."""
        line = self.lines[0]
        mine = self.graph.seat[line.rows] == seat
        table: Floats = np.zeros((int(mine.sum()), self.graph.legal_mask.shape[1]))
        table[np.arange(len(table)), line.moves[mine]] = 1.0
        return Tabular(self.graph.game.key(self.graph.states[line.rows[mine]], seat), table)

    def _aim(self, rng: Rng) -> Metrics:
        """Measure the clone and choose the next lines."""
        graph, policy = self.graph, self._policy()

        def query(rows: Ints) -> Floats:
            return policy.probabilities(graph.game, graph.states[rows], self.asked_seat)

        led = Led.of(graph, query, self.asked_seat, self.config.negligible)
        found = led.refute()
        metrics = {"clone_exploitability": found.loss}
        if found.loss <= self.config.tolerance:
            soft = tabulate(graph, policy, self.asked_seat)
            metrics["clone_exploitability"] = exploitability(graph, soft, self.asked_seat)
            metrics["clone_greedy_exploitability"] = exploitability(graph, greedy_rows(soft), self.asked_seat)
            within = max(metrics.values()) <= self.config.tolerance and metrics["clone_greedy_exploitability"] == 0.0
            self.done = within and self.labelled is not None  # there is no clone of no labels
        self.lines = self._lines(led, found, rng)
        return metrics

    def _lines(self, led: Led, found: Refutation, rng: Rng) -> list[Line]:
        """The costliest line, then the costliest to a clone that has learned the answers to those before."""
        lines = [found.line(rng)]
        corrected = np.zeros(len(self.graph), dtype=np.bool_)
        while len(lines) < self.config.lines * len(self.answers):
            rows = lines[-1].rows
            corrected[rows[self.graph.seat[rows] == self.asked_seat]] = True
            found = led.refute(corrected)
            if found.loss <= self.config.tolerance:
                break
            lines.append(found.line(rng))
        return lines


@dataclass(frozen=True)
class Led:
    """Where an opponent can lead a clone with more than a negligible probability, and what it does there."""

    graph: GameGraph
    seat: int
    """The clone's."""
    table: Table  # [S, A] the clone, zero rows where it cannot be led
    blocks: tuple[tuple[int, Ints], ...]
    """Who moves, and the rows that can be reached, block by block in order of play."""

    @classmethod
    def of(cls, graph: GameGraph, clone: Callable[[Ints], Floats], seat: int, negligible: float) -> Led:
        """Ask the clone (rows -> probabilities [n, A]) there and nowhere else. A position counts if the clone's own
        moves on the likeliest way there have at least the ``negligible`` probability together.
        """
        table = np.zeros(graph.legal_mask.shape)
        likely = np.zeros(len(graph))
        likely[graph.roots] = 1.0
        blocks = []
        for block in graph.blocks:
            rows = block.rows.start + np.flatnonzero(likely[block.rows])
            if block.seat == seat and len(rows):
                table[rows] = clone(rows)
            flow = likely[rows, None] * (table[rows] if block.seat == seat else graph.legal_mask[rows])
            child = graph.successor[rows]
            there = (child >= 0) & (flow >= negligible)
            np.maximum.at(likely, child[there], flow[there])
            blocks.append((block.seat, rows))
        return cls(graph, seat, table, tuple(blocks))

    def refute(self, corrected: Bools | None = None) -> Refutation:
        """The best response. Where the clone cannot be led both sides play perfectly; so does the clone at the
        ``corrected`` positions [S].
        """
        graph = self.graph
        perfect = graph.solve()[0].values
        values = np.append(perfect, 0.0)  # child -1 brings no more
        replies = np.full(graph.legal_mask.shape, -np.inf)
        for seat, rows in reversed(self.blocks):
            moves = values[graph.successor[rows]] + graph.reward[rows]
            if seat == self.seat:
                values[rows] = (self.table[rows] * moves).sum(1)
                if corrected is not None:
                    values[rows] = np.where(corrected[rows], perfect[rows], values[rows])
            else:
                sign = 1.0 - 2.0 * seat
                replies[rows] = np.where(graph.legal_mask[rows], sign * moves, -np.inf)
                values[rows] = sign * replies[rows].max(1)
        return Refutation(self, values, replies)


@dataclass(frozen=True)
class Refutation:
    """The best response to a clone, over what it can be led to."""

    led: Led
    values: Floats  # [S + 1] seat 0's value of every position when the clone meets the response there
    replies: Floats  # [S, A] the response's own value of its moves; -inf where it does not move

    @property
    def loss(self) -> float:
        """The clone's exploitability, where it cannot be led and negligible moves taken for perfect play."""
        graph = self.led.graph
        reached = float(self.values[graph.roots].mean())
        return (1.0 - 2.0 * self.led.seat) * (graph.solve()[0].value - reached) + 0.0  # never -0.0

    def line(self, rng: Rng) -> Line:
        """The costliest line: any of the best replies, and the clone's actions of step 3."""
        graph, seat = self.led.graph, self.led.seat
        sign = 1.0 - 2.0 * seat
        rows: list[int] = []
        moves: list[int] = []
        row = int(graph.roots[0])
        while row >= 0:
            if graph.seat[row] == seat:
                after = sign * (self.values[graph.successor[row]] + graph.reward[row])
                lost = self.led.table[row] * (sign * graph.solve()[0].value - after)
                best = np.where(graph.legal_mask[row], lost, -np.inf)
                action = int((best >= best.max() - _ROUNDING).argmax())
            else:
                best = self.replies[row]
                action = int(rng.choice(np.flatnonzero(best >= best.max() - _ROUNDING)))
            rows.append(row)
            moves.append(action)
            row = int(graph.successor[row, action])
        return Line(np.array(rows), np.array(moves))


def _graph(setting: ExplorerContext) -> GameGraph:
    """The exact model. NashmailError where it is none of a turn-based game."""
    if setting.model is None:
        raise NashmailError("the explorer refute needs the exact model of the game; choose another explorer")
    if not isinstance(setting.model, GameGraph):
        name = setting.game.spec.name
        raise NashmailError(f"the explorer refute plays turn-based games, and {name} is none; choose another explorer")
    return setting.model


def check(setting: ExplorerContext) -> None:
    """Without measuring the clone, which making the explorer does."""
    _graph(setting)


def refute(setting: ExplorerContext, rng: Rng) -> Refute:
    """The explorer ``refute``."""
    return Refute(setting, RefuteConfig(), rng=rng)
