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
from mail.evaluation.intervals import wilson
from mail.evaluation.sampled import by_opponent

COLOURS = {"mail": "#1b6ca8", "bc": "#c8553d", "bc-uniform": "#e09f3e"}
FLOOR = 1e-4
"""Exploitabilities below this are drawn at it, because the axis is logarithmic and values can be 0."""


def draw_run(result: dict[str, Any]) -> bytes:
    """A run's figure, one panel per seat.

    Args:
        result: The run's result.

    Returns:
        PNG.
    """
    return png(_exact(result) if result["exact"] else _sampled(result))


def _exact(result: dict[str, Any]) -> Figure:
    """Exploitability against queries: stochastic policies solid, greedy ones dotted."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for seat, axes in enumerate(panels):
        for name, curves in result["curves"].items():
            colour = COLOURS.get(name, "#555555")
            labels = [point["labels"] for point in curves[seat]]
            for key, style in (("exploitability", "o-"), ("greedy_exploitability", "s:")):
                values = [max(point[key], FLOOR) for point in curves[seat]]
                word = name if key == "exploitability" else f"{name}, greedy"
                axes.plot(labels, values, style, color=colour, label=word, markersize=4)
        dress(axes, seat)
    panels[0].legend(fontsize=8)
    _entitle(figure, result)
    return figure


def _sampled(result: dict[str, Any]) -> Figure:
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
    _entitle(figure, result)
    return figure


def _entitle(figure: Figure, result: dict[str, Any]) -> None:
    config = result["config"]
    symmetry = "on" if result["symmetry"] else "off"
    figure.suptitle(
        f"{config['game']}, expert {config['expert']}, explorer {config['explorer']}, "
        f"symmetry {symmetry}, seed {result['seed']}",
        fontsize=10,
    )


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
    """
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()
