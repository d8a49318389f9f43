"""The folder of a run: it explains itself, is written atomically, and lets a killed run go on.

    config.json        what was asked for               policies/LEARNER-SEAT.*   what was learned
    metrics.jsonl      progress, one line per round     decisions/LEARNER-SEAT/   every round of play, npz
    result.json        measures, labels, curves         figure.png                exploitability against asks
    decisions/LEARNER-SEAT/ROUND.shards/              while a round is played: what of it has landed
    demonstrations/    saved games that it learns from, where it does (``mail.data.records``)
    kept/              until the run is finished: clones that were fitted, and what was measured of a learner
    clock.json         times, host and versions: what may differ between equal runs lives here alone

A run that was killed resumes by doing the same again: rounds of play, and shards of one, that were complete are read
instead of played (no label is paid for twice), clones and measures instead of made (``mail.training.journal``), and
everything else follows from them and the seed. One process writes at a time (``mail.training.lock``).
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from agents.policy import Seats
from agents.storage.policies import save_policy, to_json, write_atomic
from agents.storage.reading import printable, read_bytes
from games.base import Game
from mail.training.config import FORMAT, NAME, Begun, Config, RunError, begun, read_begun, read_config, same_but_for
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
    """One run folder: made, gone on with or read, and finished; ``journal`` is where its learners keep their rounds."""

    def __init__(self, folder: Path, begun: Begun, held: RunLock | None = None) -> None:
        """``held``: the lock of whoever writes; None for reading alone."""
        self.folder, self.begun, self.config = folder, begun, begun.config
        self.journal = RunJournal(folder, begun)
        """What its learners write to."""
        self._lock = held
        self._saved: dict[str, str] = {}  # check sums of the policies

    @classmethod
    def create(cls, folder: Path, config: Config, *, force: bool = False) -> Run:
        """A new run; RunError if something is there already (``force`` removes a run, never anything else), or if
        another process trains there.
        """
        asked_for = begun(config.check().values(), folder / NAME)
        if _occupied(folder) and not (folder / NAME).is_file():
            raise RunError(f"{printable(folder)} is there and is no run; choose another --out")
        folder.mkdir(parents=True, exist_ok=True)
        held = lock(folder)
        if _occupied(folder):
            if not force:
                there = printable(folder)
                raise RunError(f"{there} holds a run; add --resume to go on with it or --force to start anew")
            read_config(folder)  # another program's config.json makes no run of a folder
            _empty(folder)
        write_atomic(folder / NAME, to_json(config.values()))
        return cls(folder, asked_for, held)._begin()

    @classmethod
    def resume(cls, folder: Path) -> Run:
        """A run that was begun; RunError if there is none, or another process trains there."""
        read_begun(folder)
        held = lock(folder)
        return cls(folder, read_begun(folder), held)._begin()

    @classmethod
    def at(cls, folder: Path) -> Run:
        """A run that was begun, for reading alone; RunError if there is none."""
        return cls(folder, read_begun(folder))

    def _begin(self) -> Run:
        for stale in self.folder.rglob(".*.tmp"):
            if stale.is_symlink() or stale.is_file():
                stale.unlink()
        self.journal.begin()
        if self.result() is None:
            write_atomic(self.folder / METRICS, b"")  # logged again from the start: equal runs have equal metrics
        return self

    # --- what was learned ------------------------------------------------------------------------------

    def save_policies(self, learner: str, policies: Seats, game: Game) -> None:
        """Both seats' policies, as they play on the board."""
        for seat, policy in enumerate(policies):
            path = self.folder / "policies" / f"{learner}-{seat}"
            save_policy(path, policy, game=game, seat=seat)
            about = f"policies/{path.name}.json"  # it names the numbers by their check sum
            self._saved[about] = digest(read_bytes(self.folder / about))

    def result(self) -> dict[str, Any] | None:
        """What a finished run came to, or None. RunError where the file is not what this run wrote."""
        found = read_result(self.folder, self.begun)
        return found and {key: value for key, value in found.items() if key != FILES}

    def finish(self, result: dict[str, Any], figure: bytes, *, seconds: float, workers: int) -> None:
        """Write the figure, the clock, and last of all the result, which says that the run is whole."""
        write_atomic(self.folder / "figure.png", figure)
        versions = {"python": platform.python_version(), "numpy": np.__version__}
        clock = {"seconds": seconds, "workers": workers, "host": platform.node(), "pid": os.getpid(), **versions}
        write_atomic(self.folder / CLOCK, to_json(clock))
        self.journal.end()
        files = {**self._saved, METRICS: digest(read_bytes(self.folder / METRICS))}
        values = sealed({"format": self.begun.format, **result, FILES: files}, f"{self.begun.identity}/{RESULT}")
        write_atomic(self.folder / RESULT, to_json(values))


def _occupied(folder: Path) -> bool:
    """Whether something is there, beyond what a run that is killed at once leaves: a file it was about to rename."""
    if not folder.exists():
        return False
    return not folder.is_dir() or any(not _unfinished(path) for path in folder.iterdir())


def _unfinished(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".tmp"


def _empty(folder: Path) -> None:
    """Remove everything but the configuration, the result first: whoever is killed meanwhile leaves the old run
    unfinished, which can be resumed or replaced. The folder itself stays, and with it its lock.
    """
    for path in sorted(folder.iterdir(), key=lambda path: path.name != RESULT):
        if path.name == NAME:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
