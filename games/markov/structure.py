"""How linear a game is in its features: the part of a seat's decision process outside their span.

One seat of a game against a fixed policy in the other is a decision process from own decision to own decision: Q(s, a)
= rho(s, a) + discount * sum over s' of K(s' | s, a) V(s'). Where the other seat moves in between, rho collects its
rewards and K leads to the next state in which the seat itself decides (with a discount for waiting). The process is
linear in phi iff rho and every column of K are in the span of the features (docs/algorithms.md, "Games linear in known
features").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from games.base import Bools, Floats, GameError, Rng, Table
from games.markov.game import Linear
from games.markov.model import MarkovModel
from games.progress import report

_EXACT = 2000  # positions up to which every column of K is looked at
_SAMPLES = 16  # random combinations of columns otherwise
_ROOM = 1 << 22  # numbers of [S, A, B, T] held at a time
_RANK = 1e-10  # singular values of features below this share of the largest are none


@dataclass(frozen=True)
class Residual:
    """The share of a seat's decision process that lies outside the span of its features: 0 is exactly linear."""

    seat: int
    rewards: float
    """``|rho - fit| / |rho|`` in the Euclidean norm over all own state-action pairs."""
    transitions: float
    """The same of K in the Frobenius norm; estimated from random combinations of its columns where ``exact`` is not."""
    rank: int
    """Of the features, d or less."""
    exact: bool
    oracle: bool
    """Whether the features were made from the experts' own distributions."""


def residual(model: MarkovModel, against: Table, seat: int, linear: Linear | None = None, *, rng: Rng) -> Residual:
    """The residual of the seat's process against the other's table.

    With a horizon every step is fitted by itself.

    Args:
        model: the game's model.
        against: float64 [S, A] the other seat's table.
        seat: whose process.
        linear: feature maps; by default the game's own.
        rng: draws combinations of columns, in games of more than 2,000 positions only.

    Returns:
        The residual.

    Raises:
        GameError: where there are no features.
    """
    features = linear or model.game.linear
    if features is None:
        raise GameError(f"{model.game.spec.name} has no features whose residual could be taken")
    own = model.legal(seat)[: model.game.states, : model.game.rewards.shape[1 + seat]]
    basis = _basis(features.features[seat][:, : own.shape[1]][own])
    process = _Process(model, seat, against, own)
    exact = len(model) <= _EXACT
    left, whole = np.zeros(2), np.zeros(2)  # of rewards, of transitions
    for kind, part in [(0, process.rewards()), *((1, part) for part in process.columns(exact, rng))]:
        for rows in part:  # one step each, [rows, T]
            left[kind] += ((rows - basis @ (basis.T @ rows)) ** 2).sum()
            whole[kind] += (rows**2).sum()
    ratio = np.sqrt(np.divide(left, whole, out=np.zeros(2), where=whole > 0))
    return Residual(seat, float(ratio[0]), float(ratio[1]), basis.shape[1], exact, features.oracle)


@dataclass(frozen=True)
class _Process:
    """One seat's own decisions against a table of the other."""

    model: MarkovModel
    seat: int
    against: Table
    own: Bools  # [S, A] the seat's legal actions

    def rewards(self) -> list[Floats]:
        """Per step [rows, 1] rho of every own state and action."""
        game = self.model.game
        nothing = np.zeros((self.model.layers, game.states, 1))
        return self._looking_ahead(nothing, game.rewards[..., None])

    def columns(self, exact: bool, rng: Rng) -> Iterator[list[Floats]]:
        """Per step [rows, T] columns of K, or combinations of them with random signs, some at a time."""
        game = self.model.game
        shape = (self.model.layers, game.states)
        total = len(self.model) if exact else _SAMPLES
        size = max(1, _ROOM // game.rewards.size)
        for begin in range(0, total, size):
            report(begin, total, "columns", step="residual")
            count = min(size, total - begin)
            if exact:
                values = np.zeros((len(self.model), count))
                values[begin + np.arange(count), np.arange(count)] = 1.0
            else:
                values = rng.choice([-1.0, 1.0], size=(len(self.model), count))
            yield self._looking_ahead(values.reshape(*shape, count), np.zeros((1, 1, 1, 1)))

    def _looking_ahead(self, values: Floats, earned: Floats) -> list[Floats]:
        """Per step [rows, T] ``earned`` [S, A, B, 1] until the next own decision plus ``values`` [steps, S, T] there.

        Values count undiscounted if that decision comes next, rewards as they come in.
        """
        game, discount = self.model.game, self.model.game.spec.discount
        other = self.model.strategies(1 - self.seat, self.against)  # [steps, S, B]
        rests = self.own.sum(1) == 0
        scale = discount if earned.any() else 1.0  # what follows a reward is worth less by the discount
        out = []
        if game.horizon is None:
            weights = np.where(rests[:, None], other[0], 0.0)
            waits = np.zeros(game.rewards.shape)
            waits[:, 0] = weights if self.seat == 0 else waits[:, 0]
            if self.seat == 1:
                waits[:, :, 0] = weights
            came = np.einsum("sab,sabt->st", waits, np.broadcast_to(earned, (*game.rewards.shape, earned.shape[3])))
            ahead = game.transitions.evaluate(waits, came + values[0] * (1.0 - rests[:, None]), discount)
            return [self._rows(earned + scale * game.transitions.expect(ahead), other[0])]
        ahead = np.zeros_like(values[0])
        for layer in reversed(range(self.model.layers)):
            joint = earned + scale * game.transitions.expect(ahead)
            out.append(self._rows(joint, other[layer]))
            waiting = earned + discount * game.transitions.expect(ahead)
            resting = self._mean(waiting, other[layer])[:, 0]
            ahead = np.where(rests[:, None], resting, values[layer])
        return out[::-1]

    def _mean(self, joint: Floats, other: Floats) -> Floats:
        """[S, A, T] the mean of [S, A, B, T] over what the other plays."""
        form = "sabt,sb->sat" if self.seat == 0 else "sabt,sa->sbt"
        return np.asarray(np.einsum(form, joint, other))

    def _rows(self, joint: Floats, other: Floats) -> Floats:
        return np.asarray(self._mean(joint, other)[self.own])


def _basis(rows: Floats) -> Floats:
    """[rows, rank] an orthonormal basis of the span of features [rows, d]."""
    left, size, _ = np.linalg.svd(rows, full_matrices=False)
    return np.asarray(left[:, size > _RANK * max(size[0], 1e-300)])
