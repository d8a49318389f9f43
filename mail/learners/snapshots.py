"""Clones that a learner had on the way, from which its learning curve is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.policy import Policy

MOST = 16
"""Most snapshots of one seat: n-tuple policies of larger boards take megabytes each."""


@dataclass(frozen=True)
class Snapshot:
    """A clone of one seat, and the number of queries that it was fitted after."""

    labels: int
    policy: Policy


class Snapshots:
    """Keeps clones about equally far apart in labels: every second one is dropped whenever there are too many."""

    def __init__(self) -> None:
        self.kept: list[Snapshot] = []
        self._distance = 1
        self._last: Policy | None = None

    def add(self, labels: int, policy: Policy | None) -> None:
        """Keep a clone, if it is a new one and far enough from the one before.

        Args:
            labels: The number of queries so far.
            policy: The present clone, frozen; None where there is none.
        """
        if policy is None or policy is self._last or not labels:
            return
        self._last = policy
        if self.kept and labels < self.kept[-1].labels + self._distance:
            return
        self.kept.append(Snapshot(labels, policy))
        if len(self.kept) > MOST:
            self.kept, self._distance = self.kept[::2], 2 * self._distance


def at_steps(kept: Sequence[Snapshot], steps: Sequence[int]) -> list[Snapshot]:
    """The last snapshot up to each number of labels, none twice.

    Args:
        kept: In order of labels.
        steps: Numbers of labels, ascending.
    """
    places = {sum(one.labels <= step for one in kept) - 1: None for step in steps}
    return [kept[place] for place in places if place >= 0]
