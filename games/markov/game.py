"""Markov games: two seats that may move at once, rewards R[S, A, B], a kernel P, a discount or a horizon.

A state row is (state, step). With a horizon H the game ends after H steps and a position is the pair; without
one it is discounted and stationary, a position is the state alone, and *play* is cut after ``episode`` steps
while the model measures the endless game. Seats that do not move in a state have no legal action there; a state in
which neither moves is the end of the game.
Sources: Shapley 1953; docs/algorithms.md, "Setting"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Floats, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.markov.transitions import Transitions, tabulated

_ONE_HOT = 4096  # states that observations are spelled out for, one number each, when nothing better is given


@dataclass(frozen=True)
class Linear:
    """Feature maps under which a seat's decision process is meant to be linear (docs/algorithms.md, "Setting")."""

    features: tuple[Floats, Floats]
    """Per seat [S, A, d_seat] phi_i(s, a)."""
    oracle: bool = False
    """Whether the maps were built from the experts' own distributions, which a learner could not know."""
    name: str = "features"


class MarkovGame:
    """A finite two-player zero-sum Markov game under the ``Enumerable`` contract.

    Numbers are validated once; GameError says which one is wrong. For seats with fewer than A actions, or that do not
    move in a state, ``legal`` has False; where a seat does not move, its column 0 of ``rewards`` and of the
    transitions counts.
    """

    def __init__(
        self,
        name: str,
        rewards: Floats,
        transitions: Transitions | Floats,
        start: Floats,
        *,
        discount: float = 1.0,
        horizon: int | None = None,
        episode: int = 10,
        legal: tuple[Bools, Bools] | None = None,
        linear: Linear | Callable[[MarkovGame], Linear] | None = None,
        observations: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
        picture: Callable[[int], str] | None = None,
        unlabelled: int | None = None,
    ) -> None:
        """``rewards`` [S, A, B] are seat 0's, ``transitions`` a kernel or a table [S, A, B, S], ``start`` [S] a
        distribution, ``legal`` per seat [S, its own actions], ``observations`` per seat [S, *shape].

        ``linear`` may be a function of the game, called when its features are first asked for. ``unlabelled`` is the
        action a clone plays by convention where nobody was asked; None: all legal ones alike.
        """
        self.name = name
        self.rewards = _finite("rewards", rewards, 3)
        states, first, second = self.rewards.shape
        self.transitions: Transitions = (
            tabulated(np.asarray(transitions, dtype=np.float64)) if isinstance(transitions, np.ndarray) else transitions
        )
        if self.transitions.shape != self.rewards.shape:
            raise GameError(
                f"rewards {list(self.rewards.shape)} and transitions {list(self.transitions.shape)} disagree"
                " on states or actions"
            )
        self.initial = _distribution(start, states)
        self.horizon = _lasting(discount, horizon, episode)
        self.episode = horizon or episode
        actions = max(first, second)
        self._legal = tuple(
            _moves(legal[seat] if legal else None, seat, states, (first, second)[seat], actions) for seat in (0, 1)
        )
        self._linear = _checked(linear, states, actions) if isinstance(linear, Linear) else linear
        self._views = observations
        self.picture = picture or _numbered
        self.unlabelled = unlabelled
        self._over: Bools = (self._legal[0] | self._legal[1]).sum(1) == 0
        self._check_ends()
        shape = self._observation_shape(states)
        self.spec = Spec(name, actions, shape, 2 * self.episode, discount=discount)

    @property
    def states(self) -> int:
        """S, the number of states (of positions without their step)."""
        return len(self.rewards)

    @cached_property
    def linear(self) -> Linear | None:
        """Per seat the features phi(s, a) the game comes with, if any."""
        if self._linear is None or isinstance(self._linear, Linear):
            return self._linear
        return _checked(self._linear(self), self.states, self.spec.actions)

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
        """``[N, *shape]`` the state as given, or one number per state; with a horizon, last the share of it left."""
        if self._views is not None:
            seen = self._views[seat][states[:, 0]]
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
        """[N] where play stops although the (discounted, endless) game goes on."""
        return np.asarray((self.horizon is None) & (states[:, 1] >= self.episode) & ~self._over[states[:, 0]])

    def render(self, state: States) -> str:
        picture = self.picture(int(state[0]))
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

    def _check_ends(self) -> None:
        """GameError for a state without moves that is not an end: games stay there and earn nothing, or start there."""
        ends = np.flatnonzero(self._over)
        if not len(ends):
            return
        none = np.zeros(len(ends), dtype=np.int64)
        move, following, _ = self.transitions.outcomes(ends, none, none)
        if (self.rewards[ends, 0, 0] != 0).any() or (following != ends[move]).any() or self.initial[ends].any():
            raise GameError(
                f"{self.name}: where neither seat has a legal action the game is over: actions (0, 0) must stay there"
                " and earn 0, and no game may start there"
            )

    def _observation_shape(self, states: int) -> tuple[int, ...]:
        if self._views is None:
            if states > _ONE_HOT:
                raise GameError(f"{states} states are too many to observe one by one; give observations")
            shape: tuple[int, ...] = (states,)
        else:
            if any(len(view) != states for view in self._views) or self._views[0].shape != self._views[1].shape:
                raise GameError("observations need one row per state, of the same shape for both seats")
            shape = self._views[0].shape[1:]
        return shape if self.horizon is None else (int(np.prod(shape)) + 1,)


def _numbered(state: int) -> str:
    return f"state {state}"


def _finite(name: str, array: Floats, dimensions: int) -> Floats:
    made = np.asarray(array, dtype=np.float64)
    if made.ndim != dimensions or 0 in made.shape:
        raise GameError(f"{name} need {dimensions} dimensions [S, A, B], none of them empty, not {list(made.shape)}")
    if not np.isfinite(made).all():
        raise GameError(f"{name} must be finite; the entry at {np.argwhere(~np.isfinite(made))[0].tolist()} is not")
    return made


def _distribution(start: Floats, states: int) -> Floats:
    made = np.asarray(start, dtype=np.float64)
    if made.shape != (states,):
        raise GameError(f"the start distribution needs one number per state ({states}), not {list(made.shape)}")
    if not np.isfinite(made).all() or (made < 0).any() or abs(made.sum() - 1.0) > 1e-8:
        raise GameError("the start distribution must be finite, not negative, and sum to 1")
    return np.asarray(made / made.sum())


def _lasting(discount: float, horizon: int | None, episode: int) -> int | None:
    """The horizon; GameError for a game that never ends."""
    if not 0.0 <= discount <= 1.0:
        raise GameError(f"a discount lies between 0 and 1, not {discount}")
    if horizon is None and discount == 1.0:
        raise GameError("discount 1 makes an endless sum; give a horizon or a discount below 1")
    if (horizon is not None and horizon < 1) or episode < 1:
        raise GameError("a horizon is at least 1 step")
    return horizon


def _moves(legal: Bools | None, seat: int, states: int, own: int, actions: int) -> Bools:
    """[S, A] a seat's legal actions, widened to the larger seat's number."""
    given = np.ones((states, own), dtype=np.bool_) if legal is None else np.asarray(legal, dtype=np.bool_)
    if given.shape != (states, own):
        raise GameError(f"legal actions of seat {seat} need the shape {[states, own]}, not {list(given.shape)}")
    wide = np.zeros((states, actions), dtype=np.bool_)
    wide[:, :own] = given
    return wide


def _checked(linear: Linear, states: int, actions: int) -> Linear:
    for seat, features in enumerate(linear.features):
        if features.ndim != 3 or features.shape[:2] != (states, actions) or not features.shape[2]:
            raise GameError(
                f"features of seat {seat} need the shape [{states}, {actions}, d], not {list(features.shape)}"
            )
        if not np.isfinite(features).all():
            raise GameError(f"features of seat {seat} must be finite")
    return linear
