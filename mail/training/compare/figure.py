"""The figure of a comparison: every seed a point, beside it the value gap against the expert and the Nash gap."""

from __future__ import annotations

from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from mail.evaluation.figure import FLOOR, png

PANELS = {
    "value_gap": "value gap against the expert, both seats",
    "nash_gap": "Nash gap, stochastic",
    "greedy_nash_gap": "Nash gap, greedy",
}


def draw_comparison(title: str, entrants: dict[str, Any]) -> bytes:
    """The figure as PNG.

    Args:
        title: Above it.
        entrants: Of ``mail.training.compare.summary.summarize``.
    """
    height = 1.6 + 0.28 * len(entrants)
    figure, panels = plt.subplots(1, len(PANELS), figsize=(12, height), sharey=True, layout="constrained")
    for axes, (name, heading) in zip(panels, PANELS.items(), strict=True):
        for place, one in enumerate(entrants.values()):
            if one["seeds"]:
                _row(axes, place, one["measures"][name])
        axes.set_xscale("log")
        axes.set_xlim(FLOOR / 1.5, None)
        axes.set_xlabel(f"{heading} (drawn at {FLOOR:g} if below)", fontsize=8)
        axes.grid(alpha=0.3)
    panels[0].set_yticks(range(len(entrants)), list(entrants))
    panels[0].invert_yaxis()
    figure.suptitle(f"{title}: seeds, interquartile means with 95 % bootstrap intervals", fontsize=10)
    return png(figure)


def _row(axes: Axes, place: int, measure: dict[str, Any]) -> None:
    points = [max(value, FLOOR) for value in measure["points"]]
    axes.plot(points, [place] * len(points), "o", color="#1b6ca8", alpha=0.4, markersize=4)
    if measure["interval"] is not None:
        low, high = (max(end, FLOOR) for end in measure["interval"])
        axes.plot([low, high], [place, place], "-", color="#c8553d", linewidth=2)
        axes.plot([max(measure["iqm"], FLOOR)], [place], "|", color="#c8553d", markersize=12, markeredgewidth=2)
