"""The folder of a run: it explains itself, is written atomically, and lets a killed run go on.

    config.json        what was asked for               policies/LEARNER-SEAT.*   what was learned
    metrics.jsonl      progress, one line per round     decisions/LEARNER-SEAT/   every round of play, npz
    result.json        measures, labels, curves         figure.png                exploitability against asks
    decisions/LEARNER-SEAT/ROUND.shards/              while a round is played: what of it has landed
    kept/              until the run is finished: clones that were fitted, and what was measured of a learner
    clock.json         times, host and versions: what may differ between equal runs lives here alone

A run that was killed resumes by doing the same again: rounds of play, and shards of one, that had landed are read
instead of played (no label is paid twice), clones and measures instead of made, and everything else follows from
them and the seed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from agents.files import load_policy, save_policy, to_json, write_atomic
from agents.policy import Lifted, Seats
from games.base import Game, NashmailError
from games.registry import make as make_game
from games.symmetry import Quotient
from mail.clone import Fit
from mail.decisions import Decisions

FORMAT = 1
_PARTS = ".shards"  # the folder, beside a round's file, of what has landed of it
_DAMAGED = (OSError, ValueError, TypeError, EOFError, IndexError, RuntimeError, zipfile.BadZipFile, zlib.error)


class RunError(NashmailError):
    """A run folder that is missing, of another kind, or damaged."""


@dataclass(frozen=True)
class Config:
    """What decides a run's result, and nothing else. Unknown keys are refused when it is read."""

    game: str
    """As ``games.make`` takes it."""
    learners: tuple[str, ...] = ("mail", "bc")
    """Learned in this order; those that do not explore spend as many labels as the first that does (``mail*``)."""
    explorer: str = "deep"
    """Of interactive learners."""
    expert: str = "first"
    """What the expert does among equally good moves."""
    symmetry: bool = False
    """Whether positions that are images of each other count, and are learned, as one."""
    episodes: int = 1000
    """Most games per seat."""
    seed: int = 0
    """Of every stream."""
    device: str = "cpu"
    """Where networks are trained and asked."""
    labels: int = 0
    """Asks per seat that every learner is to spend; 0 for as many as bring something new, and BC as many as MAIL."""
    points: int = 8
    """Budgets, equally far apart, at which the figure's curves are measured; the last is the whole."""

    def check(self) -> Config:
        """Itself, or RunError for values that make no run."""
        if (wrong := self._wrong()) is not None:
            raise RunError(f"{wrong} cannot be {getattr(self, wrong)!r}")
        if self.points < 1:
            raise RunError(f"points must be at least 1, not {self.points}")
        if self.episodes < 1:
            raise RunError(f"--episodes must be at least 1, not {self.episodes}")
        if self.labels < 0:
            raise RunError(f"--labels must be 0 or more, not {self.labels}")
        if self.seed < 0:
            raise RunError(f"--seed must be 0 or more, not {self.seed}")
        if not self.learners or len(set(self.learners)) != len(self.learners):
            raise RunError("name at least one learner, and none twice")
        return self

    def _wrong(self) -> str | None:
        """A field whose value is of the wrong kind, if there is one."""
        for field in fields(self):
            value: object = getattr(self, field.name)
            if type(value) is not (str if field.name == "game" else type(field.default)):
                return field.name
        return None if all(isinstance(word, str) for word in self.learners) else "learners"

    @classmethod
    def parse(cls, data: bytes, source: Path) -> Config:
        """The configuration in a file; RunError where it is none."""
        try:
            values = json.loads(data)
            version = values.pop("format")
            if version > FORMAT:
                raise RunError(f"{source} has format {version}, newer than {FORMAT}; update nashmail to read it")
            known = {field.name for field in fields(cls)}
            if unknown := set(values) - known:
                raise RunError(f"{source} has unknown keys: {', '.join(sorted(unknown))}")
            if not isinstance(values["learners"], list):
                raise TypeError("learners are a list")
            config = cls(**{**values, "learners": tuple(values["learners"])})
            if (wrong := config._wrong()) is not None:
                raise TypeError(f"{wrong} is of the wrong kind")
            return config.check()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, RunError):
                raise
            raise RunError(f"{source} is not a run's configuration; restore it or train anew") from error


class Run:
    """One run folder, open for writing; also the journal its learners write to."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config = folder, config
        self.listener: Callable[[str, int, dict[str, float]], None] = lambda learner, seat, values: None
        self._metrics = folder / "metrics.jsonl"

    @classmethod
    def create(cls, folder: Path, config: Config, *, force: bool = False) -> Run:
        """A new run; RunError if something is there already (``force`` removes a run, never anything else)."""
        config.check()
        if folder.exists() and (not folder.is_dir() or any(not _unfinished(path) for path in folder.iterdir())):
            if not (folder / "config.json").is_file():
                raise RunError(f"{folder} is there and is no run; choose another --out")
            if not force:
                raise RunError(f"{folder} holds a run; add --resume to go on with it or --force to start anew")
            read_config(folder)  # another program's config.json makes no run of a folder
            shutil.rmtree(folder)
        write_atomic(folder / "config.json", to_json({"format": FORMAT, **asdict(config)}))
        return cls(folder, config)._begin()

    @classmethod
    def resume(cls, folder: Path) -> Run:
        """A run that was begun; RunError if there is none."""
        return cls(folder, read_config(folder))._begin()

    def _begin(self) -> Run:
        for stale in self.folder.rglob(".*.tmp"):
            stale.unlink()
        for parts in self.folder.glob(f"decisions/*/*{_PARTS}"):
            if parts.with_suffix(".npz").exists():
                shutil.rmtree(parts)
        if self.result() is None:
            write_atomic(self._metrics, b"")  # told again from the start: equal runs have equal metrics
        return self

    # --- the journal -----------------------------------------------------------------------------------

    def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
        path = self._round(learner, seat, round_)
        return read_decisions(path) if path.exists() else None

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        path = self._round(learner, seat, round_)
        _write_decisions(path, decisions)
        if (parts := path.with_suffix(_PARTS)).exists():
            shutil.rmtree(parts)

    def load_shard(self, learner: str, seat: int, round_: int, shard: int) -> Decisions | None:
        path = self._shard(learner, seat, round_, shard)
        return read_decisions(path) if path.exists() else None

    def store_shard(self, learner: str, seat: int, round_: int, shard: int, decisions: Decisions) -> None:
        _write_decisions(self._shard(learner, seat, round_, shard), decisions)

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        with self._metrics.open("a") as file:
            file.write(json.dumps({"learner": learner, "seat": seat, **values}) + "\n")
        self.listener(learner, seat, values)

    def load_fit(self, stage: str, seat: int, game: Game, device: str) -> Fit | None:
        path = self._kept(f"{stage}-{seat}")
        try:
            numbers = _read_json(path.with_name(f"{path.name}.fit"))
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
        numbers = {"steps": fit.steps, "worst": fit.worst, "mean_tv": fit.mean_tv}
        write_atomic(path.with_name(f"{path.name}.fit"), to_json(numbers))

    def measured(self, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What ``measure`` says of a learner, taken once: a killed run that goes on does not measure again."""
        path = self._kept(f"{name}.measures")
        if not path.exists():
            write_atomic(path, to_json(measure()))
        return _read_json(path)

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
            save_policy(self.folder / "policies" / f"{learner}-{seat}", policy, game=game, seat=seat)

    def result(self) -> dict[str, Any] | None:
        """What a finished run came to, or None."""
        path = self.folder / "result.json"
        return _read_json(path) if path.exists() else None

    def finish(self, result: dict[str, Any], figure: bytes, *, seconds: float, workers: int) -> None:
        """Write the figure, the clock, and last of all the result, which says that the run is whole."""
        write_atomic(self.folder / "figure.png", figure)
        versions = {"python": platform.python_version(), "numpy": np.__version__}
        clock = {"seconds": seconds, "workers": workers, "host": platform.node(), "pid": os.getpid(), **versions}
        write_atomic(self.folder / "clock.json", to_json(clock))
        shutil.rmtree(self.folder / "kept", ignore_errors=True)
        write_atomic(self.folder / "result.json", to_json({"format": FORMAT, **result}))


def _write_decisions(path: Path, decisions: Decisions) -> None:
    buffer = BytesIO()
    np.savez(buffer, **decisions.arrays())  # type: ignore[arg-type]
    write_atomic(path, buffer.getvalue())


def _unfinished(path: Path) -> bool:
    """Whether this is a file that a killed run was about to rename: all it leaves behind if it is killed at once."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def read_decisions(path: Path) -> Decisions:
    """A round of decisions; RunError if the file is not exactly one."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return Decisions(**{name: arrays[name] for name in arrays.files})
    except (
        OSError,
        ValueError,
        TypeError,
        EOFError,
        IndexError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise RunError(f"{path} is damaged; delete it and resume, its games are played again") from error


def read_config(folder: Path) -> Config:
    """The configuration of the run in a folder; RunError if there is none."""
    path = folder / "config.json"
    try:
        return Config.parse(path.read_bytes(), path)
    except OSError as error:
        raise RunError(f"there is no run in {folder} (no config.json); `nashmail train` makes one") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
        if not isinstance(values, dict) or not values:
            raise ValueError("no object")
        return values
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is truncated or was edited; delete it and resume the run") from error


@dataclass(frozen=True)
class Profile:
    """A learned pair of policies, ready to play on the board."""

    name: str
    game: Game
    policies: Seats
    config: Config
    result: dict[str, Any]
    """What the run reported of this learner."""


def load_profile(name: str, *, device: str = "cpu") -> Profile:
    """The policies that ``RUN[:LEARNER]`` names (``mail`` unless said); RunError or PolicyError if there are none."""
    folder, learner = _split(name)
    config = read_config(folder)
    if learner is None:
        learner = "mail" if "mail" in config.learners else config.learners[0]
    if learner not in config.learners:
        raise RunError(f"{folder} has no learner {learner!r}; it has: {', '.join(config.learners)}")
    result = Run(folder, config).result()
    if result is None:
        raise RunError(f"the run in {folder} is not finished; `nashmail train ... --resume` goes on with it")
    saved = [load_policy(folder / "policies" / f"{learner}-{seat}", device=device) for seat in (0, 1)]
    name_of_game = make_game(config.game).spec.name  # a game may be asked for by several words
    for seat, policy in enumerate(saved):
        if policy.game.spec.name != name_of_game or policy.seat != seat:
            raise RunError(f"{folder}/policies/{learner}-{seat} is a policy of another run; restore it")
    policies = (saved[0].policy, saved[1].policy)
    return Profile(name, saved[0].game, policies, config, dict(result.get("learners", {}).get(learner, {})))


def _split(name: str) -> tuple[Path, str | None]:
    """Folder and learner; a folder whose own name has a colon is found first."""
    if len(name) > 4096:
        raise RunError("a run's name is the path of a folder; that one is too long")
    if os.path.exists(Path(name) / "config.json") or ":" not in name:
        return Path(name), None
    folder, _, learner = name.rpartition(":")
    return Path(folder), learner


def same_but_for(config: Config, other: Config) -> list[str]:
    """The fields in which two configurations differ."""
    return [field.name for field in fields(Config) if getattr(config, field.name) != getattr(other, field.name)]
