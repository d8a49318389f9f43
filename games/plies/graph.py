"""A board's graph that computes its moves when they are asked for, instead of keeping them.

``games.graph.GameGraph`` keeps six bytes for each move; 51 million positions of Connect Four 5x5 take two gigabytes.
Here a ply is a set of bits (``games.plies.rules``), with the number of bits before each word, and a position takes one
byte more: how soon it is won. What follows a move is computed anew where it is needed, by compiled loops. Rows, values,
best moves are those of the ``GameGraph`` of the same board, and so are the attributes by row, as far as they are asked
for a few rows at a time. What needs a table of all positions is not here: policies are measured by ``back_up``, one ply
after the other, from the answers to batches of positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Enumerable, Floats, GameError, Ints, Response, States, one_line
from games.cost import afford
from games.layers import Packed, Words, words_of
from games.plies.listing import Ply, chunks, listed, memory, plies_of, words_of_rows
from games.plies.rules import rules_of

BEST = -1
"""In place of a policy: a best response to the other seat's."""
Asker = Callable[[int, Iterator[States]], Iterable[Floats]]
"""``ask(seat, batches)`` gives an answer float64 [n, A] for each batch of positions [n, W]."""
Derive = Callable[[int, States, Floats], Floats]
"""``derive(seat, states, answer)`` gives float64 [P, n, A], the probabilities of P policies."""


class Columns:
    """An attribute by row that is computed where it is asked for: ``graph.reward[rows]``."""

    def __init__(self, size: int, compute: Callable[[Ints], NDArray[Any]]) -> None:
        """Keep how it is computed.

        Args:
            size: S, how many rows there are.
            compute: maps rows int64 [n] to values [n, ...].
        """
        self._size, self._compute = size, compute

    def __len__(self) -> int:
        return self._size

    @property
    def shape(self) -> tuple[int, ...]:
        """As if it were an array."""
        return (self._size, *self[:1].shape[1:])

    def __getitem__(self, rows: Any) -> Any:
        """The values at rows: an index, a slice, or rows [n]."""
        if isinstance(rows, slice):
            return self._compute(np.arange(*rows.indices(self._size)))
        wanted = np.asarray(rows, dtype=np.int64)
        if wanted.size and not -self._size <= wanted.min() <= wanted.max() < self._size:
            raise IndexError(f"rows lie below {self._size:,}")
        found = self._compute(np.where(wanted < 0, wanted + self._size, wanted).ravel())
        return found.reshape(*wanted.shape, *found.shape[1:])


class CompactGraph:
    """The reachable positions of a board at which a seat moves, in the order of ``GameGraph``.

    Attributes:
        seat: by row, who moves.
        states: by row [W], the positions.
        legal_mask: by row [A], the legal actions.
        successor: by row int32 [A], the row moved to; -1 where that is illegal or ends the game.
        reward: by row int8 [A], seat 0's.
    """

    ties: tuple[str, ...] = ("first", "uniform")
    scale = 1.0
    decided_at_end = True
    folded = None

    def __init__(
        self,
        game: Enumerable,
        *,
        bits: Sequence[NDArray[np.uint64]] | None = None,
        plies_to_end: NDArray[np.int8] | None = None,
    ) -> None:
        """List the positions.

        Args:
            game: a board that fits 32 bits, or its quotient by the mirror image (``games.plies.rules``).
            bits: the bits of every ply where they are known already (``Ply.bits``); they are not checked.
            plies_to_end: int8 [S] where it is known already.

        Raises:
            GameError: for another game, or where the memory does not suffice, before anything is begun.
        """
        rules = rules_of(game)
        if rules is None or not isinstance(game, Packed):
            raise GameError(f"{game.spec.name} is no board of at most 32 bits; list its positions with games.GameGraph")
        self.game, self.rules = game, rules
        afford(memory(rules), game.spec.name)
        self.plies = tuple(listed(rules) if bits is None else plies_of(bits))
        if plies_to_end is not None:
            self.plies_to_end = plies_to_end
        self.roots = np.zeros(1, dtype=np.int64)
        self._firsts = np.array([ply.first for ply in self.plies], dtype=np.int64)
        size = len(self)
        self.seat = Columns(size, lambda rows: (self._ply_of(rows) & 1).astype(np.int8))
        self.states = Columns(size, lambda rows: game.unpack(self.words(rows)))
        self.legal_mask = Columns(size, lambda rows: self.moves(rows)[0])
        self.successor = Columns(size, lambda rows: self.moves(rows)[1])
        self.reward = Columns(size, lambda rows: self.moves(rows)[2])

    def __reduce__(self) -> Any:
        """A graph is sent to workers as its bits."""
        return partial(CompactGraph, bits=[ply.bits for ply in self.plies], plies_to_end=self.plies_to_end), (
            self.game,
        )

    def __len__(self) -> int:
        return self.plies[-1].first + self.plies[-1].size

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Positions of each ply."""
        return tuple(ply.size for ply in self.plies)

    # --- where things are ------------------------------------------------------------------------------

    def words(self, rows: Ints) -> Words:
        """Positions as words.

        Args:
            rows: int64 [n].

        Returns:
            uint64 [n].
        """
        out = np.empty(len(rows), dtype=np.uint64)
        for ply, here in self._by_ply(rows):
            out[here] = words_of_rows(self.rules, ply, rows[here] - ply.first)
        return out

    def moves(self, rows: Ints) -> tuple[Bools, NDArray[np.int32], NDArray[np.int8]]:
        """All moves of positions.

        Args:
            rows: int64 [n].

        Returns:
            bool [n, A] the legal actions, int32 [n, A] the rows moved to, int8 [n, A] seat 0's rewards.
        """
        from games.compiled.layers import moves

        shape = (self.game.spec.actions, len(rows))
        legal: Bools = np.empty(shape, dtype=np.bool_)
        successor: NDArray[np.int32] = np.empty(shape, dtype=np.int32)
        reward: NDArray[np.int8] = np.empty(shape, dtype=np.int8)
        words = self.words(rows)
        for ply, here in self._by_ply(rows):
            part, following = words[here], self._following(ply)
            outs: list[Any] = [np.empty((shape[0], len(part)), out.dtype) for out in (legal, successor, reward)]
            given = part, following.bits, following.ranks, following.first
            moves(*given, *outs, *self.rules.of(ply.stones))
            legal[:, here], successor[:, here], reward[:, here] = outs
        return legal.T, successor.T, reward.T

    def index(self, states: States) -> Ints:
        """The rows of positions.

        Args:
            states: [N, W].

        Returns:
            int64 [N].

        Raises:
            GameError: if one is not a reachable position with a move to make.
        """
        from games.compiled.layers import rows_of

        words = words_of(self.game, states)
        count = np.bitwise_count(words >> np.uint64(32)).astype(np.int64)
        found = np.full(len(words), -1, dtype=np.int64)
        for stones, here in _groups(count):
            if stones < len(self.plies):
                ply, part = self.plies[stones], words[here]
                rows = np.empty(len(part), dtype=np.int64)
                sets = self.rules.sets[ply.stones]
                rows_of(part, sets, self.rules.shifts, self.rules.facts, ply.bits, ply.ranks, rows)
                found[here] = np.where(rows < 0, -1, rows + ply.first)
        if (found < 0).any():
            state = states[int((found < 0).argmax())]
            name, picture = self.game.spec.name, one_line(self.game.render(state))
            raise GameError(f"not a reachable position of {name} with a move to make: {picture}")
        return found

    def _ply_of(self, rows: Ints) -> Ints:
        """[n] the number of stones."""
        return np.asarray(np.searchsorted(self._firsts, rows, side="right") - 1, dtype=np.int64)

    def _by_ply(self, rows: Ints) -> Iterator[tuple[Ply, Any]]:
        """The plies of rows, and the places of those that are there."""
        for stones, here in _groups(self._ply_of(rows)):
            yield self.plies[stones], here

    def _following(self, ply: Ply) -> Ply:
        """The next ply; an empty one after the last."""
        if ply.stones + 1 < len(self.plies):
            return self.plies[ply.stones + 1]
        return Ply(ply.stones + 1, len(self), 0, np.zeros(1, np.uint64), np.zeros(1, np.uint32))

    # --- perfect play ----------------------------------------------------------------------------------

    @cached_property
    def plies_to_end(self) -> NDArray[np.int8]:
        """int8 [S] plies to the end of a game between players that win as soon and lose as late as they can.

        Positive where seat 0 wins, negative where seat 1 wins, 0 where the game is drawn.
        """
        from games.compiled.layers import solve

        out = np.empty(len(self), dtype=np.int8)
        for ply in reversed(self.plies):
            following = self._following(ply)
            after = out[following.first : following.first + following.size]
            own = out[ply.first : ply.first + ply.size]
            for rows, words in chunks(self.rules, ply):
                solve(words, following.bits, following.ranks, after, own[rows], *self.rules.of(ply.stones))
        return out

    def solve(self) -> tuple[Response, Response]:
        """Minimax play: its values, int8 [S]; not the values of all actions, which would not fit."""
        return self._minimax

    @cached_property
    def _minimax(self) -> tuple[Response, Response]:
        def none() -> Floats:
            raise GameError(f"{self.game.spec.name} has too many positions for a table of its actions' values")

        value = float(np.sign(self.plies_to_end[0]))
        values = np.sign(self.plies_to_end)
        return Response(0, value, values, none), Response(1, value, values, none)

    def best_moves(self, seat: int, rows: Ints) -> Bools:
        """The moves that keep the value and, of these, win soonest or lose latest.

        Args:
            seat: 0 or 1.
            rows: int64 [n].

        Returns:
            bool [n, A]; all False where the seat does not act.
        """
        legal, successor, reward = self.moves(rows)
        stones = self._ply_of(rows)
        sign = (1 - 2 * (stones & 1))[:, None]
        plies = np.where(successor >= 0, sign * self.plies_to_end[successor].astype(np.int64), 0)
        plies = np.where(reward != 0, 1, plies + np.sign(plies))  # the mover's; a move that ends the game may win it
        worth = np.where(plies > 0, 500 - plies, np.where(plies < 0, -500 - plies, 0))
        worth = np.where(legal, worth, -1000)
        return np.asarray((worth == worth.max(1, keepdims=True)) & legal & ((stones & 1) == seat)[:, None])

    def worst_payoff(self, seat: int) -> float:
        """The least that a seat may be paid at the end of a game: -1 for a loss.

        Args:
            seat: 0 or 1.
        """
        return -1.0

    # --- policies --------------------------------------------------------------------------------------

    def back_up(self, ask: Asker, derive: Derive, pairs: Sequence[tuple[int, int]], *, mirrored: bool) -> Floats:
        """Seat 0's expected rewards from the start, for several pairs of players, in one sweep from the last ply on.

        Every position of a seat is asked for once, in batches whose sizes follow from the game alone.

        Args:
            ask: the answers that cost something.
            derive: the probabilities of P policies from these answers.
            pairs: V pairs of seat 0's and seat 1's policy, by number, or ``BEST``.
            mirrored: whether only one of a position and its mirror image is asked for, since the other's answer is the
                mirrored one.

        Returns:
            float64 [V].

        Raises:
            GameError: where the memory does not suffice.
        """
        from games.compiled.layers import back_up

        game, players = self.game, np.array(pairs, dtype=np.int64)  # [V, 2]
        largest = max(size + after for size, after in zip(self.layer_sizes, [*self.layer_sizes[1:], 0], strict=True))
        afford(8.0 * largest * len(players), game.spec.name)
        after = np.zeros((1, len(players)))
        for ply in reversed(self.plies):
            seat, following = ply.stones & 1, self._following(ply)
            own, values = np.ascontiguousarray(players[:, seat]), np.empty((ply.size, len(players)))
            answers = ask(seat, (game.unpack(words) for _, words in self._asked(ply, mirrored=mirrored)))
            for (rows, words), answer in zip(self._asked(ply, mirrored=mirrored), answers, strict=True):
                for at, them, given in self._images(ply, rows, words, answer) if mirrored else [(rows, words, answer)]:
                    weights = np.ascontiguousarray(derive(seat, game.unpack(them), given))
                    found = np.empty((len(them), len(players)))
                    arrays = following.bits, following.ranks, weights, own, after, found
                    back_up(them, *arrays, *self.rules.of(ply.stones))
                    values[at] = found
            after = values
        return np.asarray(after[0])

    def _asked(self, ply: Ply, *, mirrored: bool) -> Iterator[tuple[Ints, Words]]:
        """A ply's own rows and words, chunk by chunk; with ``mirrored`` those not greater than their mirror image."""
        for rows, words in chunks(self.rules, ply):
            here = np.flatnonzero(words <= self._flipped(words)) if mirrored else np.arange(len(words))
            yield rows.start + here, words[here]

    def _images(self, ply: Ply, rows: Ints, words: Words, answer: Floats) -> Iterator[tuple[Ints, Words, Floats]]:
        """Positions with their answers, and then their images with the mirrored ones."""
        from games.compiled.layers import rows_of

        yield rows, words, answer
        images = self._flipped(words)
        other = np.flatnonzero(images != words)
        at, images = np.empty(len(other), dtype=np.int64), images[other]
        sets, shifts, facts = self.rules.sets[ply.stones], self.rules.shifts, self.rules.facts
        rows_of(images, sets, shifts, facts, ply.bits, ply.ranks, at)
        yield at, images, np.asarray(answer[other][:, ::-1])

    def _flipped(self, words: Words) -> Words:
        """[n] the mirror images of words."""
        board: Any = self.game  # has images, as every board that has a mirror image
        return np.asarray(board.pack(board.images(board.unpack(words))[1]))


def _groups(numbers: Ints) -> Iterator[tuple[int, Any]]:
    """The distinct numbers, and the places of each: a slice where there is one number alone, which is usual."""
    if len(numbers) and (numbers == numbers[0]).all():
        yield int(numbers[0]), slice(None)
        return
    for number in np.unique(numbers):
        yield int(number), np.flatnonzero(numbers == number)
