"""Errors of other libraries as one line: adapters call them inside ``answering``.

Any exception becomes a GameError with the game's name and the reason. Standard error is silenced meanwhile, at the
level of the file descriptor: OpenSpiel prints every exception there before it raises it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from games.base import GameError, NashmailError

_LONGEST = 160  # characters of a reason that are kept


class answering:
    """A context in which another library is called: any exception becomes a GameError.

    Args:
        name: the game's name, for messages.
        library: the library's.
    """

    def __init__(self, name: str, library: str = "OpenSpiel") -> None:
        self._name, self._library = name, library

    def __enter__(self) -> None:
        _enter()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        _leave()
        if isinstance(error, Exception) and not isinstance(error, NashmailError):
            raise GameError(f"{printable(self._name)} fails in {self._library}: {reason(error)}") from error


_CRYPTIC = {
    "CHECK_TRUE(fd_)": "it cannot open its file",
    "map::at": "a parameter that it needs is missing",
    "game_parameters.cc": "one of its parameters is not a number of the kind it needs",
}
"""The meaning of some failed checks in OpenSpiel's source."""


def reason(error: BaseException) -> str:
    """The message of an exception as one line, see ``worded``.

    Args:
        error: the exception.
    """
    return worded(type(error).__name__, str(error))


def worded(kind: str, said: str) -> str:
    """The first line of an exception's message, without the location in the library's source.

    Args:
        kind: The name of the exception's class.
        said: Its message.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    if kind == "MemoryError" or "bad_alloc" in first or first.startswith(("vector::", "cannot create std::vector")):
        return "it needs more memory than is available"
    for piece, meaning in _CRYPTIC.items():
        if piece in first:
            return meaning
    if first.startswith("/"):  # path/file.cc:123 the failed check; its values follow on the next line
        first = " ".join([first.partition(" ")[2], *(f"({line})" for line in lines[1:2])])
    elif kind in ("KeyError", "IndexError", "AttributeError", "TypeError", "OverflowError"):
        first = f"{kind}: {first}"
    return printable(first.removesuffix(" Available games are:") or kind, _LONGEST)


def printable(text: str, most: int = 80) -> str:
    """Text from outside as part of a message: unprintable characters become ``?``.

    Args:
        text: any text.
        most: characters to which it is cut.
    """
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."


# --- standard error -------------------------------------------------------------------------------------------

_lock = threading.Lock()
_inside = 0  # open contexts in all threads: the first silences standard error, the last restores it
_kept = -1  # a duplicate of the original standard error
_nowhere = -1


@contextmanager
def quiet() -> Iterator[None]:
    """A context in which nothing reaches the process's standard error (file descriptor 2)."""
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _kept, _nowhere
    with _lock:
        _inside += 1
        if _inside > 1:
            return
        try:
            if _nowhere < 0:
                _nowhere = os.open(os.devnull, os.O_WRONLY)
            _kept = os.dup(2)
        except OSError:  # standard error is closed, so there is nothing to silence
            _kept = -1
            return
        os.dup2(_nowhere, 2)


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if _inside == 0 and _kept >= 0:
            os.dup2(_kept, 2)
            os.close(_kept)
