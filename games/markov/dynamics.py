"""The dynamics of a Markov game: rewards, transitions, legal actions and length, checked where they are put together.

Source: docs/algorithms.md, "Setting".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from games.base import Bools, Floats, GameError
from games.markov.transitions import Transitions, tabulated


@dataclass(frozen=True)
class Dynamics:
    """S states, A actions of seat 0 and B of seat 1. GameError, in one line, for numbers that are no game."""

    rewards: Floats
    """[S, A, B] seat 0's reward of every joint action, finite. Where a seat does not move, its column 0 counts."""
    transitions: Transitions | Floats
    """A kernel, or a table [S, A, B, S] of probabilities."""
    start: Floats
    """[S] the distribution of first states."""
    discount: float = 1.0
    """In [0, 1], per step; below 1 without a horizon."""
    horizon: int | None = None
    """Steps after which a game is over; None: it is endless and discounted."""
    episode: int = 10
    """Steps after which *play* of an endless game is cut; measures know nothing of that. Not used with a horizon."""
    legal: tuple[Bools, Bools] | None = None
    """Per seat [S, its own actions] what it may do; a seat without a legal action in a state does not move there, and
    where neither moves the game is over. None: everything everywhere."""

    def __post_init__(self) -> None:
        _finite("rewards", self.rewards)
        if self.kernel.shape != np.shape(self.rewards):
            raise GameError(
                f"rewards {list(np.shape(self.rewards))} and transitions {list(self.kernel.shape)} disagree"
                " on states or actions"
            )
        _check_distribution(self.start, self.states)
        _check_length(self)
        for seat, given in enumerate(self.legal or ()):
            right = [self.states, np.shape(self.rewards)[1 + seat]]
            if list(np.shape(given)) != right:
                raise GameError(f"legal actions of seat {seat} need the shape {right}, not {list(np.shape(given))}")
        self._check_ends()

    @property
    def states(self) -> int:
        """S."""
        return len(self.rewards)

    @property
    def steps(self) -> int:
        """The most steps of play."""
        return self.horizon or self.episode

    @cached_property
    def kernel(self) -> Transitions:
        """The transitions as a kernel."""
        table = self.transitions
        return tabulated(np.asarray(table, dtype=np.float64)) if isinstance(table, np.ndarray) else table

    @cached_property
    def initial(self) -> Floats:
        """[S] the start distribution, which sums to 1 as closely as numbers can."""
        start = np.asarray(self.start, dtype=np.float64)
        return np.asarray(start / start.sum())

    @cached_property
    def moves(self) -> tuple[Bools, Bools]:
        """Per seat bool [S, max(A, B)] its legal actions, as wide for both."""
        return self._wide(0), self._wide(1)

    @cached_property
    def over(self) -> Bools:
        """[S] states in which neither seat moves."""
        return np.asarray(~(self.moves[0] | self.moves[1]).any(1))

    def _wide(self, seat: int) -> Bools:
        actions = np.shape(self.rewards)[1:]
        wide = np.zeros((self.states, max(actions)), dtype=np.bool_)
        wide[:, : actions[seat]] = True if self.legal is None else self.legal[seat]
        return wide

    def _check_ends(self) -> None:
        """GameError for a state without moves that is not an end: games stay there and earn nothing, or start there."""
        ends = np.flatnonzero(self.over)
        if not len(ends):
            return
        none = np.zeros(len(ends), dtype=np.int64)
        move, following, _ = self.kernel.outcomes(ends, none, none)
        earning = np.asarray(self.rewards)[ends, 0, 0] != 0
        if earning.any() or (following != ends[move]).any() or np.asarray(self.start)[ends].any():
            raise GameError(
                "where neither seat has a legal action the game is over: actions (0, 0) must stay there"
                " and earn 0, and no game may start there"
            )


def _finite(name: str, array: Floats) -> None:
    made = np.asarray(array, dtype=np.float64)
    if made.ndim != 3 or 0 in made.shape:
        raise GameError(f"{name} need 3 dimensions [S, A, B], none of them empty, not {list(made.shape)}")
    if not np.isfinite(made).all():
        raise GameError(f"{name} must be finite; the entry at {np.argwhere(~np.isfinite(made))[0].tolist()} is not")


def _check_distribution(start: Floats, states: int) -> None:
    made = np.asarray(start, dtype=np.float64)
    if made.shape != (states,):
        raise GameError(f"the start distribution needs one number per state ({states}), not {list(made.shape)}")
    if not np.isfinite(made).all() or (made < 0).any() or abs(made.sum() - 1.0) > 1e-8:
        raise GameError("the start distribution must be finite, not negative, and sum to 1")


def _check_length(dynamics: Dynamics) -> None:
    """GameError for a game that never ends."""
    if not 0.0 <= dynamics.discount <= 1.0:
        raise GameError(f"a discount lies between 0 and 1, not {dynamics.discount}")
    if dynamics.horizon is None and dynamics.discount == 1.0:
        raise GameError("discount 1 makes an endless sum; give a horizon or a discount below 1")
    if (dynamics.horizon is not None and dynamics.horizon < 1) or dynamics.episode < 1:
        raise GameError("a horizon is at least 1 step")
