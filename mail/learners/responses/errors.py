"""What is known of a policy's squared distance from its expert, from labels and sampled actions: MURMAIL's reward.

Source: "Learning equilibria from data" (Freihaut et al., arXiv:2505.17610); docs/algorithms.md, "Responses".
"""

from __future__ import annotations

import numpy as np

from games.base import Floats, Ints, Keys
from mail.data.decisions import Decisions

LARGEST = 2.0
"""The most that |p - q|^2 can be."""


def two_sample_reward(policy: Floats, first: Ints, second: Ints) -> Floats:
    """[n] an unbiased estimate of |mu_E - mu|^2 from two independent actions of the expert, between -1 and 2.

    ``1{A = A'} - 2 mu(A) + |mu|^2``: the three terms have the means |mu_E|^2, -2 <mu, mu_E> and |mu|^2.

    Args:
        policy: float64 [n, A], mu.
        first: int64 [n], A.
        second: int64 [n], A', independent of A.
    """
    rows = np.arange(len(policy))
    return np.asarray((first == second) - 2.0 * policy[rows, first] + (policy**2).sum(1))


class Rewards:
    """What is known of the squared errors of one seat, position by position, for whatever policy.

    Args:
        actions: A.
    """

    def __init__(self, actions: int) -> None:
        self.places: dict[tuple[int, int], int] = {}
        self.pairs = np.zeros(0)  # pairs of samples seen
        self.equal = np.zeros(0)  # of which equal; or the sum of |label|^2
        self.counts = np.zeros((0, actions))  # how often the first of a pair was each action; or the sum of labels

    def add(self, keys: Keys, first: Floats, second: Floats) -> None:
        """Add pairs of samples; an exact label is twice the same distribution.

        Args:
            keys: uint64 [n, 2] of the positions.
            first: [n, A] unit rows.
            second: [n, A] unit rows.
        """
        for key in map(tuple, keys.tolist()):
            self.places.setdefault(key, len(self.places))
        more = len(self.places) - len(self.pairs)
        self.pairs, self.equal = (np.append(part, np.zeros(more)) for part in (self.pairs, self.equal))
        self.counts = np.concatenate([self.counts, np.zeros((more, self.counts.shape[1]))])
        rows = self.find(keys)
        np.add.at(self.pairs, rows, 1.0)
        np.add.at(self.equal, rows, (first * second).sum(1))
        np.add.at(self.counts, rows, first)

    def observe(self, played: Decisions, answers: Floats, seat: int, samples: int) -> None:
        """Add a round.

        Args:
            played: Both seats' decisions.
            answers: float64 [n, A], the expert's answers at the seat's n decisions, ``samples`` of each visit in a row.
            seat: The seat.
            samples: 1 for distributions; else the last two of each visit are the pair.
        """
        key = played.key[played.seat == seat]
        self.add(key[::samples], answers[max(0, samples - 2) :: samples], answers[samples - 1 :: samples])

    def find(self, keys: Keys) -> Ints:
        """The rows of positions.

        Args:
            keys: uint64 [n, 2].

        Returns:
            int64 [n]; -1 for those without a label.
        """
        return np.array([self.places.get(key, -1) for key in map(tuple, keys.tolist())], dtype=np.int64)

    def estimate(self, keys: Keys, policy: Floats) -> Floats:
        """Mean estimates of |mu_E - mu|^2, cut to [0, 2].

        Where nothing is known: the largest error of a deterministic expert, 1 - 2 min mu + |mu|^2 over legal actions.

        Args:
            keys: uint64 [n, 2] of the positions.
            policy: [n, A] mu.

        Returns:
            [n].
        """
        squared, rows = (policy**2).sum(1), self.find(keys)
        smallest = np.where(policy > 0, policy, np.inf).min(1)
        errors = 1.0 - 2.0 * smallest + squared
        known = rows >= 0
        at = rows[known]
        cross = (policy[known] * self.counts[at]).sum(1)
        errors[known] = (self.equal[at] - 2.0 * cross) / self.pairs[at] + squared[known]
        return np.asarray(np.clip(errors, 0.0, LARGEST))
