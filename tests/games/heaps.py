"""A small game that keeps every rule of ``games.check``, for tests to break."""

from __future__ import annotations

import numpy as np

from games import GameError, Spec, Successors
from games.base import Bools, Floats, Ints, Keys, Rng, States


class Heaps:
    """Two heaps: take one or two stones from one of them; the last stone wins. States are (heap, heap, seat)."""

    def __init__(self) -> None:
        self.spec = Spec("test-heaps", actions=4, observation=(3,), longest=10, symmetries=((0, 1, 2, 3), (2, 3, 0, 1)))

    def start(self, n: int, *, rng: Rng) -> States:
        return np.tile(np.array([[5, 5, 0]]), (n, 1))

    def acting(self, states: States) -> Bools:
        return np.asarray((states[:, :2].sum(1) > 0)[:, None] & (states[:, 2:] == [0, 1]))

    def legal(self, states: States, seat: int) -> Bools:
        return np.asarray((states[:, [0, 0, 1, 1]] >= [1, 2, 1, 2]) & self.acting(states)[:, seat, None])

    def observe(self, states: States, seat: int) -> np.ndarray:
        return states.astype(np.float32)

    def key(self, states: States, seat: int | None = None) -> Keys:
        return np.stack([states[:, 0] * 64 + states[:, 1], states[:, 2]], axis=1).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        rows = np.arange(len(states))
        action = actions[rows, states[:, 2]]
        inside = (action >= 0) & (action < 4)
        mask = self.legal(states, 0) | self.legal(states, 1)
        if not (inside & mask[rows, np.where(inside, action, 0)]).all():
            raise GameError("no legal action")
        after = states.copy()
        after[rows, action // 2] -= action % 2 + 1
        after[:, 2] = 1 - states[:, 2]
        done = after[:, :2].sum(1) == 0
        return after, np.where(done, 1.0 - 2.0 * states[:, 2], 0.0), done

    def render(self, state: States) -> str:
        return f"{state[0]} and {state[1]} stones, seat {state[2]} to move"

    def starts(self) -> States:
        return np.array([[5, 5, 0]])

    def successors(self, states: States, actions: Ints) -> Successors:
        after, rewards, done = self.step(states, actions, rng=np.random.default_rng(0))
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))

    def images(self, states: States) -> States:
        return np.stack([states, states[:, [1, 0, 2]]])
