"""Rounds of games: shards, and streams of their own."""

from __future__ import annotations

from typing import Any

import pytest

from agents.policy import Uniform
from mail.learners.collect import Collector
from tests.mail.learners.test_learners import Backwards, Counting, experts
from tests.support import graph


@pytest.mark.parametrize(("games", "sizes"), [(1, [1]), (64, [64]), (65, [64, 1]), (200, [64, 64, 64, 8])])
def test_rounds_are_cut_into_shards_whoever_works(games: int, sizes: list[int]) -> None:
    model = graph("tictactoe")
    found, counting = [], Counting()
    pools: tuple[Any, ...] = (counting, Backwards())
    for pool in pools:
        collector = Collector("test", model.game, 5, pool)
        found.append(collector.round((Uniform(), Uniform()), experts(model), games, seat=1, round_=2))
    assert [shard.episodes for shard in counting.shards] == sizes
    assert [shard.shard for shard in counting.shards] == list(range(len(sizes)))
    assert {(shard.seed, shard.seat, shard.round_) for shard in counting.shards} == {(5, 1, 2)}
    assert found[0].games == games
    for one, other in zip(found[0].arrays().values(), found[1].arrays().values(), strict=True):
        assert one.tobytes() == other.tobytes()


def test_rounds_have_streams_of_their_own() -> None:
    model = graph("tictactoe")

    def played(name: str, seed: int, seat: int, round_: int) -> bytes:
        collector = Collector(name, model.game, seed)
        decisions = collector.round((Uniform(), Uniform()), (None, None), 5, seat=seat, round_=round_)
        return decisions.played.tobytes()

    addresses = [(name, seed, seat, round_) for name in "ab" for seed in (0, 1) for seat in (0, 1) for round_ in (0, 1)]
    assert len({played(*address) for address in addresses}) == len(addresses)
