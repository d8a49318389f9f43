"""Atomic writing of files. No heavy import, so that the terminal can use it too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomic(path: Path, data: bytes) -> None:
    """Write under a temporary name in the same directory, then rename: the file is complete or absent.

    Args:
        path: The file; its directory is made if necessary.
        data: Its contents.

    Raises:
        OSError: The file cannot be written; the old file, if any, is unchanged.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same directory, which is renamed at the end if there is no exception.

    Args:
        path: The file; its directory is made if necessary.

    Raises:
        OSError: The file cannot be written; the old file, if any, is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
