"""Policies that come with the package, as ``pretrained`` among players and ``pretrained:GAME`` among runs.

The first player of Connect Four among them, which is proven to win, is called ``unbeatable``, too.

Each folder is a run of ``nashmail train GAME`` without its decisions and figure: ``config.json`` says how it was made,
``result.json`` what it measures, and the hashes of its files. ``scripts/pretrained.py`` makes them anew.
"""

from __future__ import annotations

from pathlib import Path

WORD = "pretrained"
UNBEATABLE = "unbeatable"
UNBEATABLE_GAME, UNBEATABLE_SEAT = "connect4", 0
"""What it plays."""
_HOME = Path(__file__).parent


def home(game: str) -> Path:
    """The folder of a game's policies, which need not exist.

    Args:
        game: The game's name.
    """
    return _HOME / game.replace(":", "-")


def run(name: str) -> Path:
    """The folder of a run that comes with the package.

    Args:
        name: One for which ``is_run``.
    """
    return home(UNBEATABLE_GAME if name == UNBEATABLE else name.partition(":")[2])


def only_seat(name: str) -> int | None:
    """The only seat that a player has; None if it has both.

    Args:
        name: The player's.
    """
    return UNBEATABLE_SEAT if name == UNBEATABLE else None


def is_run(name: str) -> bool:
    """Whether the name of a run stands for policies of the package.

    Args:
        name: ``RUN``.
    """
    return name == UNBEATABLE or (name.startswith(f"{WORD}:") and name != f"{WORD}:")


def has(game: str) -> bool:
    """Whether there are policies for a game.

    Args:
        game: The game's name.
    """
    return home(game).joinpath("result.json").is_file()


def names() -> list[str]:
    """The names of the folders, in order."""
    return sorted(path.parent.name for path in _HOME.glob("*/result.json"))
