"""A whole comparison: cells through a pool, then summary, CSV and figure in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.storage.atomic import write_atomic
from agents.storage.policies import to_json
from mail.parallel.pool import Pool
from mail.training.compare.cells import Row, check_cells, run_cells
from mail.training.compare.grid import Grid
from mail.training.compare.summary import summarize, tidy, to_csv

CELLS, SUMMARY, TABLE, FIGURE = "cells", "summary.json", "rows.csv", "figure.png"


def compare(grid: Grid, folder: Path | None = None, *, pool: Pool | None = None) -> list[Row]:
    """Run the cells of a grid that are not in the folder yet.

    Args:
        grid: What to compare.
        folder: Keeps every finished cell (``cells/KEY.json``); cells of other grids may lie beside them. None keeps
            nothing.
        pool: Runs the cells; this process by default. Results do not depend on it, CPU seconds do.

    Returns:
        Tidy rows (``mail.training.compare.summary.tidy``), one per cell, in the order of ``Grid.cells``.

    Raises:
        NashmailError: A name or value is not allowed, or a learner cannot learn this game; nothing has run then.
    """
    check_cells(grid.check())
    rows = run_cells(grid.cells(), None if folder is None else folder / CELLS, pool=pool)
    return [tidy(row) for row in rows]


def report(grid: Grid, rows: Sequence[Row], folder: Path, *, table: Path | None = None) -> dict[str, Any]:
    """Write the summary, the CSV and the figure, and return the summary.

    Args:
        grid: What was compared.
        rows: Tidy rows.
        folder: Gets ``summary.json``, ``rows.csv`` and ``figure.png``.
        table: Where the CSV goes instead.
    """
    from mail.evaluation.figure import png  # imports matplotlib
    from mail.training.compare.figure import draw_comparison

    found = {"grid": asdict(grid), **summarize(rows)}
    write_atomic(folder / SUMMARY, to_json(found))
    write_atomic(table or folder / TABLE, to_csv(rows))
    figure = draw_comparison(f"{grid.game}, expert {grid.expert}", found["entrants"])
    write_atomic(folder / FIGURE, png(figure))
    return found
