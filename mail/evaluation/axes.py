"""Axes and lines that figures share: ticks that can be read, values down to 0, what seeds differ by.

Numbers of queries have logarithmic axes with ticks at 1, 2, 5 times powers of ten, written out. Gaps have axes that are
logarithmic down to the smallest positive value and linear from there to 0, so that a gap of exactly 0 is drawn at 0.
Over seeds a line is the median, with the quartiles around it: unlike a mean's interval they stay within what was seen,
so no band is cut off at 0. Of fewer than ``FEW`` seeds the values themselves are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.scale import SymmetricalLogScale
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

SMALLEST = 1e-4
"""Where the logarithmic part of an axis of gaps begins at the latest; smaller values are close to 0."""
WIDE = 20.0
"""Ratio of the largest to the smallest number from which on an axis of counts is logarithmic."""
FEW = 5
"""Seeds below which their values are drawn instead of quartiles."""
_MOST = 7  # ticks of an axis


def count_axis(axes: Axes, counts: Sequence[float]) -> None:
    """A logarithmic x-axis for counts of different orders, a linear one from 0 for others.

    Args:
        axes: Changed in place.
        counts: What is drawn.
    """
    low, high = max(min(counts, default=1), 1), max(max(counts, default=1), 1)
    if high / low > WIDE:
        axes.set_xscale("log")
        place(axes.xaxis, log_ticks(low, high))
    else:
        axes.set_xlim(0, high * 1.05)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.xaxis.set_major_formatter(_plain(","))


def gap_axis(
    axes: Axes, values: Sequence[float], *, smallest: float = SMALLEST, along: Literal["x", "y"] = "y", ticks: int = 7
) -> None:
    """An axis of gaps from 0 on: linear up to the smallest positive value's power of ten, logarithmic above.

    Args:
        axes: Changed in place.
        values: What is drawn, 0 or more.
        smallest: Where the logarithmic part begins at the latest.
        along: Which of its axes.
        ticks: Most of them, 0 included.
    """
    positive = [value for value in values if value >= smallest]
    lowest = floor(log10(min(positive))) if positive else floor(log10(smallest))
    highest = max(ceil(log10(max(positive))) if positive else 0, lowest + 1)
    threshold = 10.0**lowest
    axes.set(**{f"{along}scale": SymmetricalLogScale(None, linthresh=threshold, linscale=0.5)})
    axis = axes.yaxis if along == "y" else axes.xaxis
    step = max(1, ceil((highest - lowest) / (ticks - 1)))
    end = max([*positive, threshold * 10]) * 1.4
    powers = (10.0**power for power in range(lowest, highest + 1, step))
    axis.set_ticks([0.0, *(power for power in powers if power <= end)])
    axis.set_major_formatter(_plain(""))
    axis.set_minor_locator(NullLocator())
    axes.set(**{f"{along}lim": (-0.2 * threshold, end)})


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten if there are enough, else 1, 2 and 5 times them.

    Args:
        low: The smallest value, above 0.
        high: The largest.
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    within = [10.0**power for power in powers if low * 0.99 <= 10.0**power <= high * 1.01]
    fine = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    fine = [value for value in fine if low * 0.99 <= value <= high * 1.01]
    ticks = within if len(within) > 2 or len(fine) > _MOST else fine
    return ticks[:: max(1, ceil(len(ticks) / _MOST))] if len(ticks) > 1 else [low, high]


def place(axis: Axis, ticks: Sequence[float]) -> None:
    """Put ticks at these values alone, written as plain numbers.

    Args:
        axis: Changed in place.
        ticks: The values.
    """
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(_plain(",") if max(ticks) >= 1 and min(ticks) >= 1 else _plain(""))


def _plain(thousands: str) -> FuncFormatter:
    return FuncFormatter(lambda value, _: f"{value:{thousands}.0f}" if thousands else f"{value:g}".replace("e-0", "e-"))


def seeds_line(axes: Axes, x: Sequence[float], rows: Sequence[Sequence[float]], **look: Any) -> None:
    """The median over seeds, with quartiles, or the seeds' values where they are few.

    Args:
        axes: Where to draw.
        x: [n] where the values are.
        rows: [seeds, n] the values.
        look: Of the line: ``color``, ``label``, ``marker`` and so on.
    """
    values = np.asarray(rows, dtype=np.float64)
    look = dict[str, Any](marker="o", markersize=4, linewidth=1.4) | look
    axes.plot(x, np.median(values, 0), **look)
    if len(values) >= FEW:
        low, high = np.quantile(values, (0.25, 0.75), axis=0)
        axes.fill_between(x, low, high, color=look["color"], alpha=0.15, linewidth=0)
    elif len(values) > 1:
        axes.scatter(np.tile(x, len(values)), values.ravel(), color=look["color"], marker="_", s=40, alpha=0.7)


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts of a figure that overlap: of ticks, labels, titles, legends and notes.

    Args:
        figure: The figure; it is drawn, without a file.

    Returns:
        The texts.
    """
    figure.canvas.draw()
    shown = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_visible()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown if text.get_text().strip()]
    width, height = figure.canvas.get_width_height()
    inside = [(word, box) for word, box in boxes if box.x1 > 0 and box.y1 > 0 and box.x0 < width and box.y0 < height]
    return [
        (word, other)
        for index, (word, box) in enumerate(inside)
        for other, beside in inside[index + 1 :]
        if box.shrunk(0.96, 0.9).overlaps(beside.shrunk(0.96, 0.9))
    ]
