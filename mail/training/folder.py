"""The folder of a run: self-describing, written atomically, and sufficient to resume a killed run.

    config.json        the configuration                policies/LEARNER-SEAT.*   the learned policies
    metrics.jsonl      progress, one line per round     decisions/LEARNER-SEAT/   every round of play, npz
    result.json        measures, labels, curves         figure.png                exploitability against queries
    decisions/LEARNER-SEAT/ROUND.shards/              during a round: its completed shards
    demonstrations/    the saved games it learns from, if any (``mail.data.records``)
    kept/              until the run is finished: fitted clones, and measures of learners
    clock.json         times, host and versions: everything that may differ between equal runs
    progress.json      until the run is finished: how far it is, and which process trains (``mail.training.progress``)

A killed run resumes by repeating its steps: completed rounds and shards are read instead of played (so no label is
queried twice), and clones and measures are read instead of computed (``mail.training.journal``). Everything else
follows from them and the seed. One process writes at a time (``mail.training.lock``).
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.policy import Seats
from agents.storage.policies import save_policy, to_json, write_atomic
from agents.storage.reading import printable, read_bytes
from games.base import Game
from mail.training.config import (
    FORMAT,
    NAME,
    Config,
    RunError,
    StoredConfig,
    parse_stored_config,
    read_config,
    read_stored_config,
    same_but_for,
)
from mail.training.files import CLOCK, FILES, METRICS, RESULT, digest, read_result, sealed
from mail.training.journal import RunJournal
from mail.training.lock import RunLock, lock
from mail.training.profile import Profile, load_profile
from mail.training.rounds import read_decisions

__all__ = [
    "FORMAT",
    "Config",
    "Profile",
    "Run",
    "RunError",
    "load_profile",
    "read_config",
    "read_decisions",
    "same_but_for",
]


class Run:
    """A run's folder, new, resumed or read. ``journal`` stores the rounds of its learners."""

    def __init__(self, folder: Path, stored: StoredConfig, held: RunLock | None = None) -> None:
        """Use a folder.

        Args:
            folder: The run's.
            stored: Its configuration.
            held: The lock for writing; None to read only.
        """
        self.folder, self.stored, self.config = folder, stored, stored.config
        self.journal = RunJournal(folder, stored)
        """The journal of its learners."""
        self._lock = held
        self._saved: dict[str, str] = {}  # check sums of the policies

    @classmethod
    def create(cls, folder: Path, config: Config, *, force: bool = False) -> Run:
        """Make a new run.

        Args:
            folder: Where; made if necessary.
            config: The configuration.
            force: Whether to replace a run that is there. Never removes anything but a run.

        Raises:
            RunError: The folder is not empty, or another process trains there.
        """
        wanted = parse_stored_config(config.check().values(), folder / NAME)
        if _occupied(folder) and not (folder / NAME).is_file():
            raise RunError(f"{printable(folder)} exists and is not a run; choose another --out")
        folder.mkdir(parents=True, exist_ok=True)
        held = lock(folder)
        if _occupied(folder):
            if not force:
                there = printable(folder)
                raise RunError(f"{there} holds a run; add --resume to continue it or --force to replace it")
            read_config(folder)  # a config.json of another program does not make it a run
            _empty(folder)
        write_atomic(folder / NAME, to_json(config.values()))
        return cls(folder, wanted, held)._begin()

    @classmethod
    def resume(cls, folder: Path) -> Run:
        """Resume a run.

        Args:
            folder: The run's.

        Raises:
            RunError: There is none, or another process trains there.
        """
        read_stored_config(folder)
        held = lock(folder)
        return cls(folder, read_stored_config(folder), held)._begin()

    @classmethod
    def at(cls, folder: Path) -> Run:
        """Open a run to read only.

        Args:
            folder: The run's.

        Raises:
            RunError: There is none.
        """
        return cls(folder, read_stored_config(folder))

    def _begin(self) -> Run:
        for stale in self.folder.rglob(".*.tmp"):
            if stale.is_symlink() or stale.is_file():
                stale.unlink()
        self.journal.begin()
        if self.result() is None:
            write_atomic(self.folder / METRICS, b"")  # log again from the start, so that equal runs have equal metrics
        return self

    # --- results --------------------------------------------------------------------------------------

    def save_policies(self, learner: str, policies: Seats, game: Game) -> None:
        """Save both seats' policies of the board.

        Args:
            learner: Its name.
            policies: The policies.
            game: The board's game.
        """
        for seat, policy in enumerate(policies):
            path = self.folder / "policies" / f"{learner}-{seat}"
            save_policy(path, policy, game=game, seat=seat)
            about = f"policies/{path.name}.json"  # it contains the check sum of the weights
            self._saved[about] = digest(read_bytes(self.folder / about))

    def result(self) -> dict[str, Any] | None:
        """The result of a finished run, or None. RunError if the file is not what this run wrote."""
        result = read_result(self.folder, self.stored)
        return result and {key: value for key, value in result.items() if key != FILES}

    def finish(
        self,
        result: dict[str, Any],
        figure: bytes,
        *,
        seconds: float,
        workers: int,
        phases: Sequence[dict[str, Any]] = (),
    ) -> None:
        """Write the figure, the clock and, last, the result, which marks the run as finished.

        Args:
            result: The result.
            figure: PNG.
            seconds: How long the run took.
            workers: How many it had.
            phases: What took how long, as JSON values.
        """
        write_atomic(self.folder / "figure.png", figure)
        versions = {"python": platform.python_version(), "numpy": np.__version__}
        clock = {"seconds": seconds, "workers": workers, "host": platform.node(), "pid": os.getpid(), **versions}
        clock["phases"] = list(phases)
        write_atomic(self.folder / CLOCK, to_json(clock))
        self.journal.end()
        files = {**self._saved, METRICS: digest(read_bytes(self.folder / METRICS))}
        values = sealed({"format": self.stored.format, **result, FILES: files}, f"{self.stored.identity}/{RESULT}")
        write_atomic(self.folder / RESULT, to_json(values))


def _occupied(folder: Path) -> bool:
    """Whether the folder has contents, other than the temporary file of a run that was killed at its start."""
    if not folder.exists():
        return False
    return not folder.is_dir() or any(not _unfinished(path) for path in folder.iterdir())


def _unfinished(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".tmp"


def _empty(folder: Path) -> None:
    """Remove everything but the configuration, the result first.

    If that is interrupted, the old run is unfinished and can be resumed or replaced. The folder itself stays, and so
    does its lock.
    """
    for path in sorted(folder.iterdir(), key=lambda path: path.name != RESULT):
        if path.name == NAME:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
