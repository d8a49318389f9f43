"""Random streams from one seed: the address of a generator names its purpose, never the worker that uses it.

An address is (stage, seat, round, shard). The same address gives the same draws in any process, in any order, on any
number of workers, so no generator's state is ever saved. Based on ``numpy.random.SeedSequence`` with ``spawn_key``.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

from games.base import Rng


def stream(seed: int, stage: str, *, seat: int = 0, round_: int = 0, shard: int = 0) -> Rng:
    """The generator at an address.

    Args:
        seed: The run's seed, a non-negative integer.
        stage: A word for the purpose, such as "mail/explore"; its CRC-32 is part of the address.
        seat: 0 or 1.
        round_: The round of learning.
        shard: The shard of work.
    """
    address = (crc32(stage.encode()), seat, round_, shard)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=address))
