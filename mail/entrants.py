"""Players by name, for every command that takes one: ``expert``, ``random``, ``suboptimal:T``, a table
file (``agents.table_files``), ``RUN[:LEARNER]``.

A name is checked, and a run loaded, before anything large is built; who needs the game's graph is given it later.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from agents.expert import make as make_expert
from agents.policy import Seats, Uniform
from agents.suboptimal import WORD, suboptimal, temperature_of
from games.base import Enumerable, Game, GameError, NashmailError
from games.boards import Board
from games.graph import GameGraph
from mail.commands.games import arrangements, enumerable

NOTICED = 1_000_000  # from so many positions on, a second or more, standard error is told what takes time

Entrant = Callable[[GameGraph | None], Seats]


def entrant(name: str, game: Game) -> Entrant:
    """One player, to be given the game's graph (or None) before it plays. NashmailError where there is none."""
    if name == "random":
        return lambda graph: (Uniform(), Uniform())
    if name == "expert":
        return lambda graph: make_expert("first", _needed(graph, game, name))
    if name.partition(":")[0] == WORD:
        temperature = temperature_of(name)
        return lambda graph: suboptimal(_needed(graph, game, name), temperature)
    if name.endswith((".csv", ".json")) and os.path.isfile(name):
        from agents.table_files import read_table

        table = read_table(Path(name), game)
        return lambda graph: (table, table)
    if not any(os.path.exists(path) for path in (name, name.rpartition(":")[0])):
        raise NashmailError(
            f"nobody is called {name[:80]!r}; say expert, random, {WORD}:T, a table file, or a run's folder"
        )
    from mail.runs import load_profile

    profile = load_profile(name)
    if profile.game.spec.name != game.spec.name:
        raise NashmailError(f"{name} has learned {profile.game.spec.name}, not {game.spec.name}; choose another")
    return lambda graph: profile.policies


def asks_the_graph(name: str) -> bool:
    """Whether the player of this name is made from the game's graph."""
    return name == "expert" or name.partition(":")[0] == WORD


def graph_of(game: Game) -> GameGraph | None:
    """The game's graph, or None where it has none; on standard error, what takes time."""
    if not isinstance(game, Enumerable) or not enumerable(game):
        return None
    if isinstance(game, Board) and (most := arrangements(game)) > NOTICED:
        print(f"listing the positions of {game.spec.name}, at most {most:,} ...", file=sys.stderr)
    try:
        return GameGraph(game)
    except GameError:
        return None


def _needed(graph: GameGraph | None, game: Game, name: str) -> GameGraph:
    if graph is None:
        raise GameError(f"{game.spec.name} cannot be enumerated, which {name} needs; choose random, or a run")
    return graph
