"""The decision process that a seat faces while the other seat's policy is fixed: its steps and transitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from games.base import Game, Ints, States
from games.markov.game import MarkovGame
from mail.data.decisions import Decisions


def steps_of(game: Game) -> int:
    """H, the most steps of an episode of a Markov game, or the most own decisions in another game."""
    return game.episode if isinstance(game, MarkovGame) else -(-game.spec.longest // 2)


def clock(game: Game, states: States) -> Ints:
    """[N] the step of each position in a Markov game; 0 in other games, whose positions determine the step."""
    if isinstance(game, MarkovGame):
        return np.asarray(states[:, 1], dtype=np.int64)
    return np.zeros(len(states), dtype=np.int64)


@dataclass(frozen=True)
class SeatTransitions:
    """One seat's transitions, n of them: all its decisions, except where play was cut before their outcome."""

    own: Decisions  # the seat's rows
    rows: Ints  # [n] the rows of ``own`` that are transitions
    following: Ints  # [n] row of the next own decision, -1 if the game ended
    lasted: Ints  # [n] steps until then

    @classmethod
    def of(cls, game: Game, decisions: Decisions, seat: int) -> SeatTransitions:
        """From both seats' decisions of some games, which determine whether a game ended or was cut."""
        own = decisions.take(decisions.seat == seat)
        step = clock(game, own.state)
        rows = np.arange(len(own))
        if isinstance(game, MarkovGame) and game.horizon is None:
            last = np.zeros(decisions.games, dtype=np.int64)
            np.maximum.at(last, decisions.episode, clock(game, decisions.state))
            rows = np.flatnonzero((own.next >= 0) | (last[own.episode] < game.episode - 1))
        following = own.next[rows]
        going = following >= 0
        lasted = np.ones(len(rows), dtype=np.int64)
        if isinstance(game, MarkovGame):
            lasted[going] = step[following[going]] - step[rows[going]]
        return cls(own, rows, following, lasted)
