"""The distinct positions and transitions that one seat has visited, with counts: the data of explorers' plans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mail.data.decisions import Decisions


@dataclass(frozen=True)
class Transitions:
    """The distinct transitions of one seat's process; M positions, E transitions."""

    observation: np.ndarray  # [M, *shape]
    key: np.ndarray  # uint64 [M, 2]
    legal: np.ndarray  # bool [M, A]
    depth: np.ndarray  # int64 [M] smallest number of own decisions before it
    position: np.ndarray  # int64 [E]
    action: np.ndarray  # int64 [E]
    following: np.ndarray  # int64 [E] next position, -1 if the game is over
    count: np.ndarray  # int64 [E] how often it occurred

    @property
    def visits(self) -> np.ndarray:
        """int64 [M, A] how often each action was played."""
        visits = np.zeros(self.legal.shape, dtype=np.int64)
        np.add.at(visits, (self.position, self.action), self.count)
        return visits


class Memory:
    """Collects one seat's distinct positions and transitions from rounds of decisions."""

    def __init__(self) -> None:
        self._place: dict[tuple[int, int], int] = {}
        self._edge: dict[tuple[int, int, int], int] = {}
        self._observation: list[np.ndarray] = []
        self._legal: list[np.ndarray] = []
        self._depth: list[int] = []
        self._count: list[int] = []

    def __len__(self) -> int:
        """The number of positions."""
        return len(self._depth)

    def add(self, own: Decisions) -> int:
        """Add decisions of one seat.

        Args:
            own: The decisions, whose ``next`` refers to rows of ``own``.

        Returns:
            The number of new transitions.
        """
        before = len(self._edge)
        depth = _depths(own)
        places = [self._enter(own, row, int(depth[row])) for row in range(len(own))]
        for row, place in enumerate(places):
            after = int(own.next[row])
            edge = (place, int(own.played[row]), places[after] if after >= 0 else -1)
            index = self._edge.setdefault(edge, len(self._edge))
            if index == len(self._count):
                self._count.append(0)
            self._count[index] += 1
        return len(self._edge) - before

    def _enter(self, own: Decisions, row: int, depth: int) -> int:
        key = (int(own.key[row, 0]), int(own.key[row, 1]))
        place = self._place.setdefault(key, len(self._place))
        if place == len(self._depth):
            self._observation.append(own.observation[row])
            self._legal.append(own.legal[row])
            self._depth.append(depth)
        self._depth[place] = min(self._depth[place], depth)
        return place

    def transitions(self) -> Transitions:
        """All transitions so far, in the order of their first occurrence."""
        edges = np.array(list(self._edge), dtype=np.int64)  # [E, 3]
        return Transitions(
            observation=np.array(self._observation, dtype=np.float32),
            key=np.array(list(self._place), dtype=np.uint64),
            legal=np.array(self._legal, dtype=np.bool_),
            depth=np.array(self._depth, dtype=np.int64),
            position=edges[:, 0],
            action=edges[:, 1],
            following=edges[:, 2],
            count=np.array(self._count, dtype=np.int64),
        )


def _depths(own: Decisions) -> np.ndarray:
    """[R] the number of own decisions before each row in its game. Rows are in order of play."""
    depth = np.zeros(len(own), dtype=np.int64)
    for row in range(len(own)):
        if own.next[row] >= 0:
            depth[own.next[row]] = depth[row] + 1
    return depth
