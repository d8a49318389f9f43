"""The learner of a best response (``mail.evaluation.learned.best_response``): exact values of visited positions, and a
network for the others.

The responder plays against a frozen policy in rounds, each with a frozen snapshot of what it has learned, like the deep
explorer. It learns from all rounds so far. It maximizes the true payoff; a bonus (from visit counts) only directs
exploration. With r the responder's own reward until its next decision s', n(s, a) the visits of an action, q the
network and k a number of pseudo-visits with value q,

    Q(s, a) = (sum over visits (r + discount V(s')) + k q(s, a)) / (n(s, a) + k),   V(s) = max over legal a of Q(s, a)

is solved exactly on the visited positions. q is fitted to the means over visits and replaces Q at unvisited positions.
The behavior policy is a softmax over Q + curiosity / sqrt(1 + n); the response itself takes the largest Q. Needs only
play: no rules, no model. See docs/algorithms.md, "Learned best responses".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from agents.network import one_thread, tensor
from agents.policy import Greedy, Policy
from agents.q_network import QNet, QSizes, QSoftmaxPolicy, q_values
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, Keys
from games.progress import report
from mail.data.decisions import Decisions
from mail.parallel.streams import stream

SHARD = 128
"""Most games of one shard. Results depend on it, so it must not depend on the workers."""
_TOLERANCE = 1e-9  # the largest change of a value at which the equations for Q count as solved
_ITERATIONS = 10_000


@dataclass(frozen=True)
class ResponseConfig:
    """The responder's constants. Curiosity and temperature are in units of the largest payoff so far."""

    net: QSizes = field(default_factory=lambda: QSizes(frequency=0.25))
    """Widths and input frequency of q. The frequency is half of the deep explorer's: an explorer must distinguish
    similar boards, but values should generalize over them.
    """
    prior: float = 1.0
    """k, above 0: the number of pseudo-visits with value q."""
    curiosity: float = 0.5
    """The bonus of an action that was never visited; a quarter of that after 15 visits."""
    temperature: float = 0.05
    """Of the softmax behavior policy."""
    learning_rate: float = 1e-3
    """Of Adam, whose state is kept across rounds."""
    steps: int = 50
    """Gradient steps after each round."""
    batch: int = 512
    """Visited actions in a gradient step."""
    smallest_round: int = 64
    """Games of the first rounds."""
    share: float = 0.125
    """Games of a later round, as a share of all games before it ..."""
    largest_round: int = 1024
    """... up to this limit."""
    evaluated: int = 1000
    """Smallest number of fresh games that measure the response; half of the games it learned from, if that is more."""


@dataclass(frozen=True)
class Estimate:
    """The solution of the module's equations on P visited positions."""

    values: Floats  # [P, A] Q
    means: Floats  # [P, A] mean over visits of r + discount V(s'); 0 without visits
    visits: Floats  # [P, A] n


class Experience:
    """All decisions of one seat so far: P distinct positions and R transitions between them.

    Args:
        game: The game.
    """

    def __init__(self, game: Game) -> None:
        self.discount, self.actions = game.spec.discount, game.spec.actions
        self.key: Keys = np.zeros((0, 2), np.uint64)
        self.observation = np.zeros((0, *game.spec.observation), np.float32)
        self.legal: Bools = np.zeros((0, self.actions), np.bool_)
        self.scale = 0.0  # the largest absolute payoff so far
        self._place: dict[tuple[int, int], int] = {}
        self._pair: Ints = np.zeros(0, np.int64)  # [R] place * A + action
        self._following: Ints = np.zeros(0, np.int64)  # [R] place, or -1 at the end of a game
        self._reward: Floats = np.zeros(0)  # [R]

    def __len__(self) -> int:
        return len(self.key)

    def add(self, own: Decisions) -> None:
        """Add decisions of one seat.

        Args:
            own: The decisions, whose ``next`` refers to rows of ``own``.
        """
        place = np.zeros(len(own), np.int64)
        fresh: list[int] = []
        for row, (first, second) in enumerate(own.key.tolist()):
            place[row] = self._place.setdefault((first, second), len(self._place))
            if place[row] == len(self) + len(fresh):
                fresh.append(row)
        new = own.take(np.array(fresh, np.int64))
        self.key = np.concatenate([self.key, new.key])
        self.observation = np.concatenate([self.observation, new.observation])
        self.legal = np.concatenate([self.legal, new.legal])
        self._pair = np.concatenate([self._pair, place * self.actions + own.played])
        self._following = np.concatenate([self._following, np.append(place, -1)[own.next]])
        self._reward = np.concatenate([self._reward, own.reward])
        earned = np.bincount(own.episode, weights=own.reward) if len(own) else np.zeros(1)
        self.scale = max(self.scale, float(np.abs(earned).max()))

    def estimate(self, guess: Floats, prior: float) -> Estimate:
        """Solve for Q by value iteration over all transitions at once.

        A game without cycles needs at most as many iterations as it has moves.

        Args:
            guess: [P, A] float64, q.
            prior: K, above 0.
        """
        shape, cells = self.legal.shape, self.legal.size
        visits = np.bincount(self._pair, minlength=cells).reshape(shape).astype(np.float64)
        earned = np.bincount(self._pair, weights=self._reward, minlength=cells)
        going = self._following >= 0
        edge = self._pair[going] * len(self) + self._following[going]
        edges, count = np.unique(edge, return_counts=True)
        pair, after = np.divmod(edges, max(1, len(self)))
        weight = self.discount * count
        value, total = self._best(guess), earned
        for _ in range(_ITERATIONS):
            total = earned + np.bincount(pair, weights=weight * value[after], minlength=cells)
            values = (total.reshape(shape) + prior * guess) / (visits + prior)
            before, value = value, self._best(values)
            if np.abs(value - before).max(initial=0.0) <= _TOLERANCE:
                break
        return Estimate(values, total.reshape(shape) / np.maximum(visits, 1.0), visits)

    def _best(self, values: Floats) -> Floats:
        """[P] the largest value [P, A] of a legal action."""
        return np.asarray(np.where(self.legal, values, -np.inf).max(1))


class Responder:
    """Learns, round by round, to play against a frozen policy.

    Args:
        game: The game.
        seat: The seat of the frozen policy.
        config: Network, training and exploration.
        seed: Of the network.
    """

    def __init__(self, game: Game, seat: int, config: ResponseConfig, *, seed: int) -> None:
        self.seat, self.config, self.seed = seat, config, seed
        self.seen = Experience(game)
        self.games = self.rounds = 0
        spec, rng = game.spec, stream(seed, "response/network", seat=seat)
        self.net = QNet(spec.observation, spec.actions, config.net, rng=rng)
        self._optimizer = torch.optim.Adam(self.net.parameters(), lr=config.learning_rate)
        self._guess = np.zeros((0, spec.actions))  # [P, A] q of the current network

    @property
    def next_round(self) -> int:
        """The number of games of the next round."""
        wanted = int(self.games * self.config.share)
        return max(self.config.smallest_round, min(self.config.largest_round, wanted - wanted % SHARD))

    def behavior_policy(self) -> Policy:
        """The current behavior policy. Do not use it after the next ``update``."""
        estimate = self._estimate()
        scale = self.seen.scale or 1.0
        bonus = estimate.values + self.config.curiosity * scale / np.sqrt(1.0 + estimate.visits)
        return QSoftmaxPolicy(Tabular(self.seen.key, bonus), self.net, self.config.temperature * scale)

    def response(self) -> Policy:
        """The learned response: greedy for Q."""
        scale = self.seen.scale or 1.0
        return Greedy(
            QSoftmaxPolicy(Tabular(self.seen.key, self._estimate().values), self.net, self.config.temperature * scale)
        )

    def update(self, own: Decisions, games: int) -> None:
        """Learn from a round.

        Args:
            own: The responder's own decisions.
            games: The number of games.
        """
        self.seen.add(own)
        self.games += games
        self.rounds += 1
        if len(self.seen):
            self._guess = np.concatenate([self._guess, q_values(self.net, self.seen.observation[len(self._guess) :])])
            self._fit(self._estimate())
            self._guess = q_values(self.net, self.seen.observation)

    def _estimate(self) -> Estimate:
        return self.seen.estimate(self._guess, self.config.prior)

    @one_thread
    def _fit(self, estimate: Estimate) -> None:
        """Train q on the means of visited actions, sampled uniformly, with weight n / (n + k) for n visits."""
        place, action = np.nonzero(estimate.visits)
        visits = estimate.visits[place, action]
        weight = (visits / (visits + self.config.prior)).astype(np.float32)
        mean = estimate.means[place, action].astype(np.float32)
        rng = stream(self.seed, "response/train", seat=self.seat, round_=self.rounds)
        for step in range(self.config.steps):
            report(step, self.config.steps, "steps", step="fit a response")
            rows = rng.integers(len(place), size=self.config.batch)
            _, values = self.net(tensor(self.seen.observation[place[rows]]))
            error = values.gather(1, tensor(action[rows])[:, None])[:, 0] - tensor(mean[rows])
            self._optimizer.zero_grad()
            torch.autograd.backward((tensor(weight[rows]) * error.square()).mean())
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self._optimizer.step()
