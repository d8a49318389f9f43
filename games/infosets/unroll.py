"""The game tree of a game of hidden information, listed and grouped by information states.

Breadth first from the starts. A row of a layer is a position together with the sequences of both seats; rows that agree
in all three are merged, and their probabilities of chance are added up. Perfect recall is checked: an information state
that two sequences of its own seat lead to is refused (docs/algorithms.md, "Hidden information").

Shape letters: n rows of a layer, m moves in it, I information states and Q sequences of a seat, A actions, W words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.adapters.outside import printable
from games.base import Bools, Floats, GameError, Hidden, Ints, States, one_line
from games.cost import Meter, TooLarge
from games.infosets.treeplex import Treeplex

_PART = 1 << 12  # moves that are made at once


@dataclass(frozen=True)
class Entries:
    """Entries of a sparse matrix, in any order; those of one place add up."""

    row: Ints
    column: Ints
    amount: Floats


@dataclass(frozen=True)
class Unrolled:
    """What a model needs of the tree: information states, payoffs and reach, without the positions."""

    seats: tuple[Treeplex, Treeplex]
    states: tuple[States, States]
    """[I, W] a position of each information state, the first that was found."""
    payoff: Entries
    """[Q of seat 0, Q of seat 1] seat 0's reward after each pair of sequences, times the probability of chance."""
    reach: tuple[Entries, Entries]
    """[I, Q of the other seat] the probability that chance leads to the information state when the other seat plays a
    sequence."""
    histories: int
    """Rows of all layers."""


@dataclass(frozen=True)
class _Layer:
    """Ways to come to some positions."""

    states: States  # [n, W]
    sequence: Ints  # [n, 2] each seat's last own sequence
    chance: Floats  # [n] probability of everything that chance did


def unroll(game: Hidden, *, meter: Meter | None = None, most: float = float("inf")) -> Unrolled:
    """List the tree of a game.

    Args:
        game: a game that says how likely its starts are.
        meter: counts rows and moves while they are listed; by default it limits the memory alone.
        most: the largest number of sequences of both seats together.

    Returns:
        Treeplexes, payoffs and the reach of chance.

    Raises:
        GameError: for a game that discounts, in which a seat forgets what it did, or in which one key of a seat stands
            for different legal actions.
        TooLarge: where the meter refuses, with an estimate; or where there are too many sequences.
    """
    if game.spec.discount != 1.0:
        raise GameError(f"{game.spec.name} discounts rewards; games of hidden information are measured undiscounted")
    meter = meter or Meter(game)
    seats, payoff, total = (_Seat(game, 0), _Seat(game, 1)), list[Entries](), 0
    starts = game.starts()
    layer = _merge_equal(game, _Layer(starts, np.zeros((len(starts), 2), dtype=np.int64), game.start_probability()))
    while len(layer.states):
        total += len(layer.states)
        for seat in seats:
            seat.visit(layer)
        if sum(len(seat.infoset) for seat in seats) > most:
            raise TooLarge(
                f"{printable(game.spec.name)} is too large to solve: it has more than {most:,.0f} sequences of a seat's"
                " own actions, for which the linear program of its equilibrium takes many minutes"
            )
        rows, actions, sequence = _moves(seats, layer)
        meter.layer(len(layer.states), len(rows), layer.states.shape[1])
        parts = []
        for start in range(0, len(rows), _PART):
            part = slice(start, start + _PART)
            moved = _Layer(layer.states[rows[part]], sequence[part], layer.chance[rows[part]])
            parts.append(_outcomes(game, moved, actions[part], payoff))
            meter.tick(len(moved.states))
        layer = _merge_equal(game, _concatenate(parts))
    meter.close()
    return _by_depth(seats, payoff, total)


class _Seat:
    """One seat's information states, numbered as they are found, with what is known of each."""

    def __init__(self, game: Hidden, seat: int) -> None:
        self.game, self.seat = game, seat
        self.number: dict[bytes, int] = {}
        self.states: list[States] = []
        self.parent = np.zeros(0, dtype=np.int64)  # [I] sequence
        self.depth = np.zeros(0, dtype=np.int64)  # [I] own decisions before it
        self.legal = np.zeros((0, game.spec.actions), dtype=np.bool_)  # [I, A]
        self.first = np.zeros(0, dtype=np.int64)  # [I] its first sequence
        self.infoset = np.full(1, -1, dtype=np.int64)  # [Q]
        self.reach: list[Entries] = []
        self.here = np.zeros(0, dtype=np.int64)  # [n] of the layer at hand; -1 where the seat does not act

    def visit(self, layer: _Layer) -> None:
        """Find the information state of each row of the layer at which the seat acts."""
        legal = self.game.legal(layer.states, self.seat)
        rows = np.flatnonzero(legal.any(1))
        keys = np.ascontiguousarray(self.game.key(layer.states[rows], self.seat))
        _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        known = len(self.number)
        found = np.array([self.number.setdefault(keys[row].tobytes(), len(self.number)) for row in first], np.int64)
        new = rows[first[found >= known]]
        self._add(layer.states[new], legal[new], layer.sequence[new, self.seat])
        self.here = np.full(len(layer.states), -1, dtype=np.int64)
        self.here[rows] = found[inverse.reshape(-1)]
        self._compare(layer, legal, rows)
        self.reach.append(Entries(self.here[rows], layer.sequence[rows, 1 - self.seat], layer.chance[rows]))

    def _add(self, states: States, legal: Bools, parent: Ints) -> None:
        """Append new information states, found at ``states``, and their sequences."""
        self.states.append(states)
        self.parent = np.append(self.parent, parent)
        before = self.infoset[parent]
        self.depth = np.append(self.depth, np.where(before >= 0, np.append(self.depth, 0)[before] + 1, 0))
        self.legal = np.concatenate([self.legal, legal])
        counts = legal.sum(1)
        self.first = np.append(self.first, len(self.infoset) + np.cumsum(counts) - counts)
        self.infoset = np.append(
            self.infoset, np.repeat(len(self.first) - len(states) + np.arange(len(states)), counts)
        )

    def _compare(self, layer: _Layer, legal: Bools, rows: Ints) -> None:
        """Raise GameError where rows of one information state differ in what its seat must know."""
        infoset, name = self.here[rows], self.game.spec.name
        odd = self.parent[infoset] != layer.sequence[rows, self.seat]
        if odd.any():
            where = self._at(layer.states[rows[odd][0]])
            raise GameError(
                f"{name} has imperfect recall: seat {self.seat} cannot tell which of its own actions led to {where};"
                " only games of perfect recall can be measured"
            )
        odd = (self.legal[infoset] != legal[rows]).any(1)
        if odd.any():
            where = self._at(layer.states[rows[odd][0]])
            raise GameError(f"{name}: key for seat {self.seat} is the same for different legal actions at {where}")

    def _at(self, state: States) -> str:
        return one_line(self.game.render(state))

    def options(self, layer: _Layer, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Repeat rows of the layer, once for every legal action of the seat, and once where it does not act.

        Args:
            layer: the layer that was last visited.
            rows: int64 [n] rows of the layer.

        Returns:
            int64 [m] each, by repeated row: its place in ``rows``, the action (-1 where the seat does not act), and the
            seat's sequence after it.
        """
        infoset = self.here[rows]
        acts = infoset >= 0
        legal = np.zeros((len(rows), self.game.spec.actions + 1), dtype=np.bool_)
        legal[acts, :-1] = self.legal[infoset[acts]]
        legal[~acts, -1] = True
        place, column = np.nonzero(legal)
        which = (legal.cumsum(1) - 1)[place, column]  # of the information state's sequences
        moved = infoset[place]
        stays = layer.sequence[rows[place], self.seat]
        sequence = np.where(moved >= 0, np.append(self.first, 0)[moved] + which, stays)
        return place, np.where(moved >= 0, column, -1), sequence

    def ordered(self) -> tuple[Ints, Ints, Ints]:
        """By depth: [I] information states, [I] the place of each, and [Q] the new number of each sequence."""
        order = np.argsort(self.depth, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        counts = self.legal.sum(1)
        first = np.empty_like(self.first)
        first[order] = 1 + np.cumsum(counts[order]) - counts[order]
        inside = np.arange(1, len(self.infoset)) - self.first[self.infoset[1:]]
        return order, place, np.append(0, first[self.infoset[1:]] + inside)

    def treeplex(self, order: Ints, sequence: Ints) -> Treeplex:
        """The seat's treeplex, for the order [I] and the new numbers [Q] of ``ordered``."""
        infoset, action = np.nonzero(self.legal[order])
        none = np.full(1, -1)
        actions = self.game.spec.actions
        return Treeplex(sequence[self.parent[order]], np.append(none, infoset), np.append(none, action), actions)


def _moves(seats: tuple[_Seat, _Seat], layer: _Layer) -> tuple[Ints, Ints, Ints]:
    """[m] rows of the layer, [m, 2] legal actions there, and [m, 2] both seats' sequences after them."""
    rows, action_0, sequence_0 = seats[0].options(layer, np.arange(len(layer.states)))
    again, action_1, sequence_1 = seats[1].options(layer, rows)
    actions = np.stack([action_0[again], action_1], axis=1)
    return rows[again], actions, np.stack([sequence_0[again], sequence_1], axis=1)


def _outcomes(game: Hidden, moved: _Layer, actions: Ints, payoff: list[Entries]) -> _Layer:
    """The layer that some moves lead to; their rewards are appended to ``payoff``."""
    found = game.successors(moved.states, actions)
    sequence, chance = moved.sequence[found.rows], moved.chance[found.rows] * found.probability
    paid = found.rewards != 0
    payoff.append(Entries(sequence[paid, 0], sequence[paid, 1], (chance * found.rewards)[paid]))
    on = ~found.done
    return _Layer(found.states[on], sequence[on], chance[on])


def _merge_equal(game: Hidden, layer: _Layer) -> _Layer:
    """The layer with rows merged that have the same position and the same sequences."""
    same = np.concatenate([game.key(layer.states), layer.sequence.astype(np.uint64)], axis=1)
    _, first, inverse = np.unique(same, axis=0, return_index=True, return_inverse=True)
    chance = np.bincount(inverse.reshape(-1), layer.chance, minlength=len(first)).astype(np.float64)
    return _Layer(layer.states[first], layer.sequence[first], chance)


def _concatenate(parts: list[_Layer]) -> _Layer:
    return _Layer(
        np.concatenate([part.states for part in parts]),
        np.concatenate([part.sequence for part in parts]),
        np.concatenate([part.chance for part in parts]),
    )


def _renumber(parts: list[Entries], row: Ints, column: Ints) -> Entries:
    """All parts as one, with their rows and columns renumbered."""
    return Entries(
        row[np.concatenate([part.row for part in parts])],
        column[np.concatenate([part.column for part in parts])],
        np.concatenate([part.amount for part in parts]),
    )


def _by_depth(seats: tuple[_Seat, _Seat], payoff: list[Entries], total: int) -> Unrolled:
    """The result, with information states and sequences in the order of depth."""
    (order_0, place_0, sequence_0), (order_1, place_1, sequence_1) = seats[0].ordered(), seats[1].ordered()
    return Unrolled(
        seats=(seats[0].treeplex(order_0, sequence_0), seats[1].treeplex(order_1, sequence_1)),
        states=(np.concatenate(seats[0].states)[order_0], np.concatenate(seats[1].states)[order_1]),
        payoff=_renumber(payoff, sequence_0, sequence_1),
        reach=(_renumber(seats[0].reach, place_0, sequence_1), _renumber(seats[1].reach, place_1, sequence_0)),
        histories=total,
    )
