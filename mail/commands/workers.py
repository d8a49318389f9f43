"""The words by which a command is given workers, and the pool they make; light, so that help comes at once."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mail.parallel.pool import Pool


def arguments(parser: argparse.ArgumentParser) -> None:
    """``--workers`` and ``--ray-address``."""
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that work (default: 1, this one; at an address: all of the cluster's processors)",
    )
    parser.add_argument("--ray-address", metavar="HOST:PORT", help="the head of a Ray cluster to work on")


def pool(args: argparse.Namespace, *, at_once: bool = False) -> AbstractContextManager[Pool]:
    """What the words ask for, to be closed by ``with``; workers start ``at_once``, or when the work has turned out
    to be long. PoolError where it is not to be had.
    """
    from mail.parallel.open import pool_for
    from mail.parallel.pool import START_UP

    return pool_for(args.workers, args.ray_address, patience=0.0 if at_once else START_UP)
