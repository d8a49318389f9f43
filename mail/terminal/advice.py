"""What is known of the moves of a game in progress: the table of analysis, a hint, and a verdict on a move."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agents.policy import Seats, query
from games.base import Game, States
from games.boards import Board
from mail.terminal.analysis import CLOSE, Oracle, verdict, wording
from mail.terminal.boards import View, Weighed


class Advice:
    """What a pair of policies and an oracle say; either may be absent. ``states`` are [1, W] throughout.

    Args:
        game: The game that is played.
        shown: What its moves are called.
        advisers: Whose probabilities are shown beside the moves of each seat.
        oracle: Who knows what moves are worth; called once, when it is first needed.
    """

    def __init__(self, game: Game, shown: View, advisers: Seats | None, oracle: Callable[[], Oracle | None]) -> None:
        self.game, self.shown, self.advisers = game, shown, advisers
        self._make_oracle: Callable[[], Oracle | None] | None = oracle
        self._oracle: Oracle | None = None

    @property
    def oracle(self) -> Oracle | None:
        """The oracle, made when it is first needed; None where there is none."""
        if self._make_oracle is not None:
            make, self._make_oracle = self._make_oracle, None
            self._oracle = make()
        return self._oracle

    def weighed(self, states: States, seat: int) -> Weighed:
        """Everything that is known of the seat's moves here."""
        oracle, advisers = self.oracle, self.advisers
        legal = self.game.legal(states, seat)[0]
        chances = None if advisers is None else query(advisers[seat], self.game, states, seat)[0]
        values = None if oracle is None else oracle.values(states, seat)[0]
        best = None if oracle is None else oracle.best(states, seat)[0]
        return Weighed(legal, chances, values, best, isinstance(self.game, Board))

    def hint(self, states: States, seat: int) -> str:
        """What an expert would play, else what the policy likes best."""
        weighed = self.weighed(states, seat)
        if weighed.best is not None:
            if np.array_equal(weighed.best, weighed.legal):
                return "Every move is as good as any other."
            return f"An expert plays {wording(self.shown, weighed.best)}."
        if weighed.probability is not None:
            most = weighed.probability >= weighed.probability.max() - CLOSE
            return f"The policy likes {wording(self.shown, most)} best; what is right is not known here."
        return "Nobody here knows better than you."

    def verdict(self, states: States, seat: int, action: int) -> str:
        """A sentence about a move that is about to be made; nothing where nobody knows."""
        if self.oracle is None:
            return ""
        legal = self.game.legal(states, seat)[0]
        said = verdict(self.game, legal, self.oracle.values(states, seat)[0], action)
        return f"{said[0].upper()}{said[1:]}."
