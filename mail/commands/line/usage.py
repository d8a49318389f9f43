"""Command-line parsing in which every error is one line on standard error with exit status 2."""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from mail.terminal.layout import columns, listed, wrapped

LONGEST = 2_000
"""Characters of a message. The middle of a longer one is omitted (a name may be as long as a command line)."""


class _Help(argparse.HelpFormatter):
    """Help whose lines break at spaces only, so that options and paths stay whole."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


class Parser(argparse.ArgumentParser):
    """argparse without the usage text before an error."""

    def _get_formatter(self) -> argparse.HelpFormatter:
        return _Help(prog=self.prog)

    def error(self, message: str) -> NoReturn:
        """Print an error as one line, and leave with exit status 2.

        Args:
            message: What is wrong.
        """
        self.exit(2, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Leave, with a message on standard error that breaks between words.

        Args:
            status: The exit status.
            message: A line with its line break, if there is something to say.
        """
        super().exit(status, f"{broken(message.rstrip())}\n" if message else None)

    def format_help(self) -> str:
        """The help, within the terminal also where argparse does not break a line."""
        return wrapped(super().format_help(), columns())

    def print_help(self, file: Any = None) -> None:
        """Print help, or a line with the reason why it cannot be printed.

        Args:
            file: Where to; standard output by default.
        """
        try:
            print(self.format_help(), end="", file=file, flush=True)
        except BrokenPipeError:
            discard()
            self.exit(1)
        except OSError as error:
            discard()
            self.exit(2, f"{self.prog}: {one_line(error_text(error))}\n")


class CommandParser(Parser):
    """The arguments of a command. Empty ones are refused (an empty path would mean the current directory).

    Args:
        args: As in argparse.
        options: As in argparse.
    """

    filled_by: Callable[[CommandParser], None] | None = None
    """Adds the arguments when they are first needed, so that the help of other commands comes at once."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.lists: list[tuple[str, Callable[[], dict[str, str]]]] = []
        """Headings, and names with a line each, that the help ends with."""
        self.before_lists: Callable[[], object] | None = None
        """Called before the lists are made, which are of registered things."""
        self.register("type", None, nonempty)
        self.register("type", Path, lambda text: Path(nonempty(text)))
        self.register("type", int, _whole)

    def fill(self) -> None:
        """Add the arguments, unless they are there."""
        if self.filled_by is not None:
            fill, self.filled_by = self.filled_by, None
            fill(self)

    def format_help(self) -> str:
        """The help, with the lists at its end, as wide as the terminal."""
        self.fill()
        if self.lists and self.before_lists is not None:
            self.before_lists()
        lists = [f"\n{heading}:\n{listed(entries(), columns())}" for heading, entries in self.lists]
        return super().format_help() + "".join(lists)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse, but refuse ``--option=--``, whose value argparse ignores.

        Args:
            args: The words; those of this process by default.
            namespace: Where values go; a new one by default.

        Returns:
            The namespace, and the words that were not understood.
        """
        self.fill()
        for word in args or ():
            if word.startswith("--") and word.endswith("=--"):
                self.error(f"argument {word[:-3]}: '--' is not a value")
        return super().parse_known_args(args, namespace)


def say(*lines: str) -> None:
    """Print lines, the long ones wrapped.

    Args:
        lines: Lines of any length.
    """
    print(wrapped("\n".join(lines) + "\n", columns(), hang=""), end="")


def nonempty(text: str) -> str:
    """A text, as argparse reads it, that is not empty.

    Args:
        text: What was typed.

    Raises:
        ArgumentTypeError: It is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("this may not be empty")
    return text


def _whole(text: str) -> int:
    """An integer of ASCII digits. Python's own parser accepts underscores, spaces, and the digits of any script."""
    if not re.fullmatch("-?[0-9]{1,100}", text):
        raise argparse.ArgumentTypeError(f"invalid int value: {text!r}")
    return int(text)


def one_line(message: object) -> str:
    """A message as one line that is safe to print, at most ``LONGEST`` characters.

    Args:
        message: Of any length and content.
    """
    from agents.storage.reading import printable

    line = printable(" ".join(str(message).split()))
    half = LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} ... {line[-half:]}"


def error_text(error: BaseException) -> str:
    """The message of an error for the user. ``one_line`` makes it printable.

    Args:
        error: Any exception.
    """
    from games.base import NashmailError

    if isinstance(error, NashmailError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory ({error}); choose something smaller" if str(error) else "not enough memory"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}; fix that and try again"
    if isinstance(error, RecursionError):
        return "this is nested too deeply to be read or computed"
    return f"unexpected error: {type(error).__name__}: {error}; --debug shows where"


# --- the environment -------------------------------------------------------------------------------------


def prepare_streams() -> None:
    """Prepare the environment for output: closed streams, limited encodings, invalid terminal sizes.

    With a terminal size of 0 or an invalid one rich prints nothing or fails, so the variables are removed and the
    terminal is queried. The null device replaces closed streams; otherwise the next file to be opened would get their
    descriptor. A closed standard output is an error in ``mail.commands.cli``.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for name in ("COLUMNS", "LINES"):
        if not re.fullmatch("[1-9][0-9]{0,3}", os.environ.get(name, "80")):
            del os.environ[name]


def print_error(line: str) -> None:
    """Print a line on standard error, if possible.

    Args:
        line: Without a line break at its end.
    """
    with suppress(OSError):
        print(broken(line), file=sys.stderr)


def broken(line: str) -> str:
    """A message for standard error: one line, but broken between words where a terminal would break it anywhere.

    Args:
        line: The message.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return line
    return wrapped(line, shutil.get_terminal_size().columns, hang="").removesuffix("\n")


def flush() -> None:
    """Flush standard output. If that fails, discard the rest and raise OSError."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        discard()
        raise


def discard() -> None:
    """Discard what could not be printed. Otherwise Python tries again at exit and prints its own message."""
    with suppress(OSError, ValueError):  # not a system stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
