"""The game in progress: its position, the plies so far, its random streams, and undo."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, query, sample
from games.base import Game, States, stuck
from mail.data.records import CHANCE
from mail.parallel.streams import stream
from mail.terminal.boards import Scene


@dataclass(frozen=True)
class Ply:
    """One ply of the game, with what undo needs."""

    states: States
    """[1, W] the position before it."""
    actions: tuple[int, int]
    """Both seats' actions, -1 where a seat did not act."""
    reward: float
    """Seat 0's reward."""
    draws: tuple[Mapping[str, Any], ...]
    """The generators' states before it, so that the same chances recur after undo."""


class CurrentGame:
    """A game in progress.

    Args:
        game: The game.
        seed: Of the streams that moves of policies and chance come from.

    Attributes:
        states: [1, W] the position.
        plies: The plies so far.
        over: Whether the game is over.
    """

    def __init__(self, game: Game, *, seed: int) -> None:
        self.game = game
        self._rngs = (stream(seed, "play"), stream(seed, "play", seat=1), stream(seed, CHANCE))
        self.states = game.start(1, rng=self._rngs[2])
        self.plies: list[Ply] = []
        self.over = False

    def acting(self) -> list[int]:
        """The seats to move.

        Raises:
            GameError: A seat must move and has no legal action.
        """
        acting = [int(seat) for seat in np.flatnonzero(self.game.acting(self.states)[0])]
        if not all(self.game.legal(self.states, seat).any() for seat in acting):
            raise stuck(self.game, self.states[0])
        return acting

    def legal(self, seat: int) -> list[int]:
        """The seat's legal actions."""
        return [int(action) for action in np.flatnonzero(self.game.legal(self.states, seat)[0])]

    def sample(self, policy: Policy, seat: int) -> int:
        """An action sampled from a policy with the seat's stream.

        Args:
            policy: The policy.
            seat: Its seat.
        """
        return int(sample(query(policy, self.game, self.states, seat), rng=self._rngs[seat])[0])

    def play(self, actions: tuple[int, int]) -> None:
        """Play one ply.

        Args:
            actions: Both seats' actions; -1 where a seat does not act.
        """
        before = self.states
        draws = tuple(rng.bit_generator.state for rng in self._rngs)
        moves = np.array([actions], dtype=np.int64)
        self.states, rewards, done = self.game.step(before, moves, rng=self._rngs[2])
        self.plies.append(Ply(before, actions, float(rewards[0]), draws))
        self.over = bool(done[0])

    def take_back(self, seats: Collection[int]) -> bool:
        """Undo to the last position in which one of these seats acted, including all generators.

        Args:
            seats: Whose moves are taken back.

        Returns:
            Whether there was such a position.
        """
        acted = [at for at, ply in enumerate(self.plies) if any(ply.actions[seat] >= 0 for seat in seats)]
        if not acted:
            return False
        ply = self.plies[acted[-1]]
        self.states, self.over = ply.states, False
        for rng, state in zip(self._rngs, ply.draws, strict=True):
            rng.bit_generator.state = dict(state)
        del self.plies[acted[-1] :]
        return True

    @property
    def earned(self) -> float:
        """Seat 0's payoff so far."""
        return sum(ply.reward for ply in self.plies) + 0.0

    @property
    def scene(self) -> Scene:
        """The position, for drawing."""
        return Scene(self.states[0], self.plies[-1].states[0] if self.plies else None, self.over)
