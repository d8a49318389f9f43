"""The ``nashmail`` command: a subcommand and its arguments. Errors are one line, with exit status 2.

A subcommand is a module of ``mail.commands``, see ``Command``. Only the chosen one is imported, and its heavy imports
happen when it runs, so help is fast.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, cast

from mail.commands.line.usage import (
    CommandParser,
    Parser,
    discard,
    error_text,
    flush,
    nonempty,
    one_line,
    prepare_streams,
    print_error,
)
from mail.parallel import signals

for library in ("OMP", "OPENBLAS", "MKL"):  # before numpy is loaded: two threads change
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # floating-point results, and do not help small matrices

COMMANDS = {
    "games": "the games, their sizes, experts, and what can be measured exactly",
    "learners": "learners, explorers, cloners and experts, and what each may know",
    "train": "learn both seats of a game by imitation",
    "compare": "learners side by side over seeds and budgets: table, figure, CSV; resumable",
    "gap": "the exact Nash gap of learned policies",
    "exploit": "a line of play that beats a learned policy, or a proof that none exists",
    "match": "many games between runs, the expert and others, in both seats",
    "play": "play against a policy in the terminal",
    "replay": "step through a saved game",
    "watch": "follow the progress of a run",
    "plot": "the curves of finished runs in one figure: PNG, SVG, PDF",
    "export": "export learned policies: numpy, ONNX, TorchScript",
}


class Command(Protocol):
    """A module of ``mail.commands``."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what the command takes.

        Args:
            parser: The command's.
        """

    def run(self, args: argparse.Namespace) -> int:
        """Run the command.

        Args:
            args: What was given; ``words`` are those of the command line, ``imports`` the files of ``--import``.

        Returns:
            The exit status.

        Raises:
            NashmailError: What is asked for is wrong or not possible; the message says what to do.
        """


def _module(name: str) -> Command:
    """A command, imported."""
    return cast(Command, importlib.import_module(f"mail.commands.{name}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, with any error as one line.

    Args:
        argv: The words after ``nashmail``; those of this process by default.

    Returns:
        The exit status: 0; 1 where a part failed, or nobody reads what is printed; 2 after an error; 128 plus a
        signal's number.
    """
    prepare_streams()
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    args = parser(words).parse_args(words)
    args.words = words
    return _run(args)


def parser(words: Sequence[str] = ()) -> Parser:
    """The command line; what a command takes is added when it is parsed, or its help is printed.

    Args:
        words: What is going to be parsed: help lists what the files in it register.
    """
    whole = Parser(prog="nashmail", description="Learn games by imitation, and know exactly how exploitable you are.")
    whole.add_argument("--debug", action="store_true", help="show the traceback of an error")
    whole.add_argument("--version", action=_Version, nargs=0, help="show the version")
    whole.add_argument("--import", **_IMPORT, dest="imports", default=[], help=IMPORT_HELP)
    whole.add_argument(
        "--completion", action=_Completion, metavar="SHELL", help="print completions for a shell: bash, zsh, fish, tcsh"
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=CommandParser)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        command.filled_by = partial(_fill, name)
        command.before_lists = partial(_extend_help, command, words)
    return whole


IMPORT_HELP = (
    "run a Python file that registers games, experts, cloners, explorers or learners of your own; may be repeated"
)
_IMPORT: dict[str, Any] = {"action": "append", "metavar": "FILE", "type": nonempty}


def _fill(name: str, command: CommandParser) -> None:
    """Add what a command takes."""
    command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    _module(name).arguments(command)
    command.add_argument("--import", **_IMPORT, dest="later_imports", default=[], help=IMPORT_HELP)


class _Completion(argparse.Action):
    """``--completion SHELL``: a script that completes command lines."""

    def __call__(self, parser: argparse.ArgumentParser, space: object, shell: Any, option: str | None = None) -> None:
        from mail.commands.line.completion import script

        assert isinstance(parser, Parser)
        try:
            print(script(parser, str(shell)))
        except Exception as error:
            parser.exit(2, f"{parser.prog}: {one_line(error_text(error))}\n")
        parser.exit()


class _Version(argparse.Action):
    """``--version``: the installed version, looked up only here because that takes time."""

    def __call__(self, parser: argparse.ArgumentParser, *words: object) -> None:
        from importlib.metadata import version

        print(f"nashmail {version('nashmail')}")
        parser.exit()


def _run(args: argparse.Namespace) -> int:
    """Run the subcommand, with any error as one line."""
    try:
        if sys.stdout is None:  # the next file to be opened would receive what is printed
            raise OSError(errno.EBADF, "standard output is closed")
        command = _module(args.command)
        signals.as_exception()
        _extend(args)
        status = command.run(args)
        flush()
        return status
    except (KeyboardInterrupt, signals.Terminated) as stop:
        status, word = signals.exit_status(stop)
        print_error(f"nashmail {args.command}: {word}{f'; {stop}' if str(stop) else ''}")
        return status
    except BrokenPipeError:
        discard()
        return 1
    except Exception as error:
        if args.debug:
            raise
        with suppress(OSError):  # print what was buffered, unless that is what failed
            flush()
        print_error(f"nashmail {args.command}: {one_line(error_text(error))}")
        return 2


def _extend(args: argparse.Namespace) -> None:
    """Add what installed plugins and the files of ``--import`` register; ``args.imports`` becomes their paths."""
    args.imports = _load(f"nashmail {args.command}", [*args.imports, *args.later_imports])


def _extend_help(command: CommandParser, words: Sequence[str]) -> None:
    """The same before help is printed, which happens while the words are parsed."""
    files = Parser(prog=command.prog, add_help=False)
    files.add_argument("--import", **_IMPORT, dest="imports", default=[])
    try:
        _load(command.prog, files.parse_known_args(words)[0].imports)
    except Exception as error:
        command.exit(2, f"{command.prog}: {one_line(error_text(error))}\n")


def _load(program: str, files: Sequence[str]) -> list[str]:
    """Run installed plugins and files; the files' paths. A plugin that fails is reported on standard error."""
    from mail.commands.line.imports import load, load_installed

    for line in load_installed():
        print_error(f"{program}: {one_line(line)}")
    return load(files)
