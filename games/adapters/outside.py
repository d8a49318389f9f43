"""What other libraries do wrong, in one line: the adapters ask them inside ``answering``.

Whatever they raise becomes a GameError with the game's name and the reason, and what they write on standard error
meanwhile is held back, below Python too: OpenSpiel writes every exception there before it raises it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from games.base import GameError, NashmailError

_LONGEST = 160  # characters of a reason that are passed on


class answering:
    """Inside, the library is asked about the game of this name: GameError where it raises anything at all."""

    def __init__(self, name: str, library: str = "OpenSpiel") -> None:
        self._name, self._library = name, library

    def __enter__(self) -> None:
        _enter()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        _leave()
        if isinstance(error, Exception) and not isinstance(error, NashmailError):
            raise GameError(f"{shown(self._name)} fails in {self._library}: {reason(error)}") from error


_CRYPTIC = {
    "CHECK_TRUE(fd_)": "it cannot open its file",
    "map::at": "a parameter that it needs is missing",
    "game_parameters.cc": "one of its parameters is not a number of the kind it needs",
}
"""What some checks in OpenSpiel's source mean."""


def reason(error: BaseException) -> str:
    """What an exception has to say, see ``worded``."""
    return worded(type(error).__name__, str(error))


def worded(kind: str, said: str) -> str:
    """The first line of what an exception of this kind said, without the place in its library's source."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    if kind == "MemoryError" or "bad_alloc" in first or first.startswith(("vector::", "cannot create std::vector")):
        return "it would need more memory than there is"
    for piece, meaning in _CRYPTIC.items():
        if piece in first:
            return meaning
    if first.startswith("/"):  # path/file.cc:123 what was checked; on the next line, what it came out as
        first = " ".join([first.partition(" ")[2], *(f"({line})" for line in lines[1:2])])
    elif kind in ("KeyError", "IndexError", "AttributeError", "TypeError", "OverflowError"):
        first = f"{kind}: {first}"
    return shown(first.removesuffix(" Available games are:") or kind, _LONGEST)


def shown(text: str, most: int = 80) -> str:
    """Text from outside as part of a message: printable, and no longer than that."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= most else f"{clean[: most - 3]}..."


# --- standard error -------------------------------------------------------------------------------------------

_lock = threading.Lock()
_inside = 0  # of quiet(), in all threads: the first to enter puts standard error away, the last to leave brings it back
_kept = -1  # where standard error led meanwhile
_nowhere = -1


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, nothing reaches the process's standard error (file descriptor 2)."""
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
        except OSError:  # closed, so that there is nothing to hold back
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
