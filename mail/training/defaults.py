"""What ``nashmail train GAME`` does where no learner, explorer or budget is named: one line for each kind of game.

Two lines, by what a learner may know (``mail.explore.base.KNOWLEDGE``): with ``all``, the rules and payoffs too, which
are the game's and public; with ``play``, what the papers allow, play and labels alone. A command that names a learner,
an explorer, an expert or a budget means what it always has. No heavy import, so that ``nashmail games`` and ``--help``
can take the table from here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KNOWLEDGE_LEVELS = ("all", "play")
"""What learners may know: everything public, or play and labels alone."""


@dataclass(frozen=True)
class Default:
    """One line of the table."""

    learners: tuple[str, ...] = ("mail", "bc")
    explorer: str = "deep"
    expert: str = "first"
    episodes: int | None = None
    """Most games per seat; None for what suits the size (``mail.clone.presets``)."""
    points: int | None = None
    """Points of the learning curves, each of which is measured at all positions; None for the configuration's."""
    symmetry: bool = False
    """Whether positions that are images of each other are learned, and counted, as one."""
    minutes: float | None = None
    """About how long it takes on two idle cores; None where that was not measured."""


_MISTAKES = ("mail-ntuple",), "mistakes"
_WALK = ("mail-walk",), "deep", "uniform"
_DOUBT = ("mail-ntuple",), "doubt"
_PAPER = Default()
_HIDDEN = {
    "all": Default(("mail-respond", "bc-tabular"), "respond"),
    "play": Default(("mail-counts", "bc-tabular"), "counts"),
}
"""Where chance deals or hides something."""
_BY_NAME = {
    ("tictactoe", "all"): Default(*_MISTAKES, minutes=0.1),
    ("tictactoe:3x4", "all"): Default(*_MISTAKES, minutes=0.1),
    ("tictactoe:4x4:4", "all"): Default(*_MISTAKES, points=1, minutes=5.0),
    ("connect4:4x4", "all"): Default(*_MISTAKES, minutes=0.3),
    ("connect4:5x4", "all"): Default(*_WALK, episodes=4000, points=2, minutes=0.3),
    ("connect4:4x5", "all"): Default(*_WALK, episodes=8000, points=1, minutes=0.6),
    ("connect4:5x5", "all"): Default(*_WALK, episodes=60000, points=1, minutes=2.0),
    ("tictactoe", "play"): Default(*_DOUBT, symmetry=True),
    ("connect4:4x4", "play"): Default(*_DOUBT, episodes=20_000, symmetry=True),
}
"""By name and knowledge; every other game with open cards has the paper's learners."""


def default_for(name: str, knowledge: str) -> Default:
    """The line of a game.

    Args:
        name: The name as ``games.make`` takes it; any other word stands for a game with open cards.
        knowledge: One of ``KNOWLEDGE_LEVELS``.

    Raises:
        NashmailError: The game cannot be made.
    """
    if _hides(name):
        return _HIDDEN[knowledge]
    return _BY_NAME.get((name, knowledge), _PAPER)


def has_line(name: str) -> bool:
    """Whether a game has lines of its own, or of its kind.

    Args:
        name: The name as ``games.make`` takes it.

    Raises:
        NashmailError: The game cannot be made.
    """
    return (name, KNOWLEDGE_LEVELS[0]) in _BY_NAME or _hides(name)


def _hides(name: str) -> bool:
    """Whether chance deals or hides something in a game."""
    from games.base import deals
    from games.registry import known, make

    return (name, KNOWLEDGE_LEVELS[0]) not in _BY_NAME and known(name) and deals(make(name))


def check_knowledge_level(learners: tuple[str, ...], explorer: str, knowledge: str) -> None:
    """Refuse a learner that may know too much.

    Args:
        learners: The learners' names.
        explorer: The explorer of those that leave it to the run.
        knowledge: One of ``KNOWLEDGE_LEVELS``.

    Raises:
        NashmailError: A learner may know more than ``knowledge``.
    """
    from games.base import NashmailError
    from mail.data.records import GAMES
    from mail.learners import knowledge as known_by

    for name in learners:
        beyond = set() if name == GAMES else known_by(name, explorer) - {"labels", "expert"}
        if knowledge == "play" and beyond:
            raise NashmailError(
                f"--knowledge play allows play and labels only, but {name} with {explorer} knows "
                f"{', '.join(sorted(beyond))}; name another explorer"
            )


def rows(names: list[str]) -> list[dict[str, Any]]:
    """The lines of some games, as ``nashmail games --json`` prints them.

    Args:
        names: Names as ``games.make`` takes them.
    """
    return [
        {
            "name": name,
            "knowledge": knowledge,
            "own": (name, knowledge) in _BY_NAME or _hides(name),
            **asdict(default_for(name, knowledge)),
        }
        for name in names
        for knowledge in KNOWLEDGE_LEVELS
    ]
