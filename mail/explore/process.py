"""The decision process that a seat faces while the other seat's policy is fixed: its steps and transitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.base import Game, Ints, States
from mail.data.decisions import Decisions


def steps_of(game: Game) -> int:
    """H, the most own decisions of a game; in a Markov game, a step of which counts as two moves, its steps.

    Args:
        game: The game.
    """
    return -(-game.spec.longest // 2)


def clock(game: Game, states: States) -> Ints:
    """The step of each position where the game states a ``Spec.clock``; 0 in other games.

    Args:
        game: The game.
        states: [N, W].

    Returns:
        int64 [N].
    """
    if game.spec.clock is None:
        return np.zeros(len(states), dtype=np.int64)
    return np.asarray(states[:, game.spec.clock], dtype=np.int64)


@dataclass(frozen=True)
class SeatTransitions:
    """One seat's transitions, n of them: all its decisions, except where play was cut before their outcome."""

    own: Decisions  # the seat's rows
    rows: Ints  # [n] the rows of ``own`` that are transitions
    following: Ints  # [n] row of the next own decision, -1 if the game ended
    lasted: Ints  # [n] steps until then

    @classmethod
    def of(cls, game: Game, decisions: Decisions, seat: int) -> SeatTransitions:
        """A seat's transitions. Both seats' decisions determine whether a game ended or was cut.

        Args:
            game: The game.
            decisions: Both seats' decisions.
            seat: The seat.
        """
        own = decisions.take(decisions.seat == seat)
        step = clock(game, own.state)
        rows = np.arange(len(own))
        if game.spec.endless:
            last = np.zeros(decisions.games, dtype=np.int64)
            np.maximum.at(last, decisions.episode, clock(game, decisions.state))
            rows = np.flatnonzero((own.next >= 0) | (last[own.episode] < steps_of(game) - 1))
        following = own.next[rows]
        going = following >= 0
        lasted = np.ones(len(rows), dtype=np.int64)
        lasted[going] = np.maximum(1, step[following[going]] - step[rows[going]])  # 1 in games without a clock
        return cls(own, rows, following, lasted)
