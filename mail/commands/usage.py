"""Command lines whose errors are one line on standard error, and exit status 2, whatever was given to them."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LONGEST = 2_000
"""Characters of a message; the middle of a longer one (a name may be as long as a command line) is left out."""


class Parser(argparse.ArgumentParser):
    """argparse, without the usage text in front of an error."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")

    def print_help(self, file: Any = None) -> None:
        """Help, or a line about why it could not be printed."""
        try:
            print(self.format_help(), end="", file=file, flush=True)
        except BrokenPipeError:
            discard()
            self.exit(1)
        except OSError as error:
            discard()
            self.exit(2, f"{self.prog}: {one_line(reason(error))}\n")


class Words(Parser):
    """The arguments of a command, none of which means anything when it is empty (as a path, it would mean here)."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.register("type", None, _filled)
        self.register("type", Path, lambda text: Path(_filled(text)))
        self.register("type", int, _whole)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it, which would take the value of ``--option=--`` for none at all."""
        for word in args or ():
            if word.startswith("--") and word.endswith("=--"):
                self.error(f"argument {word[:-3]}: '--' is no value")
        return super().parse_known_args(args, namespace)


def _filled(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("this may not be empty")
    return text


def _whole(text: str) -> int:
    """An integer in digits alone: Python's own reading takes underscores, spaces, and the digits of any script."""
    if not re.fullmatch("-?[0-9]{1,100}", text):
        raise argparse.ArgumentTypeError(f"invalid int value: {text!r}")
    return int(text)


def one_line(message: object) -> str:
    """A message as one line that is safe to print, not longer than ``LONGEST``."""
    from agents.storage.reading import printable

    line = printable(" ".join(str(message).split()))
    half = LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} ... {line[-half:]}"


def reason(error: BaseException) -> str:
    """What an error comes to for whoever gave the command; ``one_line`` makes it printable."""
    from games.base import NashmailError

    if isinstance(error, NashmailError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory ({error}); choose something smaller" if str(error) else "not enough memory"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}; put that right and try again"
    if isinstance(error, RecursionError):
        return "this is nested too deeply to be read or computed"
    return f"this failed in a way nobody foresaw: {type(error).__name__}: {error}; --debug shows where"


# --- the surroundings ------------------------------------------------------------------------------------


def settle() -> None:
    """Make the surroundings fit to print in: closed streams, encodings that lack a character, sizes that are none.

    A terminal's size that is 0, or no number, makes rich print nothing or fail; without it the terminal is asked. In
    place of a closed stream (but for standard output, which ``mail.commands.cli`` refuses to do without) comes the null
    device: else ``print`` takes another one, and the next file that is opened takes its number.
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


def complain(line: str) -> None:
    """A line on standard error, where that can be written."""
    with suppress(OSError):
        print(line, file=sys.stderr)


def flush() -> None:
    """Write what was printed. OSError where that fails, after which nothing more is tried to be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        discard()
        raise


def discard() -> None:
    """Let what could not be printed go, or Python tries again when it ends, and complains in its own words."""
    with suppress(OSError, ValueError):  # no stream of the system's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
