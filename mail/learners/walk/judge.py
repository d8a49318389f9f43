"""Whether moves keep what a seat can get against perfect play, by search instead of a list of all positions.

Each question is of one kind: can a seat, the attacker, force a win (``games.deciding``)? A seat that can win keeps that
as long as it still can; a seat that can draw keeps that as long as the other one cannot win.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from agents.solver import VALUE, solvable
from games.base import Bools, Ints, NashmailError, States
from games.boards import Board
from games.deciding import Decider

SMALL = 30
"""Cells of boards on which a search from the empty board is quick."""


@dataclass(frozen=True)
class Judge:
    """What one seat of a board can get, and which moves keep it; picklable, and cheap to send."""

    board: Board
    seat: int
    goal: float
    """What the seat gets at least while it makes no mistake: 1 a win, 0 a draw."""
    ties: int = 2
    """Most moves that a clone may hold for equally good, as it must where a board is its own mirror image. A clone with
    more knows nothing of the position, and that counts as a mistake where judging all the moves would take long."""

    @property
    def small(self) -> bool:
        """Whether a search from the empty board is quick."""
        return self.board.rows * self.board.columns <= SMALL

    def holds(self, states: States, actions: Ints) -> Bools:
        """Whether moves keep what the seat can get.

        Args:
            states: [N, W] positions of one ply at which the seat moves and can still get its goal.
            actions: int64 [N] a legal move at each.

        Returns:
            bool [N].
        """
        attacker = self.seat if self.goal > 0 else 1 - self.seat
        won = decider(self.board, attacker).move(states, actions)
        return won if self.goal > 0 else ~won


def value_of(board: Board) -> float:
    """The value of the empty board to seat 0.

    Args:
        board: A board on which discs fall.

    Raises:
        NashmailError: Its positions do not fit the search.
    """
    if solvable(board):
        return VALUE
    start = board.starts()
    first, second = (bool(decider(board, seat).wins(start)[0]) for seat in (0, 1))
    return float(first) - float(second)


def check_board(board: Board | None, name: str) -> Board:
    """The board that a walk needs.

    Args:
        board: The board behind a game, if there is one.
        name: The game's name, for the message.

    Raises:
        NashmailError: There is none, or discs do not fall on it.
    """
    if board is None or not board.gravity:
        raise NashmailError(f"mail-walk needs a board on which discs fall, unlike {name}; choose mail")
    return board


@lru_cache(maxsize=4)
def _kept(rows: int, columns: int, k: int, attacker: int) -> Decider:
    board = Board(rows, columns, k, gravity=True, name=f"connect4:{rows}x{columns}:{k}")
    return Decider(board, attacker, bits=20 if rows * columns <= SMALL else 25)


def decider(board: Board, attacker: int) -> Decider:
    """The search of this process, which remembers what it has found out.

    Args:
        board: A board on which discs fall.
        attacker: The seat that is asked about.
    """
    return _kept(board.rows, board.columns, board.k, attacker)


def forget() -> None:
    """Make the searches of this process find out everything anew, as those of a new process would."""
    _kept.cache_clear()
