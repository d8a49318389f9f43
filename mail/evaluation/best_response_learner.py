"""Who learns a best response (``mail.evaluation.best_response``): what was seen, solved exactly, and a network
elsewhere.

The responder plays against a frozen policy in rounds, each with a frozen snapshot of what it knows, as the deep
explorer does, and learns from everything seen so far; but it is after the true payoff, and curiosity (by plain counts)
only decides what to try next. With r the responder's own reward until its next decision s', n(s, a) the tries of an
action, q the network and k a few imagined tries that came out as q says,

    Q(s, a) = (sum over tries (r + discount V(s')) + k q(s, a)) / (n(s, a) + k),   V(s) = max over legal a of Q(s, a)

is solved exactly on the positions that were seen; q is fitted to the means over tries, and stands in wherever nothing
was tried. Behaviour is a softmax over Q + curiosity / sqrt(1 + n); the response itself takes the largest Q.
Needs play alone: no rules, no model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from agents.network import in_batches, masked_softmax, one_thread, tensor
from agents.policy import Greedy, Policy
from agents.q_network import QNet, QSizes
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, Keys, States
from mail.data.decisions import Decisions
from mail.parallel.streams import stream

SHARD = 128
"""Most games of one shard; part of what results follow from, so it never depends on the workers."""
_SETTLED = 1e-9  # change of a value up to which the equations for Q count as solved
_SWEEPS = 10_000


@dataclass(frozen=True)
class ResponseConfig:
    """The responder's constants. Curiosity and temperature are in units of the largest payoff seen."""

    net: QSizes = field(default_factory=lambda: QSizes(frequency=0.25))
    """Widths and frequency of q. An explorer's features tell neighbouring boards apart; values carry over between them,
    so the frequency is half of the deep explorer's."""
    prior: float = 1.0
    """k, above 0: tries that q counts for."""
    curiosity: float = 0.5
    """What an action that was never tried promises beyond its value; a quarter of that after 15 tries."""
    temperature: float = 0.05
    """Of the softmax that explores."""
    learning_rate: float = 1e-3
    """Of Adam, which is kept over rounds."""
    steps: int = 50
    """Gradient steps after each round."""
    batch: int = 512
    """SeatTransitions actions of a gradient step."""
    least: int = 64
    """Games of the first rounds."""
    share: float = 0.125
    """Games of a later round, as a share of those before it ..."""
    most: int = 1024
    """... and at most so many."""
    evaluated: int = 1000
    """Least number of fresh games that measure the response; half as many as it learned from, if that is more."""


@dataclass(frozen=True)
class Estimate:
    """The equations of the module, solved on P positions seen."""

    values: Floats  # [P, A] Q
    means: Floats  # [P, A] over tries of r + discount V(s'); 0 where there were none
    tries: Floats  # [P, A] n


class Experience:
    """All decisions of one seat so far, as distinct positions and the tries between them; P positions, R tries."""

    def __init__(self, game: Game) -> None:
        self.discount, self.actions = game.spec.discount, game.spec.actions
        self.key: Keys = np.zeros((0, 2), np.uint64)
        self.observation = np.zeros((0, *game.spec.observation), np.float32)
        self.legal: Bools = np.zeros((0, self.actions), np.bool_)
        self.scale = 0.0
        self._place: dict[tuple[int, int], int] = {}
        self._pair: Ints = np.zeros(0, np.int64)  # [R] place * A + action
        self._following: Ints = np.zeros(0, np.int64)  # [R] place, or -1 over
        self._reward: Floats = np.zeros(0)  # [R]

    def __len__(self) -> int:
        return len(self.key)

    def add(self, own: Decisions) -> None:
        """Add rows of one seat (``next`` within them)."""
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
        """Solve for Q with ``guess`` [P, A] for q and ``prior`` above 0 for k: by sweeps over all transitions at once,
        of which a game without cycles needs no more than it has moves.
        """
        shape, cells = self.legal.shape, self.legal.size
        tries = np.bincount(self._pair, minlength=cells).reshape(shape).astype(np.float64)
        earned = np.bincount(self._pair, weights=self._reward, minlength=cells)
        going = self._following >= 0
        edge = self._pair[going] * len(self) + self._following[going]
        edges, count = np.unique(edge, return_counts=True)
        pair, after = np.divmod(edges, max(1, len(self)))
        weight = self.discount * count
        value, total = self._best(guess), earned
        for _ in range(_SWEEPS):
            total = earned + np.bincount(pair, weights=weight * value[after], minlength=cells)
            values = (total.reshape(shape) + prior * guess) / (tries + prior)
            before, value = value, self._best(values)
            if np.abs(value - before).max(initial=0.0) <= _SETTLED:
                break
        return Estimate(values, total.reshape(shape) / np.maximum(tries, 1.0), tries)

    def _best(self, values: Floats) -> Floats:
        """[P] the largest of the legal actions' values [P, A]."""
        return np.asarray(np.where(self.legal, values, -np.inf).max(1))


# --- who plays -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QSoftmaxPolicy:
    """A softmax over action values: from a table where it knows the position, by a network elsewhere."""

    known: Tabular
    net: QNet
    temperature: float

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        seen, place = self.known.find(game.key(states[rows], seat))
        values = np.zeros((len(rows), legal.shape[1]))
        values[seen] = self.known.table[place[seen]]
        if not seen.all():
            values[~seen] = asked(self.net, game.observe(states[rows[~seen]], seat))
        out = np.zeros(legal.shape)
        out[rows] = masked_softmax(values / self.temperature, legal[rows])
        return out


@one_thread
def asked(net: QNet, observations: np.ndarray) -> Floats:
    """[N, A] q of observations [N, *shape]."""
    return in_batches(lambda batch: net(batch)[1], observations)


class Responder:
    """Learns, round by round, to respond to the policy of ``seat``."""

    def __init__(self, game: Game, seat: int, config: ResponseConfig, *, seed: int) -> None:
        self.seat, self.config, self.seed = seat, config, seed
        self.seen = Experience(game)
        self.games = self.rounds = 0
        spec, rng = game.spec, stream(seed, "response/network", seat=seat)
        self.net = QNet(spec.observation, spec.actions, config.net, rng=rng)
        self._optimizer = torch.optim.Adam(self.net.parameters(), lr=config.learning_rate)
        self._guess = np.zeros((0, spec.actions))  # [P, A] q of the network as it is

    @property
    def next_round(self) -> int:
        """Games of the coming round."""
        wanted = int(self.games * self.config.share)
        return max(self.config.least, min(self.config.most, wanted - wanted % SHARD))

    def behavior_policy(self) -> Policy:
        """How it explores now; not to be used after the next ``update``."""
        estimate = self._estimate()
        scale = self.seen.scale or 1.0
        curious = estimate.values + self.config.curiosity * scale / np.sqrt(1.0 + estimate.tries)
        return QSoftmaxPolicy(Tabular(self.seen.key, curious), self.net, self.config.temperature * scale)

    def response(self) -> Policy:
        """The best response as far as it knows."""
        scale = self.seen.scale or 1.0
        return Greedy(
            QSoftmaxPolicy(Tabular(self.seen.key, self._estimate().values), self.net, self.config.temperature * scale)
        )

    def update(self, own: Decisions, games: int) -> None:
        """Learn from the responder's own decisions of a round."""
        self.seen.add(own)
        self.games += games
        self.rounds += 1
        if len(self.seen):
            self._guess = np.concatenate([self._guess, asked(self.net, self.seen.observation[len(self._guess) :])])
            self._fit(self._estimate())
            self._guess = asked(self.net, self.seen.observation)

    def _estimate(self) -> Estimate:
        return self.seen.estimate(self._guess, self.config.prior)

    @one_thread
    def _fit(self, estimate: Estimate) -> None:
        """Train q on the means of tried actions, drawn alike; one with n tries weighs n / (n + k)."""
        place, action = np.nonzero(estimate.tries)
        tries = estimate.tries[place, action]
        weight = (tries / (tries + self.config.prior)).astype(np.float32)
        mean = estimate.means[place, action].astype(np.float32)
        rng = stream(self.seed, "response/train", seat=self.seat, round_=self.rounds)
        for _ in range(self.config.steps):
            rows = rng.integers(len(place), size=self.config.batch)
            _, values = self.net(tensor(self.seen.observation[place[rows]]))
            error = values.gather(1, tensor(action[rows])[:, None])[:, 0] - tensor(mean[rows])
            self._optimizer.zero_grad()
            torch.autograd.backward((tensor(weight[rows]) * error.square()).mean())
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self._optimizer.step()
