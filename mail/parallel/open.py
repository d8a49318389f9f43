"""The pool that ``--workers`` and ``--ray-address`` ask for; Ray is imported only where it is used."""

from __future__ import annotations

from contextlib import AbstractContextManager

from mail.parallel.pool import START_UP, Local, Pool, PoolError


def pool_for(
    workers: int | None, address: str | None = None, *, patience: float = START_UP
) -> AbstractContextManager[Pool]:
    """The pool of so many workers, to be closed by ``with``: this process for one, else Ray, here or at an address.

    None is one worker, or, with an address, every processor of that cluster. This process works alone for ``patience``
    seconds before Ray is started. PoolError where there can be none.
    """
    if workers is not None and workers < 1:
        raise PoolError(f"--workers must be at least 1, not {workers}")
    if address is None and workers in (None, 1):
        return Local()
    from mail.parallel.ray import RayPool, report  # Ray is not loaded by who does not use it

    return RayPool(workers, address=address, say=report, patience=patience)
