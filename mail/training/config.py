"""The configuration of a run, ``config.json``, with a strict reader. No heavy import, so that the terminal can use it
too.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from agents import expert as experts
from agents.storage.reading import Unreadable, parse_json, printable, read_bytes
from agents.storage.shapes import word
from games.base import NashmailError
from games.registry import known
from games.registry import make as make_game
from mail import explore, learners
from mail.data.records import GAMES
from mail.training import pretrained
from mail.training.defaults import KNOWLEDGE_LEVELS, check_knowledge_level

FORMAT = 2
"""Since 2 the files of a run carry check sums; folders of format 1 are read without them."""
NAME = "config.json"
_MOST = 1 << 20  # bytes of a configuration
_LONGEST = 4096  # characters of a folder's path
_INTEGERS = 1 << 63


class RunError(NashmailError):
    """A run folder that is missing, invalid, in use, or damaged."""


@dataclass(frozen=True)
class Config:
    """All settings that affect a run's result, and no others. Unknown keys in a file are refused."""

    game: str
    """A name for ``games.make``."""
    learners: tuple[str, ...] = ("mail", "bc")
    """In this order. Those that do not explore get as many labels as the first one that does (``mail*``)."""
    explorer: str = "deep"
    """The explorer of interactive learners."""
    expert: str = "first"
    """How the expert breaks ties among equally good moves."""
    symmetry: bool = False
    """Whether positions that are images of each other are learned, and counted, as one."""
    episodes: int = 1000
    """Most games per seat."""
    seed: int = 0
    """The seed of every random stream, 0 or more."""
    device: str = "cpu"
    """The torch device of networks."""
    labels: int = 0
    """Expert queries per seat for every learner; 0: as long as they bring something new, and BC as many as MAIL."""
    points: int = 8
    """The number of equally spaced budgets at which the figure's curves are measured; the last is the whole budget."""
    from_games: str = ""
    """The check sum of the saved games that the learner ``games`` clones; empty without that learner."""
    knowledge: str = ""
    """What learners may know (``mail.training.defaults.KNOWLEDGE_LEVELS``); empty where only names were given."""
    imports: tuple[str, ...] = ()
    """The absolute paths of the Python files that registered names for this run (``--import``)."""

    def check(self) -> Config:
        """Return itself; RunError for values that are not allowed."""
        if (wrong := self._wrong()) is not None:
            raise RunError(f"{wrong} cannot be {getattr(self, wrong)!r}")
        if not 1 <= self.points <= 10_000:
            raise RunError(f"points must be from 1 to 10,000, not {self.points}")
        if self.episodes < 1:
            raise RunError(f"--episodes must be at least 1, not {self.episodes}")
        if self.labels < 0:
            raise RunError(f"--labels must be 0 or more, not {self.labels}")
        if self.seed < 0:
            raise RunError(f"--seed must be 0 or more, not {self.seed}")
        if max(self.episodes, self.labels) >= _INTEGERS:
            raise RunError("--episodes and --labels must be below 2^63")
        if self.knowledge not in ("", *KNOWLEDGE_LEVELS):
            raise RunError(f"knowledge must be any of {', '.join(KNOWLEDGE_LEVELS)}, not {self.knowledge!r}")
        if not self.learners or len(set(self.learners)) != len(self.learners):
            raise RunError("name at least one learner, and none twice")
        return self

    def _wrong(self) -> str | None:
        """The name of a field whose value has the wrong type, or None."""
        for one in fields(self):
            value: object = getattr(self, one.name)
            if type(value) is not (str if one.name == "game" else type(one.default)):
                return one.name
        texts = {"learners": self.learners, "imports": self.imports}
        return next((name for name, all_ in texts.items() if not all(isinstance(text, str) for text in all_)), None)

    def values(self) -> dict[str, Any]:
        """The contents of ``config.json``. ``imports`` and ``knowledge`` are left out if empty."""
        values = {"format": FORMAT, **asdict(self), "learners": list(self.learners), "imports": list(self.imports)}
        return {key: value for key, value in values.items() if value or key not in ("imports", "knowledge")}


@dataclass(frozen=True)
class StoredConfig:
    """The configuration in a folder, with what identifies the run's other files."""

    config: Config
    format: int
    identity: str = field(repr=False)
    """A hash of the configuration. It is part of the check sums of the run's files."""

    @property
    def sealed(self) -> bool:
        """Whether its files carry check sums."""
        return self.format > 1


def parse_stored_config(values: dict[str, Any], source: Path) -> StoredConfig:
    """Parse the values of a configuration.

    Args:
        values: What the file holds.
        source: The file, for messages.

    Raises:
        RunError: They are invalid.
    """
    path, written, values = printable(source), values, dict(values)
    version = values.pop("format", None)
    if type(version) is not int or version < 1:
        raise RunError(f"{path} is not a run's configuration (format); restore it or train again")
    if version > FORMAT:
        raise RunError(f"{path} has format {version}, newer than {FORMAT}; update nashmail to read it")
    known = {one.name for one in fields(Config)}
    if unknown := set(values) - known:
        raise RunError(f"{path} has unknown keys: {printable(', '.join(sorted(unknown))[:200])}")
    for key in ("learners", "imports"):
        if isinstance(values.get(key), list):
            values[key] = tuple(values[key])
    if {"game", "learners"} - values.keys() or not all(map(_printable, values.values())):
        raise RunError(f"{path} is not a run's configuration; restore it or train again")
    config = Config(**values)
    if (wrong := config._wrong()) is not None:
        raise RunError(f"{path} is not a run's configuration ({wrong}); restore it or train again")
    try:
        config.check()
    except RunError as error:
        raise RunError(f"{path} is not a run's configuration ({error}); restore it or train again") from error
    return StoredConfig(config, version, hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest())


def _printable(value: object) -> bool:
    """Whether all strings in a value, or in a tuple, are printable."""
    parts = value if isinstance(value, tuple) else (value,)
    return all(word(part) for part in parts if isinstance(part, str))


def folder_of(name: str) -> Path:
    """The folder of a name, which need not exist.

    Args:
        name: A path, or ``pretrained:GAME``, or ``unbeatable``.

    Raises:
        RunError: It is not a path.
    """
    if len(name) > _LONGEST:
        raise RunError("a run's name is the path of a folder; that one is too long")
    if not name or "\0" in name:
        raise RunError(f"there is no run in {name[:80]!r}; name the folder of a run, made by `nashmail train`")
    return pretrained.run(name) if pretrained.is_run(name) else Path(name)


def remedy(error: Unreadable, otherwise: str) -> str:
    """The advice for a file that cannot be read. If only the system refuses it, the file itself may be intact.

    Args:
        error: Why it cannot be read.
        otherwise: The advice for a damaged file.
    """
    return "fix that and try again" if isinstance(error.__cause__, OSError) else otherwise


def read_stored_config(folder: Path) -> StoredConfig:
    """Read the configuration in a folder.

    Args:
        folder: The run's.

    Raises:
        RunError: There is none, or it is damaged.
    """
    path = folder / NAME
    try:
        data = read_bytes(path, most=_MOST)
    except Unreadable as error:
        if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
            where = printable(folder)
            raise RunError(f"there is no run in {where} (no config.json); `nashmail train` makes one") from error
        raise RunError(f"{error}; {remedy(error, 'restore it or train again')}") from error
    try:
        values = parse_json(data)
        if not isinstance(values, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise RunError(f"{printable(path)} is not a run's configuration; restore it or train again") from error
    return parse_stored_config(values, path)


def read_config(folder: Path) -> Config:
    """The configuration of the run in a folder.

    Args:
        folder: The run's.

    Raises:
        RunError: There is none, or it is damaged.
    """
    return read_stored_config(folder).config


def same_but_for(config: Config, other: Config) -> list[str]:
    """The fields in which two configurations differ; where imported files lie makes no difference.

    Args:
        config: The one.
        other: The other.
    """
    names = [one.name for one in fields(Config) if one.name != "imports"]
    return [name for name in names if getattr(config, name) != getattr(other, name)]


def heading(result: dict[str, Any]) -> str:
    """What a run's result was made with, as a title: its explorer only if a learner left it to the run.

    Args:
        result: The run's.
    """
    config = result["config"]
    explorer = f"explorer {config['explorer']}, " if learners.share_explorer(result["learners"]) else ""
    symmetry = "on" if result["symmetry"] else "off"
    knowledge = f"knowledge {config['knowledge']}, " if "knowledge" in config else ""
    about = f"{knowledge}expert {config['expert']}, {explorer}symmetry {symmetry}"
    return f"{config['game']}: {about}, seed {result['seed']}"


def check_names(config: Config) -> None:
    """Refuse a game, explorer, expert or learner that does not exist; nothing heavy is imported for it.

    Args:
        config: The configuration.

    Raises:
        NashmailError: A name is unknown, or a learner may know more than the configuration says.
    """
    make_game(config.game)
    explore.check(config.explorer)
    experts.parse(config.expert)
    for name in config.learners:
        if name != GAMES:
            learners.check(name)
    if config.knowledge:
        check_knowledge_level(config.learners, config.explorer, config.knowledge)


def all_registered(config: Config) -> bool:
    """Whether every name in a configuration is registered.

    Args:
        config: The configuration.
    """
    names = set(config.learners) - {GAMES}
    return (
        known(config.game)
        and config.explorer in explore.EXPLORERS
        and experts.known_name(config.expert)
        and all(name in learners.LEARNERS for name in names)
    )


def check_imports(config: Config, folder: Path, *, registered: bool) -> None:
    """Refuse a run that needs files which were not given.

    Args:
        config: The run's configuration.
        folder: The run's folder, for the message.
        registered: Whether its names are registered without them.

    Raises:
        RunError: It needs some; the message names the files it was made with.
    """
    if config.imports and not registered:
        given = " ".join(f"--import {shlex.quote(path)}" for path in config.imports)
        raise RunError(f"the run in {printable(folder)} was made with files of your own; name them: {printable(given)}")
