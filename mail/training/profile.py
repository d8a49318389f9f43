"""What a finished run has learned, by name: ``RUN[:LEARNER]``, a pair of policies that play on the board."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.policy import Seats
from agents.storage.policies import load_policy
from agents.storage.reading import Unreadable, printable, read_bytes
from games.base import Game
from games.registry import make as make_game
from mail.training.config import NAME, Config, RunError, folder_of, read_begun
from mail.training.files import FILES, digest, read_result


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
    folder, learner = split(name)
    begun = read_begun(folder)
    config, shown = begun.config, printable(folder)
    if learner is None:
        learner = default_learner(config)
    if learner not in config.learners:
        raise RunError(f"{shown} has no learner {learner[:80]!r}; it has: {', '.join(config.learners)}")
    result = read_result(folder, begun)
    if result is None:
        raise RunError(f"the run in {shown} is not finished; `nashmail train ... --resume` goes on with it")
    for seat in (0, 1):  # before what a policy says of its game is believed
        about = folder / "policies" / f"{learner}-{seat}.json"
        if not _same(about, result[FILES].get(f"policies/{about.name}")):
            raise RunError(f"{printable(about)} is a policy of another run, or was edited; restore it or train again")
    saved = [load_policy(folder / "policies" / f"{learner}-{seat}", device=device) for seat in (0, 1)]
    name_of_game = make_game(config.game).spec.name  # a game may be asked for by several words
    for seat, policy in enumerate(saved):
        if policy.game.spec.name != name_of_game or policy.seat != seat:
            raise RunError(f"{shown}/policies/{learner}-{seat} is a policy of another run; restore it")
    policies = (saved[0].policy, saved[1].policy)
    return Profile(name, saved[0].game, policies, config, dict(result["learners"].get(learner, {})))


def _same(about: Path, check: str | None) -> bool:
    """Whether a policy is the one that the run saved, by its description, which names the numbers by check sum; older
    runs do not say.
    """
    try:
        return check is None or digest(read_bytes(about)) == check
    except Unreadable as error:
        raise RunError(f"{error}; restore it or train again") from error


def default_learner(config: Config) -> str:
    """The learner of a run that is meant where none is named."""
    return "mail" if "mail" in config.learners else config.learners[0]


def split(name: str) -> tuple[Path, str | None]:
    """Folder and learner; a folder whose own name has a colon is found first. RunError for a name of no folder."""
    whole = folder_of(name)
    if os.path.exists(whole / NAME) or ":" not in name:
        return whole, None
    folder, _, learner = name.rpartition(":")
    return folder_of(folder), learner
