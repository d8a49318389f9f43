"""The tables that ``nashmail compare`` ends with."""

from __future__ import annotations

from typing import Any

from mail.terminal.tables import FittingTable, plain
from mail.training.compare.summary import spread


def comparison_tables(title: str, entrants: dict[str, Any]) -> list[FittingTable]:
    """What each entrant spent and may know, and how good it is, as interquartile means over seeds.

    Args:
        title: Above the first table.
        entrants: Of ``mail.training.compare.summary.summarize``.
    """
    spent = FittingTable("learner", title=title)
    spent.add_numbers("labels", "distinct", "games", "steps", "CPU s")
    spent.add_column("may know", overflow="fold")
    good = FittingTable("learner", title="Nash gap: 95 % bootstrap interval, or the seeds' values")
    good.add_numbers("value", "seat 0", "seat 1", "greedy 0", "greedy 1")
    good.add_column("Nash gap", overflow="fold")
    for name, one in entrants.items():
        measures = one["measures"]
        if not measures:
            spent.add_row(plain(name), *[""] * 5, f"all {one['failed']} seeds failed")
            continue
        iqm = {key: part["iqm"] for key, part in measures.items()}
        counts = [f"{iqm[key]:,.0f}" for key in ("labels", "distinct_labels", "games", "steps")]
        spent.add_row(plain(name), *counts, f"{iqm['cpu_seconds']:.1f}", ", ".join(one["knows"]))
        seats = [f"{key}_{seat}" for key in ("exploitability", "greedy_exploitability") for seat in (0, 1)]
        values = [f"{iqm[key]:z.4f}" for key in ("value_gap", *seats)]
        good.add_row(plain(name), *values, spread(measures["nash_gap"]))
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
