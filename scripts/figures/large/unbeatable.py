"""A first player of 6x7 that nothing beats: the run of ``mail-walk``, its proof, and how mistakes fell as labels grew.

The run is kept in OUT/unbeatable-run and goes on where it was killed; the proof, with its checker, is in
OUT/unbeatable-proof. One seed, whatever ``--seeds`` says: what is proven needs no interval. Hours; needs the solver.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from figures.connect4 import run_in
from figures.markov_games import grid, keep
from figures.over_seeds import picture
from games.base import as_enumerable
from games.registry import make as make_game
from mail.evaluation.axes import count_axis, log_ticks, place
from mail.evaluation.certificate.proof import write_proofs
from mail.parallel.pool import Pool
from mail.training.config import Config
from mail.training.files import METRICS
from mail.training.profile import load_profile
from mail.training.train import train

CONFIG = Config("connect4", learners=("mail-walk",), expert="uniform", episodes=1_000_000, seed=0)


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Train, prove, print the table, write unbeatable.json, unbeatable.png and unbeatable.pdf."""
    del seeds
    run = run_in(out / "unbeatable-run", CONFIG)
    if run.result() is None:
        train(run, pool=pool)
    profile = load_profile(str(run.folder))
    begun = time.perf_counter()
    board = as_enumerable(make_game(CONFIG.game))
    write_proofs(out / "unbeatable-proof", board, profile.policies, {0: 1.0}, pool=pool)
    seconds = time.perf_counter() - begun
    told = json.loads((out / "unbeatable-proof" / "certificate0.json").read_bytes())
    walks = [json.loads(line) for line in (run.folder / METRICS).read_text().splitlines()]
    walks = [{key: int(row[key]) for key in WALK} for row in walks if row["seat"] == 0]
    proof = {"positions": told["positions"], "digest": told["digest"], "policy": told["policy"], "seconds": seconds}
    keep(out, "unbeatable", {"seeds": 1, "walks": walks, "proof": proof})
    redraw(out)


WALK = ("labels", "walked", "mistakes", "thinned")


# --- table and picture -----------------------------------------------------------------------------------


def redraw(out: Path) -> None:
    """Picture and table from the data that is there."""
    data = json.loads((out / "unbeatable.json").read_bytes())
    headings = ["labels before", "positions walked", "mistakes", "thinned"]
    grid("connect4, first seat: walks against the clone", headings, table(data))
    positions = sum(data["proof"]["positions"])
    print(f"proven over {positions:,} positions ({data['proof']['seconds']:.0f} s), policy {data['proof']['policy']}")
    picture(out, "unbeatable", draw(data))


def table(data: dict[str, Any]) -> list[list[str]]:
    """A line per walk."""
    rows, before = [], 0
    for walk in data["walks"]:
        rows.append([f"{before:,}", f"{walk['walked']:,}", f"{walk['mistakes']:,}", "yes" if walk["thinned"] else "no"])
        before = walk["labels"]
    return rows


def draw(data: dict[str, Any]) -> Figure:
    """Mistakes per million positions walked against labels; positions of the proof by ply."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    labels = [0, *(walk["labels"] for walk in data["walks"])]
    rates = [1e6 * walk["mistakes"] / walk["walked"] for walk in data["walks"]]
    for thinned, marker, words in ((1, "o", "thinned walks"), (0, "s", "whole walks")):
        points = [at for at, walk in enumerate(data["walks"]) if walk["thinned"] == thinned and labels[at]]
        left.plot([labels[at] for at in points], [rates[at] for at in points], marker, color="#1b6ca8", label=words)
        left.lines[-1].set_markerfacecolor("white" if thinned else "#1b6ca8")
    count_axis(left, labels[1:-1])
    left.set_yscale("log")
    place(left.yaxis, log_ticks(min(rates[1:]), max(rates[1:])))
    left.set(xlabel="labels before the walk", ylabel="mistakes per million positions")
    left.legend(fontsize=8)
    plies = data["proof"]["positions"]
    right.plot(range(0, 2 * len(plies), 2), plies, "o-", color="#2a9d8f", markersize=4)
    right.set_yscale("log")
    right.set_xticks(range(0, 2 * len(plies), 6))
    right.set(xlabel="stones on the board", ylabel="positions in the proof, up to mirror image")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    return figure
