"""While Ray's workers work, the run hears every half second how many shards are done."""

from __future__ import annotations

from typing import Any

import cloudpickle
import numpy as np
import pytest

from mail.parallel import ray
from mail.parallel.ray import RayPool
from mail.training.progress.events import Advanced, Event, Stream


def doubled(shared: int, shard: int) -> int:
    """A task."""
    return shared * shard


class Slow:
    """Stands in for the link to Ray: nothing arrives at first, then one result at a time."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, bytes]] = []
        self.patience = 2

    def send(self, message: tuple[Any, ...]) -> None:
        if message[0] == "shard":
            self.waiting.append((message[1], message[2]))

    def arrives(self, seconds: float) -> bool:
        self.patience -= 1
        return self.patience < 0

    def receive(self) -> tuple[Any, ...]:
        self.patience = 2
        index, packed = self.waiting.pop(0)
        result = 2 * cloudpickle.loads(packed), np.zeros(0, np.int64), np.zeros((0, 7), np.int8)  # no scores beside it
        return "completed", index, ("result", cloudpickle.dumps(result))

    def close(self) -> None:
        """Nothing is open."""


def test_a_run_that_waits_for_workers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "open_link", lambda *words: Slow())
    monkeypatch.setattr("mail.training.progress.events.OFTEN", 0.0)
    seen: list[Event] = []
    with RayPool(2, patience=0.0) as pool, Stream([seen.append]):
        assert pool.map(doubled, 2, [1, 2, 3]) == [2, 4, 6]
    facts = [event.fact for event in seen]
    assert facts == [Advanced(done, 3, "shards", "workers") for done in (0, 0, 1, 1, 2, 2)]
