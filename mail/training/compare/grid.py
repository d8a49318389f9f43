"""The grid of a comparison: what is compared, read strictly from a TOML file or from arguments, and its cells.

A cell is one learner with one explorer, budget and seed; its key is a hash of everything that its result depends on, so
that a result is found again by what it is, not by where it stands in a grid. No heavy import.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from agents.storage.reading import printable
from mail import learners
from mail.learners.base import OF_THE_RUN
from mail.training.config import Config, RunError, check_names

FORMAT = 1
"""Of a cell's file. A change of what cells contain changes their keys."""
_MOST_CELLS = 100_000
_PLACEHOLDER = "counts"  # as a run's explorer, of learners that have none


@dataclass(frozen=True)
class Cell:
    """One learner, with one explorer, budget and seed."""

    game: str
    learner: str
    explorer: str
    """The explorer of the run; empty for a learner that does not use it."""
    budget: int
    """Expert queries per seat; 0: until nothing new comes."""
    seed: int
    expert: str = "first"
    symmetry: bool = False
    episodes: int = 1000

    @property
    def key(self) -> str:
        """16 hexadecimal digits, equal for equal cells."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """What messages call it."""
        with_explorer = f"{self.learner} with {self.explorer}" if self.explorer else self.learner
        return f"{with_explorer}, budget {self.budget}, seed {self.seed}"

    @property
    def config(self) -> Config:
        """The configuration of a run that learns the same."""
        return Config(
            game=self.game,
            learners=(self.learner,),
            explorer=self.explorer or _PLACEHOLDER,
            expert=self.expert,
            symmetry=self.symmetry,
            episodes=self.episodes,
            labels=self.budget,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Grid:
    """What is compared. The cells are all combinations."""

    game: str
    """A name for ``games.make``, with an exact model."""
    learners: tuple[str, ...] = ("mail", "bc")
    explorers: tuple[str, ...] = ("deep",)
    """For learners that use the explorer of a run; others appear once."""
    budgets: tuple[int, ...] = (1000,)
    """Expert queries per seat, the same for every learner; 0: until nothing new comes."""
    seeds: int = 10
    """How many seeds, counted from 0."""
    expert: str = "first"
    """Ties of the expert, for learners without one of their own."""
    symmetry: bool = False
    """Whether positions that are images of each other are learned as one."""
    episodes: int = 1000
    """Most games per seat."""

    def check(self) -> Grid:
        """Return itself; RunError for values that are not allowed and for unknown names. Nothing is learned."""
        for one in fields(self):
            value, default = getattr(self, one.name), getattr(type(self), one.name, "")
            if type(value) is not type(default):
                raise RunError(f"{one.name} cannot be {value!r}")
        kinds = {"learners": str, "explorers": str, "budgets": int}
        for name, kind in kinds.items():
            values = getattr(self, name)
            if not values or len(set(values)) != len(values) or any(type(value) is not kind for value in values):
                raise RunError(f"name at least one of the {name}, and none twice")
        if self.seeds < 1:
            raise RunError(f"--seeds must be at least 1, not {self.seeds}")
        if min(self.budgets) < 0:
            raise RunError(f"--budgets must be 0 or more, not {min(self.budgets)}")
        if self.seeds * len(self.learners) * len(self.explorers) * len(self.budgets) > _MOST_CELLS:
            raise RunError(f"a comparison has at most {_MOST_CELLS:,} cells; name fewer")
        for explorer in self.explorers:
            config = Config(self.game, self.learners, explorer, self.expert, self.symmetry, self.episodes)
            config.check()
            check_names(config)
        return self

    def cells(self) -> list[Cell]:
        """All cells: learner by learner, then by explorer, budget and seed."""
        made = []
        for learner in self.learners:
            used = self.explorers if learners.declared(learner).explorer == OF_THE_RUN else ("",)
            for explorer in used:
                for budget in self.budgets:
                    one = Cell(self.game, learner, explorer, budget, 0, self.expert, self.symmetry, self.episodes)
                    made += [replace(one, seed=seed) for seed in range(self.seeds)]
        return made


def read_grid(path: Path, **given: Any) -> Grid:
    """The grid in a TOML file whose keys are the fields of ``Grid``.

    Args:
        path: The file.
        given: Fields that replace what the file says.

    Raises:
        RunError: The file cannot be read, is no TOML, or has an unknown key or a value of a wrong type.
    """
    where = printable(path)
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        raise RunError(f"{where} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{where} is not TOML: {' '.join(str(error).split())}") from error
    known = [one.name for one in fields(Grid)]
    if unknown := sorted(set(values) - set(known)):
        raise RunError(f"{where} has unknown keys: {printable(', '.join(unknown))}; there are: {', '.join(known)}")
    for name in ("learners", "explorers", "budgets"):
        if isinstance(values.get(name), list):
            values[name] = tuple(values[name])
    merged = {**values, **given}
    if "game" not in merged:
        raise RunError(f'{where} names no game; add game = "tictactoe", or name it on the command line')
    return Grid(**merged).check()
