"""The leaderboard: every learner on six games, with exact Nash gaps, from stored cells (docs/leaderboard.md).

A game's learners spend the same number of queries per seat, and stop earlier where they know that nothing is left.
Cells are those of ``nashmail compare``: what is stored in leaderboard.json is not run again, finished cells of a run
that is killed are kept in OUT/leaderboard-cells. The reason of a learner that cannot learn a game is stored, too. To
add a learner, add its name to ``FIELD`` and run the command again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from agents.storage.atomic import write_atomic
from agents.storage.policies import to_json
from figures.over_seeds import picture, rounded
from games.base import NashmailError
from mail.learners import names
from mail.parallel.pool import Pool
from mail.training.compare.cells import Row, check_cells, run_cells
from mail.training.compare.figure import draw_comparison
from mail.training.compare.grid import Cell, Grid
from mail.training.compare.summary import spread, summarize, tidy

BEGIN, END = "<!-- begin: python scripts/reproduce.py leaderboard -->\n", "<!-- end -->"


@dataclass(frozen=True)
class Part:
    """Learners of a game that have as many seeds, because a cell of theirs takes as long."""

    learners: tuple[str, ...]
    seeds: int = 5
    explorers: tuple[str, ...] = ("counts",)
    episodes: int = 0
    """Most games per seat, where they are fewer than the game's; 0: as many."""


@dataclass(frozen=True)
class LeaderboardGame:
    """One game of the leaderboard."""

    game: str
    budget: int
    episodes: int
    parts: tuple[Part, ...]
    expert: str = "first"

    @property
    def file(self) -> str:
        """The game in names of files."""
        return self.game.replace(":", "-").replace(",", "-")

    def cells(self, seeds: int) -> Iterator[Cell]:
        for part in self.parts:
            yield from self.grid(part, min(seeds, part.seeds)).cells()

    def grid(self, part: Part, seeds: int) -> Grid:
        episodes = part.episodes or self.episodes
        return Grid(self.game, part.learners, part.explorers, (self.budget,), seeds, self.expert, episodes=episodes)


TABLES = (
    "bc-tabular",
    "dagger",
    "dagger-clone",
    "dagger-uniform",
    "dagger-best",
    "mail-bro",
    "mail-bro-greedy",
    "murmail-exact",
)
EXPLORED = ("mail-counts", "mail-respond")
INVERSE = ("iq-learn", "iq-learn-online", "max-ent", "gail", "airl", "infogail", "ma-gail", "ma-airl")
FEATURES = ("bc-linear", "mail-linear")
NETWORKS = ("bc", "bc-uniform", "mail-noise", "mail-uniform")
COVERED = Part(("malice",), 5)
"""Where experts come to every position, without which it refuses."""
MARKOV = (
    Part((*TABLES, *INVERSE, "mail-tabular"), 5),
    Part((*EXPLORED, *FEATURES, *NETWORKS, "murmail"), 2),
    Part(("mail",), 2, ("counts",)),
    Part(("mail",), 1, ("deep", "unsure")),
)
DEEP = ("airl-deep", "gail-deep", "iq-learn-deep", "iq-learn-online-deep")
FIELD = (
    LeaderboardGame(
        "tictactoe",
        4000,
        9000,
        (
            Part(TABLES, 10),
            Part((*INVERSE, "opt-ail"), 5),
            Part(("murmail",), 10, episodes=3000),
            Part((*EXPLORED, "mail-tabular", "bc-ntuple", *FEATURES, *NETWORKS), 1),
            Part(("mail-ntuple",), 1, ("mistakes", "doubt")),
            Part(("mail",), 1, ("counts", "deep", "unsure", "refute")),
            Part(("airl-deep", "gail-deep"), 1, episodes=1000),
            Part(("iq-learn-deep", "iq-learn-online-deep"), 1, episodes=4000),
            Part(("mail-bro-deep", "murmail-deep"), 3),
        ),
    ),
    LeaderboardGame(
        "gridworld:3x3",
        500,
        500,
        (
            *MARKOV,
            Part(("opt-ail",), 5),
            Part(DEEP, 1),
        ),
    ),
    LeaderboardGame("chain:16", 300, 500, (*MARKOV, Part(("opt-ail",), 5), Part(DEEP, 1))),
    LeaderboardGame("rps", 300, 500, (*MARKOV, COVERED, Part(("opt-ail",), 5), Part(DEEP, 1))),
    LeaderboardGame("linear:50,5", 2000, 500, (*MARKOV, COVERED, Part(("opt-ail",), 3), Part(DEEP, 1))),
    LeaderboardGame(
        "connect4:4x4",
        4000,
        20_000,
        (
            Part(("mail-walk",), 1),
            Part(("mail-ntuple",), 1, ("mistakes", "doubt")),
            Part((*(name for name in TABLES if name != "murmail-exact"), *EXPLORED, "mail-tabular", *INVERSE), 1),
            Part(("opt-ail",), 1, episodes=1000),
            Part(("bc", "bc-ntuple", "bc-uniform"), 1),
            Part(DEEP, 1, episodes=1500),
            Part(("mail-bro-deep", "murmail-deep"), 1),
            Part(("mail",), 1, ("counts",)),
            Part(("bc-linear", "mail-linear"), 1),
            Part(("mail-noise", "mail-uniform"), 1),
            Part(("murmail",), 1, episodes=1000),
        ),
    ),
)


SAME = {"bc-first": "bc", "mail-tremble": "mail-noise"}
"""Learners that are others here: ``first`` is the expert of all games, and one has two names."""


def make(seeds: int, out: Path, pool: Pool) -> None:
    """Run the cells that are not stored, store all, and write the page and the figures.

    Args:
        seeds: Most seeds per learner; ``Part.seeds`` caps them.
        out: Has leaderboard.json and gets it; the page is ``leaderboard.md`` in the folder above, if there is one.
        pool: Runs the cells.
    """
    folder, rows = out / "leaderboard-cells", stored(out)
    for entry in FIELD:
        for part in entry.parts:
            check_cells(entry.grid(part, 1))
    refused = {entry.game: refusals(entry) for entry in FIELD}
    for entry in FIELD:
        missing = [cell for cell in entry.cells(seeds) if cell.key not in rows]
        for row in run_cells(missing, folder, pool=pool):
            rows[row["key"]] = {**row, "version": version("nashmail")}
            if "failed" in row:
                print(f"failed: {row['game']}, {row['learner']}, seed {row['seed']}: {row['failed']}", flush=True)
        keep(out, rows, refused)
    redraw(out)


def refusals(entry: LeaderboardGame) -> dict[str, str]:
    """Why learners that have no cells of a game cannot have any, by name; what could run is printed."""
    present = {name for part in entry.parts for name in part.learners} | set(SAME)
    reasons: dict[str, str] = {}
    for name in names():
        if name in present:
            continue
        try:
            check_cells(entry.grid(Part((name,)), 1))
        except NashmailError as error:
            reasons[name] = str(error).partition(";")[0].removeprefix(f"{name} ")
        else:
            print(f"{entry.game}: {name} has no cells; add it to FIELD", flush=True)
    return reasons


def stored(out: Path) -> dict[str, Row]:
    """The stored cells by key."""
    path = out / "leaderboard.json"
    return dict(json.loads(path.read_bytes())["cells"]) if path.is_file() else {}


def keep(out: Path, rows: dict[str, Row], refused: dict[str, dict[str, str]]) -> None:
    """Store the cells that did not fail, and who cannot have any."""
    cells = {key: rounded(row) for key, row in sorted(rows.items()) if "failed" not in row}
    write_atomic(out / "leaderboard.json", to_json({"cells": cells, "refused": refused}))


def redraw(out: Path) -> None:
    """Print the tables, write them into the page, and draw the figures."""
    text, refused = "", json.loads((out / "leaderboard.json").read_bytes())["refused"]
    for entry, cells, found in found_in(out):
        text += section(entry, found, cells, refused.get(entry.game, {}))
        picture(out, f"leaderboard-{entry.file}", draw(entry, found))
    print(text)
    page = out.parent / "leaderboard.md"
    if page.is_file():
        before, _, rest = page.read_text().partition(BEGIN)
        write_atomic(page, f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}".encode())


def found_in(out: Path) -> Iterator[tuple[LeaderboardGame, list[Row], dict[str, Any]]]:
    """Each game of which cells are stored, with these and its entrants."""
    rows = stored(out)
    for entry in FIELD:
        cells = [rows[cell.key] for cell in entry.cells(1 << 20) if cell.key in rows]
        if cells:
            yield entry, cells, summarize([tidy(cell) for cell in cells])["entrants"]


def draw(entry: LeaderboardGame, entrants: dict[str, Any]) -> Figure:
    """A game's figure."""
    return draw_comparison(f"{entry.game}, expert {entry.expert}", entrants)


def section(entry: LeaderboardGame, entrants: dict[str, Any], cells: Sequence[Row], refused: Mapping[str, str]) -> str:
    """A game's part of the page, sorted by Nash gap."""
    versions = ", ".join(sorted({cell["version"] for cell in cells}))
    heads = (
        "learner",
        "may know",
        "seeds",
        "labels",
        "distinct",
        "value gap",
        "seat 0",
        "seat 1",
        "Nash gap",
        "greedy",
    )
    lines = [
        f"### {entry.game}\n",
        f"At most {entry.budget:,} queries and {entry.episodes:,} games per seat, expert `{entry.expert}`; "
        f"version {versions}.\n",
        "| " + " | ".join((*heads, "CPU s")) + " |",
        "| --- | --- |" + " ---: |" * (len(heads) - 1),
    ]
    order = sorted(entrants.items(), key=lambda one: one[1]["measures"]["nash_gap"]["iqm"])
    reasons = [f"- `{name}`: {reason}" for name, reason in refused.items()]
    absent = ["", "Not here, because:\n", *reasons] if reasons else []
    return "\n".join([*lines, *(line(name, one) for name, one in order), *absent]) + "\n\n"


def line(name: str, entrant: dict[str, Any]) -> str:
    """An entrant's row."""
    iqm = {key: part["iqm"] for key, part in entrant["measures"].items()}
    knows = ", ".join(word for word in entrant["knows"] if word != "labels") or "-"
    parts = [f"`{name}`", knows, str(entrant["seeds"]), f"{iqm['labels']:,.0f}", f"{iqm['distinct_labels']:,.0f}"]
    parts += [f"{iqm[key]:z.4f}" for key in ("value_gap", "exploitability_0", "exploitability_1")]
    parts += [spread(entrant["measures"]["nash_gap"]), f"{iqm['greedy_nash_gap']:z.4f}", f"{iqm['cpu_seconds']:.1f}"]
    return "| " + " | ".join(parts) + " |"
