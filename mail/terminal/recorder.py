"""Saving a game while it is played: where to, after every ply, and what is said when that fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from agents.storage.atomic import write_atomic
from agents.storage.reading import printable
from mail.data.records import Record
from mail.terminal.answers import quoted


class Recorder:
    """Keeps one file equal to the game so far.

    Args:
        record: Gives the game as it stands.
        path: Where it is written; None until ``begin`` names a file.
    """

    def __init__(self, record: Callable[[], Record], path: Path | None) -> None:
        self.record, self.path = record, path

    def save(self) -> None:
        """Write the game, if it is to be written.

        Raises:
            OSError: The file cannot be written.
        """
        if self.path is not None:
            write(self.path, self.record())

    def begin(self, name: str) -> str:
        """Begin to write under this name, or an unused one if it is empty; other files are left alone.

        Returns:
            One line that says where the game is written, or why it is not.
        """
        path = Path(name) if name else _unused(self.record().game)
        before, self.path = self.path, path
        try:
            if path.exists() and path != before:
                self.path = before
                return f"{quoted(str(path), 60)} is there already; choose another name."
            self.save()
        except (OSError, ValueError) as error:
            self.path = before
            return f"Cannot write {quoted(str(path), 60)}: {_reason(error)}; choose another name."
        return f"Written to {printable(path)}, as is every further move."

    def go_on(self) -> str | None:
        """Write what has changed; where that fails, one line that says so, and nothing is written any more."""
        try:
            self.save()
        except OSError as error:
            path, self.path = self.path, None
            return f"Cannot write {quoted(str(path), 60)}: {_reason(error)}; the game goes on and is not saved."
        return None


def write(path: Path, record: Record) -> None:
    """Write a record, whole or not at all."""
    write_atomic(path, record.text().encode())


def _reason(error: OSError | ValueError) -> str:
    """Why a file could not be written."""
    return error.strerror if isinstance(error, OSError) and error.strerror else "no such name can be used"


def _unused(game: str) -> Path:
    """The first unused name for a record in the current folder."""
    word = re.sub(r"[^a-z0-9]+", "-", game.lower()).strip("-")
    number = 1
    while (path := Path(f"{word}-{number}.txt")).exists():
        number += 1
    return path
