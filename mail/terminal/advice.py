"""Advice on the moves of a game in progress: the table of analysis, a hint, and a verdict on a move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.policy import Seats, query
from games.base import Game, States
from mail.terminal.analysis import CLOSE, Oracle, verdict, wording
from mail.terminal.boards import View, Weighed


@dataclass(frozen=True)
class Slip:
    """A move that gave value away."""

    ply: int
    seat: int
    states: States
    """[1, W] the position."""
    before: States | None
    """[W] the position before the other's last move, if there was one."""
    action: int
    verdict: str
    better: tuple[int, ...]
    """The moves that keep the value."""


class Advice:
    """Combines a pair of policies and an oracle, either of which may be absent. ``states`` are [1, W] throughout.

    Args:
        game: The game.
        display: Its names of moves.
        advisers: The policies whose probabilities are displayed beside each seat's moves.
        oracle: Makes the source of move values; called once, at its first use.
    """

    def __init__(self, game: Game, display: View, advisers: Seats | None, oracle: Callable[[], Oracle | None]) -> None:
        self.game, self.display, self.advisers = game, display, advisers
        self._make_oracle = oracle

    @cached_property
    def oracle(self) -> Oracle | None:
        """The oracle, made at its first use; None if there is none."""
        return self._make_oracle()

    def weighed(self, states: States, seat: int) -> Weighed:
        """All that is known about the seat's moves in this position."""
        oracle, advisers = self.oracle, self.advisers
        legal = self.game.legal(states, seat)[0]
        chances = None if advisers is None else query(advisers[seat], self.game, states, seat)[0]
        values = None if oracle is None else oracle.values(states, seat)[0]
        best = None if oracle is None else oracle.best(states, seat)[0]
        mix = None if oracle is None else oracle.mix(states, seat)
        return Weighed(legal, chances, values, best, self.game.spec.win_loss, None if mix is None else mix[0])

    def hint(self, states: States, seat: int) -> str:
        """A sentence with an expert's moves, or else the policy's most probable ones."""
        weighed, display = self.weighed(states, seat), self.display.at(states[0], seat)
        if weighed.mix is not None and weighed.mix.max() < 1.0:
            shares = [
                f"{display.move(int(action))} {weighed.mix[action]:.0%}" for action in np.flatnonzero(weighed.mix)
            ]
            return f"An equilibrium plays {', '.join(shares)}."
        if weighed.best is not None:
            if np.array_equal(weighed.best, weighed.legal):
                return "All legal moves are equally good."
            return f"An expert plays {wording(display, weighed.best)}."
        if weighed.probability is not None:
            most = weighed.probability >= weighed.probability.max() - CLOSE
            return f"The policy prefers {wording(display, most)}; no expert is available for this game."
        return "No hint is available: play against a run or an expert, or choose a smaller game."

    def slip(self, ply: int, states: States, before: States | None, seat: int, action: int) -> Slip | None:
        """The mistake that a move was; None if it was none, or if that is not known."""
        if self.oracle is None:
            return None
        legal, values = self.game.legal(states, seat)[0], self.oracle.values(states, seat)[0]
        better = np.flatnonzero(legal & (values >= values[legal].max() - CLOSE))
        if action in better:
            return None
        said = verdict(self.game, legal, values, action)
        return Slip(ply, seat, states, before, action, said, tuple(int(move) for move in better))

    def verdict(self, states: States, seat: int, action: int) -> str:
        """A sentence about a move before it is made; empty without an oracle."""
        if self.oracle is None:
            return ""
        legal = self.game.legal(states, seat)[0]
        line = verdict(self.game, legal, self.oracle.values(states, seat)[0], action)
        return f"{line[0].upper()}{line[1:]}."
