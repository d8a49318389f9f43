"""Which positions of a board with gravity a seat wins by force, however the other plays: asked, not listed.

A game graph answers for all positions at once, where they can be listed. Of 6x7 Connect Four's 4.5e12 they cannot, but
whether one seat can force a win from one of them is a question for a search, which answers most positions with 20
stones or more within a millisecond (``games.compiled.deciding`` says how). A position whose winner is asked for costs
less than one whose score is: a score is a series of such questions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from games.base import Bools, GameError, Ints, States
from games.boards import Board
from games.compiled.loading import plain
from games.progress import report

_CHUNK = 64  # positions between two reports: a call costs a few microseconds, a position up to a second
_MOST_BITS = 32


class Decider:
    """Decides whether one seat, the *attacker*, can force a win.

    Answers are exact and don't depend on what was asked before; only time does, because a table remembers what was
    found. Positions are ``Board``'s states, the mover's stones and all stones. Where the game is over, all answers are
    False.

    Args:
        board: with gravity; every position has to fit 54 bits (columns x (rows + 1)), as those of 6x7 do.
        attacker: 0 or 1, the seat that is asked about.
        bits: of a place in the table, which takes 8 bytes times 2 to their power: 22 for 32 MiB.

    Raises:
        GameError: for another game, too large a board, and other attackers and bits.
    """

    def __init__(self, board: Board, attacker: int, *, bits: int = 22) -> None:
        from games.compiled import deciding

        if type(board) is not Board or not board.gravity:  # a subclass may have changed the rules
            raise GameError("wins are decided on boards with gravity alone")
        if (needed := board.columns * (board.rows + 1)) > deciding.KEY_BITS:
            raise GameError(
                f"{board.spec.name}: wins are decided on boards of at most {deciding.KEY_BITS} bits "
                f"(columns x (rows + 1)), and this one needs {needed}"
            )
        if attacker not in (0, 1):
            raise GameError(f"the attacker is seat 0 or 1, not {attacker}")
        if not 1 <= bits <= _MOST_BITS:
            raise GameError(f"a place in a table has 1 to {_MOST_BITS} bits, not {bits}")
        self.board, self.attacker = board, attacker
        self._kernels = deciding
        self._table = np.zeros(1 << bits, dtype=np.uint64)
        cells = board.rows * board.columns
        scratch = np.zeros((cells + 1, board.columns), dtype=np.int64)
        self._most = (cells + 1) // 2  # stones of a seat
        self._memory = self._table, scratch, board.line_steps, _facts(board, attacker, 64 - bits)

    @property
    def nbytes(self) -> int:
        """Bytes that the table takes."""
        return self._table.nbytes

    def clear(self) -> None:
        """Forget what was found."""
        self._table[:] = 0

    def wins(self, states: States, within: int | None = None) -> Bools:
        """Whether the attacker can force a win, whoever is to move.

        Args:
            states: uint64 [N, 2].
            within: how many more stones it may place; None for any number.

        Returns:
            [N].
        """
        n, out = self._bounded(within), np.zeros(len(states), dtype=np.bool_)
        self._in_parts(states, lambda rows, part: self._kernels.wins(part, n, out[rows], *self._memory))
        return out

    def after(self, states: States, within: int | None = None) -> Bools:
        """Whether the attacker can force a win after each move of the seat to move.

        Args:
            states: uint64 [N, 2].
            within: how many more stones it may place, counted before the move; None for any number.

        Returns:
            [N, A]; False where a move is illegal.
        """
        n, out = self._bounded(within), self._moves(states)
        self._in_parts(states, lambda rows, part: self._kernels.after(part, n, out[rows], *self._memory))
        return out

    def move(self, states: States, actions: Ints, within: int | None = None) -> Bools:
        """Whether the attacker can force a win after a move of the seat to move: ``after`` for one action each.

        Args:
            states: uint64 [N, 2].
            actions: int64 [N].
            within: how many more stones it may place, counted before the move; None for any number.

        Returns:
            [N].

        Raises:
            GameError: for an action that is no column with room.
        """
        n, out, actions = self._bounded(within), np.zeros(len(states), dtype=np.bool_), plain(actions, np.int64)
        if actions.shape != out.shape:
            raise GameError(f"{len(states)} positions need as many actions, not {actions.shape}")

        def ask(rows: slice, part: States) -> None:
            bad = self._kernels.move(part, actions[rows], n, out[rows], *self._memory)
            if bad != self._kernels.ILLEGAL:
                raise GameError(f"{self.board.spec.name}: action {int(actions[rows][bad])} is not legal")

        self._in_parts(states, ask)
        return out

    def keeps(self, states: States, seat: int, goal: float) -> Bools:
        """The moves after which the seat to move still gets so much, if it plays well.

        Args:
            states: uint64 [N, 2] where the seat is to move.
            seat: 0 or 1.
            goal: 1.0 for a win, which the attacker can be asked for; 0.0 for at least a draw, for the other seat; -1.0
                for nothing, to which all legal moves lead.

        Returns:
            [N, A].

        Raises:
            GameError: for a seat that is not to move, or a goal that this attacker does not decide.
        """
        if (np.bitwise_count(states[:, 1]) % 2 != seat).any():
            raise GameError(f"{self.board.spec.name}: seat {seat} is not to move everywhere")
        if goal == -1.0:
            return self.board.legal(states, seat)
        if goal == 1.0 and seat == self.attacker:
            return self.after(states)
        if goal == 0.0 and seat != self.attacker:
            return self.board.legal(states, seat) & ~self.after(states)
        raise GameError(f"wins of seat {self.attacker} do not tell where seat {seat} keeps {goal}")

    def soonest(self, states: States) -> Bools:
        """The moves with which the attacker forces a win with the fewest stones.

        Args:
            states: uint64 [N, 2] where the attacker is to move.

        Returns:
            [N, A]; no move where it cannot force a win.

        Raises:
            GameError: where the other seat is to move.
        """
        if (np.bitwise_count(states[:, 1]) % 2 != self.attacker).any():
            raise GameError(f"{self.board.spec.name}: seat {self.attacker} is not to move everywhere")
        out = self._moves(states)
        self._in_parts(states, lambda rows, part: self._kernels.soonest(part, self._most, out[rows], *self._memory))
        return out

    def _bounded(self, within: int | None) -> int:
        """So many stones, but no more than a seat has."""
        return self._most if within is None else max(0, min(within, self._most))

    def _moves(self, states: States) -> Bools:
        return np.zeros((len(states), self.board.columns), dtype=np.bool_)

    def _in_parts(self, states: States, ask: Callable[[slice, States], None]) -> None:
        """Ask about a few positions at a time, and say how many are done."""
        states = plain(states, np.uint64)
        for start in range(0, len(states), _CHUNK):
            report(start, len(states), "positions", step="decide")
            rows = slice(start, start + _CHUNK)
            ask(rows, states[rows])


def _facts(board: Board, attacker: int, shift: int) -> States:
    """``games.compiled.deciding``'s facts."""
    height = board.rows + 1
    bottoms = [1 << (column * height) for column in range(board.columns)]
    every = sum(bottoms)
    above_odd = sum(every << row for row in range(board.rows) if (board.rows - 1 - row) % 2 == 1)
    cells = every * ((1 << board.rows) - 1)
    columns = [bottom * ((1 << board.rows) - 1) for bottom in bottoms]
    return np.array([cells, every, above_odd, shift, board.k, height, attacker, *columns], dtype=np.uint64)
