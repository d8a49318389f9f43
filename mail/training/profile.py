"""The policies of a finished run, by name: ``RUN[:LEARNER]``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.policy import Seats
from agents.storage.reading import Unreadable, printable, read_bytes
from games.base import Game
from games.registry import known
from games.registry import make as make_game
from mail.training.config import NAME, Config, RunError, check_imports, folder_of, read_stored_config
from mail.training.files import FILES, digest, read_result


@dataclass(frozen=True)
class Profile:
    """A learned pair of policies of the board."""

    name: str
    game: Game
    policies: Seats
    config: Config
    result: dict[str, Any]
    """The run's report on this learner."""
    expert: dict[str, Any] | None = None
    """The run's measures of its expert, if that is no equilibrium."""


def check_profile(name: str) -> None:
    """Refuse a name that is not a learner of a finished run. Its policies are not loaded, nor is torch.

    Args:
        name: ``RUN[:LEARNER]``.

    Raises:
        RunError: For such a name.
    """
    _described(name)


def finished(name: str) -> dict[str, Any]:
    """The contents of ``result.json`` of a finished run.

    Args:
        name: ``RUN[:LEARNER]``.

    Raises:
        RunError: As for ``check_profile``.
    """
    return _described(name)[3]


def load_profile(name: str, *, device: str = "cpu") -> Profile:
    """Load the policies of a finished run.

    Args:
        name: ``RUN[:LEARNER]``: the run's folder and the learner (default: ``mail``, or else the run's first).
        device: The torch device of networks.

    Raises:
        RunError: There is no such finished run or learner, a file is damaged or of another run, or the run needs a file
            of the user's own that was not imported.
        PolicyError: A policy is damaged.
    """
    config, folder, learner, result = _described(name)
    from agents.storage.policies import load_policy  # slow: it loads torch

    saved = [load_policy(folder / "policies" / f"{learner}-{seat}", device=device) for seat in (0, 1)]
    name_of_game = make_game(config.game).spec.name  # a game may have several names
    for seat, policy in enumerate(saved):
        if policy.game.spec.name != name_of_game or policy.seat != seat:
            raise RunError(f"{printable(folder)}/policies/{learner}-{seat} is a policy of another run; restore it")
    policies = (saved[0].policy, saved[1].policy)
    row, expert = dict(result["learners"].get(learner, {})), result.get("expert")
    return Profile(name, saved[0].game, policies, config, row, expert)


def _described(name: str) -> tuple[Config, Path, str, dict[str, Any]]:
    """The configuration, folder, learner and result of ``RUN[:LEARNER]``. RunError if one of them is wrong."""
    folder, learner = split(name)
    stored = read_stored_config(folder)
    config, where = stored.config, printable(folder)
    if learner is None:
        learner = default_learner(config)
    if learner not in config.learners:
        raise RunError(f"{where} has no learner {learner[:80]!r}; it has: {', '.join(config.learners)}")
    result = read_result(folder, stored)
    if result is None:
        raise RunError(f"the run in {where} is not finished; `nashmail train ... --resume` continues it")
    check_imports(config, folder, registered=known(config.game))
    for seat in (0, 1):  # before the game in a policy's file is made
        about = folder / "policies" / f"{learner}-{seat}.json"
        if not _same(about, result[FILES].get(f"policies/{about.name}")):
            raise RunError(f"{printable(about)} is a policy of another run, or was edited; restore it or train again")
    return config, folder, learner, result


def _same(about: Path, check: str | None) -> bool:
    """Whether a policy's metadata, which has the check sum of its weights, is what the run saved. True for older runs,
    which have no check sums.
    """
    try:
        return check is None or digest(read_bytes(about)) == check
    except Unreadable as error:
        raise RunError(f"{error}; restore it or train again") from error


def default_learner(config: Config) -> str:
    """The learner to use if none is named.

    Args:
        config: The run's configuration.
    """
    return "mail" if "mail" in config.learners else config.learners[0]


def canonical(name: str) -> str:
    """One name for all names of a run's learner: of ``runs/demo`` and ``./runs/demo:mail``, of a link to it, and of
    ``pretrained:GAME`` with its learner and without.

    Args:
        name: ``RUN[:LEARNER]``.

    Raises:
        RunError: As for ``check_profile``.
    """
    _, folder, learner, _ = _described(name)
    return f"{os.path.realpath(folder)}:{learner}"


def split(name: str) -> tuple[Path, str | None]:
    """Folder and learner of a name. A folder whose own name has a colon takes precedence.

    Args:
        name: ``RUN[:LEARNER]``.

    Raises:
        RunError: It is not a path.
    """
    whole = folder_of(name)
    if os.path.exists(whole / NAME) or ":" not in name:
        return whole, None
    folder, _, learner = name.rpartition(":")
    return folder_of(folder), learner
