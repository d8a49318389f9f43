"""What several figures need over a number of seeds: work by a pool, cells that are kept, intervals, rounded data."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from agents.storage.policies import to_json, write_atomic
from mail.evaluation.figure import image
from mail.parallel.pool import Pool

_Cell = TypeVar("_Cell")
_Result = TypeVar("_Result")


def done(
    task: Callable[[_Cell], _Result],
    cells: Sequence[_Cell],
    pool: Pool,
    *,
    group: Callable[[_Cell], str],
    on_result: Callable[[_Cell, _Result], None] | None = None,
) -> list[_Result]:
    """``task(cell)`` of every cell, a shard each; a line on standard error when the last cell of a group is finished.

    ``on_result`` is called here, in whatever order cells finish: what a killed figure keeps.
    """
    begun, left = time.perf_counter(), Counter(map(group, cells))

    def keep(index: int, result: _Result) -> None:
        if on_result is not None:
            on_result(cells[index], result)
        name = group(cells[index])
        left[name] -= 1
        if not left[name]:
            print(f"{time.perf_counter() - begun:6.0f} s  {name}", file=sys.stderr, flush=True)

    return pool.map(_apply, task, cells, on_result=keep)


def kept(
    task: Callable[[_Cell], dict[str, Any]],
    cells: Mapping[str, _Cell],
    folder: Path,
    pool: Pool,
    *,
    earlier: Mapping[str, dict[str, Any]],
) -> None:
    """``folder/NAME.json`` of every cell by name: what is there stays, what ``earlier`` holds is written as if it had
    just been run, and the others are: a figure that was killed, or has cells to be added, goes on.
    """
    for name in cells:
        if name in earlier and not (folder / f"{name}.json").is_file():
            write_atomic(folder / f"{name}.json", to_json(earlier[name]))
    names = {cell: name for name, cell in cells.items() if not (folder / f"{name}.json").is_file()}

    def keep(cell: _Cell, result: dict[str, Any]) -> None:
        write_atomic(folder / f"{names[cell]}.json", to_json(rounded(result)))

    done(task, list(names), pool, group=lambda cell: names[cell], on_result=keep)


def _apply(task: Callable[[_Cell], _Result], cell: _Cell) -> _Result:
    return task(cell)


def picture(out: Path, name: str, figure: Figure) -> None:
    """Write a figure as ``NAME.png`` and, for print, as ``NAME.pdf``."""
    for form in ("png", "pdf"):
        write_atomic(out / f"{name}.{form}", image(figure, form))


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % Student interval."""
    mean = float(np.mean(values))
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Mean and 95 % interval; of one or two seeds, whose interval says nothing, each value."""
    if len(values) < 3:
        return "; ".join(f"{value:{form}}" for value in values) or "-"
    mean, low, high = interval(values)
    return f"{mean:{form}} [{low:{form}}, {high:{form}}]"


def ranged(rows: Sequence[dict[str, Any]], key: str) -> str:
    """Mean and interval of a count that may be missing in some seeds."""
    values = [row[key] for row in rows]
    if any(value is None for value in values):
        return f"not reached in {sum(value is None for value in values)} of {len(values)}"
    return spread(values)


def rounded(value: Any) -> Any:
    """Six significant digits, to keep the data small."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return value
