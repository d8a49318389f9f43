"""Games by name. A name is a registered word, with parameters after a colon where the game takes some:
``tictactoe``, ``tictactoe:4x4:3``, ``connect4``, ``connect4:4x5``, ``leduc``, ``kuhn:13``, ``gridworld:3x3``,
``linear:100,5``. The words ``openspiel``, ``simultaneous`` and ``pettingzoo`` adapt other libraries' games:
``openspiel:hex(board_size=3)``, ``simultaneous:goofspiel(num_cards=3,imp_info=False)`` (of OpenSpiel too),
``pettingzoo:tictactoe``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from games.adapters.openspiel import OpenSpielGame, load, open_information
from games.adapters.openspiel_hidden import HiddenOpenSpielGame
from games.adapters.openspiel_markov import from_openspiel
from games.adapters.outside import printable
from games.adapters.pettingzoo import classic
from games.base import Game, GameError, NashmailError
from games.boards import Board
from games.cards import poker
from games.markov import chain, gridworld, linear_games, shifted
from games.registered import Declaration, Registry

Factory = Callable[[str], Game]


@dataclass(frozen=True)
class GameDeclaration(Declaration):
    """What is declared of a game."""

    adapter: bool = False
    """Whether the word is a game only with parameters, as for other libraries."""


GAMES: Registry[Factory, GameDeclaration] = Registry(
    "game", error=GameError, rule="[^:]+", rule_said="one word without a colon"
)


def register(name: str, factory: Factory | str, *, summary: str = "", adapter: bool = False) -> None:
    """Register a game, so that ``make(name)`` and ``make(name + ":" + parameters)`` call ``factory(parameters)``.

    Args:
        name: One word without a colon.
        factory: Receives the text after the first colon ("" without one). Raises GameError for text it cannot use.
            ``make(game.spec.name)`` must return an equal game.
        summary: One line for lists of games.
        adapter: Whether the word is a game only with parameters, as for other libraries. ``names`` omits such words.

    Raises:
        GameError: The name is taken or has a colon in it.
    """
    GAMES.add(name, factory, GameDeclaration(summary, adapter=adapter))


def make(name: str) -> Game:
    """The game of this name.

    Args:
        name: a registered word, with parameters after a colon where the game takes some.

    Raises:
        GameError: No game has this name (the message lists the known ones), its parameters cannot be used, or its
            factory fails.
    """
    word, _, parameters = name.partition(":")
    if word not in GAMES:
        listed = [*names(), *(f"{other}:NAME" for other in GAMES.names() if GAMES.about(other).adapter)]
        raise GameError(
            f"no game is called {printable(name)!r}; the games are: {', '.join(listed)}. A game of your own comes with "
            "the Python file that registers it: --import FILE, or import it in a program"
        )
    try:
        return GAMES.find(word)(parameters)
    except MemoryError as error:
        raise GameError(f"{printable(name)} needs more memory than is available; choose a smaller size") from error
    except NashmailError:
        raise
    except Exception as error:
        raise GameError(
            f"{printable(name)}: its factory raises {type(error).__name__}: {printable(str(error), 300)}; it gets the "
            "text after the colon of a name, nothing for the bare word, and raises GameError for text it cannot use"
        ) from error


def known(name: str) -> bool:
    """Whether the word before the colon is registered.

    Args:
        name: a game's name.
    """
    return name.partition(":")[0] in GAMES


def names() -> list[str]:
    """The registered words that are games by themselves."""
    return [name for name in GAMES.names() if not GAMES.about(name).adapter]


def describe(name: str) -> str:
    """The one-line summary that a game was registered with.

    Args:
        name: a registered word.

    Raises:
        GameError: no game has this name.
    """
    return GAMES.about(name).summary


def _openspiel(text: str) -> Game:
    rules = load(text)
    return (OpenSpielGame if open_information(rules) else HiddenOpenSpielGame)(text, rules=rules)


def _board(word: str, default: tuple[int, int, int], *, gravity: bool) -> Factory:
    def factory(parameters: str) -> Board:
        rows, columns, k = default
        if parameters:
            match = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})(?::([0-9]{1,4}))?", parameters)
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
register("kuhn", poker.kuhn, summary="Kuhn poker: three cards, one bet")
register("leduc", poker.leduc, summary="Leduc poker: six cards, a public one, two rounds of bets")
register("gridworld", gridworld.named, summary="two players race to a goal, or block each other, on a grid")
register("chain", chain.named_chain, summary="the chain of despair: states after a mistake that the experts never make")
register("unseen", chain.named_unseen, summary="a state that the experts never visit: infinite concentrability")
register("shifted", shifted.named, summary="states that the experts never visit, in features that they visit a little")
register("rps", chain.named_rps, summary="repeated rock, paper, scissors; the last winning action counts double")
register("linear", linear_games.named, summary="a random game linear in known features, one seat moving at a time")
register("linear-joint", linear_games.named_joint, summary="a random game linear in features of both seats' actions")
register("openspiel", _openspiel, summary="a two-player game of OpenSpiel, by its name there", adapter=True)
register("pettingzoo", classic, summary="a two-player board game of PettingZoo, by its name there", adapter=True)
register("simultaneous", from_openspiel, summary="a simultaneous game of OpenSpiel, by its name there", adapter=True)
