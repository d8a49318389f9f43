"""Policies that come with the package, as ``pretrained`` among players and ``pretrained:GAME`` among runs.

Each folder is a run of ``nashmail train GAME`` without its decisions and figure: ``config.json`` says how it was made,
``result.json`` what it measures, and the hashes of its files. ``scripts/pretrained.py`` makes them anew.
"""

from __future__ import annotations

from pathlib import Path

WORD = "pretrained"
_HOME = Path(__file__).parent


def home(game: str) -> Path:
    """The folder of a game's policies, which need not exist.

    Args:
        game: The game's name.
    """
    return _HOME / game.replace(":", "-")


def is_run(name: str) -> bool:
    """Whether the name of a run stands for policies of the package.

    Args:
        name: ``RUN[:LEARNER]``.
    """
    return name.startswith(f"{WORD}:") and name != f"{WORD}:"


def has(game: str) -> bool:
    """Whether there are policies for a game.

    Args:
        game: The game's name.
    """
    return home(game).joinpath("result.json").is_file()


def names() -> list[str]:
    """The names of the folders, in order."""
    return sorted(path.parent.name for path in _HOME.glob("*/result.json"))
