"""The arguments that give a command workers, and the pool they describe. Imports nothing heavy, so help is fast."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mail.parallel.pool import Pool


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--workers`` and ``--ray-address``."""
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="worker processes (default: 1, this process; with --ray-address: all processors of the cluster)",
    )
    parser.add_argument("--ray-address", metavar="HOST:PORT", help="the head of a Ray cluster to use")


def pool(args: argparse.Namespace, *, at_once: bool = False) -> AbstractContextManager[Pool]:
    """The pool that the arguments describe, for use in a ``with`` statement.

    Args:
        args: The parsed arguments.
        at_once: Whether to start workers now, instead of only after some seconds of work.

    Raises:
        PoolError: The pool is not available.
    """
    from mail.parallel.open import pool_for
    from mail.parallel.pool import START_UP

    return pool_for(args.workers, args.ray_address, patience=0.0 if at_once else START_UP)
