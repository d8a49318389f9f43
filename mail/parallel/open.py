"""The pool for ``--workers`` and ``--ray-address``. Ray is imported only where it is used."""

from __future__ import annotations

from contextlib import AbstractContextManager

from mail.parallel.pool import START_UP, Local, Pool, PoolError


def pool_for(
    workers: int | None, address: str | None = None, *, patience: float = START_UP
) -> AbstractContextManager[Pool]:
    """The pool of so many workers, for use in a ``with`` statement: this process for one worker, else Ray.

    Args:
        workers: Number of worker processes. None means one, or, with an address, every processor of that cluster.
        address: HOST:PORT of a Ray cluster; None for this machine.
        patience: Seconds for which this process works alone before it starts Ray.

    Raises:
        PoolError: The arguments are invalid, or the cluster cannot be reached.
    """
    if workers is not None and workers < 1:
        raise PoolError(f"--workers must be at least 1, not {workers}")
    if address is None and workers in (None, 1):
        return Local()
    from mail.parallel.ray import RayPool, report  # not loaded without need

    return RayPool(workers, address=address, say=report, patience=patience)
