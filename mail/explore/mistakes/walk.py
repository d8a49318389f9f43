"""Where an opponent can lead a clone that keeps the value of the game, and where the clone gives it away.

Only the positions that matter are walked: those that are reachable while the clone has not made a *mistake* yet, a move
after which perfect play gets less than the value of the game. A clone that has won more than that may give it back. The
walk is a generator of layers, so that whoever looks for a few early mistakes need not pay for the rest.

``Region`` bounds the exploitability of a stochastic clone from a complete walk. With x the largest probability with
which an opponent can make the clone err, the clone loses at most x times the value's distance from the worst payoff
(docs/algorithms.md, "Queries at mistakes").

Shape letters: n positions of a layer, A actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from games.base import Bools, Floats, Ints
from games.graph import GameGraph
from games.layers import Words
from games.plies.graph import CompactGraph
from games.progress import report
from mail.explore.refute import Line

NONE: Words = np.zeros(0, dtype=np.uint64)
Clone = Callable[[Ints], Floats]
"""Maps rows [n] of the graph, where the clone's seat moves, to probabilities [n, A]."""


@dataclass(frozen=True)
class Layer:
    """The positions of one ply to which the clone can be led without a mistake before."""

    rows: Ints
    """[n] rows of the graph."""
    mine: Bools
    """[n] whether the clone moves."""
    legal: Bools
    """[n, A] legal actions."""
    weight: Floats
    """[n, A] the clone's probabilities; for the opponent 1 for every legal action."""
    mistake: Bools
    """[n, A] the clone's actions that give the value away."""
    negligible: Bools
    """[n, A] moves that are not followed because the clone goes there too seldom."""
    successor: Ints
    """[n, A] the place in the next layer of the position after a move; -1 where it is not followed."""

    def errs(self) -> Floats:
        """[n] the probability of a mistake in this position."""
        return np.asarray((self.weight * self.mistake).sum(1))


def walk(graph: GameGraph | CompactGraph, clone: Clone, seat: int, negligible: float) -> Iterator[Layer]:
    """The layers to which an opponent can lead the clone, from the start on.

    Args:
        graph: A game that is decided at its end.
        clone: The clone's probabilities.
        seat: The clone's seat.
        negligible: Moves are followed only where the joint probability of the clone's moves on the most probable way,
            this one included, is at least this.
    """
    perfect, sign = graph.solve()[0], 1.0 - 2.0 * seat
    rows, likely = graph.roots, np.ones(len(graph.roots))
    walked = 0
    while len(rows):
        report(walked, None, "positions", step="walk")
        walked += len(rows)
        mine = graph.seat[rows] == seat
        legal, after = graph.legal_mask[rows], graph.successor[rows]
        weight = legal.astype(np.float64)
        if mine.any():
            weight[mine] = clone(rows[mine])
        values = np.where(after >= 0, perfect.values[after], 0.0) + graph.reward[rows]
        kept = sign * values >= sign * perfect.value
        mistake = legal & ~kept & mine[:, None]
        flow = likely[:, None] * weight
        open_ = legal & (after >= 0) & ~mistake
        follows = open_ & (flow >= negligible)
        following, place = np.unique(after[follows], return_inverse=True)
        successor = np.full(after.shape, -1, dtype=np.int64)
        successor[follows] = place.ravel()
        yield Layer(rows, mine, legal, weight, mistake, open_ & ~follows, successor)
        likely = np.zeros(len(following))
        np.maximum.at(likely, place.ravel(), flow[follows])
        rows = following


def line_to(layers: list[Layer], row: int) -> Line:
    """A line of moves to a position, the last move of which is the most probable one there.

    Args:
        layers: From the start on.
        row: The position's row in the graph, which is in one of the layers.
    """
    depth = next(ply for ply, layer in enumerate(layers) if row in layer.rows)
    place = int(np.flatnonzero(layers[depth].rows == row)[0])
    rows, moves = [row], [int(layers[depth].weight[place].argmax())]
    for layer in reversed(layers[:depth]):
        ways = np.where(layer.successor == place, layer.weight, -1.0)
        place, move = (int(at) for at in np.unravel_index(ways.argmax(), ways.shape))
        rows.append(int(layer.rows[place]))
        moves.append(move)
    return Line(np.array(rows[::-1]), np.array(moves[::-1]))


class Region:
    """A complete walk, and how probable mistakes are there against the worst opponent."""

    def __init__(self, layers: list[Layer], names: Callable[[Ints], Words]) -> None:
        """Keep the layers.

        Args:
            layers: A complete walk.
            names: Maps rows [n] of the graph to what positions are called that the clone cannot answer differently.
        """
        self.layers = layers
        self.names = [names(layer.rows) for layer in layers]  # [n] per layer

    def risk(self, corrected: Words, *, unknown: float) -> list[Floats]:
        """[n] per layer, the largest probability of a mistake from there on that an opponent can bring about.

        Args:
            corrected: [k] names of positions at which the clone is taken to play its safest move.
            unknown: The probability of a mistake after negligible moves.
        """
        risks: list[Floats] = []
        after = np.zeros(1)  # the place -1: the game is over, or the move is not followed
        for layer, names in zip(reversed(self.layers), reversed(self.names), strict=True):
            moves = np.where(layer.mistake, 1.0, np.where(layer.negligible, unknown, after[layer.successor]))
            most = np.where(layer.legal, moves, 0.0).max(1)
            found = np.where(layer.mine, (layer.weight * moves).sum(1), most)
            if len(corrected):
                right = layer.mine & np.isin(names, corrected)
                found[right] = np.where(layer.legal[right], moves[right], 1.0).min(1)
            risks.append(found)
            after = np.append(found, 0.0)
        return risks[::-1]

    def bound(self, *, unknown: float = 1.0) -> float:
        """The risk at the start.

        Args:
            unknown: As in ``risk``.
        """
        return float(self.risk(NONE, unknown=unknown)[0].max())

    def worst(self, count: int, without: Words, tolerance: float) -> list[int]:
        """Rows at which mistakes cost most, one after the other, each for a clone that has corrected those before.

        Args:
            count: How many at count.
            without: [k] names of positions that are not chosen.
            tolerance: No more rows are chosen when the risk is at most this.
        """
        chosen: list[int] = []
        corrected = NONE
        while len(chosen) < count:
            risks = self.risk(corrected, unknown=0.0)
            if chosen and risks[0].max() <= tolerance:
                break
            found = self._costliest(risks, np.concatenate([without, corrected]))
            if found is None:
                break
            row, name = found
            chosen.append(row)
            corrected = np.append(corrected, name)
        return chosen

    def _costliest(self, risks: list[Floats], without: Words) -> tuple[int, np.uint64] | None:
        """Where the clone errs with the largest probability against the opponent that makes it err most: row, name."""
        best, found = 0.0, None
        reach = np.ones(len(self.layers[0].rows))
        for layer, names, after in zip(self.layers, self.names, [*risks[1:], np.zeros(0)], strict=True):
            errs = np.where(layer.mine & ~np.isin(names, without), reach * layer.errs(), 0.0)
            if errs.max() > best:
                place = int(errs.argmax())
                best, found = float(errs[place]), (int(layer.rows[place]), names[place])
            reach = _flow(layer, after, reach)
        return found


def _flow(layer: Layer, risk: Floats, reach: Floats) -> Floats:
    """[m] the probability of each position of the next layer, given that of this layer's [n] and the risks there."""
    after = np.append(risk, -1.0)[layer.successor]
    choice = np.zeros(layer.weight.shape)
    choice[np.arange(len(choice)), after.argmax(1)] = 1.0
    flow = np.where(layer.mine[:, None], layer.weight, choice) * reach[:, None]
    there = layer.successor >= 0
    return np.asarray(np.bincount(layer.successor[there], flow[there], len(risk)), dtype=np.float64)
