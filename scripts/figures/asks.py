"""Fewer queries than coverage: what each explorer spends until the clone of a seat cannot be exploited.

For every explorer, game, seat and seed, with symmetry and without: distinct labels, queries and games until the
greedy clone has exploitability 0, and until the clone as it is has at most 0.02, both exact; beside them the
decisions reachable under the expert and the least games that come through all of them.
What is measured, and how, says ``asking.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from rich import box
from rich.console import Console
from rich.table import Table

from agents.storage.policies import to_json, write_atomic
from figures.asking import SOFT, Cell, bounds_of, named, run
from figures.over_seeds import interval, kept, ranged
from mail.evaluation.figure import png
from mail.parallel.pool import Pool

EXPLORERS = ("refute", "unsure", "counts", "deep", "uniform", "expert")
COLOURS = dict(zip(EXPLORERS, ("#7b2d8b", "#d1495b", "#588157", "#1b6ca8", "#8d99ae", "#c8553d"), strict=True))
GAMES = ("connect4:4x4", "tictactoe")


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run the cells that are not there yet; write asks.json and asks.png."""
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
    write_atomic(out / "asks.png", draw(data))
    show(data)


def cells(seed: int) -> list[Cell]:
    """Everything to be run with one seed, without symmetry first."""
    return [
        Cell(game, symmetry, explorer, seat, seed)
        for symmetry in (False, True)
        for game in GAMES
        for explorer in EXPLORERS
        for seat in (0, 1)
    ]


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


def said(runs: list[Any], target: str, unit: str) -> str:
    """A cell of a table; where it was never reached, within how many queries."""
    rows = [{unit: None if run[target] is None else run[target][unit]} for run in runs]
    if all(row[unit] is None for row in rows):
        return f"not in {max(run['spent']['asks'] for run in runs):,} queries"
    return ranged(rows, unit) if len(rows) > 1 else f"{rows[0][unit]:,}"


def draw(data: dict[str, Any]) -> bytes:
    """Distinct labels to greedy exploitability 0, a bar per explorer; open dots: queries; the line: all there is."""
    parts = panels(data)
    figure, axes = plt.subplots(len(parts), 2, figsize=(11, 2.9 * len(parts)), layout="constrained", squeeze=False)
    for row, (title, groups) in enumerate(parts.items()):
        for seat in (0, 1):
            panel = axes[row][seat]
            for place, explorer in enumerate(reversed(EXPLORERS)):
                bar(panel, place, explorer, groups.get(f"{explorer}, {seat}", []))
            bound = data["least"][f"{title}, seat {seat}"]["labels"]
            panel.axvline(bound, color="black", linestyle=":", linewidth=1)
            panel.set(xscale="log", yticks=range(len(EXPLORERS)), yticklabels=reversed(EXPLORERS))
            panel.set_title(f"{title}, seat {seat} (dotted: all {bound} labels)", fontsize=9)
            panel.set_xlim(left=5)
            panel.set_ylim(-0.6, len(EXPLORERS) - 0.4)
            panel.grid(alpha=0.3, axis="x")
    for panel in axes[-1]:
        panel.set_xlabel("distinct labels (bars), queries (rings) to greedy exploitability 0")
    figure.suptitle(f"What a clone that cannot be exploited costs: mean and 95 % interval of {data['seeds']} seeds")
    return png(figure)


def bar(panel: Axes, place: int, explorer: str, runs: list[Any]) -> None:
    """One explorer's row."""
    reached = [run["greedy"] for run in runs if run["greedy"] is not None]
    if len(reached) < len(runs) or not runs:
        word = f"not reached in {len(runs) - len(reached)} of {len(runs)} seeds" if runs else "not run"
        panel.text(6, place, word, va="center", fontsize=8, color=COLOURS[explorer])
        return
    for unit in ("distinct", "asks"):
        values = [spent[unit] for spent in reached]
        mean, low, high = interval(values) if len(values) > 1 else (values[0],) * 3
        if unit == "distinct":
            panel.barh(place, mean, color=COLOURS[explorer], height=0.6)
            panel.plot([max(low, 1), high], [place, place], color="black", linewidth=1.5)
        else:
            panel.plot([mean], [place], "o", color=COLOURS[explorer], markerfacecolor="white", markersize=6)
