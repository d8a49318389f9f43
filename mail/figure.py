"""Figures, drawn off screen: exploitability of each seat against the number of asks."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {"mail": "#1b6ca8", "bc": "#c8553d", "bc-uniform": "#e09f3e"}
FLOOR = 1e-4
"""Exploitabilities below this are drawn at it: the axis is logarithmic, and zero is reached."""


def draw_run(result: dict[str, Any]) -> bytes:
    """A run's curves as PNG: one panel per seat, stochastic policies solid, greedy ones dotted."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for seat, axes in enumerate(panels):
        for name, curves in result["curves"].items():
            colour = COLOURS.get(name, "#555555")
            labels = [point["labels"] for point in curves[seat]]
            for key, style in (("exploitability", "o-"), ("greedy_exploitability", "s:")):
                shown = [max(point[key], FLOOR) for point in curves[seat]]
                word = name if key == "exploitability" else f"{name}, greedy"
                axes.plot(labels, shown, style, color=colour, label=word, markersize=4)
        dress(axes, seat)
    panels[0].legend(fontsize=8)
    config = result["config"]
    symmetry = "on" if result["symmetry"] else "off"
    figure.suptitle(
        f"{config['game']}, expert {config['expert']}, explorer {config['explorer']}, "
        f"symmetry {symmetry}, seed {result['seed']}",
        fontsize=10,
    )
    return png(figure)


def dress(axes: Axes, seat: int) -> None:
    """Axes that both kinds of figure share."""
    axes.set_yscale("log")
    axes.set_ylim(FLOOR / 1.5, 3)
    axes.set_xlabel("asks (expert decisions labelled)")
    axes.set_title(f"seat {seat}")
    if seat == 0:
        axes.set_ylabel(f"exact exploitability (drawn at {FLOOR:g} if below)")
    axes.grid(alpha=0.3)


def png(figure: Figure) -> bytes:
    """The figure's bytes, without a date or a version in them; closes it."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()
