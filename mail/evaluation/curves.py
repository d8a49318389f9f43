"""Curves of any number of runs: each seat's exact exploitability against the number of expert queries.

Runs that differ in nothing but their seed are one line: the median of each point over the seeds, and the seeds' own
points beside it. The vertical axis is logarithmic down to the smallest positive value and linear from there to 0, so
that an exploitability of exactly 0 is drawn at 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mail.evaluation.axes import count_axis, gap_axis

Curve = list[dict[str, Any]]
"""One seat's points: ``labels``, ``exploitability`` and ``greedy_exploitability``."""

PALETTE = ("#1b6ca8", "#c8553d", "#3c8d53", "#8e5aa8", "#e09f3e", "#4aa3b5", "#b2507f", "#6b6b6b")
MARKERS = "os^DvP*X"
KINDS: tuple[tuple[str, Literal["-", ":"], str], ...] = (
    ("exploitability", "-", "stochastic"),
    ("greedy_exploitability", ":", "greedy"),
)


@dataclass(frozen=True)
class Line:
    """What is drawn as one line."""

    name: str
    seats: tuple[list[Curve], list[Curve]]
    """Per seat, the curve of each seed."""


def lines_of(results: Iterable[tuple[str, dict[str, Any]]]) -> list[Line]:
    """The lines of some runs, named by what distinguishes them, in order of appearance.

    Args:
        results: Pairs of a learner, or nothing for all of them, and the contents of ``result.json``.
    """
    found: dict[tuple[str, ...], tuple[list[Curve], list[Curve]]] = {}
    for wanted, result in results:
        for learner, seats in result["curves"].items():
            if wanted in ("", learner):
                setting = result["config"]
                symmetry = "symmetry" if result["symmetry"] else "no symmetry"
                key = (learner, f"explorer {setting['explorer']}", f"expert {setting['expert']}", symmetry)
                line = found.setdefault(key, ([], []))
                for seat in (0, 1):
                    line[seat].append(seats[seat])
    return [Line(_name(key, list(found)), seats) for key, seats in found.items()]


def _name(key: tuple[str, ...], keys: Sequence[tuple[str, ...]]) -> str:
    """The learner, and what else distinguishes a line: an explorer only from other lines of the same learner."""
    learner, explorer, *rest = key
    words = [learner]
    if len({other[1] for other in keys if other[0] == learner}) > 1:
        words.append(explorer)
    words += [word for place, word in enumerate(rest, start=2) if len({other[place] for other in keys}) > 1]
    return ", ".join(words)


def draw(lines: Sequence[Line], title: str) -> Figure:
    """A panel per seat, stochastic policies solid, greedy ones dotted.

    Args:
        lines: At least one.
        title: The line above the panels.
    """
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    colours = _colours(len(lines))
    for seat, axes in enumerate(panels):
        for line, colour, marker in zip(lines, colours, cycle(MARKERS), strict=False):
            for key, style, _ in KINDS:
                _draw_line(axes, line.seats[seat], key, color=colour, linestyle=style, marker=marker)
        axes.set_title(f"seat {seat}")
        axes.set_xlabel("labels (expert queries)")
        axes.grid(alpha=0.3)
        count_axis(axes, [point["labels"] for line in lines for curve in line.seats[seat] for point in curve])
    panels[0].set_ylabel("exact exploitability")
    every = [
        point[key] for line in lines for seat in line.seats for curve in seat for point in curve for key, _, _ in KINDS
    ]
    gap_axis(panels[0], every)
    figure.legend(handles=_legend(lines, colours), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_line(axes: Axes, curves: list[Curve], key: str, **look: Any) -> None:
    """The median curve, and the seeds' own points where there are several."""
    length = min(map(len, curves))
    labels = np.array([[point["labels"] for point in curve[-length:]] for curve in curves])  # [seeds, length]
    values = np.array([[point[key] for point in curve[-length:]] for curve in curves])
    axes.plot(np.median(labels, axis=0), np.median(values, axis=0), markersize=4, **look)
    if len(curves) > 1:
        small = {"color": look["color"], "marker": look["marker"], "s": 9, "linewidths": 0, "alpha": 0.35}
        axes.scatter(labels.ravel(), values.ravel(), **small)


def _legend(lines: Sequence[Line], colours: Sequence[Any]) -> list[Line2D]:
    """An entry per line, then one for each kind of policy."""
    entries = []
    for line, colour, marker in zip(lines, colours, cycle(MARKERS), strict=False):
        seeds = len(line.seats[0])
        name = line.name if seeds == 1 else f"{line.name} ({seeds} seeds)"
        entries.append(Line2D([], [], color=colour, marker=marker, markersize=4, label=name))
    return entries + [Line2D([], [], color="#555555", linestyle=style, label=word) for _, style, word in KINDS]


def _colours(count: int) -> list[Any]:
    """As many colours as there are lines, told apart also by those who see few: fixed ones first, then a scale."""
    if count <= len(PALETTE):
        return list(PALETTE[:count])
    return list(plt.get_cmap("turbo")(np.linspace(0.05, 0.95, count)))
