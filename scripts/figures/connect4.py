"""Connect Four on the real board, 6x7: five learners, equal queries, measured by games and by blunders.

Runs of `nashmail train connect4 --symmetry --expert uniform --labels N` for every budget N of queries per seat and
every seed, in OUT/connect4-cells: a run that was killed goes on, and what connect4.json holds is not run again. The
learners are MAIL with noise injection, with uniform and with deep exploration, and behavioral cloning of two mixing
(bc) and two deterministic (bc-first) experts. Nothing is exact here (`mail.evaluation.sampled`): wins against players
that err on purpose, with Wilson intervals over the games of all seeds, and shares of decisions that throw away game
value, at positions that no learner of the run was shown. Greedy first seats play more games against the one player
against whom they differ least. Refutation needs an exact model, which this board has not.
"""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table

from agents.policy import Greedy
from agents.storage.policies import to_json, write_atomic
from agents.suboptimal import RANDOM_WHEN_LOST, WORD, parse, suboptimal
from figures.over_seeds import done, picture, rounded
from games.base import NashmailError
from mail.data.rollout import Match, Shard
from mail.evaluation.axes import FEW
from mail.evaluation.intervals import wilson
from mail.evaluation.learned.best_response import first_seat_payoffs
from mail.evaluation.sampled import by_opponent
from mail.parallel.pool import Pool
from mail.training.folder import Config, Run, load_profile
from mail.training.train import prepare, train

LEARNERS = {
    "mail-tremble": "#7b2d8b",
    "mail": "#1b6ca8",
    "mail-uniform": "#8d99ae",
    "bc": "#e09f3e",
    "bc-first": "#c8553d",
}
"""And their colours; ``mail`` explores deeply."""
BUDGETS = (5_000, 50_000)
"""Queries per seat."""
Cell = tuple[int, int]
"""A budget and a seed: one run of all learners."""
CLOSE, MORE = f"{WORD}:1", 400
"""Against whom the learners' greedy first seats differ least, and how many more games each plays there in every run."""
WON = (
    (0, "greedy_matches", "first seat, greedy"),
    (0, "matches", "first seat, as it is"),
    (1, "matches", "second seat, as it is"),
)
"""Which games the table counts."""
HELD_OUT = ("exploration", "random")
"""Where blunders are counted, never at a position that a learner of the run was shown."""
KEPT = ("games", "labels", "distinct_labels", "matches", "greedy_matches", "certificates", "openings", "blunders")
"""Of what a run reports."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run what is not in connect4.json yet, side by side; write that after each run, connect4.png at the end."""
    there = earlier(out)
    every = [(labels, seed) for labels in reversed(BUDGETS) for seed in range(seeds)]
    missing = [cell for cell in every if not set(LEARNERS) <= set(there.get(cell, {}))]

    def report(cell: Cell, result: dict[str, Any]) -> None:
        there[cell] = result
        write_atomic(out / "connect4.json", to_json(gathered(there)))

    done(
        partial(one, out),
        missing,
        pool,
        group=lambda cell: f"{cell[0]:,} queries per seat, seed {cell[1]}",
        on_result=report,
    )
    redraw(out)


def named(cell: Cell) -> str:
    """A cell in words."""
    return f"{cell[0]:,} queries per seat, seed {cell[1]}"


def one(out: Path, cell: Cell) -> dict[str, Any]:
    """What one run reports; goes on where it was killed, and learns nothing if it is whole."""
    run = run_of(out, cell)
    if run.result() is None:
        train(run)
    return report(run)


def run_of(out: Path, cell: Cell) -> Run:
    """The run of a cell, begun if it is not there. NashmailError for one that was begun with other settings."""
    labels, seed = cell
    config = Config(
        "connect4",
        learners=tuple(LEARNERS),
        expert="uniform",
        symmetry=True,
        episodes=labels,
        labels=labels,
        seed=seed,
    )
    return run_in(out / "connect4-cells" / f"{labels}-{seed}", config)


def run_in(folder: Path, config: Config) -> Run:
    """The run in a folder, begun if it is not there. NashmailError for one that was begun with other settings."""
    if not (folder / "config.json").is_file():
        prepare(config)  # refuses what cannot be had before anything is written
        return Run.create(folder, config)
    run = Run.resume(folder)
    if run.config != config:
        raise NashmailError(f"{folder} was begun with other settings; remove it, or give another --out")
    return run


def redraw(out: Path) -> None:
    """Picture and tables from the data that is there."""
    data = json.loads((out / "connect4.json").read_bytes())
    picture(out, "connect4", draw(data))
    show(data)


def earlier(out: Path) -> dict[Cell, dict[str, Any]]:
    """What connect4.json holds, {(budget, seed): {learner: what its run reports}}."""
    path = out / "connect4.json"
    found: dict[Cell, dict[str, Any]] = {}
    for labels, learners in (json.loads(path.read_bytes()) if path.is_file() else {}).items():
        for name, rows in learners.items():
            for row in rows:
                found.setdefault((int(labels), row["seed"]), {})[name] = row
    return found


def gathered(cells: dict[Cell, dict[str, Any]]) -> dict[str, Any]:
    """Back again, as connect4.json holds it: {budget: {learner: [of each seed]}}."""
    found: dict[str, Any] = {}
    for labels, seed in sorted(cells):
        for name in LEARNERS:
            if name in cells[labels, seed]:
                found.setdefault(str(labels), {}).setdefault(name, []).append(cells[labels, seed][name])
    return found


def report(run: Run) -> dict[str, Any]:
    """{learner: what is kept} of a finished run."""
    result = run.result()
    assert result is not None  # whoever calls has trained it
    found = {}
    for name, row in result["learners"].items():
        kept = {"seed": run.config.seed, **{key: row[key] for key in KEPT}, "close": close_games(run, name)}
        for certificate in kept["certificates"]:
            certificate.pop("seconds", None)
        found[name] = rounded(kept)
    return found


def close_games(run: Run, name: str) -> list[int]:
    """Games that the learner's greedy first seat wins of ``MORE`` against ``CLOSE``, and their number."""
    profile = load_profile(f"{run.folder}:{name}")
    opponent = suboptimal(profile.game, parse(CLOSE)[0])
    games = Match(profile.game, (Greedy(profile.policies[0]), opponent[1]), (None, None))
    earned = first_seat_payoffs(games, Shard(MORE, run.config.seed, "figure/close", 0, 0, 0))
    return [int((earned > 0).sum()), MORE]


# --- numbers over seeds ----------------------------------------------------------------------------------


def wins(rows: list[Any], kind: str, seat: int) -> dict[str, tuple[int, int]]:
    """By opponent, games won in a seat and games played, all seeds together. Where nobody draws a move every game of a
    run is the same one, and counts once.
    """
    total: dict[str, tuple[int, int]] = {}
    for row in rows:
        greedy = kind == "greedy_matches"
        for opponent, pair in by_opponent(row[kind]).items():
            match = pair[seat]
            won, played = match["losses" if seat else "wins"], match["games"]
            if greedy and opponent == f"{WORD}:0":
                won, played = won // played, 1
            elif greedy and opponent == CLOSE and seat == 0:
                won, played = won + row["close"][0], played + row["close"][1]
            before = total.get(opponent, (0, 0))
            total[opponent] = before[0] + won, before[1] + played
    return total


def blundered(rows: list[Any], seat: int, source: str, key: str) -> float:
    """Mean rate over the seeds that have such positions; nan where none has."""
    parts = [part[key] for row in rows for part in row["blunders"][seat] if part["source"] == source]
    rates = [rate for rate in parts if rate is not None]
    return float(np.mean(rates)) if rates else math.nan


def short(opponent: str) -> str:
    """T=0 and the like; a star for the variant that draws its moves where every one loses."""
    return opponent.replace(f":{RANDOM_WHEN_LOST}", "*").replace(f"{WORD}:", "T=")


# --- tables and picture ----------------------------------------------------------------------------------


def show(data: dict[str, Any]) -> None:
    """Games won, and mistakes, a pair of tables per budget, in Markdown."""
    console = Console(width=200)
    for labels, learners in data.items():
        seeds = max(len(rows) for rows in learners.values())
        print(f"\n{int(labels):,} queries per seat, {seeds} seed(s)\n")
        opponents = wins(next(iter(learners.values())), "matches", 0)
        table = Table(box=box.MARKDOWN)
        for heading in ("% won [95 %]", *(short(opponent) for opponent in opponents)):
            table.add_column(heading, justify="right")
        for seat, kind, words in WON:
            for name, rows in learners.items():
                rates = [percent(*pair) for pair in wins(rows, kind, seat).values()]
                table.add_row(f"{name}, {words}", *rates)
        console.print(table)
        table = Table(box=box.MARKDOWN)
        sources = [(seat, source) for seat in (0, 1) for source in HELD_OUT]
        for heading in (
            "learner",
            "distinct labels",
            *(f"{source}, seat {seat}" for seat, source in sources),
            "refuted in moves",
            f"of {openings(learners)} openings held",
        ):
            table.add_column(heading, justify="right")
        for name, rows in learners.items():
            blunders = [
                f"{100 * blundered(rows, seat, source, 'rate'):.1f} "
                f"({100 * blundered(rows, seat, source, 'greedy_rate'):.1f})"
                for seat, source in sources
            ]
            distinct = f"{np.mean([row['distinct_labels'] for row in rows]):,.0f}"
            held = ", ".join(str(row["openings"]["drawn"]) for row in rows)
            table.add_row(name, distinct, *blunders, ", ".join(map(refuted, rows)), held)
        console.print(table)


def openings(learners: dict[str, list[Any]]) -> int:
    """How many there are in the suite."""
    return int(next(iter(learners.values()))[0]["openings"]["openings"])


def refuted(row: dict[str, Any]) -> str:
    """The first seat's certificate in a word: the length of the line, or why there is none."""
    first = row["certificates"][0]
    return {True: str(len(first["line"])), False: "proven", None: "open"}[first["refuted"]]


def percent(won: int, played: int) -> str:
    """A rate and its interval."""
    low, high = wilson(won, played)
    return f"{100 * won / played:.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def draw(data: dict[str, Any]) -> Figure:
    """Greedy first seats against players that err, and blunders of both seats, a row per budget."""
    size = 12, 3.9 * len(data) + 0.6
    figure, axes = plt.subplots(len(data), 2, figsize=size, layout="constrained", squeeze=False, sharey="col")
    for (labels, learners), (left, right) in zip(data.items(), axes, strict=True):
        for shift, (name, rows) in enumerate(learners.items()):
            against(left, shift, name, wins(rows, "greedy_matches", 0))
        left.set_title(f"first seat, greedy: {int(labels):,} queries per seat", fontsize=10)
        left.set(ylim=(-0.03, 1.03), ylabel="win rate, 95 %")
        left.grid(alpha=0.3)
        bars(right, learners)
    axes[-1][0].set_xlabel("opponent: softmax of solver scores (* random where all moves lose)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=9, frameon=False)
    figure.suptitle("Connect Four 6x7", fontsize=11)
    return figure


def against(axes: Axes, shift: int, name: str, met: dict[str, tuple[int, int]]) -> None:
    """One learner's win rates."""
    places = np.arange(len(met)) + 0.09 * (shift - (len(LEARNERS) - 1) / 2)
    rates = np.array([won / played for won, played in met.values()])
    ends = np.array([wilson(*pair) for pair in met.values()]).T
    look: dict[str, Any] = {"color": LEARNERS[name], "markersize": 4}
    few = np.array([played < FEW for _, played in met.values()])  # an interval of two games says nothing
    bars = np.where(few, 0.0, np.abs(ends - rates))
    axes.errorbar(places, rates, yerr=bars, fmt="o", label=name, linewidth=1.2, **look)
    joined = np.array([opponent not in ("random", "suboptimal:0") for opponent in met])  # others of the same kind
    axes.plot(places[joined], rates[joined], linewidth=0.8, alpha=0.6, **look)
    axes.set_xticks(range(len(met)), [short(opponent) for opponent in met], fontsize=8)


def bars(axes: Axes, learners: dict[str, list[Any]]) -> None:
    """Every learner's blunders, source by source."""
    groups = [(seat, source) for seat in (0, 1) for source in ("own", "exploration", "random")]
    for shift, (name, rows) in enumerate(learners.items()):
        rates = [blundered(rows, seat, source, "rate") for seat, source in groups]
        axes.bar(np.arange(len(groups)) + 0.16 * shift, rates, width=0.15, color=LEARNERS[name])
    axes.set_xticks(np.arange(len(groups)) + 0.32, [f"{source}\nseat {seat}" for seat, source in groups], fontsize=8)
    axes.set_title("share of decisions that throw away game value, never labelled", fontsize=10)
    axes.grid(alpha=0.3, axis="y")
