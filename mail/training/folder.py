"""The folder of a run: it explains itself, is written atomically, and lets a killed run go on.

    config.json        what was asked for               policies/LEARNER-SEAT.*   what was learned
    metrics.jsonl      progress, one line per round     decisions/LEARNER-SEAT/   every round of play, npz
    result.json        measures, labels, curves         figure.png                exploitability against asks
    decisions/LEARNER-SEAT/ROUND.shards/              while a round is played: what of it has landed
    demonstrations/    saved games that it learns from, where it does (``mail.data.records``)
    kept/              until the run is finished: clones that were fitted, and what was measured of a learner
    clock.json         times, host and versions: what may differ between equal runs lives here alone

A run that was killed resumes by doing the same again: rounds of play, and shards of one, that had landed are read
instead of played (no label is paid twice), clones and measures instead of made, and everything else follows from
them and the seed. What is read must be what this run wrote, at this place: files carry check sums over what they are
for (``mail.training.rounds``, ``mail.training.files``), written with them at once. One process writes at a time
(``mail.training.lock``).
"""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agents.policy import Lifted, Seats
from agents.storage.policies import load_policy, save_policy, to_json, write_atomic
from agents.storage.reading import printable, read_bytes
from games.base import Game, NashmailError
from games.registry import make as make_game
from games.symmetry import Quotient
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.training.config import FORMAT, NAME, Begun, Config, RunError, begun, read_begun, read_config, same_but_for
from mail.training.files import CLOCK, FILES, METRICS, RESULT, digest, read_result, sealed, unsealed
from mail.training.lock import RunLock, lock
from mail.training.profile import Profile, load_profile
from mail.training.rounds import read_decisions, write_decisions
from mail.training.shapes import count, misfit, number, word

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
_PARTS = ".shards"  # the folder, beside a round's file, of what has landed of it
_FIT = {"steps": count, "worst": number, "mean_tv": number, "policy": word}


class Run:
    """One run folder, open for writing; also the journal its learners write to."""

    def __init__(self, folder: Path, begun: Begun, held: RunLock | None = None) -> None:
        """``held``: the lock of whoever writes; None for reading alone."""
        self.folder, self.begun, self.config = folder, begun, begun.config
        self.listener: Callable[[str, int, dict[str, float]], None] = lambda learner, seat, values: None
        self._metrics, self._lock = folder / METRICS, held
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
        for parts in self.folder.glob(f"decisions/*/*{_PARTS}"):
            if parts.with_suffix(".npz").exists():
                shutil.rmtree(parts)
        if self.result() is None:
            write_atomic(self._metrics, b"")  # told again from the start: equal runs have equal metrics
        return self

    # --- the journal -----------------------------------------------------------------------------------

    def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
        return self._read(self._round(learner, seat, round_))

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        path = self._round(learner, seat, round_)
        write_decisions(path, decisions, self._identity(path))
        if (parts := path.with_suffix(_PARTS)).exists():
            shutil.rmtree(parts)

    def load_shard(self, learner: str, seat: int, round_: int, shard: int) -> Decisions | None:
        return self._read(self._shard(learner, seat, round_, shard))

    def store_shard(self, learner: str, seat: int, round_: int, shard: int, decisions: Decisions) -> None:
        path = self._shard(learner, seat, round_, shard)
        write_decisions(path, decisions, self._identity(path))

    def rounds(self, learner: str, seat: int) -> Iterator[Decisions]:
        """The rounds that have landed, in order. RunError where one is damaged, or is none of this run."""
        for path in sorted(self._round(learner, seat, 0).parent.glob("*.npz")):
            if (decisions := self._read(path)) is not None:
                yield decisions

    def _read(self, path: Path) -> Decisions | None:
        """A round or a shard of one, if it has landed."""
        if not path.exists():
            return None
        return read_decisions(path, self._identity(path), game=None if self.begun.sealed else self._game)

    def _identity(self, path: Path) -> str:
        """What a file's check sum covers beside its contents: the run, and its place in it."""
        return f"{self.begun.identity}/{path.relative_to(self.folder).as_posix()}"

    @cached_property
    def _game(self) -> Game:
        """The game that is learned on."""
        game = make_game(self.config.game)
        return Quotient(game) if self.config.symmetry else game  # type: ignore[arg-type]  # says what it cannot take

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        finite = {name: value for name, value in values.items() if math.isfinite(value)}  # JSON has no others
        with self._metrics.open("a") as file:
            file.write(json.dumps({"learner": learner, "seat": seat, **finite}) + "\n")
        self.listener(learner, seat, values)

    def load_fit(self, stage: str, seat: int, game: Game, device: str) -> Fit | None:
        path = self._kept(f"{stage}-{seat}")
        numbers = self._load_kept(path.with_name(f"{path.name}.fit"))
        if numbers is None or misfit(numbers, _FIT):
            return None
        try:
            if digest(read_bytes(path.with_name(f"{path.name}.json"))) != numbers.pop("policy"):
                return None
            policy = load_policy(path, device=device).policy
            return Fit(policy.policy if isinstance(policy, Lifted) else policy, **numbers)
        except (NashmailError, TypeError):  # not there, damaged, or of a game that only its program can make
            return None

    def store_fit(self, stage: str, seat: int, game: Game, fit: Fit) -> None:
        path = self._kept(f"{stage}-{seat}")
        if isinstance(game, Quotient):
            save_policy(path, Lifted(fit.policy, game), game=game.base, seat=seat)
        else:
            save_policy(path, fit.policy, game=game, seat=seat)
        check = digest(read_bytes(path.with_name(f"{path.name}.json")))
        numbers = {"steps": fit.steps, "worst": fit.worst, "mean_tv": fit.mean_tv, "policy": check}
        self._store_kept(path.with_name(f"{path.name}.fit"), numbers)

    def measured(self, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``measure`` says of a learner, taken once: a killed run that goes on does not measure again."""
        path = self._kept(f"{name}.measures")
        if self._load_kept(path) is None:
            self._store_kept(path, measure())
        return unsealed(path, self._identity(path))

    def _load_kept(self, path: Path) -> dict[str, Any] | None:
        """What was kept there by this run; None where it is not there, or not whole: then it is made again."""
        try:
            return unsealed(path, self._identity(path))
        except RunError:
            return None

    def _store_kept(self, path: Path, values: dict[str, Any]) -> None:
        write_atomic(path, to_json(sealed(values, self._identity(path))))

    def _kept(self, name: str) -> Path:
        return self.folder / "kept" / name.replace("/", "-")

    def _round(self, learner: str, seat: int, round_: int) -> Path:
        return self.folder / "decisions" / f"{learner}-{seat}" / f"{round_:06d}.npz"

    def _shard(self, learner: str, seat: int, round_: int, shard: int) -> Path:
        return self._round(learner, seat, round_).with_suffix(_PARTS) / f"{shard:06d}.npz"

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
        shutil.rmtree(self.folder / "kept", ignore_errors=True)
        files = {**self._saved, METRICS: digest(read_bytes(self._metrics))}
        values = sealed({"format": self.begun.format, **result, FILES: files}, self._identity(self.folder / RESULT))
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
