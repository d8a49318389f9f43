"""Markov games: two seats that may move at once, rewards R[S, A, B], a kernel P, a discount or a horizon.

A row of states is (state, step). With a horizon H the game ends after H steps, and a position is the pair. Without one
the game is discounted and stationary, a position is the state alone, and *play* is cut after ``episode`` steps while
the model measures the endless game. A seat that does not move in a state has no legal action there; a state in which
neither moves is the end of the game.
Sources: Shapley 1953; docs/algorithms.md, "Setting".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from games.base import TEXT, Bools, Display, Floats, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.markov.dynamics import Dynamics

_ONE_HOT = 4096  # states that observations are spelled out for, one number each, when nothing better is given


@dataclass(frozen=True)
class Linear:
    """Feature maps in which a seat's decision process is meant to be linear (docs/algorithms.md, "Setting")."""

    features: tuple[Floats, Floats]
    """Per seat [S, A, d_seat] phi_i(s, a)."""
    oracle: bool = False
    """Whether the maps were built from the experts' own distributions, which a learner could not know."""
    name: str = "features"

    def check(self, states: int, actions: int) -> Linear:
        """The maps themselves, checked against a game's sizes.

        Args:
            states: S of the game.
            actions: A of the game.

        Raises:
            GameError: for maps that are not finite or have another shape.
        """
        for seat, features in enumerate(self.features):
            if features.ndim != 3 or features.shape[:2] != (states, actions) or not features.shape[2]:
                raise GameError(
                    f"features of seat {seat} need the shape [{states}, {actions}, d], not {list(features.shape)}"
                )
            if not np.isfinite(features).all():
                raise GameError(f"features of seat {seat} must be finite")
        return self


def state_name(state: int) -> str:
    """A state without a picture.

    Args:
        state: its number.
    """
    return f"state {state}"


@dataclass(frozen=True)
class Views:
    """How the states of a Markov game are seen: by learners and by people. GameError where the seats' views differ."""

    linear: Linear | Callable[[MarkovGame], Linear] | None = None
    """Feature maps, or a function of the game that makes them when they are first asked for; None: there are none."""
    observations: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    """Per seat float32 ``[S, *shape]``, what it sees; None: one number per state."""
    picture: Callable[[int], str] = state_name
    """Gives a state as plain text."""
    unlabelled: int | None = None
    """See ``games.base.Spec.unlabelled``."""
    display: Display = TEXT
    """See ``games.base.Spec.display``."""

    def __post_init__(self) -> None:
        if self.observations is not None and self.observations[0].shape != self.observations[1].shape:
            raise GameError("observations need one row per state, of the same shape for both seats")


class MarkovGame:
    """A finite two-player zero-sum Markov game; the contract is ``games.base.Enumerable``.

    ``legal`` is False in the columns beyond a seat's own actions, and everywhere where it does not move; there, column
    0 of ``rewards`` and of the transitions counts.
    """

    def __init__(self, name: str, dynamics: Dynamics, views: Views = Views()) -> None:
        """The game of these dynamics.

        Args:
            name: what ``games.make`` accepts; saved with every run and policy.
            dynamics: what happens; checked already.
            views: how its states are seen.

        Raises:
            GameError: for observations or features that do not fit the dynamics.
        """
        self.name, self.views = name, views
        self.rewards = np.asarray(dynamics.rewards, dtype=np.float64)  # [S, A, B]
        self.transitions, self.initial = dynamics.kernel, dynamics.initial
        self.horizon, self.episode = dynamics.horizon, dynamics.steps
        self._legal, self._over = dynamics.moves, dynamics.over
        actions = max(self.rewards.shape[1:])
        if isinstance(views.linear, Linear):
            views.linear.check(self.states, actions)
        self.spec = Spec(
            name,
            actions,
            self._observation_shape(),
            2 * self.episode,
            discount=dynamics.discount,
            clock=1,
            endless=self.horizon is None,
            unlabelled=views.unlabelled,
            display=views.display,
        )

    @property
    def states(self) -> int:
        """S, the number of states (of positions without their step)."""
        return len(self.rewards)

    @property
    def over(self) -> Bools:
        """[S] states in which neither seat moves."""
        return self._over

    @cached_property
    def linear(self) -> Linear | None:
        """Per seat the features phi(s, a) the game comes with, if any."""
        linear = self.views.linear
        if linear is None or isinstance(linear, Linear):
            return linear
        return linear(self).check(self.states, self.spec.actions)

    # --- the Game contract -----------------------------------------------------------------------------

    def start(self, n: int, *, rng: Rng) -> States:
        mark = np.cumsum(self.initial)
        drawn = np.searchsorted(mark, rng.random(n) * mark[-1], side="right")
        return np.stack([np.minimum(drawn, self.states - 1), np.zeros(n, dtype=np.int64)], axis=1)

    def acting(self, states: States) -> Bools:
        running = states[:, 1] < self.episode
        return np.stack([self._legal[seat][states[:, 0]].any(1) & running for seat in (0, 1)], axis=1)

    def legal(self, states: States, seat: int) -> Bools:
        running = states[:, 1] < self.episode
        return np.asarray(self._legal[seat][states[:, 0]] & running[:, None])

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """``[N, *shape]`` the observation of each state, or its number one-hot.

        With a horizon the last number is the share of it that is left.
        """
        if self.views.observations is not None:
            seen = self.views.observations[seat][states[:, 0]]
        else:
            seen = np.zeros((len(states), self.states), dtype=np.float32)
            seen[np.arange(len(states)), states[:, 0]] = 1.0
        if self.horizon is None:
            return np.asarray(seen, dtype=np.float32)
        left = (1.0 - states[:, 1] / self.horizon).astype(np.float32)
        return np.concatenate([seen.reshape(len(states), self.spec.observation[0] - 1), left[:, None]], axis=1)

    def key(self, states: States, seat: int | None = None) -> Keys:
        """[N, 2] state and step; where the game is stationary, state and whether play was cut there."""
        step = states[:, 1] if self.horizon is not None else self.cuts(states)
        return np.stack([states[:, 0], step], axis=1).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        first, second = self._joint(states, actions)
        state = states[:, 0]
        following = self.transitions.sample(state, first, second, rng=rng)
        after = np.stack([following, states[:, 1] + 1], axis=1)
        return after, self.rewards[state, first, second], self._done(after)

    def cuts(self, states: States) -> Bools:
        """Where play was cut although the (discounted, endless) game goes on.

        Args:
            states: [N, 2].

        Returns:
            bool [N].
        """
        return np.asarray((self.horizon is None) & (states[:, 1] >= self.episode) & ~self._over[states[:, 0]])

    def render(self, state: States) -> str:
        picture = self.views.picture(int(state[0]))
        return picture if self.horizon is None else f"{picture}\nstep {state[1]} of {self.horizon}"

    def features(self, states: States, seat: int) -> Floats:
        """[N, A, d] the seat's features phi(s, a). GameError where the game has none."""
        if self.linear is None:
            raise GameError(f"{self.spec.name} has no features; choose a learner that needs none")
        return np.asarray(self.linear.features[seat][states[:, 0]])

    # --- listing positions -----------------------------------------------------------------------------

    def starts(self) -> States:
        first = np.flatnonzero(self.initial > 0)
        return np.stack([first, np.zeros_like(first)], axis=1)

    def successors(self, states: States, actions: Ints) -> Successors:
        first, second = self._joint(states, actions)
        move, following, probability = self.transitions.outcomes(states[:, 0], first, second)
        after = np.stack([following, states[move, 1] + 1], axis=1)
        rewards = self.rewards[states[:, 0], first, second][move]
        return Successors(move, after, rewards, self._done(after), probability)

    def joint_legal(self) -> tuple[Bools, Bools]:
        """Per seat [S, its own actions] the action columns that count: the legal ones, or 0 where it does not move."""
        sides = []
        for seat in (0, 1):
            counts = self._legal[seat][:, : self.rewards.shape[1 + seat]].copy()
            counts[~counts.any(1), 0] = True
            sides.append(counts)
        return sides[0], sides[1]

    def _joint(self, states: States, actions: Ints) -> tuple[Ints, Ints]:
        """Both actions of each row, 0 for a seat that does not move. GameError for an illegal one."""
        acting = self.acting(states)
        chosen = []
        for seat in (0, 1):
            action = actions[:, seat]
            legal = self.legal(states, seat)
            inside = (action >= 0) & (action < legal.shape[1])
            bad = acting[:, seat] & ~(inside & legal[np.arange(len(states)), np.where(inside, action, 0)])
            if bad.any():
                row = int(bad.argmax())
                raise GameError(
                    f"{self.spec.name}: action {int(action[row])} of seat {seat} is not legal in state {states[row, 0]}"
                )
            chosen.append(np.where(acting[:, seat], action, 0))
        return chosen[0], chosen[1]

    def _done(self, after: States) -> Bools:
        return np.asarray((after[:, 1] >= self.episode) | self._over[after[:, 0]], dtype=np.bool_)

    def _observation_shape(self) -> tuple[int, ...]:
        views = self.views.observations
        if views is None:
            if self.states > _ONE_HOT:
                raise GameError(f"{self.states} states are too many to observe one by one; give observations")
            shape: tuple[int, ...] = (self.states,)
        else:
            if len(views[0]) != self.states:
                raise GameError("observations need one row per state, of the same shape for both seats")
            shape = views[0].shape[1:]
        return shape if self.horizon is None else (int(np.prod(shape)) + 1,)
