"""Advice on the moves of a game in progress: the table of analysis, a hint, and a verdict on a move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from agents.policy import Seats, query
from games.base import Bools, Game, Ints, States
from mail.terminal.analysis import CLOSE, Oracle, moves_to_end, verdict, wording
from mail.terminal.boards import View
from mail.terminal.moves import MoveAnalysis
from mail.terminal.reasons import reason
from mail.terminal.zugzwang import zugzwang


@dataclass(frozen=True)
class Mistake:
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

    def analyse(self, states: States, seat: int) -> MoveAnalysis:
        """All that is known about the seat's moves in this position.

        Args:
            states: [1, W] the position.
            seat: Whose moves.
        """
        oracle, advisers = self.oracle, self.advisers
        legal = self.game.legal(states, seat)[0]
        chances = None if advisers is None else query(advisers[seat], self.game, states, seat)[0]
        values = None if oracle is None else oracle.values(states, seat)[0]
        best = None if oracle is None else oracle.best(states, seat)[0]
        mix = None if oracle is None else oracle.mix(states, seat)
        ends = None if oracle is None else self._ends(oracle, states, seat)
        mixed = None if mix is None else mix[0]
        return MoveAnalysis(legal, chances, values, best, self.game.spec.win_loss, mixed, ends)

    def _ends(self, oracle: Oracle, states: States, seat: int) -> Ints | None:
        """[A] how many moves of the winner each move takes to the end, if that is known."""
        scores = oracle.scores(states, seat)
        if scores is None:
            return None
        made = int(self.game.observe(states, seat).sum())  # stones on the board
        return moves_to_end(self.game.spec.longest, made, scores[0])

    def hint(self, states: States, seat: int) -> str:
        """A sentence with an expert's moves, or else the policy's most probable ones.

        Args:
            states: [1, W] the position.
            seat: Whose moves.
        """
        moves, display = self.analyse(states, seat), self.display.at(states[0], seat)
        if moves.mix is not None and moves.mix.max() < 1.0:
            shares = [f"{display.move(int(action))} {moves.mix[action]:.0%}" for action in np.flatnonzero(moves.mix)]
            return f"An equilibrium plays {', '.join(shares)}."
        if moves.best is not None:
            if np.array_equal(moves.best, moves.legal):
                return "All legal moves are equally good."
            return self._explained(moves, moves.best, states, seat)
        if moves.probability is not None:
            most = moves.probability >= moves.probability.max() - CLOSE
            return f"The policy prefers {wording(display, most)}; no expert is available for this game."
        return "No hint is available: play against a run or an expert, or choose a smaller game."

    def _explained(self, moves: MoveAnalysis, best: Bools, states: States, seat: int) -> str:
        """An expert's moves, what they come to, and why."""
        display = self.display.at(states[0], seat)
        line = f"An expert plays {wording(display, best)}"
        action = int(best.argmax())
        why = reason(self.game, states, seat, action)
        ends = 0 if moves.ends is None else int(moves.ends[action])
        value = 0.0 if moves.value is None else float(moves.value[action])
        if ends and value > 0:
            line += f", which wins {'at once' if ends == 1 else f'in {ends}'}"
        elif ends and value < 0:
            line += f": every move loses, and this lasts longest, {ends} more of the winner's moves"
        if why:
            line += f"; it {why}" if best.sum() == 1 else f"; {display.move(action)} {why}"
        return line + self._zugzwang(states, seat, action, ends) + "."

    def _zugzwang(self, states: States, seat: int, action: int, ends: int) -> str:
        """How the move is decided in the end, behind a semicolon, where that is by zugzwang."""
        if self.oracle is None or not ends:
            return ""
        said = zugzwang(self.game, self.oracle, states, seat, action, ends=ends)
        return f"; {said}" if said else ""

    def mistake(self, ply: int, states: States, before: States | None, seat: int, action: int) -> Mistake | None:
        """The mistake that a move was; None if it was none, or if that is not known.

        Args:
            ply: The number of the move, from 0.
            states: [1, W] the position before it.
            before: [1, W] the position before the other's last move, if there was one.
            seat: Who moved.
            action: The move.
        """
        if self.oracle is None:
            return None
        legal, values = self.game.legal(states, seat)[0], self.oracle.values(states, seat)[0]
        better = np.flatnonzero(legal & (values >= values[legal].max() - CLOSE))
        if action in better:
            return None
        said = verdict(self.game, legal, values, action)
        return Mistake(ply, seat, states, before, action, said, tuple(int(move) for move in better))

    def verdict(self, states: States, seat: int, action: int) -> str:
        """A sentence about a move before it is made; empty without an oracle.

        Args:
            states: [1, W] the position.
            seat: Whose moves.
            action: The move.
        """
        if self.oracle is None:
            return ""
        legal = self.game.legal(states, seat)[0]
        line = verdict(self.game, legal, self.oracle.values(states, seat)[0], action)
        why = reason(self.game, states, seat, action)
        ends = self._ends(self.oracle, states, seat)
        late = "" if ends is None else self._zugzwang(states, seat, action, int(ends[action]))
        return f"{line[0].upper()}{line[1:]}" + (f"; it {why}" if why else "") + late + "."
