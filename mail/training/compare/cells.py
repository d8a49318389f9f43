"""One cell of a comparison: learn, measure, and what is kept of it; and all cells of a grid through a pool.

A cell is a pool's task, so that cells run side by side, each in one process. Its file, ``KEY.json``, is written when it
has been measured: a comparison that is killed goes on with the cells that are missing. A cell that fails is a row with
its reason; it leaves no file, so that it is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.expert import EXPERTS
from agents.storage.atomic import write_atomic
from agents.storage.policies import to_json
from agents.storage.reading import Unreadable, parse_json, printable, read_bytes
from games.registered import Entry, Registry
from games.registry import GAMES as GAME_NAMES
from mail.evaluation import exact
from mail.evaluation.tabulate import policy_table, profile_tables
from mail.explore.base import EXPLORERS
from mail.learners.base import LEARNERS, declared, knowledge
from mail.learners.budget import Budget
from mail.learners.collect import Learned
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local, Pool
from mail.training.compare.grid import FORMAT, Cell, Grid
from mail.training.config import RunError
from mail.training.context import GameContext, Prepared, game_context
from mail.training.evaluate import spending
from mail.training.train import prepare

Row = dict[str, Any]
"""One cell as JSON values: the fields of ``Cell``, its key, what was spent, the measures; or ``failed``, the reason."""
_MOST = 1 << 20  # bytes of a cell's file
_REGISTRIES: tuple[Registry[Any, Any], ...] = (GAME_NAMES, LEARNERS, EXPLORERS, EXPERTS)


@dataclass(frozen=True)
class Registered:
    """What was registered in this process beside the built-in names, per registry: workers do not have it."""

    entries: tuple[Mapping[str, Entry[Any, Any]], ...]

    @classmethod
    def of_this_process(cls) -> Registered:
        own = [
            {name: entry for name, entry in registry.entries.items() if not isinstance(entry.target, str)}
            for registry in _REGISTRIES
        ]
        return cls(tuple(own))

    def add(self) -> None:
        """Register here what is missing here."""
        for registry, entries in zip(_REGISTRIES, self.entries, strict=True):
            for name, entry in entries.items():
                registry.entries.setdefault(name, entry)


def check_cells(grid: Grid) -> None:
    """Raise NashmailError for what would be refused in any cell, before one is run.

    Args:
        grid: Of valid values (``Grid.check``).
    """
    context = _context(grid.game, grid.symmetry)
    if context.model is None:
        raise context.refusal or RunError(
            f"{grid.game} has no exact model, and a comparison measures exactly; use `nashmail train` and "
            "`nashmail match`"
        )
    for cell in (cell for cell in grid.cells() if cell.seed == 0):
        prepare(cell.config, context=context)


def run_cells(cells: Sequence[Cell], folder: Path | None, *, pool: Pool | None = None) -> list[Row]:
    """The rows of these cells, in their order.

    Args:
        cells: What to run.
        folder: Has the files of finished cells, and gets those of the others; None keeps nothing.
        pool: Runs the cells; this process by default.
    """
    rows = {cell: row for cell in cells if folder is not None and (row := read_cell(folder, cell)) is not None}
    missing = [cell for cell in cells if cell not in rows]

    def keep(index: int, row: Row) -> None:
        rows[missing[index]] = row
        if folder is not None and "failed" not in row:
            write_atomic(folder / f"{missing[index].key}.json", to_json(row))

    (pool or Local()).map(run_cell, Registered.of_this_process(), missing, on_result=keep)
    return [rows[cell] for cell in cells]


def read_cell(folder: Path, cell: Cell) -> Row | None:
    """The stored row of a cell.

    Args:
        folder: The comparison's.
        cell: The cell.

    Returns:
        The row; None if there is none.

    Raises:
        RunError: The file is not of this cell.
    """
    path = folder / f"{cell.key}.json"
    if not path.is_file():
        return None
    try:
        row = parse_json(read_bytes(path, most=_MOST))
        if not isinstance(row, dict) or any(row.get(name) != value for name, value in identity(cell).items()):
            raise ValueError("another cell")
    except (Unreadable, ValueError) as error:
        raise RunError(f"{printable(path)} is truncated or was edited; delete it, and the cell is run again") from error
    return row


def identity(cell: Cell) -> Row:
    """What a row says of its cell.

    Args:
        cell: The cell.
    """
    return {"format": FORMAT, "key": cell.key, **asdict(cell)}


def run_cell(registered: Registered, cell: Cell) -> Row:
    """A pool's task: learn and measure one cell. A failure of any kind is a row, too.

    Args:
        registered: What the user's own files registered.
        cell: The cell.
    """
    registered.add()
    try:
        return {**identity(cell), **_measured(cell)}
    except Exception as error:  # whatever it is, the other cells go on
        return {**identity(cell), "failed": " ".join(f"{type(error).__name__}: {error}".split())}


def _measured(cell: Cell) -> Row:
    config, context = cell.config, _context(cell.game, cell.symmetry)
    prepared = prepare(config, context=context)
    begun = time.process_time()
    learned = _learned(cell, prepared)
    seconds = time.process_time() - begun
    assert context.model is not None  # ``check_cells`` has refused other games
    model, tables = profile_tables(context.model, context.lifted(learned.policies))
    experts = context.lifted(context.experts(declared(cell.learner).expert or cell.expert))
    expert_tables = policy_table(model, experts[0], 0), policy_table(model, experts[1], 1)
    return {
        **spending(learned),
        "steps": steps(learned, together=declared(cell.learner).both_seats),
        "knows": sorted(knowledge(cell.learner, config.explorer)),
        "value_gap": list(exact.value_gap(model, tables, expert_tables)),
        **exact.table_measures(model, tables),
        "cpu_seconds": round(seconds, 3),
    }


def _learned(cell: Cell, prepared: Prepared) -> Learned:
    task = prepared.tasks[0]
    budget = Budget(cell.config.episodes, (cell.budget, cell.budget) if cell.budget else None)
    return task.learner.learn(prepared.context.learned, task.experts, budget, pool=Local(), journal=NullJournal())


def steps(learned: Learned, *, together: bool) -> int:
    """Environment steps: the positions that games went through, simultaneous moves counted once.

    Args:
        learned: The result of a learner.
        together: Whether each game taught both seats, so that both have the same decisions.
    """
    parts = learned.decisions[:1] if together else learned.decisions
    if together and len(learned.decisions[1]) > len(parts[0]):
        parts = learned.decisions[1:]
    return sum(len(np.unique(np.column_stack([part.episode, part.state]), axis=0)) for part in parts if len(part))


@lru_cache(maxsize=2)
def _context(game: str, symmetry: bool) -> GameContext:
    """The game and its models, once per process."""
    return game_context(game, symmetry=symmetry)
