"""The figure of a comparison: every seed a point, beside it the value gap against the expert and the Nash gap."""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mail.evaluation.axes import gap_axis

PANELS = {
    "value_gap": "value gap against the expert, both seats",
    "nash_gap": "Nash gap, stochastic",
    "greedy_nash_gap": "Nash gap, greedy",
}
POINT, MIDDLE = "#1b6ca8", "#c8553d"


def draw_comparison(title: str, entrants: dict[str, Any]) -> Figure:
    """The figure; axes are linear down to 0 below the smallest positive value, logarithmic above.

    Args:
        title: Above it.
        entrants: Of ``mail.training.compare.summary.summarize``.
    """
    height = 1.6 + 0.28 * len(entrants)
    figure, panels = plt.subplots(1, len(PANELS), figsize=(12, height), sharey=True, layout="constrained")
    for axes, (name, heading) in zip(panels, PANELS.items(), strict=True):
        measures = [one["measures"][name] if one["seeds"] else None for one in entrants.values()]
        for place, measure in enumerate(measures):
            if measure is not None:
                _row(axes, place, measure)
        gap_axis(axes, [point for measure in measures if measure for point in measure["points"]], along="x", ticks=6)
        axes.set_xlabel(heading, fontsize=9)
        axes.grid(alpha=0.3)
    panels[0].set_yticks(range(len(entrants)), list(entrants))
    panels[0].set_ylim(len(entrants) - 0.5, -0.5)
    figure.suptitle(f"{title}: seeds, interquartile means with 95 % bootstrap intervals", fontsize=10)
    return figure


def _row(axes: Axes, place: int, measure: dict[str, Any]) -> None:
    """An entrant's seeds, and over them their interquartile mean with its interval."""
    points = measure["points"]
    axes.plot(points, [place] * len(points), "o", color=POINT, alpha=0.4, markersize=5, clip_on=False)
    if measure["interval"] is not None:
        axes.plot(measure["interval"], [place, place], "-", color=MIDDLE, linewidth=1.6)
        axes.plot([measure["iqm"]], [place], "|", color=MIDDLE, markersize=9, markeredgewidth=1.6)
