"""A game with hidden information, small enough to read: what one seat cannot tell apart, its policy cannot play apart.

Seat 0 lays a coin under its hand, heads or tails; seat 1, who does not see it, guesses. A right guess pays seat 1.
``key(states, 1)`` is equal for both coins while seat 1 guesses, ``key(states)`` is not.
"""

from __future__ import annotations

import numpy as np

from games import GameError, Spec, Successors
from games.base import Bools, Floats, Ints, Keys, Rng, States

NOBODY = np.random.default_rng(0)  # the game draws nothing


class HiddenCoin:
    """States are [N, 2]: decisions made so far, and the coin (0 or 1; 0 until it is laid)."""

    spec = Spec(name="hidden-coin", actions=2, observation=(3,), longest=2)

    def start(self, n: int, *, rng: Rng) -> States:
        return np.zeros((n, 2), dtype=np.int64)

    def acting(self, states: States) -> Bools:
        return np.asarray(states[:, :1] == [0, 1])

    def legal(self, states: States, seat: int) -> Bools:
        return np.repeat(states[:, :1] == seat, 2, axis=1)

    def observe(self, states: States, seat: int) -> np.ndarray:
        """[N, 3] decisions so far, whether the coin is seen, and the coin as far as it is."""
        seen = (states[:, 0] > 0) & (seat == 0) | (states[:, 0] > 1)
        return np.stack([states[:, 0], seen, states[:, 1] * seen], axis=1).astype(np.float32)

    def key(self, states: States, seat: int | None = None) -> Keys:
        keys = states.astype(np.uint64)
        if seat == 1:
            keys[states[:, 0] == 1, 1] = 0
        return keys

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        first = states[:, 0] == 0
        action = np.where(first, actions[:, 0], actions[:, 1])
        if ((action < 0) | (action > 1)).any():
            raise GameError(f"{self.spec.name}: an action is 0 or 1")
        after = np.stack([states[:, 0] + 1, np.where(first, action, states[:, 1])], axis=1)
        rewards = np.where(first, 0.0, np.where(action == states[:, 1], -1.0, 1.0))
        return after, rewards, ~first

    def render(self, state: States) -> str:
        return f"{state[0]} decisions, coin {state[1]}"

    def starts(self) -> States:
        return np.zeros((1, 2), dtype=np.int64)

    def successors(self, states: States, actions: Ints) -> Successors:
        after, rewards, done = self.step(states, actions, rng=NOBODY)
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))


GUESSES: States = np.array([[1, 0], [1, 1]])
"""[2, W] both positions in which seat 1 guesses; to seat 1 they are one."""
