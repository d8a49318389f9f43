"""The expert ``few`` where positions cannot be listed: Connect Four on 6x7, searched within a budget of turns.

Which moves keep the value is exact, by the solver. How many decisions follow a move is not: they are counted for the
next ``turns`` own turns alone, by the rules. A position that is won at once is no decision, and in the count the seat
may play any move that does not lose at once, whether it keeps the value or not. So threats are preferred, which leave
the opponent one reply; what comes later, endgames above all, may grow.
"""

from __future__ import annotations

import numpy as np

from agents.policy import uniform_rows
from agents.solver import scores
from agents.tactics import on_board, winning
from games.base import Bools, Floats, Game, States
from games.boards import Board
from games.symmetry import canonical

TURNS = 2
_AT_ONCE = 64
"""Positions that are looked at together: each has thousands of others after it."""
_NO_CHANCE = np.random.default_rng(0)  # boards draw nothing


class Lookahead:
    """Of the moves that keep the value, the lowest of those with the fewest decisions in the next turns after them.

    In the quotient by mirror symmetry it answers at the canonical position. For both seats, picklable.

    Args:
        turns: own turns that are looked at after a move, 1 at least.
    """

    def __init__(self, turns: int = TURNS) -> None:
        self.turns = turns

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.zeros(legal.shape)
        acts = np.flatnonzero(legal.any(1))
        if not len(acts):
            return rows
        asked = canonical(game, states[acts])
        board, positions = on_board(game, asked)
        kept = kept_rows(scores(game, asked)) > 0
        parts = range(0, len(acts), _AT_ONCE)
        counts = np.concatenate([decisions_after(board, positions[at : at + _AT_ONCE], self.turns) for at in parts])
        rows[acts, np.where(kept, counts, np.inf).argmin(1)] = 1.0
        return rows


def kept_rows(scored: Floats) -> Floats:
    """All moves with the best score's sign.

    Args:
        scored: float64 [N, A] scores, -inf where illegal.

    Returns:
        float64 [N, A].
    """
    sign = np.sign(scored)
    return uniform_rows(np.isfinite(scored) & (sign == sign.max(1, keepdims=True)))


def decisions_after(board: Board, states: States, turns: int) -> Floats:
    """How many decisions the seat to move has in its next turns, after each of its moves.

    Args:
        board: the board.
        states: [N, 2] positions that are not over.
        turns: how many of its turns are looked at.

    Returns:
        float64 [N, A] sums over all replies; 0 after a move that ends the game, inf after an illegal one.
    """
    counts = np.full((len(states), board.spec.actions), np.inf)
    there, action, after, over = _moves(board, states)
    counts[there, action] = 0.0
    going = np.flatnonzero(~over)
    reply, _, following, ended = _moves(board, after[going])
    left = np.flatnonzero(~ended)
    to = going[reply[left]]
    np.add.at(counts, (there[to], action[to]), _decisions(board, following[left], turns))
    return counts


def _decisions(board: Board, states: States, turns: int) -> Floats:
    """[N] decisions of the seat to move at positions [N, 2] that are not over, this one included."""
    counts = np.zeros(len(states))
    left = np.flatnonzero(~_wins(board, states).any(1))
    counts[left] = 1.0
    if turns > 1 and len(left):
        after = decisions_after(board, states[left], turns - 1)
        after[_loses(board, states[left])] = np.inf
        least = after.min(1)
        counts[left] += np.where(np.isfinite(least), least, 0.0)
    return counts


def _loses(board: Board, states: States) -> Bools:
    """[N, A] the moves after which the opponent wins at once."""
    loses: Bools = np.zeros((len(states), board.spec.actions), dtype=np.bool_)
    there, action, after, over = _moves(board, states)
    going = np.flatnonzero(~over)
    loses[there[going], action[going]] = _wins(board, after[going]).any(1)
    return loses


def _wins(board: Board, states: States) -> Bools:
    return winning(board, states, _legal(board, states))


def _moves(board: Board, states: States) -> tuple[np.ndarray, np.ndarray, States, Bools]:
    """Every legal move of n positions: row and action [m], the position after it [m, 2], whether the game is over."""
    there, action = np.nonzero(_legal(board, states))
    after, _, over = board.step(states[there], np.stack([action, action], axis=1), rng=_NO_CHANCE)
    return there, action, after, over


def _legal(board: Board, states: States) -> Bools:
    """[N, A] the legal actions of whoever moves."""
    return board.legal(states, 0) | board.legal(states, 1)
