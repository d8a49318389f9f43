"""Linear exploration: reward-free LSVI-UCB on one seat's own decision process (arXiv:2602.22810; docs/algorithms.md,
"Linear exploration").

With phi(s, a) the features of the seat's own actions and H its steps in a game, for h = H-1 .. 0:
    Lambda   = lambda I + sum over visits of phi phi^T
    w_h      = Lambda^{-1} sum over visits of phi V_{h+1}(s'),  V_H = 0
    u(s, a)  = beta sqrt(phi^T Lambda^{-1} phi)                 the bonus, at most H
    Q_h      = w_h . phi + u / H + u,  V_h = max over legal a   the first u / H is the reward, the second optimism
Neither the true reward nor anything of the size of the state space is used, only decisions that were made. Lambda is
one matrix for a stationary process, and one per step for games with a horizon, whose positions include the step. A
discounted game is cut after ``episode`` steps; the outcome of its last decision is unknown, so that decision is not a
transition.

With the constants of the reference code (``linear-reference``: beta = H = 10, lambda = 0.1, Q at most H at every step)
nearly every value is at its cap, so exploration is uniform play by random ties. With the defaults here a new direction
is worth all remaining steps, and a visited one next to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.network import one_thread, tensor
from agents.policy import Policy, uniform_rows
from games.base import Floats, Game, Ints, NashmailError, Rng, States
from games.features import features
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.process import SeatTransitions, clock, steps_of

_TIE = 1e-7  # actions within this of the best one, relative to H, are equal; rounding errors are far smaller


@dataclass(frozen=True)
class LinearConfig:
    """The constants of the linear explorer."""

    ridge: float = 1e-4
    """lambda, initial Lambda. Must be above 0, because the regression has no other data at first."""
    beta: float | None = None
    """Of the bonus; None for H sqrt(ridge), with which a new unit direction has the bonus H."""
    tight: bool = True
    """Clip the value of the future to between 0 and the remaining steps. False: to at most H, as in the
    reference code.
    """
    games_per_round: int = 1
    """Games played by one frozen snapshot."""


REFERENCE = LinearConfig(ridge=0.1, beta=10.0, tight=False)
"""The constants of the reference code, which always has H = 10."""


class Gram:
    """Lambda = ridge I + sum of phi phi^T, kept as its inverse [d, d] by the Sherman-Morrison-Woodbury identity.

    Args:
        dimension: d.
        ridge: Above 0.

    Raises:
        NashmailError: For a ridge of 0, with which Lambda has no inverse before the visits span all directions.
    """

    def __init__(self, dimension: int, ridge: float) -> None:
        if not 0.0 < ridge < math.inf:
            raise NashmailError(f"with ridge {ridge} the regression is singular; give a ridge above 0")
        self.inverse = torch.eye(dimension, dtype=torch.float64) / ridge
        self.log_det = dimension * math.log(ridge)

    def add(self, phi: Tensor) -> None:
        """Add visits.

        Args:
            phi: float64 [n, d] their features.
        """
        if not len(phi):
            return
        projected = phi @ self.inverse  # [n, d]
        factor = torch.linalg.cholesky(projected @ phi.T + torch.eye(len(phi), dtype=torch.float64))
        half = torch.linalg.solve_triangular(factor, projected, upper=False)
        self.inverse = self.inverse - half.T @ half
        self.log_det += float(2.0 * factor.diagonal().log().sum())

    def norm(self, phi: Tensor) -> Tensor:
        """sqrt(phi^T Lambda^{-1} phi) of features.

        Args:
            phi: float64 [n, d].

        Returns:
            float64 [n].
        """
        return elliptical_norm(phi, self.inverse)


def elliptical_norm(phi: Tensor, inverse: Tensor) -> Tensor:
    """The elliptical norm sqrt(phi^T Lambda^{-1} phi) of features.

    Args:
        phi: float64 [n, d].
        inverse: float64 [d, d] Lambda^{-1}.

    Returns:
        float64 [n].
    """
    squared: Tensor = ((phi @ inverse) * phi).sum(1)
    return squared.clamp(min=0.0).sqrt()


@dataclass(frozen=True)
class OptimisticPolicy:
    """The behavior policy between two updates: uniform among the best actions by Q."""

    weights: Tensor  # float64 [H, d] w_h
    inverse: Tensor  # float64 [L, d, d] Lambda^{-1} of each step (L = H), or one for all (L = 1)
    beta: float
    tight: bool

    @one_thread
    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        out = np.zeros(legal.shape)
        phi = features(game, states[rows], seat)
        step = clock(game, states[rows])
        q = np.full(phi.shape[:2], -np.inf)
        for at in np.unique(step):
            here = np.flatnonzero(step == at)
            q[here] = self.values(tensor(phi[here]), int(at)).numpy()
        q = np.where(legal[rows], q, -np.inf)
        best = q >= q.max(1, keepdims=True) - _TIE * len(self.weights)
        out[rows] = uniform_rows(best)
        return out

    def values(self, phi: Tensor, step: int, bonus: Tensor | None = None) -> Tensor:
        """Q of a step.

        Args:
            phi: float64 [n, A, d] features.
            step: h.
            bonus: float64 [n, A] u, if it is known.

        Returns:
            float64 [n, A].
        """
        horizon = len(self.weights)
        if bonus is None:
            bonus = self.bonus(phi, step)
        later = torch.mv(phi.reshape(-1, phi.shape[2]), self.weights[step]).reshape(bonus.shape)
        if self.tight:
            later = later.clamp(min=0.0)
        cap = horizon - step if self.tight else horizon
        return torch.add(later, bonus, alpha=1.0 + 1.0 / horizon).clamp(max=float(cap))

    def bonus(self, phi: Tensor, step: int) -> Tensor:
        """The bonus u of a step.

        Args:
            phi: float64 [n, A, d] features.
            step: h.

        Returns:
            float64 [n, A].
        """
        inverse = self.inverse[step if len(self.inverse) > 1 else 0]
        norm = elliptical_norm(phi.reshape(-1, phi.shape[2]), inverse).reshape(phi.shape[:2])
        return (self.beta * norm).clamp(max=float(len(self.weights)))


class TransitionStore:
    """The transitions so far: one row per transition, and the distinct positions that follow.

    Args:
        game: The game.
        seat: Whose transitions.
    """

    def __init__(self, game: Game, seat: int) -> None:
        self.game, self.seat = game, seat
        self._place: dict[tuple[int, int], int] = {}
        self._phi: list[Tensor] = []
        self._legal: list[Tensor] = []
        self._clock: list[Ints] = []
        self._tried: list[Tensor] = []
        self._step: list[Ints] = []
        self._following: list[Ints] = []
        self._lasted: list[Ints] = []

    def add(self, decisions: Decisions) -> tuple[Tensor, Ints]:
        """Add a round.

        Args:
            decisions: Both seats' decisions.

        Returns:
            The features float64 [n, d] and steps int64 [n] of the seat's transitions.
        """
        new = SeatTransitions.of(self.game, decisions, self.seat)
        own = new.own
        phi, step = features(self.game, own.state, self.seat), clock(self.game, own.state)[new.rows]
        following, going = new.following.copy(), new.following >= 0
        following[going] = self._enter(own, phi, following[going])
        tried = tensor(phi[new.rows, own.played[new.rows]])
        self._tried.append(tried)
        self._step.append(step)
        self._following.append(following)
        self._lasted.append(new.lasted)
        return tried, step

    def _enter(self, own: Decisions, phi: Floats, rows: Ints) -> Ints:
        """The indices of these rows' positions among the distinct ones; new positions are appended."""
        places, new = [], []
        for row in rows.tolist():
            key = (int(own.key[row, 0]), int(own.key[row, 1]))
            if key not in self._place:
                self._place[key] = len(self._place)
                new.append(row)
            places.append(self._place[key])
        if new:
            self._phi.append(tensor(phi[new]))
            self._legal.append(tensor(own.legal[new]))
            self._clock.append(clock(self.game, own.state[new]))
        return np.array(places, dtype=np.int64)

    @property
    def positions(self) -> tuple[Tensor, Tensor, Ints]:
        """Features [M, A, d], legal actions [M, A] and steps [M] of the distinct positions."""
        self._phi, self._legal = [torch.cat(self._phi)], [torch.cat(self._legal)]
        self._clock = [np.concatenate(self._clock)]
        return self._phi[0], self._legal[0], self._clock[0]

    @property
    def rows(self) -> tuple[Tensor, Ints, Ints, Ints]:
        """Per transition: features [N, d], step, index of the following position (-1: over), steps until then."""
        self._tried = [torch.cat(self._tried)]
        self._step, self._following, self._lasted = (
            [np.concatenate(column)] for column in (self._step, self._following, self._lasted)
        )
        return self._tried[0], self._step[0], self._following[0], self._lasted[0]

    def __len__(self) -> int:
        return sum(len(part) for part in self._step)


class LinearExplorer(Base):
    """The explorer ``linear``.

    Args:
        context: The game, the explorer's seat and the experts.
        config: Its constants.
        rng: Draws one first position, for its number of features.
    """

    @one_thread
    def __init__(self, context: ExplorerContext, config: LinearConfig, *, rng: Rng) -> None:
        super().__init__(context)
        game = context.game
        self.config, self.games_per_round = config, config.games_per_round
        self.horizon = steps_of(game)
        self.stepwise = game.spec.clock is not None and not game.spec.endless
        dimension = features(game, game.start(1, rng=rng), self.seat).shape[2]
        self.grams = [Gram(dimension, config.ridge) for _ in range(self.horizon if self.stepwise else 1)]
        self.beta = self.horizon * math.sqrt(config.ridge) if config.beta is None else config.beta
        self.store = TransitionStore(game, self.seat)
        self._behavior = self._snapshot(torch.zeros(self.horizon, dimension, dtype=torch.float64))

    def behavior_policy(self) -> Policy:
        return self._behavior

    @one_thread
    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        tried, step = self.store.add(decisions)
        for at, gram in enumerate(self.grams):
            gram.add(tried[tensor(np.flatnonzero(step == at))] if self.stepwise else tried)
        self._behavior = self._plan()
        largest = float(self._behavior.bonus(tried[:, None], 0).max()) if len(tried) and not self.stepwise else 0.0
        return {"log_det": sum(gram.log_det for gram in self.grams), "tries": len(self.store), "bonus": largest}

    def _snapshot(self, weights: Tensor) -> OptimisticPolicy:
        inverse = torch.stack([gram.inverse for gram in self.grams])
        return OptimisticPolicy(weights, inverse, self.beta, self.config.tight)

    def _plan(self) -> OptimisticPolicy:
        """The backups h = H-1 .. 0 over all transitions."""
        plan = self._snapshot(torch.zeros_like(self._behavior.weights))
        if not len(self.store):
            return plan
        tried, step, following, lasted = self.store.rows
        if not (following >= 0).any():
            return plan  # every transition ended its game: there is no future value
        return self._back(plan, tried, step, tensor(following), tensor(lasted))

    def _back(
        self, plan: OptimisticPolicy, tried: Tensor, step: Ints, following: Tensor, lasted: Tensor
    ) -> OptimisticPolicy:
        phi, legal, when = self.store.positions
        values = torch.zeros(self.horizon + 1, len(phi) + 1, dtype=torch.float64)  # the last column: over
        bonus = None if self.stepwise else plan.bonus(phi, 0)
        here, rows, after, place = torch.arange(len(phi)), tried, lasted, following
        seen, legal_mask = phi, legal
        for at in reversed(range(self.horizon)):
            if self.stepwise:
                used, here = tensor(np.flatnonzero(step == at)), tensor(np.flatnonzero(when == at))
                rows, after, place = tried[used], lasted[used], following[used]
                seen, legal_mask = phi[here], legal[here]
            if len(rows):
                target = values[(at + after).clamp(max=self.horizon), place]
                plan.weights[at] = self.grams[at if self.stepwise else 0].inverse @ (target @ rows)
            q = plan.values(seen, at, bonus)
            values[at, here] = q.masked_fill(~legal_mask, -torch.inf).max(1).values
        return plan


def linear(context: ExplorerContext, rng: Rng) -> LinearExplorer:
    """The explorer ``linear``."""
    return LinearExplorer(context, LinearConfig(), rng=rng)


def linear_reference(context: ExplorerContext, rng: Rng) -> LinearExplorer:
    """The explorer ``linear-reference``."""
    return LinearExplorer(context, REFERENCE, rng=rng)
