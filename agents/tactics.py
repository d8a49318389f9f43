"""Tactics around a policy of a board: win at once where that is possible, else block where the other would win at once.

Off unless asked for (``tactics:NAME`` among players), and named wherever a player is reported: it knows the rules, as
a policy learned from play and labels need not. Where several moves win, or block, they share what the policy gives them
in proportion, and alike where it gives them nothing; every other position is the policy's own.
"""

from __future__ import annotations

import numpy as np

from agents.policy import Policy, PolicyError, by_history, uniform_rows
from games.adapters.replay import Replayed
from games.base import Bools, Floats, Game, States
from games.boards import Board
from games.symmetry import board_behind

WORD = "tactics"
"""What players with tactics are called, before a colon."""
_NO_CHANCE = np.random.default_rng(0)  # boards draw nothing


class Tactics:
    """A policy that never misses a win at once, nor a block."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @property
    def by_history(self) -> bool:
        return by_history(self.policy)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """[N, A] rows; PolicyError for a game that is no board."""
        board, positions = on_board(game, states)
        rows = self.policy.probabilities(game, states, seat)
        legal = game.legal(states, seat)
        wins = winning(board, positions, legal)
        blocks = winning(board, others_turn(positions), legal) & ~wins.any(1, keepdims=True)
        forced = wins | blocks
        kept = np.where(forced, rows, 0.0)
        total = kept.sum(1, keepdims=True)
        shared = np.divide(kept, total, out=uniform_rows(forced), where=total > 0)
        return np.asarray(np.where(forced.any(1, keepdims=True), shared, rows))


def on_board(game: Game, states: States) -> tuple[Board, States]:
    """The board a game is played on, and its positions there. PolicyError for a game that is no board."""
    board = board_behind(game)
    if board is None:
        raise PolicyError(f"tactics are for boards, and {game.spec.name} is none; leave them out")
    # a replayed game's states are histories, which it alone turns into positions of its board
    return board, game.on_board(board, states) if isinstance(game, Replayed) else states


def winning(board: Board, states: States, legal: Bools) -> Bools:
    """[N, A] which of the ``legal`` moves complete a line of whoever is to move."""
    wins: Bools = np.zeros(legal.shape, dtype=np.bool_)
    for action in range(legal.shape[1]):
        rows = np.flatnonzero(legal[:, action])
        moves = np.full((len(rows), 2), action, dtype=np.int64)
        wins[rows, action] = board.step(states[rows], moves, rng=_NO_CHANCE)[1] != 0.0
    return wins


def others_turn(states: States) -> States:
    """[N, 2] the same stones with their owners changed over: what wins there is what the other threatens."""
    return np.stack([states[:, 0] ^ states[:, 1], states[:, 1]], axis=1)
