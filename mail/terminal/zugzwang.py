"""Zugzwang: a win that comes because the other side has to move, read from the line that the solver plays.

In Connect Four a threat may stand above an empty cell. Nobody can fulfil it until that cell is filled, and whoever
fills it loses, so both leave it alone until nothing else is left (Allis, "A knowledge-based approach of Connect-Four",
1988, chapter 3). Here it is seen at the end of the line of best moves: the loser is to move, the winner could complete
nothing if he might pass, and whatever he plays lets the winner complete a line at once. Without gravity every empty
cell can be filled at any time, so there is none.
"""

from __future__ import annotations

import numpy as np

from games.base import Enumerable, Game, States, as_enumerable
from mail.terminal.analysis import Oracle
from mail.terminal.reasons import SeatBoard, seat_board

DEEPEST = 12
"""Most moves of the winner in the line that is followed: each of its plies asks the solver."""


def zugzwang(game: Game, oracle: Oracle, states: States, seat: int, action: int, *, ends: int) -> str:
    """How a decided game ends after a move, where that is by zugzwang, as a clause.

    Args:
        game: The game.
        oracle: Its best moves are played by both seats, the lowest of several.
        states: [1, W] the position before the move.
        seat: Who moves.
        action: The move.
        ends: How many moves of the winner it takes to the end (``analysis.moves_to_end``).

    Returns:
        The clause; empty if the game ends in another way, or the line is longer than ``DEEPEST``.
    """
    if not 1 < ends <= DEEPEST or not game.spec.in_a_row or game.spec.display.layout != "columns":
        return ""
    board_game, line, mover = as_enumerable(game), [(states, seat, action)], seat
    while (following := _after(board_game, *line[-1])) is not None:
        mover = 1 - mover
        line.append((following, mover, int(oracle.best(following, mover)[0].argmax())))
    if len(line) < 2 or line[-2][1] == line[-1][1]:
        return ""
    before, loser, _ = line[-2]
    board = seat_board(game, before, loser)
    return "" if board is None else _squeezed(board, game.spec.display.marks, loser)


def _after(game: Enumerable, states: States, seat: int, action: int) -> States | None:
    """[1, W] the position after a move; None where the game is over."""
    moves = np.full((1, 2), -1, dtype=np.int64)
    moves[0, seat] = action
    outcome = game.successors(states, moves)
    return None if outcome.done[0] else outcome.states[:1]


def _squeezed(board: SeatBoard, marks: tuple[str, str], loser: int) -> str:
    """The clause, if the loser, whose board it is and who is to move, is in zugzwang."""
    if board.turned().wins() or board.wins():  # a threat stands already, or he is not lost
        return ""
    lost = {action: board.after(action).wins() for action, _ in board.playable()}
    if not lost or not all(lost.values()):
        return ""
    columns = sorted(lost)
    first = lost[columns[0]]
    completed = board.turned().named(next(iter(first.values())))
    where = f"column {columns[0] + 1}"
    if len(columns) == 2:
        where += f" or {columns[1] + 1}"
    choice = f"must fill {where}" if len(columns) <= 2 else f"must fill a column that loses, {where} for one"
    return f"zugzwang decides: in the end {marks[loser]} {choice}, and {marks[1 - loser]} completes {completed}"
