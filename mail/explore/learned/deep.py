"""Deep exploration that pays by usefulness: the explorers ``deep-unsure`` and ``deep-respond``.

Each is a learned opponent in the other seat, with a Q-network over the decision process that this seat faces
(``values``), as deep exploration has it; what differs is the reward.

``deep-unsure``   MURMAIL's response (Freihaut et al., arXiv:2505.17610) by play and labels alone: a decision of the
                  clone pays its expected squared distance from the expert, |mu_E - mu|^2, over what the clone's
                  regression does not know (``squared_error``); none where there is a label.
``deep-respond``  MAIL-BRO's (the same paper), where payoffs may be known: the end of a game pays what it pays.

Queries are for the first decisions on the most rewarding line of play that pay: of MURMAIL those with a reward, of
MAIL-BRO those without a label, as long as the line wins more than any line along labels alone. What the expert concedes
is known from labels, so that no value of the game is needed. docs/algorithms.md, "Deep responses".

Shape letters: P positions seen, A actions.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

from agents.policy import Policy
from agents.q_network import QSoftmaxPolicy
from agents.tabular import Tabular
from games.base import Bools, Floats, Ints, Rng
from mail.clone.dataset import Fit
from mail.clone.posterior import Answers
from mail.explore.base import ExplorerContext, Metrics
from mail.explore.learned.clone import RidgeConfig
from mail.explore.learned.leading import Leading, LeadingConfig
from mail.explore.learned.values import Critic, CriticConfig, Worth, worth

FACTORS = tuple(4.0**power for power in range(9))
"""What the explorer knows in the end it knows of the greedy clone, so the stochastic one is brought close to it."""


@dataclass(frozen=True)
class DeepResponseConfig(LeadingConfig):
    """The constants of the explorers ``deep-unsure`` and ``deep-respond``."""

    clone: RidgeConfig = field(default_factory=lambda: RidgeConfig(factors=FACTORS))
    """How the clone is fitted."""
    games: int = 8
    """Games of a round that looks for moves never played: few, because the same line may be played twice in one."""
    critic: CriticConfig = field(default_factory=CriticConfig)
    """The Q-network."""
    tolerance: float = 0.4
    """Smaller expected squared distances count as 0 at first ..."""
    least_tolerance: float = 0.05
    """... and half of it each time when there is nothing left to see or to query, down to this."""
    surest: float = 0.999
    """Where the stochastic clone plays its best action with less, it is queried in the end, too."""
    bonus: float = 0.01
    """What a move never played is worth beyond the network's guess, so that none stays unseen."""
    temperature: float = 0.3
    """Of the softmax over Q that looks for moves never played."""


def squared_error(answers: Answers) -> Floats:
    """The expected |mu_E - mu|^2 of the clone's best action against a deterministic expert; an upper bound.

    With values f, deviation sd and Gaussian errors, each other action beats the best one with probability
    Phi(-(f_best - f_a) / (sqrt(2) sd)); their sum bounds the probability that the expert plays another action, in which
    case |mu_E - mu|^2 = 2.

    Args:
        answers: What the regression says at N positions.

    Returns:
        float64 [N] between 0 and 2.
    """
    ordered = np.sort(answers.values, axis=1)
    lead = ordered[:, -1:] - ordered[:, :-1]
    beaten = ndtr(-lead / np.maximum(np.sqrt(2.0) * answers.deviation[:, None], 1e-12))
    return np.asarray(2.0 * np.minimum(1.0, beaten.sum(1)))


class DeepResponse(Leading):
    """A learned opponent. What it needs to be made complete is its reward, and which decisions are queried for it."""

    def __init__(self, context: ExplorerContext, config: DeepResponseConfig, *, rng: Rng) -> None:
        """Begin without a label.

        Args:
            context: The game, the explorer's seat and the experts.
            config: The constants.
            rng: Draws the tuples and the network's weights.

        Raises:
            NashmailError: For a game that is not played on a board.
        """
        super().__init__(context, config, rng=rng)
        self.config = config
        self.critic = Critic(context.game, config.critic, rng=rng)

    def clone(self) -> Fit:
        return self.learned.fit

    @abstractmethod
    def worth(self, moves: Bools) -> Worth:
        """What moves are worth by the explorer's reward.

        Args:
            moves: bool [P, A] the moves that count.
        """

    def learn(self, moves: Bools, *, rng: Rng) -> Metrics:
        if not self.critic.stale(self.seen):
            return {}
        found = self.worth(moves)
        return {"value": float(found.positions[0]), "loss": self.critic.fit(self.seen, found.moves, rng=rng)}

    def searching(self, leads: Bools) -> Policy:
        values = np.where(leads, self.worth(leads).moves, -np.inf)
        own = np.flatnonzero((self.seen.seat == self.seat) & leads.any(1))
        known = Tabular(self.seen.keys[own], values[own])
        return QSoftmaxPolicy(known, copy.deepcopy(self.critic.net), self.config.temperature)

    def line(self, found: Worth) -> Ints:
        """Places on the most rewarding line from the start, as far as play has shown it.

        Args:
            found: What moves are worth.
        """
        place, places = 0, []
        while place >= 0:
            places.append(place)
            place = int(self.seen.successor[place, found.moves[place].argmax()])
        return np.array(places)

    def _own_view(self) -> Floats:
        """[P, A] payoffs of moves that end the game."""
        return np.where((self.seen.seat == self.seat)[:, None], self.seen.payoff, -self.seen.payoff)


class DeepUnsure(DeepResponse):
    """The explorer ``deep-unsure``.

    Args:
        context: The game, the explorer's seat and the experts.
        config: Its constants.
        rng: Draws the tuples and the network's weights.
    """

    def __init__(self, context: ExplorerContext, config: DeepResponseConfig, *, rng: Rng) -> None:
        super().__init__(context, config, rng=rng)
        self.tolerance = config.tolerance
        self.errors: Floats = np.zeros(0)
        """[P] expected squared distances where the clone can be led and has no label; 0 elsewhere."""

    def worth(self, moves: Bools) -> Worth:
        return self._paid(moves, self._rewards())

    def learn(self, moves: Bools, *, rng: Rng) -> Metrics:
        self.errors = np.zeros(len(self.seen))
        rows = self.unlabelled(self.seen.reachable(moves))
        if len(rows):
            self.errors[rows] = squared_error(self.learned.posterior.answers(self.seen.states[rows]))
        return {"tolerance": self.tolerance, **super().learn(moves, rng=rng)}

    def choose(self, moves: Bools, reachable: Bools, most: int) -> Ints:
        """The first decision with a reward on the best line; the others as if those before had none."""
        if not self.learned.labelled:  # without a label there is no clone
            return self.unlabelled(reachable)[:1]
        rewards, places = self._rewards(), np.zeros(0, dtype=np.int64)
        while len(places) < most:
            line = self.line(self._paid(moves, rewards))
            found = line[rewards[line] > 0.0][:1]
            if not len(found):
                break
            places = np.append(places, found)
            rewards[found] = 0.0
        return places

    def tighten(self) -> bool:
        if self.tolerance <= self.config.least_tolerance:
            return False
        self.tolerance = max(self.config.least_tolerance, 0.5 * self.tolerance)
        return True

    def _rewards(self) -> Floats:
        """[P] of coming there."""
        return np.where(self.errors > self.tolerance, self.errors, 0.0)

    def _paid(self, moves: Bools, rewards: Floats) -> Worth:
        """What moves [P, A] are worth with rewards [P]."""
        guesses = np.maximum(self.critic.guesses(self.seen), 0.0) + self.config.bonus
        return worth(self.seen, moves, rewards, np.zeros(guesses.shape), guesses)


class DeepRespond(DeepResponse):
    """The explorer ``deep-respond``."""

    undecided = False
    """Whether decisions at which the clone hesitates are queried, too, after the greedy clone's mistakes."""

    def worth(self, moves: Bools) -> Worth:
        guesses = self.critic.guesses(self.seen) + self.config.bonus
        return worth(self.seen, moves, np.zeros(len(self.seen)), self._own_view(), guesses)

    def choose(self, moves: Bools, reachable: Bools, most: int) -> Ints:
        """The first decision without a label on the best line seen; the others as if those before lost everything."""
        nothing = np.full(moves.shape, -np.inf)
        new = self.unlabelled(np.ones(len(self.seen), dtype=np.bool_))
        open_, payoffs, none = moves.copy(), self._own_view(), np.zeros(len(self.seen))
        open_[new] = False
        conceded = worth(self.seen, open_, none, payoffs, nothing).positions[0]
        without, places = moves.copy(), np.zeros(0, dtype=np.int64)
        while len(places) < most:
            found = worth(self.seen, without, none, payoffs, nothing)
            if found.positions[0] <= conceded:
                break
            line = self.line(found)
            places = np.append(places, line[np.isin(line, new)][:1])
            without[places[-1]] = False
        return places if len(places) or not self.undecided else self._hesitating(reachable)[:most]

    def tighten(self) -> bool:
        before, self.undecided = self.undecided, True
        return not before

    def _hesitating(self, reachable: Bools) -> Ints:
        """Places at which the clone is led to choose between moves."""
        rows = self.unlabelled(reachable)
        game, states = self.context.game, self.seen.states[rows]
        surest = self.learned.fit.policy.probabilities(game, states, self.queried_seat).max(1, initial=0.0)
        return np.asarray(rows[surest < self.config.surest])


def deep_unsure(context: ExplorerContext, rng: Rng) -> DeepUnsure:
    """The explorer ``deep-unsure``."""
    return DeepUnsure(context, DeepResponseConfig(), rng=rng)


def deep_respond(context: ExplorerContext, rng: Rng) -> DeepRespond:
    """The explorer ``deep-respond``."""
    return DeepRespond(context, DeepResponseConfig(), rng=rng)
