"""The labels of one seat as a data set: a row for each distinct position, with its mean label.

Every distinct position weighs the same (per-state averaging): the worst position decides how exploitable a clone is,
not the most frequent one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy
from games.base import Bools, Floats, Ints, Keys, NashmailError, States
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class Demonstrations:
    """What there is to clone: the labels of one seat, a row for each of D distinct positions.

    NashmailError where a shape or a dtype is another than stated.
    """

    state: States
    """[D, W] the positions."""
    key: Keys
    """uint64 [D, 2] what tells them apart, for the seat."""
    observation: NDArray[np.float32]
    """float32 [D, *shape] what the seat sees there."""
    legal: Bools
    """bool [D, A] its legal actions."""
    total: Floats
    """float64 [D, A] the sum of the labels of each position."""
    count: Ints
    """int64 [D] how many labels that is."""

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

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """float32 [D, A] the mean label of each position, as networks are trained on it."""
        return (self.total / self.count[:, None]).astype(np.float32)

    @cached_property
    def distribution(self) -> Floats:
        """float64 [D, A] the same as a distribution: rows sum to 1 to the last bit of float64."""
        return np.asarray(self.total / self.total.sum(1, keepdims=True))


@dataclass(frozen=True)
class Fit:
    """A clone and how closely it fits what it was shown."""

    policy: Policy
    steps: int
    worst: float
    """Largest probability on actions the label never takes, over labelled positions."""
    mean_tv: float
    """Mean total variation to the labels."""


def demonstrations(decisions: Decisions, seat: int) -> Demonstrations:
    """The distinct labelled positions of a seat, in order of key.

    Args:
        decisions: decisions of either seat; those of ``seat`` that have a label count.
        seat: whose labels.

    Raises:
        NashmailError: where there are none.
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
    """The same decisions where a query is answered by *one drawn action*, not by a whole distribution.

    The draw is the action that was played: where the asked expert itself sits in the asked seat, as in ``mail`` and
    ``bc``, that is a draw of its own, from the stream of its game.
    """
    label = np.full(decisions.label.shape, np.nan, dtype=np.float32)
    rows = np.flatnonzero(decisions.queried)
    label[rows] = 0.0
    label[rows, decisions.played[rows]] = 1.0
    return replace(decisions, label=label)
