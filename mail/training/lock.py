"""A lock on a run's folder, so that one process at a time writes to it. The system releases it when the process ends.

The lock is on the folder, not on a file: it leaves nothing behind, no file can be replaced by a link to another, and it
remains when ``--force`` empties the folder.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from weakref import WeakValueDictionary

from agents.storage.reading import printable
from mail.training.config import RunError


class RunLock:
    """A lock held by this process as long as the object lives. The process may acquire it again.

    Args:
        descriptor: Of the locked folder; None without locks in the file system.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor, self._process = descriptor, os.getpid()

    def __del__(self) -> None:
        if self._descriptor is not None and self._process == os.getpid():
            os.close(self._descriptor)


_HELD: WeakValueDictionary[tuple[int, int, int], RunLock] = WeakValueDictionary()
"""Locks by process, device and inode of the folder."""


def lock(folder: Path) -> RunLock:
    """Acquire the lock of an existing folder.

    Without locks in the file system, a line on standard error says so and the run continues. On Windows, where Python
    has no such locks, it continues without the line.

    Args:
        folder: The run's.

    Raises:
        RunError: Another process has the lock.
        OSError: There is no folder.
    """
    if find_spec("fcntl") is None:
        return RunLock(None)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    about = os.fstat(descriptor)
    place = (os.getpid(), about.st_dev, about.st_ino)
    if (held := _HELD.get(place)) is not None:
        os.close(descriptor)
        return held
    try:
        _exclusive(descriptor)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunError(
            f"another process trains in {printable(folder)}; let it finish or stop it, or choose another --out"
        ) from error
    except OSError as error:
        line = f"{printable(folder)} cannot be locked ({error.strerror}); do not train there with another process"
        print(line, file=sys.stderr, flush=True)
    _HELD[place] = acquired = RunLock(descriptor)
    return acquired


def _exclusive(descriptor: int) -> None:
    """Acquire the lock at once. BlockingIOError if another process has it, another OSError if there are no locks."""
    fcntl = import_module("fcntl")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
