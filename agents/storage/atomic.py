"""Atomic writing of files. No heavy import, so that the terminal can use it too."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomic(path: Path, data: bytes) -> None:
    """Write under a temporary name in the same directory, then rename: the file is complete or absent.

    Args:
        path: The file; its directory is made if necessary.
        data: Its contents.

    Raises:
        OSError: The file cannot be written; the old file, if any, is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
