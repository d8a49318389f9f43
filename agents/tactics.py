"""Tactics around a policy of a board: win at once where that is possible, else block an immediate win of the opponent.

Off unless asked for (``tactics:NAME`` among players), and named wherever a player is reported: it knows the rules, as a
policy learned from play and labels need not. Where several moves win, or block, they share the probability in
proportion to what the policy gives them, and equally where it gives them nothing; every other position is the policy's
own.
"""

from __future__ import annotations

import numpy as np

from agents.policy import PolicyError, PolicyWrapper, uniform_rows
from games.adapters.replay import Replayed
from games.base import Bools, Floats, Game, States
from games.boards import Board
from games.symmetry import board_behind

WORD = "tactics"
"""What players with tactics are called, before a colon."""
_NO_CHANCE = np.random.default_rng(0)  # boards draw nothing


class Tactics(PolicyWrapper):
    """A policy that never misses an immediate win, nor a block.

    Args:
        policy: what is played elsewhere.
    """

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """Probabilities as every policy gives them.

        Args:
            game: a board of ours, as it is or up to its symmetries, or another library's game with the same rules.
            states: [N, W] positions.
            seat: who is to move.

        Returns:
            float64 [N, A]; zero rows where the seat does not act.

        Raises:
            PolicyError: for a game that is not played on a board.
        """
        moves = forced(game, states, seat)
        rows = self.policy.probabilities(game, states, seat)
        kept = np.where(moves, rows, 0.0)
        total = kept.sum(1, keepdims=True)
        shared = np.divide(kept, total, out=uniform_rows(moves), where=total > 0)
        return np.asarray(np.where(moves.any(1, keepdims=True), shared, rows))


def forced(game: Game, states: States, seat: int) -> Bools:
    """[N, A] the moves that win at once or, where none does, block a win at once. PolicyError for no board."""
    board, positions = on_board(game, states)
    legal = game.legal(states, seat)
    wins = winning(board, positions, legal)
    blocks = winning(board, null_move(positions), legal) & ~wins.any(1, keepdims=True)
    return np.asarray(wins | blocks)


def on_board(game: Game, states: States) -> tuple[Board, States]:
    """The board that a game is played on, and positions there.

    Args:
        game: any game.
        states: [N, W] its positions.

    Returns:
        The board, and its states [N, 2].

    Raises:
        PolicyError: for a game that is not played on a board.
    """
    board = board_behind(game)
    if board is None:
        raise PolicyError(f"tactics are for boards, and {game.spec.name} is none; leave them out")
    # a replayed game's states are histories, which it alone turns into positions of its board
    return board, game.on_board(board, states) if isinstance(game, Replayed) else states


def winning(board: Board, states: States, legal: Bools) -> Bools:
    """Moves that complete a line of the seat to move.

    Args:
        board: the board.
        states: [N, 2].
        legal: bool [N, A].

    Returns:
        bool [N, A].
    """
    wins: Bools = np.zeros(legal.shape, dtype=np.bool_)
    for action in range(legal.shape[1]):
        rows = np.flatnonzero(legal[:, action])
        moves = np.full((len(rows), 2), action, dtype=np.int64)
        wins[rows, action] = board.step(states[rows], moves, rng=_NO_CHANCE)[1] != 0.0
    return wins


def null_move(states: States) -> States:
    """The same stones with the other seat to move: a move that wins then is a threat.

    Args:
        states: [N, 2].

    Returns:
        [N, 2].
    """
    return np.stack([states[:, 0] ^ states[:, 1], states[:, 1]], axis=1)
