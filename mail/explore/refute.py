"""Queries driven by refutation: lead the *clone* along the line on which it loses most, and query the expert there.

Beyond the paper (docs/algorithms.md, "Queries driven by refutation"). This explorer knows the rules and the payoffs
through an exact model, and declares it: its queries should be compared with those of explorers that know as much. In
each round it
1. fits the clone to all labels so far (training the same network further),
2. computes the best response to the *stochastic* clone, over the positions that an opponent can force with more than a
   negligible probability,
3. follows lines: its own best moves and, at the clone's decisions, the action with the largest probability times value
   lost,
4. queries the expert at each decision on the line that has no label, *until an answer leaves the line*: a clone that
   has learned that answer does not reach the rest.

It is done when the greedy clone cannot be exploited at all and the stochastic one by at most a tolerance, both measured
exactly on all positions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agents.policy import Policy, greedy_rows, tabulate
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, NashmailError, Rng, States, Table, pack
from games.graph import GameGraph
from games.infosets.model import sequence_form
from games.plies.graph import CompactGraph
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Fit, demonstrations
from mail.clone.network import CloneConfig
from mail.clone.trainers import TRAINED_ON
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Selective
from mail.evaluation.gap import exploitability
from mail.explore.base import Base, ExplorerContext, Metrics, exact_model
from mail.explore.respond import RefuteClone, RefuteCloneConfig, Respond, respond

_ROUNDING = 1e-12  # values within this are equal


@dataclass(frozen=True)
class RefuteConfig:
    """The constants of the explorer ``refute``."""

    tolerance: float = 0.01
    """Stop when the stochastic clone's exploitability is at most this, and the greedy clone's exactly 0."""
    negligible: float = 1e-3
    """After moves of the clone with a joint probability below this, the search for lines assumes perfect play. Once the
    rest is within the tolerance, those moves are measured, too."""
    lines: float = 0.08
    """Lines before the clone is fitted again, as a share of the labels so far; at least one."""
    clone: CloneConfig = TRAINED_ON
    """How a network is fitted; of any clone the tolerances are halved whenever the costliest lines need no query."""
    greedy_first: bool = False
    """Refute the greedy clone until it cannot be exploited, then the stochastic one. An opponent can lead the greedy
    clone to few positions, so this costs less; and what a stochastic clone never loses by on average, it may still lose
    by when it plays greedily."""


@dataclass(frozen=True)
class Line:
    """A planned game: rows of the graph and the move at each."""

    rows: Ints  # [n]
    moves: Ints  # [n]

    def policy(self, graph: GameGraph | CompactGraph, seat: int) -> Tabular:
        """One seat's moves on the line, with certainty; uniform elsewhere.

        Args:
            graph: The game's exact model.
            seat: The seat.
        """
        mine = graph.seat[self.rows] == seat
        table: Floats = np.zeros((int(mine.sum()), graph.legal_mask.shape[1]))
        table[np.arange(len(table)), self.moves[mine]] = 1.0
        return Tabular(graph.game.key(graph.states[self.rows[mine]], seat), table)


@dataclass(frozen=True)
class AtKeys:
    """Queries at these positions only."""

    keys: np.ndarray  # uint64 [K] packed

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.isin(pack(game.key(states, seat)), self.keys)


class Refute(Base):
    """The explorer ``refute``: one line per round, several rounds between two fits.

    Args:
        context: The game with its model, the explorer's seat and the experts.
        config: Its constants.
        rng: Draws the clone's first weights, and lines.
    """

    def __init__(self, context: ExplorerContext, config: RefuteConfig, *, rng: Rng) -> None:
        super().__init__(context)
        self.graph, self.config, self.queried_seat = graph_of(context), config, 1 - context.seat
        settings = ClonerConfig(network=config.clone, ntuple=context.ntuple)
        self.trainer = registry.trainer(context.cloner, context.game, config=settings, rng=rng, device=context.device)
        self.strictness = 1.0
        self.labelled: Decisions | None = None
        self.fitted = 0  # number of labels at the last fit
        self.answers: dict[int, np.ndarray] = {}  # the label of each position, by packed key
        self.fit = Fit(self.trainer.policy(), 0, 1.0, 1.0)
        self.lines: list[Line] = []
        self._aim(rng)

    def behavior_policy(self) -> Policy:
        return self._along(self.seat)

    def opponent_policy(self) -> Policy:
        return self._along(self.queried_seat)

    def labels(self) -> Selective:
        return Selective(self.context.experts[self.queried_seat], AtKeys(self._unanswered()), plays=True)

    def _unanswered(self) -> np.ndarray:
        """Packed keys of the queried seat's unlabelled decisions on the line, up to the first answer that leaves it."""
        line = self.lines[0]
        mine = self.graph.seat[line.rows] == self.queried_seat
        keys = pack(self.graph.game.key(self.graph.states[line.rows[mine]], self.queried_seat))
        unanswered = []
        for key, move in zip(keys.tolist(), line.moves[mine], strict=True):
            if key not in self.answers:
                unanswered.append(key)
            elif self.answers[key][move] == 0:
                break
        return np.array(unanswered, dtype=np.uint64)

    def clone(self) -> Fit | None:
        return self.fit if registry.trains(self.context.cloner) else None

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        queried = decisions.take(decisions.queried)
        self.labelled = queried if self.labelled is None else merge([self.labelled, queried])
        self.answers.update(zip(pack(queried.key).tolist(), queried.label, strict=True))
        self.lines.pop(0)
        if self.lines:
            return {}
        self._fit(self.labelled, rng)
        return self._aim(rng)

    def _fit(self, labelled: Decisions, rng: Rng) -> None:
        """Train the clone further."""
        if len(labelled) == self.fitted:
            self.strictness *= 2.0
        self.fitted = len(labelled)
        samples = demonstrations(labelled, self.queried_seat)
        self.fit = self.trainer.train(samples, rng=rng, strictness=self.strictness)

    def _along(self, seat: int) -> Tabular:
        """One seat's moves on the current line."""
        return self.lines[0].policy(self.graph, seat)

    def _aim(self, rng: Rng) -> Metrics:
        """Measure the clone and choose the next lines."""
        tolerance, metrics = self.config.tolerance, {}
        reachable, refutation = self._refuted(greedy=self.config.greedy_first)
        if self.config.greedy_first:
            metrics["clone_greedy_exploitability"] = refutation.loss
            if refutation.loss <= _ROUNDING:
                reachable, refutation = self._refuted(greedy=False)
        if not metrics or metrics["clone_greedy_exploitability"] <= _ROUNDING:
            metrics["clone_exploitability"] = refutation.loss
        if metrics.get("clone_exploitability", np.inf) <= tolerance:
            soft = tabulate(self.graph, self.fit.policy, self.queried_seat)
            metrics["clone_exploitability"] = exploitability(self.graph, soft, self.queried_seat)
            metrics["clone_greedy_exploitability"] = exploitability(self.graph, greedy_rows(soft), self.queried_seat)
            within = max(metrics.values()) <= tolerance and metrics["clone_greedy_exploitability"] == 0.0
            self.done = within and self.labelled is not None  # without labels there is no clone
        self.lines = self._lines(reachable, refutation, rng)
        return metrics

    def _refuted(self, *, greedy: bool) -> tuple[Reachable, Refutation]:
        """Where an opponent can lead the clone, as it plays or greedily, and the best response there."""
        graph, policy = self.graph, self.fit.policy

        def query(rows: Ints) -> Floats:
            found = policy.probabilities(graph.game, graph.states[rows], self.queried_seat)
            return greedy_rows(found) if greedy else found

        reachable = Reachable.of(graph, query, self.queried_seat, self.config.negligible)
        return reachable, reachable.refute()

    def _lines(self, reachable: Reachable, refutation: Refutation, rng: Rng) -> list[Line]:
        """The costliest line, then the costliest for a clone that has learned the answers to the lines before."""
        lines = [refutation.line(rng)]
        corrected = np.zeros(len(self.graph), dtype=np.bool_)
        while len(lines) < self.config.lines * len(self.answers):
            rows = lines[-1].rows
            corrected[rows[self.graph.seat[rows] == self.queried_seat]] = True
            refutation = reachable.refute(corrected)
            if refutation.loss <= self.config.tolerance:
                break
            lines.append(refutation.line(rng))
        return lines


@dataclass(frozen=True)
class Reachable:
    """The positions that an opponent can force with more than a negligible probability, and the clone's moves there."""

    graph: GameGraph
    seat: int
    """The clone's seat."""
    table: Table  # [S, A] the clone, zero rows where it is not reachable
    blocks: tuple[tuple[int, Ints], ...]
    """The seat to move and the reachable rows, block by block in order of play."""

    @classmethod
    def of(cls, graph: GameGraph, clone: Callable[[Ints], Floats], seat: int, negligible: float) -> Reachable:
        """Query the clone at the reachable positions only.

        A position counts if the joint probability of the clone's moves on the most probable way there is at least
        ``negligible``.

        Args:
            graph: The game.
            clone: Maps rows [n] of the graph to probabilities [n, A].
            seat: The clone's seat.
            negligible: The smallest joint probability.
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
            successor = graph.successor[rows]
            there = (successor >= 0) & (flow >= negligible)
            np.maximum.at(likely, successor[there], flow[there])
            blocks.append((block.seat, rows))
        return cls(graph, seat, table, tuple(blocks))

    def refute(self, corrected: Bools | None = None) -> Refutation:
        """The best response. Both sides play perfectly at positions that are not reachable.

        Args:
            corrected: bool [S] positions at which the clone plays perfectly, too.
        """
        graph = self.graph
        perfect = graph.solve()[0].values
        values = np.append(perfect, 0.0)  # successor -1: the game is over
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
    """The best response to a clone, over the reachable positions."""

    reachable: Reachable
    values: Floats  # [S + 1] seat 0's value of every position when the clone plays against the response
    replies: Floats  # [S, A] the response's own value of its moves; -inf where it does not move

    @property
    def loss(self) -> float:
        """The clone's exploitability, with perfect play after negligible moves and at unreachable positions."""
        graph = self.reachable.graph
        reached = float(self.values[graph.roots].mean())
        return (1.0 - 2.0 * self.reachable.seat) * (graph.solve()[0].value - reached) + 0.0  # never -0.0

    def line(self, rng: Rng) -> Line:
        """The costliest line: random best replies, and the clone's actions of step 3.

        Args:
            rng: Draws the replies.
        """
        graph, seat = self.reachable.graph, self.reachable.seat
        sign = 1.0 - 2.0 * seat
        rows: list[int] = []
        moves: list[int] = []
        row = int(graph.roots[0])
        while row >= 0:
            if graph.seat[row] == seat:
                after = sign * (self.values[graph.successor[row]] + graph.reward[row])
                lost = self.reachable.table[row] * (sign * graph.solve()[0].value - after)
                best = np.where(graph.legal_mask[row], lost, -np.inf)
                action = int((best >= best.max() - _ROUNDING).argmax())
            else:
                best = self.replies[row]
                ties = graph.legal_mask[row] & (best >= best.max() - _ROUNDING)  # all where the clone cannot be led
                action = int(rng.choice(np.flatnonzero(ties)))
            rows.append(row)
            moves.append(action)
            row = int(graph.successor[row, action])
        return Line(np.array(rows), np.array(moves))


def graph_of(context: ExplorerContext, name: str = "refute") -> GameGraph:
    """The exact model that an explorer needs.

    Args:
        context: What the explorer may know.
        name: The explorer, for the message.

    Raises:
        NashmailError: There is no model, or it is not the graph of a turn-based game in which nothing is hidden.
    """
    model = exact_model(f"the explorer {name}", context.model, instead="another explorer")
    if not isinstance(model, GameGraph):  # lines of play are ways through a graph
        game = context.game.spec.name
        raise NashmailError(
            f"the explorer {name} needs a turn-based game without hidden cards, unlike {game}; choose respond"
        )
    return model


def check(context: ExplorerContext) -> None:
    """Refuse a context that the explorer cannot explore in.

    Args:
        context: What the explorer may know.

    Raises:
        NashmailError: There is no model, or seats move at the same time.
    """
    if not _hides(context):
        graph_of(context)


def _hides(context: ExplorerContext) -> bool:
    """Whether the game's exact model goes by what a seat cannot tell apart."""
    return context.model is not None and sequence_form(context.model) is not None


def refute(context: ExplorerContext, rng: Rng) -> Refute | Respond:
    """The explorer ``refute``; over information states where the game has them, where tables need no training."""
    if _hides(context):
        trains = registry.trains(context.cloner)
        return RefuteClone(context, RefuteCloneConfig(), rng=rng) if trains else respond(context, rng)
    return Refute(context, RefuteConfig(greedy_first=context.cloner == "ntuple"), rng=rng)
