"""Which equilibrium is cheapest to imitate: positions to be known, and queries of the default learner, by expert.

Exact, by the graphs of Connect Four on small boards up to their mirror image: the decisions of a seat that follows the
expert while its opponent does anything, and those of them at which a move can give away the game's value and the rules
do not answer by themselves (``agents.experts.few``). Beside them, the queries until the default learner's greedy clone
cannot be exploited. ``every decision`` is ``few`` with all decisions counted alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.expert import labels_are_sets
from agents.experts.few import Graph, Moves, fewest, needs_knowing
from agents.experts.graphs import EXACT, Chosen, expert_of
from agents.policy import Policy, Seats
from agents.storage.graphs import graph_of
from agents.tactics import forced
from figures.markov_games import grid, keep
from figures.over_seeds import kept, spread
from games.base import Floats, Ints
from games.models import has_plies, model_of
from games.registry import make as make_game
from games.symmetry import Quotient
from mail import explore
from mail.clone.ntuple import NtupleClone
from mail.data.decisions import Decisions
from mail.data.rollout import Labels
from mail.explore.base import ExplorerContext
from mail.learners.collect import Collector
from mail.parallel.pool import Pool
from mail.parallel.streams import stream

BOARDS = ("connect4:3x3:3", "connect4:4x4", "connect4:5x4", "connect4:4x5", "connect4:5x5")
COUNTED = ("connect4:5x5",)
"""Boards whose positions are counted, without learners."""
TREE = "every decision"
EXPERTS = (*EXACT, TREE)
SEEDS = 5
"""At most."""
STAGE = "mail-ntuple/explore"
"""The default learner's streams, so that its queries are these."""
_PART = 1 << 18
Cell = tuple[str, str, int]
"""Board, expert and seed; seed -1 is the count of positions."""


def graph(board: str, *, symmetry: bool) -> Graph:
    """The graph of a board, or of its quotient."""
    game = Quotient(make_game(board)) if symmetry else make_game(board)
    found = graph_of(game) if has_plies(game) else model_of(game)  # type: ignore[arg-type]
    assert isinstance(found, Graph)
    return found


learned = cache(graph)


def experts(model: Graph, name: str) -> Seats:
    """The pair of experts of a name, or the variant of ``few``."""
    if name != TREE:
        return expert_of(model, name)
    first, second = (Chosen(model, fewest(model, seat, every_decision)[0]) for seat in (0, 1))
    return first, second


def every_decision(_: Graph, moves: Moves, answered: Any, seat: int) -> Floats:
    """Whatever can go wrong there, a decision counts 1."""
    return np.ones(len(moves.rows))


# --- positions -------------------------------------------------------------------------------------------


def decisions(model: Graph, expert: Policy, seat: int) -> Iterator[Ints]:
    """Rows of the seat's positions to which an opponent can lead its expert, ply by ply."""
    rows: Ints = np.asarray(model.roots, dtype=np.int64)
    while len(rows):
        after = []
        for part in np.array_split(rows, len(rows) // _PART + 1):
            mine = np.asarray(model.seat[part] == seat)
            moves = Moves(model, part)
            plays = moves.legal.copy()
            plays[mine] = expert.probabilities(model.game, model.states[part[mine]], seat) > 0
            after.append(np.unique(moves.successor[plays & (moves.successor >= 0)]))
            yield part[mine]
        rows = np.unique(np.concatenate(after)).astype(np.int64)


def positions(board: str, name: str) -> dict[str, Any]:
    """How many positions each seat's expert decides at, up to mirror image, and at how many it needs knowing how."""
    model = graph(board, symmetry=True)
    found: dict[str, Any] = {"positions": [], "known": [], "size": len(model), "value": model.solve()[0].value}
    for seat, expert in enumerate(experts(model, name)):
        counts = [0, 0]
        for rows in decisions(model, expert, seat):
            answered = forced(model.game, model.states[rows], seat)
            counts[0] += len(rows)
            counts[1] += int(needs_knowing(model, Moves(model, rows), answered, seat).sum())
        found["positions"].append(counts[0])
        found["known"].append(counts[1])
    return found


# --- queries ---------------------------------------------------------------------------------------------


def queries(board: str, name: str, seed: int) -> list[int]:
    """Each seat's queries until the default learner's greedy clone cannot be exploited."""
    model = learned(board, symmetry=False)
    pair = experts(model, name)
    return [_queries(model, pair, name, seat, seed) for seat in (0, 1)]


def _queries(model: Graph, pair: Seats, name: str, seat: int, seed: int) -> int:
    settings = NtupleClone(sets=name in EXACT and labels_are_sets(name))
    context = ExplorerContext(model.game, 1 - seat, pair, model=model, cloner="ntuple", ntuple=settings)  # type: ignore[arg-type]
    explorer = explore.make("mistakes", context, rng=stream(seed, STAGE, seat=seat))
    collector, number, metrics = Collector(STAGE, model.game, seed), 0, dict[str, float]()
    while "clone_greedy_exploitability" not in metrics:  # of a walk in which the greedy clone made no mistake
        labels: Labels = (explorer.labels(), None) if seat == 0 else (None, explorer.labels())
        seats = (explorer.opponent_policy(), explorer.behavior_policy())
        played: Decisions = collector.round(seats if seat == 0 else seats[::-1], labels, 1, seat=seat, round_=number)
        number += 1
        metrics = explorer.update(played, rng=stream(seed, f"{STAGE}/update", seat=seat, round_=number))
    return number


# --- the figure ------------------------------------------------------------------------------------------


def cells(seeds: int) -> list[Cell]:
    """What is to be run, boards in order of size."""
    learners = range(min(seeds, SEEDS))
    return [
        (board, name, seed)
        for board in BOARDS
        for name in EXPERTS
        for seed in (-1, *(learners if board not in COUNTED else ()))
    ]


def one(cell: Cell) -> dict[str, Any]:
    """A pool's task."""
    board, name, seed = cell
    return positions(board, name) if seed < 0 else {"queries": queries(board, name, seed)}


def title(cell: Cell) -> str:
    """Of a finished cell's file."""
    board, name, seed = cell
    what = "positions" if seed < 0 else f"seed-{seed}"
    return f"{board}_{name}_{what}".replace(" ", "-").replace(":", "-")


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run the cells that are not there yet, print the table, write experts.json."""
    every = {title(cell): cell for cell in cells(seeds)}
    kept(one, every, out / "experts-cells", pool, earlier={})
    found: dict[str, Any] = {}
    for name, (board, expert, seed) in every.items():
        entry = json.loads((out / "experts-cells" / f"{name}.json").read_bytes())
        there = found.setdefault(board, {}).setdefault(expert, {"queries": []})
        if seed < 0:
            there.update(entry)
        else:
            there["queries"].append(entry["queries"])
    keep(out, "experts", {"seeds": min(seeds, SEEDS), "boards": found})
    redraw(out)


def redraw(out: Path) -> None:
    """Print the table from the data."""
    data = json.loads((out / "experts.json").read_bytes())
    headings = ["board", "expert", "positions 0", "positions 1", "to know 0", "to know 1", "queries 0", "queries 1"]
    lines = [line(board, name, of) for board, by in data["boards"].items() for name, of in by.items()]
    grid(f"Positions up to mirror image, and queries to greedy gap 0, {data['seeds']} seeds: mean [95 % interval]",
         [*headings, "both"], lines)  # fmt: skip


def line(board: str, name: str, of: dict[str, Any]) -> list[str]:
    """A row of the table."""
    counts = [f"{count:,}" for key in ("positions", "known") for count in of[key]]
    pairs = of["queries"]
    if not pairs:
        return [board, name, *counts, "-", "-", "-"]
    spent = [[pair[0] for pair in pairs], [pair[1] for pair in pairs], [sum(pair) for pair in pairs]]
    return [board, name, *counts, *(spread(values) for values in spent)]
