"""Play in a decision process, and the transitions that it shows: what learners without a model would know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from games.base import Floats, Ints, Rng
from mail.learners.inverse.process import Process


class Replay:
    """Everything that was played in a process: counts, and the transitions that they estimate.

    Args:
        process: The seat's decision process.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        self.count = np.zeros(process.legal.shape)  # [n, A]
        self.steps = self.games = 0
        n = len(process)
        self.followed = csr_array((process.legal.size, n))

    def play(self, policy: Floats, games: int, *, rng: Rng) -> Floats:
        """Play games with a policy.

        Args:
            policy: [n, A].
            games: How many.
            rng: Draws starts, actions and transitions.

        Returns:
            [n, A] the mean number of visits of each pair in them.
        """
        process, begins = self.process, np.cumsum(self.process.start)
        rows = np.searchsorted(begins, rng.random(games), side="right")
        rows = rows[rows < len(begins)]
        seen = np.zeros(process.legal.shape)
        moved: list[tuple[Ints, Ints]] = []
        while len(rows):
            actions = (policy[rows].cumsum(1) <= rng.random((len(rows), 1)) * policy[rows].sum(1, keepdims=True)).sum(1)
            actions = np.minimum(actions, process.legal.shape[1] - 1)
            np.add.at(seen, (rows, actions), 1.0)
            following = process.sample(rows, actions, rng=rng)
            goes_on = following >= 0
            moved.append(((rows * process.legal.shape[1] + actions)[goes_on], following[goes_on]))
            rows = following[goes_on]
        if moved:  # else every game was over before the seat had to decide
            pair, following = (np.concatenate(part) for part in zip(*moved, strict=True))
            shape = self.followed.shape
            self.followed = self.followed + csr_array((np.ones(len(pair)), (pair, following)), shape=shape)
        self.count += seen
        self.steps += int(seen.sum())
        self.games += games
        return seen / games

    def model(self) -> Process:
        """The process with the estimated transitions; what was never tried ends the game."""
        scale = np.repeat(1.0 / np.maximum(self.count.ravel(), 1.0), np.diff(self.followed.indptr))
        kernel = csr_array(
            (self.followed.data * scale, self.followed.indices, self.followed.indptr), shape=self.followed.shape
        )
        return replace(self.process, kernel=kernel)
