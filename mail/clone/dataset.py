"""The labels of one seat as a data set: one row per distinct position, with its mean label.

Every distinct position has the same weight (per-state averaging), because the worst position decides how exploitable a
clone is, not the most frequent one. See docs/algorithms.md, "Behavioral cloning".
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy
from games.base import Bools, Floats, Ints, Keys, NashmailError, States
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class Demonstrations:
    """The labels of one seat, one row for each of D distinct positions.

    NashmailError if a shape or dtype is not as stated.
    """

    state: States
    """[D, W] the positions."""
    key: Keys
    """uint64 [D, 2] their keys for the seat."""
    observation: NDArray[np.float32]
    """float32 [D, *shape] the seat's observations."""
    legal: Bools
    """bool [D, A] the legal actions."""
    total: Floats
    """float64 [D, A] the sum of each position's labels."""
    count: Ints
    """int64 [D] the number of those labels."""

    def __post_init__(self) -> None:
        kinds = {"key": "u8", "observation": "f4", "legal": "b1", "total": "f8", "count": "i8"}
        for name, kind in kinds.items():
            array = getattr(self, name)
            if len(array) != len(self.state) or array.dtype != np.dtype(kind):
                right = f"{np.dtype(kind)} with {len(self.state)} rows, one for each position"
                raise NashmailError(f"{name} of demonstrations is {right}, not {array.dtype} {list(array.shape)}")
        if self.total.shape != self.legal.shape or self.key.shape[1:] != (2,):
            raise NashmailError(
                f"demonstrations need labels and legal actions [D, A] and keys [D, 2], not {list(self.total.shape)}, "
                f"{list(self.legal.shape)} and {list(self.key.shape)}"
            )

    def __len__(self) -> int:
        return len(self.state)

    def joined(self, other: Demonstrations) -> Demonstrations:
        """These rows and those of other positions.

        Args:
            other: Demonstrations of which no position is among these.
        """
        pairs = {one.name: (getattr(self, one.name), getattr(other, one.name)) for one in fields(self)}
        return Demonstrations(**{name: np.concatenate(pair) for name, pair in pairs.items()})

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """float32 [D, A] the mean label of each position, for training networks."""
        return (self.total / self.count[:, None]).astype(np.float32)

    @cached_property
    def distribution(self) -> Floats:
        """float64 [D, A] the mean label as a distribution, normalized in float64."""
        return np.asarray(self.total / self.total.sum(1, keepdims=True))


@dataclass(frozen=True)
class Fit:
    """A clone, and how closely it fits its labels."""

    policy: Policy
    steps: int
    worst: float
    """Largest probability of actions without label probability, over labelled positions."""
    mean_tv: float
    """Mean total variation distance to the labels."""

    @classmethod
    def of(cls, policy: Policy, steps: int, found: Floats, wanted: NDArray[np.floating]) -> Fit:
        """A clone, measured at its labels.

        Args:
            policy: The clone.
            steps: Gradient steps, passes or rounds that it took.
            found: float64 [D, A] what it says at the labelled positions.
            wanted: float [D, A] their labels.
        """
        outside = float(np.where(wanted > 0, 0.0, found).sum(1).max())
        return cls(policy, steps, outside, float(0.5 * np.abs(found - wanted).sum(1).mean()))


def demonstrations(decisions: Decisions, seat: int) -> Demonstrations:
    """The distinct labelled positions of a seat, in order of key.

    Args:
        decisions: Decisions of either seat; those of ``seat`` with a label are used.
        seat: The seat.

    Raises:
        NashmailError: There are none.
    """
    labelled = decisions.take(decisions.queried & (decisions.seat == seat))
    if not len(labelled):
        raise NashmailError(f"seat {seat} has no labels to clone; raise the budget")
    _, first, inverse, count = np.unique(
        labelled.key, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    total = np.zeros((len(first), labelled.label.shape[1]))
    np.add.at(total, inverse.ravel(), labelled.label)
    rows = labelled.take(first)
    return Demonstrations(rows.state, rows.key, rows.observation, rows.legal, total, count)


def sampled_labels(decisions: Decisions) -> Decisions:
    """Replace labels by *one sampled action* instead of the whole distribution.

    The sample is the played action. That is independent of the label's use because in ``mail`` and ``bc`` the queried
    expert itself plays the queried seat.

    Args:
        decisions: Decisions with labels.

    Returns:
        The same decisions with one-hot labels.
    """
    label = np.full(decisions.label.shape, np.nan, dtype=np.float32)
    rows = np.flatnonzero(decisions.queried)
    label[rows] = 0.0
    label[rows, decisions.played[rows]] = 1.0
    return replace(decisions, label=label)
