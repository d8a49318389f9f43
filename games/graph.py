"""Every reachable position of a turn-based game, layer by layer, and what follows from knowing them all.

Values, best responses and reach are one sweep over the layers (backward induction; forward for reach;
docs/algorithms.md, "Exploitability and the Nash gap"). Positions are told apart by their key, so transpositions merge:
Tic-Tac-Toe has 4,520 positions to move in, not its 255,168 games. For games without chance; others are refused.

Memory: a move takes 6 bytes (successor, reward, legal or not), stored action by action so that a sweep reads each once;
sweeps go through a layer in chunks that fit the processor's cache. Positions of boards are one word each and unpacked
when asked for. Connect Four 5x5, 51 million positions to move in, takes 3 GB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Enumerable, Floats, GameError, Ints, Model, Response, States, Steps, Table, one_line
from games.cost import Meter
from games.layers import Layer, Numbers, Packed, Words, chunks, layers, with_moves, words_of
from games.progress import report
from games.quick import quick

LIMIT = 1_000_000_000
"""Most moves (positions times actions) that a graph holds unless told otherwise: six gigabytes, up to twice that
while it is being built."""


@dataclass(frozen=True)
class Block:
    """Positions of one layer in which one seat moves: rows ``start:stop`` of the graph."""

    rows: slice
    seat: int
    ply: int


class GameGraph:
    """The reachable positions of a game at which a seat moves, and their moves.

    The S rows are ordered by ply, then seat, then key (its second word first). A position that can be reached at
    several plies has a row in each, with equal values. On boards the number of stones determines the ply, so this does
    not happen there.

    Args:
        game: a turn-based game without chance.
        limit: the largest S; by default ``LIMIT`` divided by the number of actions.
        meter: watches the listing of games that are no boards; by default it limits the memory alone.

    Raises:
        GameError: for a game of another kind, with more than ``limit`` positions, or that breaks the contract of
            ``games.base`` at one of the positions looked at (``games.check``).
        TooLarge: where the meter refuses.
    """

    ties: tuple[str, ...] = ("first", "uniform")
    scale = 1.0

    def __init__(self, game: Enumerable, *, limit: int | None = None, meter: Meter | None = None) -> None:
        quick(game)
        meter = meter or Meter(game)
        most = LIMIT // game.spec.actions if limit is None else limit
        found = [with_moves(game, layer) for layer in layers(game, most, meter)]
        meter.close()
        self._assemble(game, found)

    def _assemble(self, game: Enumerable, layers: list[Layer]) -> None:
        """Join the layers; the list is emptied."""
        self.game = game
        sizes = [len(layer.words) for layer in layers]
        first = np.concatenate([[0], np.cumsum(sizes)])
        self.layer_sizes = tuple(sizes)
        self.roots = np.arange(sizes[0])
        self.blocks = tuple(block for ply, la in enumerate(layers) for block in _blocks(la.seat, int(first[ply]), ply))
        self.seat: NDArray[np.int8] = np.concatenate([layer.seat for layer in layers])  # [S]
        self._words = np.concatenate([layer.words for layer in layers])  # [S]
        states = [layer.states for layer in layers if layer.states is not None]
        self._states = np.concatenate(states) if states else None
        legal = [layer.legal for layer in layers]
        rewards = [layer.reward for layer in layers]
        successors = [layer.successor for layer in layers]
        layers.clear()
        del states
        self.legal_mask: Bools = _joined(legal).T  # [S, A] legal for whoever moves
        self.reward: Numbers = _narrow(_joined(rewards)).T  # [S, A] seat 0's
        self.successor: NDArray[np.int32] = _joined(successors).T  # [S, A] row moved to; -1 illegal or over

    # --- where things are ------------------------------------------------------------------------------

    @property
    def folded(self) -> tuple[Model, Ints] | None:
        """None: rows are positions."""
        return None

    def __len__(self) -> int:
        return len(self._words)

    @cached_property
    def states(self) -> States:
        """[S, W] the positions."""
        if self._states is not None:
            return self._states
        assert isinstance(self.game, Packed)
        return self.game.unpack(self._words)

    def legal(self, seat: int) -> Bools:
        """[S, A] legal actions where the seat moves."""
        return np.asarray(self.legal_mask & (self.seat == seat)[:, None])

    def moves(self, rows: Ints) -> tuple[Bools, NDArray[np.int32], Numbers]:
        """All moves of positions.

        Args:
            rows: int64 [n].

        Returns:
            bool [n, A] the legal actions, int32 [n, A] the rows moved to, [n, A] seat 0's rewards.
        """
        return self.legal_mask[rows], self.successor[rows], self.reward[rows]

    def index(self, states: States) -> Ints:
        """[N] rows of these positions; GameError if one is not a reachable position with a move to make."""
        words = words_of(self.game, states)
        order, sorted_words = self._sorted
        at = np.minimum(np.searchsorted(sorted_words, words), len(sorted_words) - 1)
        missing = sorted_words[at] != words
        if missing.any():
            row = int(np.flatnonzero(missing)[0])
            raise GameError(
                f"not a reachable position of {self.game.spec.name} with a move to make: "
                + one_line(self.game.render(states[row]))
            )
        return order[at]

    @cached_property
    def _sorted(self) -> tuple[Ints, Words]:
        order = np.argsort(self._words)
        return order, self._words[order]

    # --- sweeps ----------------------------------------------------------------------------------------

    def value(self, profile: tuple[Table, Table]) -> float:
        """Seat 0's expected reward when both seats play their tables."""
        values = np.zeros(len(self) + 1)
        for seat, rows in self._backwards():
            values[rows] = _mean(profile[seat][rows], self._moves(rows, values))
        return float(values[self.roots].mean())

    def respond(self, seat: int, against: Table) -> Response:
        """Exact best response to the other seat's table: maximise at own positions, average at the other's.

        Args:
            seat: who responds.
            against: float64 [S, A] the other seat's table.

        Returns:
            The response.
        """
        values = np.zeros(len(self) + 1)
        for mover, rows in self._backwards():
            moves = self._moves(rows, values)
            values[rows] = self._best(rows, mover, moves) if mover == seat else _mean(against[rows], moves)
        return self._response(seat, values)

    def solve(self) -> tuple[Response, Response]:
        """Minimax by backward induction.

        Returns:
            Both seats' responses. Their values are integers, in one byte each, where the game's rewards are.
        """
        return self._minimax

    @cached_property
    def _minimax(self) -> tuple[Response, Response]:
        return self._response(0, self._minimax_values), self._response(1, self._minimax_values)

    @cached_property
    def _minimax_values(self) -> Numbers:
        """[S + 1] seat 0's value of every position under perfect play, and the 0 of a finished game."""
        values = np.zeros(len(self) + 1, dtype=self._exact)
        for seat, rows in self._backwards():
            values[rows] = self._best(rows, seat, self._moves(rows, values))
        return values

    def _response(self, seat: int, values: Numbers) -> Response:
        """A response whose values are [S + 1], see ``_moves``."""
        start = float(values[self.roots].mean())
        return Response(seat, start, values[:-1], partial(self.action_values, seat, values))

    def equilibrium(self, ties: str) -> tuple[Table, Table]:
        """Minimax play at every position; the same table for both seats.

        Args:
            ties: ``first`` or ``uniform`` among the moves of ``optimal``.

        Returns:
            float64 [S, A] twice.

        Raises:
            GameError: for other ties.
        """
        if ties not in self.ties:
            raise GameError(f"the expert {ties!r} plays Markov games")
        best = self.optimal()
        table = np.empty(best.shape)
        for rows in chunks(slice(0, len(self))):
            report(rows.start, len(self), "positions", step="tabulate")
            part = best[rows]
            if ties == "first":
                part = part & (part.cumsum(1) == 1)
            table[rows] = part / part.sum(1, keepdims=True)
        return table, table

    def best_moves(self, seat: int, rows: Ints) -> Bools:
        """[n, A] the moves of ``optimal`` at these rows [n]; all False where the seat does not act."""
        return np.asarray(self._optimal[rows] & (self.seat[rows] == seat)[:, None])

    @cached_property
    def _optimal(self) -> Bools:
        return self.optimal()

    def action_values(self, seat: int, values: Numbers) -> Floats:
        """The seat's own value of each action.

        Args:
            seat: 0 or 1.
            values: [S + 1] seat 0's value of every position, and 0 for a finished game.

        Returns:
            float64 [S, A]; -inf where illegal or not acting.
        """
        found = np.full(self.successor.shape, -np.inf)
        for mover, rows in self._backwards():
            if mover == seat:
                own = (1.0 - 2.0 * seat) * self._moves(rows, values)
                found[rows] = np.where(self.legal_mask.T[:, rows], own, -np.inf).T
        return found

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """[S] probability that a game between the two tables comes through each position."""
        reach = np.zeros(len(self))
        reach[self.roots] = 1.0 / len(self.roots)
        stops = np.cumsum([*self.layer_sizes, 0])
        for block in self.blocks:
            report(block.rows.start, len(self), "positions", step="sweep")
            low, high = int(stops[block.ply]), int(stops[block.ply + 1])  # the next layer
            for action, child in enumerate(self.successor.T[:, block.rows]):
                flow = reach[block.rows] * profile[block.seat][block.rows, action]
                at = np.where(child < 0, high, child) - low  # the ends go to a place of their own
                reach[low:high] += np.bincount(at, weights=flow, minlength=high - low + 1)[:-1]
        return reach

    def steps(self, seat: int, against: Table) -> Steps:
        """Every legal move of the seat, and the moves that the other seat's table ever makes."""
        own = (self.seat == seat)[:, None]
        row, action = np.nonzero(np.where(own, self.legal_mask, against > 0) & (self.successor >= 0))
        weight = np.where(self.seat[row] == seat, 1.0, against[row, action])
        following = self.successor[row, action].astype(np.int64)
        start = np.zeros(len(self))
        start[self.roots] = 1.0 / len(self.roots)
        return Steps(row, np.where(self.seat[row] == seat, action, 0), following, weight, start)

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """Probabilities that seat 0 wins, draws and loses. GameError where rewards come along the way."""
        if not self.decided_at_end:
            raise GameError(f"{self.game.spec.name} gives rewards along the way: its games are not won, drawn or lost")
        flow = self.reach(profile)[:, None] * (profile[0] + profile[1])  # [S, A] of each move being made
        won, lost = float(flow[self.reward > 0].sum()), float(flow[self.reward < 0].sum())
        return won, max(0.0, 1.0 - won - lost), lost

    def optimal(self) -> Bools:
        """The moves of minimax play that also minds the length of the game.

        Of the moves that keep the minimax value: those that win soonest, those that lose latest, and all of them where
        the game is drawn.

        Returns:
            bool [S, A].
        """
        values = self._minimax_values
        wanted = np.zeros(self.successor.shape, dtype=np.bool_)
        left = np.zeros(len(self) + 1, dtype=np.int32)  # plies to the end under such play, this move included
        for seat, rows in self._backwards():
            own = (1 - 2 * seat) * np.sign(values[rows]).astype(np.int32)  # [n] who gains, in the mover's view
            keeps = self.legal_mask.T[:, rows] & (self._moves(rows, values) == values[rows])
            plies = 1 + left[self.successor.T[:, rows]]
            cost = np.where(keeps, own * plies, np.iinfo(np.int32).max)
            best = keeps & (cost == cost.min(0))
            wanted[rows] = best.T
            left[rows] = np.where(best, plies, 0).max(0)
        return wanted

    @cached_property
    def _exact(self) -> type[np.generic]:
        """What a minimax value is kept in: one byte where the only reward is a small whole number at the end."""
        return np.int8 if self.reward.dtype == np.int8 and self.decided_at_end else np.float64

    @cached_property
    def decided_at_end(self) -> bool:
        """Whether every reward comes with the end of a game."""
        return not any((self.reward.T[:, rows][self.successor.T[:, rows] >= 0]).any() for _, rows in self._backwards())

    def worst_payoff(self, seat: int) -> float:
        """The least that a seat is paid at the end of a game.

        Args:
            seat: 0 or 1.
        """
        ends = self.legal_mask & (self.successor < 0)
        return float(((1.0 - 2.0 * seat) * self.reward[ends]).min())

    def _backwards(self) -> Iterator[tuple[int, slice]]:
        """Who moves, and rows of one layer, from the last layer to the first."""
        for block in reversed(self.blocks):
            for rows in chunks(block.rows):
                report(len(self) - rows.stop, len(self), "positions", step="sweep")
                yield block.seat, rows

    def _moves(self, rows: slice, values: Numbers) -> Numbers:
        """[A, n] seat 0's value of each move at ``rows``, from the values [S + 1] of what follows.

        The last value is 0, that of a finished game; successor -1 points there.
        """
        return np.asarray(values[self.successor.T[:, rows]] + self.reward.T[:, rows])

    def _best(self, rows: slice, seat: int, moves: Numbers) -> Numbers:
        """[n] seat 0's value of the seat's best move, from those of all moves [A, n]."""
        beyond = np.iinfo(moves.dtype).max if moves.dtype.kind == "i" else np.inf
        own = np.where(self.legal_mask.T[:, rows], moves, beyond if seat else -beyond)
        return np.asarray(own.min(0) if seat else own.max(0))


def _mean(weights: Table, moves: Numbers) -> Floats:
    """[n] expected value of the moves [A, n] under weights [n, A]."""
    return np.asarray(np.einsum("na,an->n", weights, moves))


# --- building --------------------------------------------------------------------------------------------


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """[A, S] parts [A, n] side by side. The list is emptied meanwhile, so that the parts are not all held twice."""
    out = np.empty((len(parts[0]), sum(part.shape[1] for part in parts)), dtype=np.result_type(*parts))
    stop = out.shape[1]
    while parts:
        part = parts.pop()
        out[:, stop - part.shape[1] : stop] = part
        stop -= part.shape[1]
    return out


def _narrow(rewards: Numbers) -> Numbers:
    """Rewards in one byte each where they are small whole numbers."""
    if rewards.dtype == np.int8:
        return rewards
    small = rewards.astype(np.int8)
    return small if np.array_equal(small, rewards) else rewards


def _blocks(seats: NDArray[np.int8], first: int, ply: int) -> list[Block]:
    """The layer's rows, which are ordered by seat, as one block per seat."""
    split = int((seats == 0).sum())
    spans = ((0, 0, split), (1, split, len(seats)))
    return [Block(slice(first + a, first + b), seat, ply) for seat, a, b in spans if b > a]
