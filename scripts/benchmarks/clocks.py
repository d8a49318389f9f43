"""The time of a call, measured once or repeatedly."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")


def timed(function: Callable[..., T], *args: Any) -> tuple[float, T]:
    """The seconds of one call, and its result."""
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def median_timed(seconds: float, function: Callable[..., T], *args: Any) -> tuple[float, T]:
    """The median seconds of a call, repeated for about this long and at least five times, and the last result."""
    times: list[float] = []
    function(*args)
    stop = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < stop:
        elapsed, result = timed(function, *args)
        times.append(elapsed)
    return median(times), result


def rate(some: Callable[[], int], seconds: float) -> float:
    """A rate per second, measured for about this long."""
    start = now = time.perf_counter()
    count = 0
    while count == 0 or now - start < seconds:
        count += some()
        now = time.perf_counter()
    return count / (now - start)
