"""The tables that ``nashmail compare`` ends with."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from agents.storage.reading import printable
from mail.training.compare.summary import spread


def comparison_tables(title: str, entrants: dict[str, Any]) -> list[Table]:
    """What each entrant spent and may know, and how good it is, as interquartile means over seeds.

    Args:
        title: Above the first table.
        entrants: Of ``mail.training.compare.summary.summarize``.
    """
    spent = _table(title, "learner", ("labels", "distinct", "games", "steps", "CPU s"), "may know")
    good = _table("Nash gap: 95 % bootstrap interval, or the seeds' values", "learner", ("value", "seat 0", "seat 1"))
    for heading in ("greedy 0", "greedy 1"):
        good.add_column(heading, justify="right", no_wrap=True)
    good.add_column("Nash gap", overflow="fold")
    for name, one in entrants.items():
        measures = one["measures"]
        if not measures:
            spent.add_row(_plain(name), *[""] * 5, f"all {one['failed']} seeds failed")
            continue
        iqm = {key: part["iqm"] for key, part in measures.items()}
        counts = [f"{iqm[key]:,.0f}" for key in ("labels", "distinct_labels", "games", "steps")]
        spent.add_row(_plain(name), *counts, f"{iqm['cpu_seconds']:.1f}", ", ".join(one["knows"]))
        seats = [f"{key}_{seat}" for key in ("exploitability", "greedy_exploitability") for seat in (0, 1)]
        values = [f"{iqm[key]:z.4f}" for key in ("value_gap", *seats)]
        good.add_row(_plain(name), *values, spread(measures["nash_gap"]))
    return [spent, good]


def improvement_lines(summary: dict[str, Any]) -> list[str]:
    """Who is probably better than the last entrant, a line for each: a smaller Nash gap, ties counted half.

    Args:
        summary: Of ``mail.training.compare.summary.summarize``.
    """
    names = list(summary["entrants"])
    lines = []
    for name in names[:-1]:
        part = summary["improvement"].get(name, {}).get(names[-1])
        if part is not None:
            within = "" if part["interval"] is None else " [{:.2f}, {:.2f}]".format(*part["interval"])
            lines.append(f"P({name} has a smaller Nash gap than {names[-1]}) = {part['probability']:.2f}{within}")
    return lines


def _table(title: str, first: str, headings: tuple[str, ...], last: str = "") -> Table:
    table = Table(
        title=Text(printable(title), style="table.title"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column(first, overflow="fold")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    if last:
        table.add_column(last, overflow="fold")
    return table


def _plain(name: str) -> Text:
    return Text(printable(name))
