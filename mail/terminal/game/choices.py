"""What there is to choose before a game: the game, the opponent, the seat.

Opponents are words that ``mail.training.entrants`` understands; runs and tables are those of the current folder. Easy,
medium and hard are ``suboptimal:T``: players that err on purpose, less and less.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from agents.solver import installed, solvable
from games.base import Game, NashmailError
from games.models import has_model
from games.registry import GAMES, make, names
from mail.training import pretrained
from mail.training.config import read_config

BOARDS = ("tictactoe", "tictactoe:4x4:4", "connect4:4x4", "connect4:4x5", "connect4")
"""The boards that are offered first, small ones before large ones."""
LEVELS = {"easy": 4, "medium": 1, "hard": 0.25}
"""Temperatures; scores of wins and losses count 1 and more."""
MOST = 12  # runs that are offered, the newest first
HUMAN = "human"


@dataclass(frozen=True)
class Choice:
    """One entry of a list."""

    word: str
    """What is chosen, as on the command line."""
    about: str
    """A few words about it."""


def games() -> list[Choice]:
    """The games."""
    listed = [*BOARDS, *(name for name in names() if name not in BOARDS)]
    return [Choice(name, _about_game(name)) for name in listed]


def _about_game(name: str) -> str:
    word, _, size = name.partition(":")
    if not size:
        return GAMES.about(word).summary
    spec = make(name).spec
    fall = ", stones fall down a column" if spec.display.layout == "columns" else ""
    return f"{spec.in_a_row} in a row on {size.split(':')[0]}{fall}"


def opponents(game: Game, folder: Path = Path("runs")) -> list[Choice]:
    """The opponents that this game has.

    Args:
        game: The game.
        folder: Where runs are looked for.
    """
    solved = solvable(game) and installed()
    exact = has_model(game)
    found = []
    if exact or solved:
        found.append(Choice("expert", "plays an equilibrium" if not game.spec.win_loss else "cannot be beaten"))
    if game.spec.win_loss and (exact or solved):
        found += [Choice(f"suboptimal:{level:g}", name) for name, level in reversed(LEVELS.items())]
    if game.spec.name == pretrained.UNBEATABLE_GAME and pretrained.has(game.spec.name):
        found.append(Choice(pretrained.UNBEATABLE, "learned, moves first, and is proven to win"))
    elif pretrained.has(game.spec.name):
        found.append(Choice(pretrained.WORD, "learned, and comes with the package"))
    found += [Choice(name, "learned") for name in runs(game, folder)]
    if exact:
        found += [Choice(path, "a table") for path in sorted(os.listdir()) if path.endswith(".csv")][:MOST]
    return [*found, Choice("random", "moves at random"), Choice(HUMAN, "you play both seats")]


def runs(game: Game, folder: Path) -> list[str]:
    """The finished runs of this game in a folder, each learner by itself, the newest run first.

    Args:
        game: The game.
        folder: Of runs.
    """
    try:
        homes = [path for path in folder.iterdir() if (path / "result.json").is_file()]
    except OSError:
        return []
    found: list[str] = []
    for home in sorted(homes, key=lambda path: path.stat().st_mtime, reverse=True)[:MOST]:
        try:
            config = read_config(home)
        except NashmailError:
            continue
        if config.game == game.spec.name:
            found += [f"{home}:{learner}" for learner in config.learners]
    return found[:MOST]


def seats(game: Game, against: str) -> list[Choice]:
    """The seats that an opponent leaves to the human.

    Args:
        game: The game.
        against: The opponent.
    """
    marks = game.spec.display.marks
    turn = (", moves first", ", moves second") if game.spec.win_loss else ("", "")
    both = [Choice("0", f"{marks[0]}{turn[0]}"), Choice("1", f"{marks[1]}{turn[1]}")]
    taken = pretrained.only_seat(against)
    return [choice for choice in both if choice.word != str(taken)]
