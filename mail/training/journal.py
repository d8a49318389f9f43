"""The journal of a run: its rounds of play, shards, clones, measures and progress, in the run's folder.

A killed run resumes by repeating its steps and reads completed ones from here, so no label is queried twice. Files have
check sums that include their run and their place in it, and are refused if they differ (``mail.training.rounds``,
``mail.training.files``).
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from agents.policy import Lifted, lift
from agents.storage.policies import load_policy, save_policy, to_json, write_atomic
from agents.storage.reading import read_bytes
from agents.storage.shapes import count, misfit, number, word
from games.base import Game, NashmailError
from games.progress import announce
from games.registry import make as make_game
from games.symmetry import Quotient, base_of
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.training.config import RunError, StoredConfig
from mail.training.files import METRICS, digest, sealed, unsealed
from mail.training.progress.events import Logged
from mail.training.rounds import read_decisions, write_decisions

_PARTS = ".shards"  # the suffix of the folder of a round's completed shards
_FIT = {"steps": count, "worst": number, "mean_tv": number, "policy": word}


class RunJournal:
    """A ``mail.learners.journal.Journal`` in a run's folder, which also stores measures."""

    def __init__(self, folder: Path, stored: StoredConfig) -> None:
        """Open the journal of a run.

        Args:
            folder: The run's folder.
            stored: Its configuration, which is part of the check sum of every file.
        """
        self.folder, self.stored = folder, stored

    def begin(self) -> None:
        """Before training: remove the shards of completed rounds."""
        for parts in self.folder.glob(f"decisions/*/*{_PARTS}"):
            if parts.with_suffix(".npz").exists():
                shutil.rmtree(parts)

    # --- rounds of play ----------------------------------------------------------------------------------

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
        """The completed rounds, in order.

        Args:
            learner: The learner's name.
            seat: The seat that learned from them.

        Raises:
            RunError: One is damaged or belongs to another run.
        """
        for path in sorted(self._round(learner, seat, 0).parent.glob("*.npz")):
            if (decisions := self._read(path)) is not None:
                yield decisions

    def _read(self, path: Path) -> Decisions | None:
        """A completed round or shard, or None."""
        if not path.exists():
            return None
        return read_decisions(path, self._identity(path), game=None if self.stored.sealed else self._game)

    @cached_property
    def _game(self) -> Game:
        """The game that is learned."""
        game = make_game(self.stored.config.game)
        return Quotient(game) if self.stored.config.symmetry else game

    def _identity(self, path: Path) -> str:
        """What a file's check sum covers in addition to its contents: the run, and the file's place in it."""
        return f"{self.stored.identity}/{path.relative_to(self.folder).as_posix()}"

    def _round(self, learner: str, seat: int, round_: int) -> Path:
        return self.folder / "decisions" / f"{learner}-{seat}" / f"{round_:06d}.npz"

    def _shard(self, learner: str, seat: int, round_: int, shard: int) -> Path:
        return self._round(learner, seat, round_).with_suffix(_PARTS) / f"{shard:06d}.npz"

    # --- progress ----------------------------------------------------------------------------------------

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        finite = {name: value for name, value in values.items() if math.isfinite(value)}  # JSON has no others
        with (self.folder / METRICS).open("a") as file:
            file.write(json.dumps({"learner": learner, "seat": seat, **finite}) + "\n")
        announce(Logged(learner, seat, values))

    # --- clones and measures, until the run is finished --------------------------------------------------

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
        except (NashmailError, TypeError):  # missing, damaged, or of a game that only its program can make
            return None

    def store_fit(self, stage: str, seat: int, game: Game, fit: Fit) -> None:
        path = self._kept(f"{stage}-{seat}")
        save_policy(path, lift(fit.policy, game), game=base_of(game), seat=seat)
        check = digest(read_bytes(path.with_name(f"{path.name}.json")))
        numbers = {"steps": fit.steps, "worst": fit.worst, "mean_tv": fit.mean_tv, "policy": check}
        self._store_kept(path.with_name(f"{path.name}.fit"), numbers)

    def load_values(self, stage: str, seat: int, round_: int) -> dict[str, float]:
        found = self._load_kept(self._kept(f"{stage}-{seat}-{round_}.values"))
        return found if found is not None and all(map(number, found.values())) else {}

    def store_values(self, stage: str, seat: int, round_: int, values: dict[str, float]) -> None:
        self._store_kept(self._kept(f"{stage}-{seat}-{round_}.values"), values)

    def measured(self, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The measures of a learner, computed once, even if the run is killed and resumed.

        Args:
            name: What is measured.
            measure: Computes the measures.
        """
        path = self._kept(f"{name}.measures")
        if self._load_kept(path) is None:
            self._store_kept(path, measure())
        return unsealed(path, self._identity(path))

    def end(self) -> None:
        """After the end of a run: remove what only an unfinished run needs."""
        shutil.rmtree(self.folder / "kept", ignore_errors=True)

    def _load_kept(self, path: Path) -> dict[str, Any] | None:
        """The values this run stored there; None if they are missing or damaged, and must be computed again."""
        try:
            return unsealed(path, self._identity(path))
        except RunError:
            return None

    def _store_kept(self, path: Path, values: dict[str, Any]) -> None:
        write_atomic(path, to_json(sealed(values, self._identity(path))))

    def _kept(self, name: str) -> Path:
        return self.folder / "kept" / name.replace("/", "-")
