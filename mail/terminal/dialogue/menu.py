"""Lists to choose from, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from games.base import Game
from mail.terminal.answers import Read, quoted
from mail.terminal.game.choices import HUMAN, Choice, games, opponents, seats
from mail.terminal.layout import wrapped
from mail.terminal.screen import Screen

PATIENCE = 10  # answers that are none of a list's, after which the choice is given up
_LEAVE = ("", "q", "quit", "exit")


def choose_game(make: Callable[[str], Game], read: Read, screen: Screen) -> tuple[str, str, str] | None:
    """The game, the opponent and the seat that the human chooses.

    Args:
        make: Makes a game of its name.
        read: The next line of input.
        screen: For output.

    Returns:
        The three words; None if the human leaves.
    """
    name = choose("Which game?", games(), read, screen)
    chosen = None if name is None else choose_opponent(make(name), read, screen)
    return None if name is None or chosen is None else (name, *chosen)


def choose_opponent(game: Game, read: Read, screen: Screen) -> tuple[str, str] | None:
    """The opponent and the seat that the human chooses.

    Args:
        game: The game.
        read: The next line of input.
        screen: For output.

    Returns:
        Both words; None if the human leaves.
    """
    against = choose(f"{game.spec.name}: against whom?", opponents(game), read, screen)
    if against is None or against == HUMAN:
        return None if against is None else (against, "both")
    listed = seats(game, against)
    seat = choose(f"{game.spec.name} against {against}: which seat?", listed, read, screen)
    return None if seat is None else (against, seat)


def choose(title: str, choices: Sequence[Choice], read: Read, screen: Screen) -> str | None:
    """One entry of a list, by its number or its word.

    Args:
        title: The question.
        choices: The entries.
        read: The next line of input.
        screen: For output.

    Returns:
        The entry's word; None if the human leaves, the input ends, or ``PATIENCE`` answers are none.
    """
    width = max(len(choice.word) for choice in choices)
    screen.say(title)
    for number, choice in enumerate(choices, start=1):
        line = f"{number:3}  {choice.word.ljust(width)}  {choice.about}".rstrip()
        screen.say(wrapped(line, screen.canvas().width, hang=" " * min(width + 7, 12)).rstrip("\n"))
    for _ in range(PATIENCE):
        screen.say(f"Type a number from 1 to {len(choices)}, or Enter to leave: ", end="")
        answer = read()
        answer = "" if answer is None else answer.strip()
        if answer.lower() in _LEAVE:
            return None
        if re.fullmatch("[0-9]{1,6}", answer) and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1].word
        if (word := next((one.word for one in choices if one.word == answer), None)) is not None:
            return word
        screen.say(f"{quoted(answer)} is none of them.")
    return None
