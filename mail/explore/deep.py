"""Deep exploration: a Q-network with the elliptical norm of its own last layer as bonus (arXiv:2602.22810;
docs/algorithms.md, "Deep exploration").

With phi(s) the last hidden layer (unit length), one output per action, and for each action the matrix
    Lambda_a = ridge I + sum over its visits of phi(s) phi(s)^T
the reward of an action is r(s, a) = sqrt(ridge phi(s)^T Lambda_a^{-1} phi(s)): 1 in a new direction, about
sqrt(ridge / n) after n visits. r has a closed form wherever the network can be evaluated, so the network learns only
what comes after it, and acts on the sum:
    q(s, a) ~ E V(s'),   V(s) = max over legal a of r(s, a) + q(s, a),   0 once the game is over,
with s' the *own* next decision. Features, Lambda and r are frozen within an epoch, which ends when
log det Lambda has grown by log 2; then q is trained on all distinct transitions and Lambda is rebuilt
from all of them with the new features: nothing is forgotten.

The network is ``agents.q_network``: with rectifiers in place of its sines games to coverage are two to three times as
many.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from agents.network import in_batches, masked_softmax, one_thread, tensor
from agents.policy import Policy
from agents.q_network import QNet, QSizes
from games.base import Floats, Game, Rng, States, deals
from games.progress import report
from mail.clone.presets import large
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.memory import Memory, Transitions

_ROWS = 16  # in an inference batch: a round has few games, and each row costs A d^2


@dataclass(frozen=True)
class DeepConfig:
    """The constants of the deep explorer."""

    net: QSizes = field(default_factory=QSizes)
    """The network's widths."""
    ridge: float = 1e-3
    """Initial Lambda. Small: a visited direction gets little bonus."""
    temperature: float = 0.05
    """Of the softmax over r + q, the behavior policy."""
    steps: int = 10
    """Gradient steps at the end of an epoch, each on all distinct transitions."""
    learning_rate: float = 1e-3
    """Of Adam, whose state is kept across epochs."""
    games_per_round: int = 2
    """Games played by one frozen snapshot."""


@dataclass(frozen=True)
class BonusPolicy:
    """The behavior policy of one epoch: a softmax over r + q of the legal actions."""

    net: QNet
    inverse: Tensor  # float64 [A, d, d] ridge times Lambda_a^{-1}
    temperature: float
    device: str

    @one_thread
    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        value = in_batches(self._value, game.observe(states[rows], seat), self.device, size=_ROWS)
        out = np.zeros(legal.shape)
        out[rows] = masked_softmax(value / self.temperature, legal[rows])
        return out

    def _value(self, observations: Tensor) -> Tensor:
        phi, q = self.net(observations)
        value: Tensor = q.double() + bonus(phi.double(), self.inverse)
        return value


def bonus(phi: Tensor, inverse: Tensor) -> Tensor:
    """The reward r of actions.

    Args:
        phi: float64 [N, d] features.
        inverse: float64 [A, d, d] the ridge times Lambda^{-1} of every action.

    Returns:
        float64 [N, A].
    """
    projected = torch.matmul(phi, inverse)  # [A, N, d]
    norm: Tensor = (projected * phi).sum(2).clamp(min=0.0).sqrt()
    return norm.T


class Deep(Base):
    """The explorer ``deep``: rounds of games, in epochs that end when log det Lambda has grown by log 2.

    Args:
        context: The game, the explorer's seat and the experts.
        config: Network, training and bonus.
        rng: Draws the first weights.
    """

    @one_thread
    def __init__(self, context: ExplorerContext, config: DeepConfig, *, rng: Rng) -> None:
        super().__init__(context)
        self.config, self.device = config, context.device
        self.games_per_round = config.games_per_round
        spec = context.game.spec
        self.actions = spec.actions
        self.net = QNet(spec.observation, spec.actions, config.net, rng=rng).to(context.device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=config.learning_rate)
        self.memory = Memory()
        self.epoch = 0
        self._ridge = config.ridge * torch.eye(config.net.features, dtype=torch.float64, device=context.device)
        self._freeze(None)

    def behavior_policy(self) -> Policy:
        return self._behavior

    @one_thread
    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        own = decisions.take(decisions.seat == self.seat)
        new = self.memory.add(own)
        self._epoch_rows.append((own.observation, own.played))
        growth = self._growth()
        metrics = {"log_det": self._log_det + growth, "epoch": self.epoch, "new_transitions": new}
        if growth > math.log(2.0):
            metrics["loss"] = self._next_epoch(self.memory.transitions())
        return metrics

    def _growth(self) -> float:
        """The growth of log det Lambda by this epoch's visits: the sum over actions of log det (I + Phi Lambda^{-1}
        Phi^T).
        """
        observation, played = (np.concatenate(column) for column in zip(*self._epoch_rows, strict=True))
        inverse = self._behavior.inverse / self.config.ridge
        with torch.no_grad():
            phi = self._behavior.net.features(tensor(observation, self.device)).double()
        total = 0.0
        for action in np.unique(played):
            tried = phi[tensor(np.flatnonzero(played == action), self.device)]
            kernel = tried @ inverse[action] @ tried.T
            total += float(torch.linalg.slogdet(kernel + torch.eye(len(tried)).to(kernel)).logabsdet)
        return total

    def _next_epoch(self, seen: Transitions) -> float:
        """Train q, rebuild Lambda from all visits with the new features, freeze a new behavior policy."""
        loss = self._train(seen)
        self.epoch += 1
        self._freeze(seen)
        return loss

    def _freeze(self, seen: Transitions | None) -> None:
        """Freeze the behavior policy of the next epoch, with Lambda of all visits by the current features."""
        gram = self._ridge.repeat(self.actions, 1, 1)
        if seen is not None:
            with torch.no_grad():
                phi = self.net.features(tensor(seen.observation, self.device)).double()
            for action in np.unique(seen.action):
                edges = np.flatnonzero(seen.action == action)
                tried = phi[tensor(seen.position[edges], self.device)]
                count = tensor(seen.count[edges], self.device).to(tried)
                gram[action] += (tried * count[:, None]).T @ tried
        factor = torch.linalg.cholesky(gram)
        self._log_det = float(2.0 * factor.diagonal(dim1=1, dim2=2).log().sum())
        inverse = torch.cholesky_inverse(factor) * self.config.ridge
        self._behavior = BonusPolicy(copy.deepcopy(self.net).eval(), inverse, self.config.temperature, self.device)
        self._epoch_rows: list[tuple[np.ndarray, np.ndarray]] = []

    def _train(self, seen: Transitions) -> float:
        """Regress q on V of the next own decision. Each (position, action) weighs the same, its outcomes by count."""
        observation = tensor(seen.observation, self.device)
        legal = tensor(seen.legal, self.device)
        position = tensor(seen.position, self.device)
        action = tensor(seen.action, self.device)
        following = tensor(seen.following, self.device)
        share = seen.count / seen.visits[seen.position, seen.action]
        weight = tensor((share / share.sum()).astype(np.float32), self.device)
        with torch.no_grad():
            reward = bonus(self.net.features(observation).double(), self._behavior.inverse).float()
        last = 0.0
        for step in range(self.config.steps):
            report(step, self.config.steps, "steps", step="fit")
            _, q = self.net(observation)
            with torch.no_grad():
                value = torch.where(legal, q + reward, -torch.inf).max(1).values
                target = torch.cat([value, value.new_zeros(1)])[following]  # -1 (over) selects the 0
            error = nn.functional.huber_loss(q[position, action], target, reduction="none")
            loss = (weight * error).sum()
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self.optimizer.step()
            last = float(loss.detach())
        return last


LARGE = DeepConfig(games_per_round=64)
"""For large boards, where nearly every game ends an epoch, and training on all transitions takes seconds."""
DEALT = DeepConfig(games_per_round=16)
"""For games in which chance deals, of which it takes many."""


def deep(context: ExplorerContext, rng: Rng) -> Deep:
    """The explorer ``deep``, with the constants for the kind of game."""
    game = context.game
    return Deep(context, LARGE if large(game) else DEALT if deals(game) else DeepConfig(), rng=rng)
