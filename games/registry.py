"""Games by name. A name is a registered word, with parameters after a colon where the game takes some:
``tictactoe``, ``tictactoe:4x4:3``, ``connect4``, ``connect4:4x5``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from games.base import Game, GameError
from games.boards import Board

Factory = Callable[[str], Game]
_FACTORIES: dict[str, tuple[Factory, str]] = {}


def register(name: str, factory: Factory, *, summary: str = "") -> None:
    """Make ``make(name)`` and ``make(name + ":" + parameters)`` call ``factory(parameters)``.

    ``factory`` receives the text after the first colon ("" without one) and raises GameError for text it
    cannot use. The game's ``spec.name`` must lead back to it through ``make``. Raises GameError if the name
    is taken or has a colon in it.
    """
    if ":" in name or not name:
        raise GameError(f"a game's name is one word without a colon, not {name!r}")
    if name in _FACTORIES:
        raise GameError(f"there is a game called {name} already")
    _FACTORIES[name] = (factory, summary)


def make(name: str) -> Game:
    """The game of this name; GameError names the games there are when there is none."""
    word, _, parameters = name.partition(":")
    if word not in _FACTORIES:
        raise GameError(f"no game is called {name!r}; the games are: {', '.join(names())}")
    return _FACTORIES[word][0](parameters)


def names() -> list[str]:
    """The registered words."""
    return sorted(_FACTORIES)


def describe(name: str) -> str:
    """The one-line summary a game was registered with."""
    return _FACTORIES[name][1]


def _board(word: str, default: tuple[int, int, int], *, gravity: bool) -> Factory:
    def factory(parameters: str) -> Board:
        rows, columns, k = default
        if parameters:
            match = re.fullmatch(r"(\d+)x(\d+)(?::(\d+))?", parameters)
            if match is None:
                raise GameError(f"{word}:{parameters} is no board; write {word}:ROWSxCOLUMNS or {word}:ROWSxCOLUMNS:K")
            rows, columns = int(match[1]), int(match[2])
            k = int(match[3]) if match[3] else default[2]
        size = f"{rows}x{columns}"
        name = word if (rows, columns, k) == default else f"{word}:{size}" + (f":{k}" if k != default[2] else "")
        return Board(rows, columns, k, gravity=gravity, name=name)

    return factory


register("tictactoe", _board("tictactoe", (3, 3, 3), gravity=False), summary="three in a row on a 3x3 board")
register("connect4", _board("connect4", (6, 7, 4), gravity=True), summary="four in a row, stones fall down a column")
