"""Random streams are told apart by their address, and are what they always were."""

from __future__ import annotations

import numpy as np

from mail.parallel.streams import stream


def test_streams_are_told_apart_by_every_part_of_their_address() -> None:
    seats = [0, 1]
    addresses = [
        (seed, stage, seat, round_, shard)
        for seed in (0, 1, 2**40)
        for stage in ("bc", "mail/explore", "mail/explore ", "")
        for seat in seats
        for round_ in range(3)
        for shard in range(3)
    ]
    draws = [stream(a, b, seat=c, round_=d, shard=e).integers(2**63) for a, b, c, d, e in addresses]
    assert len(set(draws)) == len(addresses)
    again = [stream(a, b, seat=c, round_=d, shard=e).integers(2**63) for a, b, c, d, e in reversed(addresses)]
    assert draws == again[::-1]


def test_a_stream_is_pinned() -> None:
    """Saved runs resume only while an address keeps meaning the same draws."""
    assert stream(3, "mail/explore", seat=1, round_=2, shard=4).integers(1000, size=4).tolist() == [172, 869, 802, 840]
    assert np.array_equal(stream(3, "x").random(5), stream(3, "x", seat=0, round_=0, shard=0).random(5))
