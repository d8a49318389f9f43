"""One process at a time writes to a run's folder: a lock on the folder itself, which dies with its process.

The lock is on the folder, not on a file in it or beside it: nothing is left behind, no name can be turned into a link
to somebody else's file, and starting anew (which empties the folder and never removes it) keeps it.
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
    """Held as long as this object lives, by this process: it may take the lock again, others may not."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor, self._process = descriptor, os.getpid()

    def __del__(self) -> None:
        if self._descriptor is not None and self._process == os.getpid():
            os.close(self._descriptor)


_HELD: WeakValueDictionary[tuple[int, int, int], RunLock] = WeakValueDictionary()
"""By process, device and number of the folder."""


def lock(folder: Path) -> RunLock:
    """The lock of a folder that is there. RunError where another process has it; OSError where there is no folder.

    On a file system without locks a line on standard error says so, and the run goes on; so it does, without a line,
    where Python knows of none (Windows).
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
        told = f"{printable(folder)} cannot be locked ({error.strerror}); nothing else may train there meanwhile"
        print(told, file=sys.stderr, flush=True)
    _HELD[place] = found = RunLock(descriptor)
    return found


def _exclusive(descriptor: int) -> None:
    """Take the lock at once, or BlockingIOError; another OSError where there are none."""
    fcntl = import_module("fcntl")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
