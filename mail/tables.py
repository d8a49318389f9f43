"""The tables that commands print: one row per policy pair, exploitability by seat, gap, and what it cost."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text


def learner_table(title: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Measures and budget words of several policy pairs; 80 columns hold it."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("policy", overflow="fold")
    for heading in ("games", "labels", "distinct", "seat 0", "seat 1", "Nash gap", "greedy gap"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in rows.items():
        counts = [f"{row[key]:,}" if key in row else "" for key in ("games", "labels", "distinct_labels")]
        measured = [*row["exploitability"], row["nash_gap"], row["greedy_nash_gap"]]
        table.add_row(Text(name), *counts, *(f"{value:.4f}" for value in measured))
    return table
