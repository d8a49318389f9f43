"""Saving a game while it is played: after every ply, with a message if that fails."""

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
        record: Returns the record of the game so far.
        path: The file; None until ``begin`` names one.
    """

    def __init__(self, record: Callable[[], Record], path: Path | None) -> None:
        self.record, self.path = record, path

    def save(self) -> None:
        """Write the game, if a file is set.

        Raises:
            OSError: The file cannot be written.
        """
        if self.path is not None:
            write(self.path, self.record())

    def begin(self, name: str) -> str:
        """Start to save under this name, or an unused one if it is empty. Existing files are not overwritten.

        Args:
            name: The file's name; empty for a new one after the game's.

        Returns:
            One line with the file's name, or with the reason why it cannot be written.
        """
        path = Path(name) if name else _unused(self.record().game)
        before, self.path = self.path, path
        try:
            if path.exists() and path != before:
                self.path = before
                return f"{quoted(str(path), 60)} already exists; choose another name."
            self.save()
        except (OSError, ValueError) as error:
            self.path = before
            return f"Cannot write {quoted(str(path), 60)}: {_reason(error)}; choose another name."
        return f"Saved to {printable(path)}, now and after every further move."

    def go_on(self) -> str | None:
        """Write the game so far. On failure, return one line that says so and stop saving."""
        try:
            self.save()
        except OSError as error:
            path, self.path = self.path, None
            return f"Cannot write {quoted(str(path), 60)}: {_reason(error)}; the game continues without saving."
        return None


def write(path: Path, record: Record) -> None:
    """Write a record atomically.

    Args:
        path: The file.
        record: The game.
    """
    write_atomic(path, record.text().encode())


def _reason(error: OSError | ValueError) -> str:
    """Why a file could not be written."""
    return error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"


def _unused(game: str) -> Path:
    """The first unused file name for a record in the current directory."""
    word = re.sub(r"[^a-z0-9]+", "-", game.lower()).strip("-")
    number = 1
    while (path := Path(f"{word}-{number}.txt")).exists():
        number += 1
    return path
