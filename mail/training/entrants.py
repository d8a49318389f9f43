"""Players by name, for every command that takes one: ``expert``, ``random``, ``suboptimal:T``, a table
file (``agents.storage.tables``), ``RUN[:LEARNER]``.

A name is checked, and a run loaded, before anything large is built; who needs the game's model is given it later,
or None, and then asks a solver.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agents.expert import make as make_expert
from agents.policy import Seats, Uniform
from agents.solver import solvable
from agents.suboptimal import WORD, parse, suboptimal
from games.base import Game, GameError, Model, NashmailError
from games.boards import Board
from games.models import arrangements, called, has_model, model_of, own_board
from games.symmetry import board_behind
from mail.evaluation.arena.match import MatchError

NOTICED = 1_000_000  # from so many positions on, a second or more, standard error is told what takes time

Entrant = Callable[[Model | None], Seats]


def entrant(name: str, game: Game) -> Entrant:
    """One player, to be given the game's model (or None) before it plays. NashmailError where there is none."""
    if name == "random":
        return lambda model: (Uniform(), Uniform())
    if name == "expert":
        return lambda model: make_expert("first", _known(model, game, name))
    if name.partition(":")[0] == WORD:
        temperature, random_when_lost = parse(name)
        return lambda model: suboptimal(_known(model, game, name), temperature, random_when_lost=random_when_lost)
    if name.endswith((".csv", ".json")) and os.path.isfile(name):
        from agents.storage.tables import read_table

        if not has_model(board_behind(game) or game):  # reading lists every position
            raise NashmailError(
                f"{game.spec.name} has too many positions for a table; choose a run, random, or a smaller board"
            )
        table = read_table(Path(name), game)
        return lambda model: (table, table)
    if not any(os.path.exists(path) for path in (name, name.rpartition(":")[0])):
        raise NashmailError(
            f"nobody is called {name[:80]!r}; say expert, random, {WORD}:T, a table file, or a run's folder"
        )
    from mail.training.folder import load_profile

    profile = load_profile(name)
    if profile.game.spec.name != game.spec.name:
        raise NashmailError(f"{name} has learned {profile.game.spec.name}, not {game.spec.name}; choose another")
    return lambda model: profile.policies


def asks_the_model(name: str) -> bool:
    """Whether the player of this name is made from the game's model."""
    return name == "expert" or name.partition(":")[0] == WORD


def model_for(game: Game) -> Model | None:
    """The game's model, or None where it has none; on standard error, what takes time."""
    if isinstance(game, Board) and has_model(game) and (most := arrangements(game)) > NOTICED:
        print(f"listing the positions of {game.spec.name}, at most {most:,} ...", file=sys.stderr)
    try:
        return model_of(game)
    except GameError:
        return None


def _known(model: Model | None, game: Game, name: str) -> Model | Game:
    """What such a player is made from: the model, or the game where a solver knows it."""
    if model is not None:
        return model
    if not solvable(game):
        other = own_board(game)
        raise GameError(
            f"{called(game)} cannot be enumerated, which {name} needs; choose random, or a run"
            + (f", or {other}, our own game with the same rules" if other else "")
        )
    return game


def entrants(names: Sequence[str], game: Game) -> dict[str, Entrant]:
    """The players by name, each to be given the game's model (or None) before it plays.

    All names are checked, and runs loaded, before anything large is built. NashmailError where one is wrong.
    """
    if len(names) < 2:
        raise MatchError("a match needs at least two entrants; name a run, expert, random or suboptimal:T")
    known: set[str] = set()
    found: dict[str, Entrant] = {}
    for name in names:
        found[name] = entrant(name, game)
        if (plain := _plain(name)) in known:
            raise MatchError(f"{name[:80]!r} is entered twice; name each entrant once, all meet in both seats anyway")
        known.add(plain)
    return found


def _plain(name: str) -> str:
    """The same text for the same entrant: a temperature as a number, a folder without detours."""
    if name.partition(":")[0] == WORD:
        temperature, random_when_lost = parse(name)
        return f"{WORD}:{temperature + 0.0}:{random_when_lost}"
    return name if name in ("random", "expert") else os.path.realpath(name)
