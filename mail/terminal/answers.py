"""Input in the terminal: lines, words such as ``hint``, and moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from mail.terminal.boards import View

Read = Callable[[], str | None]
"""Returns the next line of input, or None at its end."""
LONGEST_ANSWER = 1000  # characters of a line that are used; the rest is dropped
SHORT_WORDS = {
    "?": "help",
    "h": "hint",
    "u": "undo",
    "s": "swap",
    "r": "resign",
    "a": "analysis",
    "b": "board",
    "q": "quit",
}
WORDS = ("help", "hint", "undo", "swap", "resign", "analysis", "save", "board", "quit", "exit")
WITH_ARGUMENT = ("analysis", "save")


class Lines(Protocol):
    """A binary stream such as ``sys.stdin.buffer``."""

    def readline(self, size: int = -1, /) -> bytes:
        """The next line, with the line break.

        Args:
            size: Most bytes of it; -1 for all.

        Returns:
            Empty at the end of the stream.
        """


def reader(lines: Lines | None) -> Read:
    """Read lines from a binary stream. Undecodable bytes become replacement characters, long lines are cut.

    Args:
        lines: The stream; None is an input that has ended.

    Returns:
        A function that returns one line per call, of at most ``LONGEST_ANSWER`` bytes, and None at the end.
    """

    def read() -> str | None:
        line = lines.readline(LONGEST_ANSWER) if lines else b""
        rest = line
        while lines and rest and not rest.endswith(b"\n"):
            rest = lines.readline(1 << 16)
        return line.decode("utf-8", "replace") if line else None

    return read


def split(answer: str) -> tuple[str, str]:
    """The first word of an answer, in full and in lower case, and the rest.

    Args:
        answer: What was typed.
    """
    word, _, rest = answer.partition(" ")
    return SHORT_WORDS.get(word.lower(), word.lower()), rest.strip()


def is_word(answer: str) -> bool:
    """Whether an answer is one of ``WORDS``, with an argument only where the word takes one.

    Args:
        answer: What was typed.
    """
    word, rest = split(answer)
    return word in WORDS and (not rest or word in WITH_ARGUMENT)


def understand(answer: str, legal: Sequence[int], display: View, actions: int) -> tuple[int | None, str]:
    """The action that an answer names.

    Args:
        answer: What was typed, without white space around it.
        legal: The legal actions.
        display: The game's names of actions.
        actions: The number of actions of the game.

    Returns:
        The action, or None and one line that explains the problem.
    """
    noun = display.noun
    if not answer:
        return None, f"Nothing was typed. Type the number of a {noun}, or ? for help."
    words = [name.lower() for name in display.names]
    if answer.lower() in words:
        action = words.index(answer.lower())
    elif re.fullmatch(r"[0-9]{1,6}", answer):
        action = int(answer) - 1
    else:
        return None, f"{quoted(answer)} is not the number of a {noun}. Type one from the list, or ? for help."
    if not 0 <= action < actions:
        return None, f"There is no {noun} {action + 1}; they count from 1 to {actions}."
    if action not in legal:
        return None, f"{noun.capitalize()} {action + 1} is {display.taken}. Type one from the list."
    return action, ""


def short(answer: str) -> str:
    """An answer of any content as a short printable string.

    Args:
        answer: What was typed.
    """
    return answer if re.fullmatch(r"[ -~]{0,20}", answer) else quoted(answer)


def quoted(answer: str, length: int = 20) -> str:
    """The first ``length`` characters in quotes, in ASCII.

    Args:
        answer: What was typed.
        length: Most characters of it.
    """
    return ascii(answer[:length]) + ("..." if len(answer) > length else "")
