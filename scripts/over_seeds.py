"""What several figures say about a number of seeds: intervals, cells of tables, rounded data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % Student interval."""
    mean = float(np.mean(values))
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def ranged(rows: Sequence[dict[str, Any]], key: str) -> str:
    """Mean and interval of a count that may be missing in some seeds."""
    values = [row[key] for row in rows]
    if any(value is None for value in values):
        return f"not reached in {sum(value is None for value in values)} of {len(values)}"
    mean, low, high = interval(values)
    return f"{mean:,.0f} [{low:,.0f}, {high:,.0f}]"


def rounded(value: Any) -> Any:
    """Six significant digits, to keep the data small."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return value
