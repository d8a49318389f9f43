"""The labels of one seat as a data set: a row for each distinct position, with its mean label.

Every distinct position weighs the same (per-state averaging): the worst position decides how exploitable a clone is,
not the most frequent one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.policy import Policy
from games.base import Bools, Floats, Ints, NashmailError, States
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class Demonstrations:
    """What there is to clone; D distinct positions."""

    observation: np.ndarray  # float32 [D, *shape]
    legal: np.ndarray  # bool [D, A]
    label: np.ndarray  # float32 [D, A] mean label


@dataclass(frozen=True)
class Fit:
    """A clone and how closely it fits what it was shown."""

    policy: Policy
    steps: int
    worst: float
    """Largest probability on actions the label never takes, over labelled positions."""
    mean_tv: float
    """Mean total variation to the labels."""


def summed(decisions: Decisions, seat: int) -> tuple[Decisions, Floats, Ints]:
    """The distinct labelled positions of a seat in order of key, a row each, the sum [D, A] of the labels of each, and
    how often [D] it was asked. NashmailError if there are none.
    """
    asked = decisions.take(decisions.queried & (decisions.seat == seat))
    if not len(asked):
        raise NashmailError(f"seat {seat} has no labels to clone; raise the budget")
    _, first, inverse, count = np.unique(asked.key, axis=0, return_index=True, return_inverse=True, return_counts=True)
    total = np.zeros((len(first), asked.label.shape[1]))
    np.add.at(total, inverse.ravel(), asked.label)
    return asked.take(first), total, count


def demonstrations(decisions: Decisions, seat: int) -> Demonstrations:
    """The distinct labelled positions of a seat, in order of key. NashmailError if there are none."""
    rows, total, count = summed(decisions, seat)
    return Demonstrations(rows.observation, rows.legal, (total / count[:, None]).astype(np.float32))


@dataclass(frozen=True)
class Asked:
    """The distinct labelled positions of a seat, D of them, in order of key."""

    state: States  # [D, W]
    key: np.ndarray  # uint64 [D, 2]
    legal: Bools  # [D, A]
    label: Floats  # [D, A] mean label
    count: np.ndarray  # int64 [D] times asked


def asked(decisions: Decisions, seat: int) -> Asked:
    """What a seat was asked. NashmailError if nothing."""
    rows, total, count = summed(decisions, seat)
    return Asked(rows.state, rows.key, rows.legal, total / total.sum(1, keepdims=True), count)


def sampled_labels(decisions: Decisions) -> Decisions:
    """The same decisions where an ask is answered by *one drawn action*, not by a whole distribution.

    The draw is the action that was played: where the asked expert itself sits in the asked seat, as in ``mail`` and
    ``bc``, that is a draw of its own, from the stream of its game.
    """
    label = np.full(decisions.label.shape, np.nan, dtype=np.float32)
    rows = np.flatnonzero(decisions.queried)
    label[rows] = 0.0
    label[rows, decisions.played[rows]] = 1.0
    return replace(decisions, label=label)
