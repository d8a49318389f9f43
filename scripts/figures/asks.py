"""Fewer queries than coverage: what each explorer spends until the clone of a seat cannot be exploited.

For every explorer, game, seat and seed, with symmetry and without: distinct labels, queries and games until the greedy
clone has exploitability 0, and until the clone as it is has at most 0.02, both exact; beside them the decisions
reachable under the expert and the least games that come through all of them. ``mail-walk`` is there once, on the board
on which discs fall, since its clones answer mirror images alike; ``doubt`` with symmetry, as by default.
What is measured, and how, says ``asking``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich import box
from rich.console import Console
from rich.table import Table

from agents.storage.policies import to_json, write_atomic
from figures.asking.cells import WALK, Cell, named
from figures.asking.measures import SOFT, bounds_of
from figures.asking.runs import run
from figures.over_seeds import kept, picture, ranged
from mail.evaluation.axes import log_ticks, place
from mail.parallel.pool import Pool

EXPLORERS = ("mistakes", WALK, "refute", "doubt", "unsure", "counts", "deep", "uniform", "expert")
COLOURS = dict(
    zip(
        EXPLORERS,
        ("#386fa4", "#2a9d8f", "#7b2d8b", "#b56576", "#d1495b", "#588157", "#1b6ca8", "#8d99ae", "#c8553d"),
        strict=True,
    )
)
GAMES = ("connect4:4x4", "tictactoe")


NOTE: dict[str, Any] = {"ha": "center", "fontsize": 8, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.0}}
"""How a note in the figure looks."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run the cells that are not there yet; write asks.json, asks.png and asks.pdf."""
    every = {cell.name: cell for seed in range(seeds) for cell in cells(seed)}
    kept(run, every, out / "asks-cells", pool, earlier=earlier(out))
    write_atomic(out / "asks.json", to_json(collect(seeds, out)))
    redraw(out)


def earlier(out: Path) -> dict[str, dict[str, Any]]:
    """The cells that an earlier asks.json holds, by name."""
    if not (out / "asks.json").is_file():
        return {}
    groups = json.loads((out / "asks.json").read_bytes())["groups"]
    return {
        named(group, found["seed"]): {key: value for key, value in found.items() if key != "seed"}
        for group, runs in groups.items()
        for found in runs
    }


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "asks.json").read_bytes())
    picture(out, "asks", draw(data))
    show(data)


def cells(seed: int) -> list[Cell]:
    """Everything to be run with one seed, without symmetry first."""
    return [
        Cell(game, symmetry, explorer, seat, seed)
        for symmetry in (False, True)
        for game in GAMES
        for explorer in EXPLORERS
        for seat in (0, 1)
        if has_cells(explorer, game, symmetry)
    ]


def has_cells(explorer: str, game: str, symmetry: bool) -> bool:
    """Whether there are cells of an explorer: see the top of this file."""
    if explorer == WALK:
        return not symmetry and game.startswith("connect4")
    return symmetry or explorer != "doubt"


def collect(seeds: int, out: Path) -> dict[str, Any]:
    """The finished cells of the first seeds (an unfinished figure has fewer of some), and the bounds beside them."""
    groups: dict[str, list[Any]] = {}
    bounds: dict[str, Any] = {}
    for cell in (cell for seed in range(seeds) for cell in cells(seed)):
        path = out / "asks-cells" / f"{cell.name}.json"
        if not path.is_file():
            continue
        groups.setdefault(cell.group, []).append({"seed": cell.seed, **json.loads(path.read_bytes())})
        bound = bounds_of(cell.game, cell.symmetry)[cell.seat]
        key = f"{cell.game}, symmetry {'on' if cell.symmetry else 'off'}, seat {cell.seat}"
        bounds[key] = {"labels": bound.labels, "games": bound.games}
    return {"seeds": seeds, "least": bounds, "groups": groups}


# --- tables and picture ----------------------------------------------------------------------------------


def show(data: dict[str, Any]) -> None:
    """A table per game with and without symmetry."""
    console = Console(width=150)
    for title, groups in panels(data).items():
        table = Table(title=f"{title}: mean [95 % interval]", box=box.SIMPLE)
        headings = ("explorer, seat", "seeds", "distinct to 0", "queries to 0", "games to 0", f"distinct to {SOFT}")
        for heading in headings:
            table.add_column(heading, justify="right")
        for name, runs in groups.items():
            cells = [said(runs, "greedy", unit) for unit in ("distinct", "asks", "games")]
            table.add_row(name, str(len(runs)), *cells, said(runs, "soft", "distinct"))
        for seat in (0, 1):
            bound = data["least"][f"{title}, seat {seat}"]
            table.add_row(f"all there is, {seat}", "", str(bound["labels"]), "", f"least {bound['games']}", "")
        console.print(table)


def panels(data: dict[str, Any]) -> dict[str, dict[str, list[Any]]]:
    """Groups by game and symmetry: {"game, symmetry off": {"explorer, seat 0": runs}}."""
    found: dict[str, dict[str, list[Any]]] = {}
    for group, runs in data["groups"].items():
        game, symmetry, explorer, seat = group.split(", ")
        found.setdefault(f"{game}, {symmetry}", {})[f"{explorer}, {seat[-1]}"] = runs
    return found


def symmetry_of(title: str) -> tuple[str, bool]:
    """Game and symmetry of a panel."""
    game, symmetry = title.split(", symmetry ")
    return game, symmetry == "on"


def said(runs: list[Any], target: str, unit: str) -> str:
    """A cell of a table; where it was never reached, within how many queries."""
    rows = [{unit: None if run[target] is None else run[target][unit]} for run in runs]
    if all(row[unit] is None for row in rows):
        return f"not in {max(run['spent']['asks'] for run in runs):,} queries"
    return ranged(rows, unit) if len(rows) > 1 else f"{rows[0][unit]:,}"


def draw(data: dict[str, Any]) -> Figure:
    """Distinct labels to greedy exploitability 0, a full dot per explorer; open dots: queries; dotted: all there is."""
    parts = panels(data)
    figure, axes = plt.subplots(
        len(parts), 2, figsize=(11, 3.5 * len(parts) + 0.8), layout="constrained", squeeze=False
    )
    for row, (title, groups) in enumerate(parts.items()):
        for seat in (0, 1):
            panel = axes[row][seat]
            bound = data["least"][f"{title}, seat {seat}"]["labels"]
            ends = [bound]
            names = [name for name in reversed(EXPLORERS) if has_cells(name, *symmetry_of(title))]
            for place_, explorer in enumerate(names):
                ends += entry(panel, place_, explorer, groups.get(f"{explorer}, {seat}", []))
            panel.axvline(bound, color="black", linestyle=":", linewidth=1)
            panel.set(xscale="log", xlim=(min(ends) / 1.6, max(ends) * 1.6), ylim=(-0.6, len(names) - 0.4))
            panel.set_yticks(range(len(names)), names, fontsize=9)
            panel.set_title(f"{title}, seat {seat} (dotted: all {bound:,} labels)", fontsize=9)
            place(panel.xaxis, log_ticks(*panel.get_xlim()))
            panel.grid(alpha=0.3)
    for panel in axes[-1]:
        panel.set_xlabel("queries until greedy exploitability is 0")
    dots: dict[str, Any] = {"marker": "o", "color": "#555555", "linestyle": ""}
    handles = [Line2D([], [], label="distinct labels", **dots)]
    handles += [Line2D([], [], label="queries", markerfacecolor="white", **dots)]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=9, frameon=False)
    figure.suptitle(
        f"What a clone that cannot be exploited costs: median and range of {data['seeds']} seeds", fontsize=11
    )
    return figure


def entry(panel: Axes, place_: int, explorer: str, runs: list[Any]) -> list[float]:
    """One explorer's row, and what was drawn in it: the seeds that got there, and how many did not."""
    colour = COLOURS[explorer]
    reached = [run["greedy"] for run in runs if run["greedy"] is not None]
    missed = len(runs) - len(reached)
    drawn: list[float] = []
    looks: dict[str, dict[str, Any]] = {"distinct": {}, "asks": {"markerfacecolor": "white"}}
    for unit, look in looks.items():
        values = [spent[unit] for spent in reached]
        if values:
            panel.plot([min(values), max(values)], [place_] * 2, color=colour, linewidth=1.5)
            panel.plot([float(np.median(values))], [place_], "o", color=colour, markersize=6, **look)
            drawn += [float(min(values)), float(max(values))]
    if not reached:
        word = f"not reached in {missed} of {len(runs)} seeds" if runs else "not run"
        panel.annotate(word, (0.5, place_), xycoords=("axes fraction", "data"), va="center", **NOTE, color=colour)
    elif missed:
        word = f"not reached in {missed} of {len(runs)}"
        panel.annotate(word, (max(drawn), place_ + 0.42), va="center", **NOTE, color=colour)
    return drawn
