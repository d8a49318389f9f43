"""Figures of runs: each seat's exploitability against the number of expert queries, or, in games too large for that,
win rates against players that err on purpose.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agents.suboptimal import RANDOM_WHEN_LOST, WORD
from games.progress import report
from mail.evaluation.curves import draw, lines_of
from mail.evaluation.intervals import wilson
from mail.evaluation.sampled import by_opponent

COLOURS = {"mail": "#1b6ca8", "bc": "#c8553d", "bc-uniform": "#e09f3e"}
FLOOR = 1e-4
"""Exploitabilities below this are drawn at it, because the axis is logarithmic and values can be 0."""


def draw_run(result: dict[str, Any], title: str) -> bytes:
    """A run's figure, one panel per seat.

    Args:
        result: The run's result.
        title: Printed above it.

    Returns:
        PNG.
    """
    report(0, 2, "parts", step="draw")
    if result["exact"]:
        return png(draw(lines_of([("", result)]), title))
    return png(_sampled(result, title))


def _sampled(result: dict[str, Any], title: str) -> Figure:
    """Win rates against each opponent, with 95 % Wilson intervals."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for seat, axes in enumerate(panels):
        for shift, (name, row) in enumerate(result["learners"].items()):
            met = by_opponent(row["matches"])
            wins = [match[seat]["wins" if seat == 0 else "losses"] for match in met.values()]
            games = [match[seat]["games"] for match in met.values()]
            rates = [won / played for won, played in zip(wins, games, strict=True)]
            low, high = zip(*(wilson(won, played) for won, played in zip(wins, games, strict=True)), strict=True)
            bars = [[rate - end for rate, end in zip(rates, low, strict=True)]]
            bars += [[end - rate for rate, end in zip(rates, high, strict=True)]]
            places = [place + 0.08 * shift for place in range(len(met))]
            colour = COLOURS.get(name, "#555555")
            axes.errorbar(places, rates, yerr=bars, fmt="o-", color=colour, label=name, markersize=4)
        ticks = [name.replace(f":{RANDOM_WHEN_LOST}", "*").replace(f"{WORD}:", "T=") for name in met]
        axes.set_xticks(range(len(met)), ticks)
        axes.set_title(f"seat {seat}")
        axes.set_ylim(-0.03, 1.03)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel(f"win rate against {WORD}:T")
    panels[1].set_xlabel("* random where every move loses")
    panels[0].legend(fontsize=8)
    figure.suptitle(title, fontsize=10)
    return figure


def dress(axes: Axes, seat: int) -> None:
    """Set up the axes of exploitability, which several figures share.

    Args:
        axes: Changed in place.
        seat: Whose panel it is.
    """
    axes.set_yscale("log")
    axes.set_ylim(FLOOR / 1.5, 3)
    axes.set_xlabel("labels (expert queries)")
    axes.set_title(f"seat {seat}")
    if seat == 0:
        axes.set_ylabel(f"exact exploitability (drawn at {FLOOR:g} if below)")
    axes.grid(alpha=0.3)


def png(figure: Figure) -> bytes:
    """A figure as PNG, without date and version.

    Args:
        figure: The figure, which is closed.

    Returns:
        The bytes of the file.
    """
    return image(figure, "png")


_UNDATED: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def image(figure: Figure, form: str) -> bytes:
    """A figure as a file, without date and version, so that equal figures are equal files.

    Args:
        figure: The figure, which is closed.
        form: ``png``, ``svg`` or ``pdf``.

    Returns:
        The bytes of the file.
    """
    report(1, 2, "parts", step="draw")
    buffer = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "nashmail", "svg.fonttype": "none", "pdf.fonttype": 42}):
        figure.savefig(buffer, format=form, dpi=110, metadata=_UNDATED[form])
    plt.close(figure)
    return buffer.getvalue()
