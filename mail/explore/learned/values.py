"""What moves are worth to an explorer: exact on the moves that play has shown, a Q-network's guess for the others.

The explorer's seat faces a decision process: the clone answers in the other seat. With u(t) the reward of leading the
clone to a decision t, b(t) the clone's answer, and the payoff of a move that ends the game (one of both is 0),

    Q(s, a) = V(position after a),   or the payoff if there is none,   or q(s, a) + bonus if the move was never played
    V(s) = max over a of Q(s, a) at own decisions,   V(t) = u(t) + Q(t, b(t)) at the clone's

is one sweep over the plies: the game is deterministic, so that moves seen against earlier clones serve for every later
one. q is regressed on Q wherever that is known, so that it holds what positions like these are worth. Source:
``mail.evaluation.learned.learner`` (the same for visits that are noisy), ``mail.explore.deep`` (the network).

Shape letters: P positions seen, A actions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from agents.network import one_thread, tensor
from agents.q_network import QNet, QSizes, q_values
from games.base import Bools, Floats, Game, Ints, Rng
from mail.explore.learned.seen import UNSEEN, SeenMoves


@dataclass(frozen=True)
class CriticConfig:
    """The constants of the Q-network."""

    net: QSizes = field(default_factory=lambda: QSizes(frequency=0.25))
    """Widths and input frequency, those of learned best responses: values should generalize over similar boards."""
    learning_rate: float = 1e-3
    """Of Adam, whose state is kept."""
    steps: int = 20
    """Gradient steps of one fit."""
    batch: int = 512
    """Moves in a gradient step."""
    growth: float = 0.1
    """Fit again when the positions have grown by this share."""


@dataclass(frozen=True)
class Worth:
    """What the moves seen, and never played, are worth."""

    moves: Floats
    """[P, A] Q; -inf for moves that do not count."""
    positions: Floats
    """[P] V."""


def worth(seen: SeenMoves, moves: Bools, rewards: Floats, payoffs: Floats, guesses: Floats) -> Worth:
    """The sweep of the module's equations.

    Args:
        seen: The game as far as play has shown it.
        moves: bool [P, A] the moves that count, of which the clone has one.
        rewards: float64 [P] u; 0 at the explorer's decisions.
        payoffs: float64 [P, A] of moves that end the game, in the explorer's view.
        guesses: float64 [P, A] of moves never played.
    """
    values = np.where(seen.successor == UNSEEN, guesses, payoffs)
    values[~moves] = -np.inf
    found = np.zeros(len(seen))
    for ply in range(int(seen.ply.max(initial=0)), -1, -1):
        rows = np.flatnonzero(seen.ply == ply)
        after = seen.successor[rows]
        values[rows] = np.where((after >= 0) & moves[rows], found[after], values[rows])
        found[rows] = rewards[rows] + values[rows].max(1, initial=-np.inf)
    return Worth(values, found)


class Critic:
    """The Q-network of one explorer: the value of both seats' moves to it.

    Args:
        game: The game.
        config: Its constants.
        rng: Draws the weights.
    """

    def __init__(self, game: Game, config: CriticConfig, *, rng: Rng) -> None:
        self.game, self.config = game, config
        self.net = QNet(game.spec.observation, game.spec.actions, config.net, rng=rng)
        self._optimizer = torch.optim.Adam(self.net.parameters(), lr=config.learning_rate)
        self._seen = np.zeros((0, *game.spec.observation), dtype=np.float32)
        self._guesses: Floats = np.zeros((0, game.spec.actions))
        self._fitted = 0

    def guesses(self, seen: SeenMoves) -> Floats:
        """[P, A] q at the positions seen.

        Args:
            seen: All positions so far.
        """
        new = self._observed(seen)
        if len(new):
            self._guesses = np.concatenate([self._guesses, q_values(self.net, new)])
        return self._guesses

    def stale(self, seen: SeenMoves) -> bool:
        """Whether there are many new positions since the last fit.

        Args:
            seen: All positions so far.
        """
        return len(seen) > (1.0 + self.config.growth) * self._fitted

    @one_thread
    def fit(self, seen: SeenMoves, values: Floats, *, rng: Rng) -> float:
        """Regress q on the values of moves that were played.

        Args:
            seen: All positions so far.
            values: float64 [P, A] Q; -inf for moves that do not count.
            rng: Draws the batches.

        Returns:
            The last step's loss.
        """
        self.guesses(seen)
        place, action = np.nonzero((seen.successor != UNSEEN) & np.isfinite(values))
        target, last = values[place, action].astype(np.float32), 0.0
        for _ in range(self.config.steps if len(place) else 0):
            rows: Ints = rng.integers(len(place), size=self.config.batch)
            _, found = self.net(tensor(self._seen[place[rows]]))
            error = found.gather(1, tensor(action[rows])[:, None])[:, 0] - tensor(target[rows])
            loss = error.square().mean()
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self._optimizer.step()
            last = float(loss.detach())
        self._guesses, self._fitted = q_values(self.net, self._seen), len(seen)
        return last

    def _observed(self, seen: SeenMoves) -> np.ndarray:
        """[n, *shape] the observations of positions that are new, which are kept."""
        known = len(self._seen)
        new = np.zeros((len(seen) - known, *self.game.spec.observation), dtype=np.float32)
        for seat in (0, 1):
            rows = np.flatnonzero(seen.seat[known:] == seat)
            new[rows] = self.game.observe(seen.states[known + rows], seat)
        self._seen = np.concatenate([self._seen, new])
        return new
