"""One seed, addressed streams: every draw's generator is named by what it is for, never by who runs it.

A stream's address is (stage, seat, round, shard). The same address gives the same draws in any process, in
any order, on any number of workers, so no generator's state is ever saved.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

from games.base import Rng


def stream(seed: int, stage: str, *, seat: int = 0, round_: int = 0, shard: int = 0) -> Rng:
    """The generator at this address. ``stage`` is a word such as "mail/explore"; its bytes are the number."""
    address = (crc32(stage.encode()), seat, round_, shard)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=address))
