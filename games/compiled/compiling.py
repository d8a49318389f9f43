"""Compiling functions with numba, and keeping the machine code (``games.compiled`` says where)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast
from zlib import crc32

from games.progress import report

F = TypeVar("F", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[F], F]:
    """Compile for exactly these types of arguments where the function is defined, or read numba's cache.

    Whatever is wrong with the files of that cache (no folder, a full disk, damage), the function is compiled without
    it.

    Args:
        signature: numba's, of the result and the arguments.

    Returns:
        A decorator.
    """
    import numba

    def compile_(function: F) -> F:
        # Before the name: numba knows a function that calls itself by what follows the last dot.
        function.__qualname__ = f"with_{_shared_code():08x}.{function.__qualname__}"
        report(0, None, "", step="compile")
        try:
            return cast(F, numba.njit(signature, cache=True, error_model="numpy")(function))
        except Exception:  # raised again below where the cache was not the cause
            return cast(F, numba.njit(signature, error_model="numpy")(function))

    return compile_


def inlined(function: F) -> F:
    """Put the function's code wherever compiled functions of the same file call it: a call with many arrays is slow.

    Args:
        function: a helper of compiled functions.
    """
    report(0, None, "", step="load numba")
    import numba

    return cast(F, numba.njit(function, inline="always"))


@cache
def _shared_code() -> int:
    """The check sum of the file whose functions all others may call; 0 where there is no such file to read."""
    try:
        return crc32(Path(__file__).with_name("bits.py").read_bytes())
    except OSError:
        return 0
