"""Connect Four where everything is exact: what clones lose against the queries, on 4x4, 5x4, 4x5 and 5x5.

Per board, seat and seed, up to the mirror image: MAIL led by refutation, by mistakes, by doubt (play alone), with
uniform exploration, ``mail-walk`` with two experts, and behavioral cloning of two deterministic (``first``) and two
mixing (``uniform``) experts. Greedy exploitability is exact; that of the clone as it is is exact where it is at most
0.02, and else leaves out moves of the clone that come with less than 1e-3 (``asking.measures``). On 5x5 clones are
measured once their greedy play loses nothing. Beside the labels to exploitability 0 stand all that can be queried, with
the symmetry and without. Where a cell is costly fewer seeds are run, or none.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
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
from figures.asking.cells import WALK, Cell
from figures.asking.measures import SOFT, TARGETS, bounds_of, known
from figures.asking.runs import traced
from figures.field.experts import decisions
from figures.over_seeds import kept, picture, spread
from mail.evaluation.axes import gap_axis, log_ticks, place
from mail.evaluation.figure import FLOOR
from mail.parallel.pool import Pool

BOARDS = ("connect4:4x4", "connect4:5x4", "connect4:4x5", "connect4:5x5")
LINES = {
    "mail refute": ("refute", "first"),
    "mail mistakes": ("mistakes", "first"),
    "mail doubt": ("doubt", "first"),
    "mail-walk first": (WALK, "first"),
    "mail-walk uniform": (WALK, "uniform"),
    "mail uniform": ("uniform", "first"),
    "bc uniform": ("expert", "uniform"),
    "bc first": ("expert", "first"),
}
"""Explorer, or the learner that walks, and expert."""
COLOURS = dict(
    zip(
        LINES,
        ("#7b2d8b", "#1b6ca8", "#e07ab5", "#5c4d3c", "#2a9d8f", "#8d99ae", "#e09f3e", "#c8553d"),
        strict=True,
    )
)
MARKS = dict(zip(LINES, "oPXdpsD^", strict=True))
GAMES = {"mail refute": 8000, "mail uniform": 100_000, "bc uniform": 1000, "bc first": 64}
"""Budgets of games where they are not ``asking.cells.MOST_GAMES``."""
GROWTH = {"connect4:4x4": 1 / 4}
"""Of the distinct labels between two fresh clones; elsewhere 1/2."""
SEEDS: dict[str, dict[str, int]] = {
    "connect4:4x4": {"bc uniform": 3},
    "connect4:5x4": {"mail uniform": 2, "bc uniform": 2, "mail doubt": 1},
    "connect4:4x5": {"mail refute": 1, "mail mistakes": 1}
    | dict.fromkeys(("mail doubt", "mail uniform", "bc uniform", "bc first"), 0),
    "connect4:5x5": {line: 5 if "walk" in line else int(line == "mail mistakes") for line in LINES},
}
"""Seeds at most, where not all are run."""


APART, SPARSE = 2.5, 20
"""Measures that lie further apart than by this factor are not joined; of fewer measures each has a mark."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run the cells that are not there yet; write connect4-exact.json, connect4-exact.png and connect4-exact.pdf."""
    every = {name(cell.game, line, cell.seat, seed): cell for seed in range(seeds) for line, cell in cells(seed)}
    kept(one, every, out / "connect4-exact-cells", pool, earlier=earlier(out))
    write_atomic(out / "connect4-exact.json", to_json(collect(seeds, out)))
    redraw(out)


def earlier(out: Path) -> dict[str, dict[str, Any]]:
    """The cells that an earlier connect4-exact.json holds, by name."""
    if not (out / "connect4-exact.json").is_file():
        return {}
    found = {}
    for board, groups in json.loads((out / "connect4-exact.json").read_bytes())["runs"].items():
        for group, runs in groups.items():
            line, seat = group.split("/")
            found.update({name(board, line, int(seat), run["seed"]): run for run in runs})
    return found


def one(cell: Cell) -> dict[str, Any]:
    """What a run spent, and the processor seconds that it took."""
    clock = time.process_time()
    found, notes = traced(cell)
    return {"seed": cell.seed, "seconds": time.process_time() - clock, **found, "notes": notes}


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "connect4-exact.json").read_bytes())
    picture(out, "connect4-exact", draw(data))
    show(data)


def cells(seed: int) -> list[tuple[str, Cell]]:
    """Everything to be run with one seed: the name of its line, and what it is."""
    found = []
    for board in BOARDS:
        for line, (explorer, expert) in LINES.items():
            at_most = SEEDS[board].get(line, seed + 1)
            cell = Cell(board, True, explorer, 0, seed, expert, GAMES.get(line, 0), GROWTH.get(board, 1 / 2))
            found += [(line, replace(cell, seat=seat)) for seat in (0, 1) if seed < at_most]
    return found


def name(board: str, line: str, seat: int, seed: int) -> str:
    """Of a finished cell's file."""
    return f"{board}_{line}_seat-{seat}_seed-{seed}".replace(" ", "-").replace(":", "-")


def collect(seeds: int, out: Path) -> dict[str, Any]:
    """The finished cells by board, line and seat, and the bounds beside them."""
    runs: dict[str, Any] = {}
    for line, cell in (pair for seed in range(seeds) for pair in cells(seed)):
        path = out / "connect4-exact-cells" / f"{name(cell.game, line, cell.seat, cell.seed)}.json"
        if path.is_file():
            there = runs.setdefault(cell.game, {}).setdefault(f"{line}/{cell.seat}", [])
            found = json.loads(path.read_bytes())
            there.append({**found, "notes": thinned(found["notes"])})
    least = {board: {word: bounds(board, word == "on") for word in ("on", "off")} for board in BOARDS if board in runs}
    return {"seeds": seeds, "runs": runs, "least": least}


def bounds(board: str, symmetry: bool) -> list[dict[str, Any]]:
    """The labels there are for each seat's expert ``first``; where there are tables, the least games, too."""
    at = known(board, symmetry)
    if graph := at.plies("first", learned=True):
        experts = at.experts("first")
        return [{"labels": sum(map(len, decisions(graph, experts[seat], seat)))} for seat in (0, 1)]
    return [{"labels": bound.labels, "games": bound.games} for bound in bounds_of(board, symmetry)]


def thinned(notes: list[dict[str, float]]) -> list[dict[str, float]]:
    """The first of every 3 % more queries, the first that reaches each target, and the last."""
    found = notes[:1]
    reached = {key: next((note for note in notes if note[key] <= limit), None) for key, limit in TARGETS.items()}
    for note in notes[1:]:
        if note["asks"] >= 1.03 * found[-1]["asks"] or note is notes[-1] or note in reached.values():
            found.append(note)
    return found


# --- table and picture -----------------------------------------------------------------------------------


def show(data: dict[str, Any]) -> None:
    """Labels, queries and processor seconds to exploitability 0, a row per board, seat and line."""
    console = Console(width=190)
    table = Table(title="Connect Four with the mirror symmetry: mean [95 % interval]", box=box.SIMPLE)
    headings = ("board, seat", "learner", "seeds", "distinct to 0", "queries to 0", f"distinct to {SOFT}")
    ends = ("at the end: greedy", "as it is", "learning s to 0", f"to {SOFT}", "CPU s")
    for heading in (*headings, *ends):
        table.add_column(heading, justify="right")
    for row in rows(data):
        table.add_row(*row)
    console.print(table)


def rows(data: dict[str, Any]) -> list[list[str]]:
    """The table's cells."""
    found = []
    for board in filter(data["runs"].get, BOARDS):
        for seat in (0, 1):
            for line in LINES:
                if there := data["runs"][board].get(f"{line}/{seat}"):
                    cells = [cost(there, "greedy", "distinct"), cost(there, "greedy", "asks")]
                    cells += [cost(there, "soft", "distinct"), worst(there, "greedy"), worst(there, "soft")]
                    cells += [learning(there, "greedy"), learning(there, "soft")]
                    seconds = f"{np.mean([run['seconds'] for run in there]):,.0f}"
                    found.append([f"{board}, {seat}", line, str(len(there)), *cells, seconds])
            for words, key in (("all there is", "on"), ("without symmetry", "off")):
                bound = data["least"][board][key][seat]["labels"]
                found.append([f"{board}, {seat}", words, "", f"{bound:,}", *[""] * 7])
    return found


def learning(runs: list[Any], target: str) -> str:
    """Mean processor seconds of learning to a target, without those of measuring; of stored runs they are not known."""
    values = [run[target]["seconds"] for run in runs if run[target] and "seconds" in run[target]]
    return f"{np.mean(values):,.1f}" if len(values) == len(runs) else "-"


def cost(runs: list[Any], target: str, unit: str) -> str:
    """What it took, or that it was not reached, and after how much."""
    values = [run[target][unit] for run in runs if run[target] is not None]
    if len(values) < len(runs):
        tried = max(run["spent"][unit] for run in runs)
        return f"not in {tried:,}" + (f" ({len(values)} of {len(runs)} were)" if values else "")
    return spread(values)


def worst(runs: list[Any], measure: str) -> str:
    """Exploitability of the last clone in the worst run; where one was never measured nothing."""
    if not all(run["notes"] for run in runs):
        return "-"
    return f"{max(run['notes'][-1][measure] for run in runs) + 0.0:.4f}"


def draw(data: dict[str, Any]) -> Figure:
    """Exploitability against queries, and where greedy play loses nothing, by board and seat, a line per run."""
    boards = list(filter(data["runs"].get, BOARDS))
    size = 11, 3.1 * len(boards) + 1.0
    figure, axes = plt.subplots(len(boards), 2, figsize=size, layout="constrained", squeeze=False, sharey=True)
    for board, row in zip(boards, axes, strict=True):
        for seat in (0, 1):
            bound = data["least"][board]["on"][seat]["labels"]
            panel(row[seat], data["runs"][board], seat, bound)
            row[seat].set_title(f"{board}, seat {seat} (dotted: all {bound:,} labels)", fontsize=9)
        row[0].set_ylabel("exploitability")
    for last in axes[-1]:
        last.set_xlabel("queries")
    runs = [run for board in data["runs"].values() for part in board.values() for run in part]
    every = [note["soft"] for run in runs for note in run["notes"]]
    gap_axis(axes[0][0], every, smallest=FLOOR)
    axes[0][0].set_ylim(-0.35 * FLOOR, 2.0)
    handles = [Line2D([], [], color=colour, label=line) for line, colour in COLOURS.items()]
    handles += [Line2D([], [], color="#555555", marker="v", linestyle="", label="greedy play loses nothing")]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=9, frameon=False)
    figure.suptitle("Connect Four, exact: exploitability of the stochastic policy, a line per seed", fontsize=11)
    return figure


def panel(axes: Axes, runs: dict[str, Any], seat: int, bound: int) -> None:
    """One board, one seat. Measures further apart than ``APART`` are points: what is between was not measured."""
    drawn = [float(bound)]
    for line, colour in COLOURS.items():
        for run in runs.get(f"{line}/{seat}", []):
            queries = np.array([note["asks"] for note in run["notes"]], dtype=np.float64)
            values = np.array([note["soft"] for note in run["notes"]])
            drawn += queries.tolist()
            far = np.flatnonzero(queries[1:] > APART * queries[:-1]) + 1
            x, y = np.insert(queries, far, np.nan), np.insert(values, far, np.nan)
            sparse: dict[str, Any] = {"marker": MARKS[line], "markersize": 3} if len(queries) < SPARSE else {}
            axes.plot(x, y, color=colour, linewidth=0.9, alpha=0.7, **sparse)
            if run["greedy"] is not None:
                axes.plot(run["greedy"]["asks"], 0.0, "v", color=colour, markersize=6, clip_on=False, zorder=3)
                drawn.append(run["greedy"]["asks"])
    axes.axvline(bound, color="black", linestyle=":", linewidth=1)
    axes.set_xscale("log")
    place(axes.xaxis, log_ticks(min(drawn), max(drawn)))
    axes.grid(alpha=0.3)
