"""The ``nashmail`` command: a subcommand and its arguments. Errors are one line, with exit status 2.

A subcommand is a module of ``mail.commands`` with ``arguments(parser)`` and ``run(args) -> exit status``. Only the
chosen one is imported, and its heavy imports happen when it runs, so help is fast.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from mail.commands.usage import Parser, Words, complain, discard, flush, one_line, reason, settle
from mail.parallel import signals

for library in ("OMP", "OPENBLAS", "MKL"):  # before numpy is loaded: two threads change
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # floating-point results, and do not help small matrices

COMMANDS = {
    "games": "the games, their sizes, experts, and what can be measured exactly",
    "train": "learn both seats of a game by imitation",
    "gap": "the exact Nash gap of learned policies",
    "exploit": "a line of play that beats a learned policy, or a proof that none exists",
    "match": "many games between runs, the expert and others, in both seats",
    "play": "play against a policy in the terminal",
    "replay": "step through a saved game",
    "watch": "follow the progress of a run",
    "export": "export learned policies: numpy, ONNX, TorchScript",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    settle()
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    parser = Parser(prog="nashmail", description="Learn games by imitation, and know exactly how exploitable you are.")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Words)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        if name == chosen:
            command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
            importlib.import_module(f"mail.commands.{name}").arguments(command)
    args = parser.parse_args(words)
    return _run(args)


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
        command = importlib.import_module(f"mail.commands.{args.command}")
        signals.as_exception()
        status = int(command.run(args))
        flush()
        return status
    except (KeyboardInterrupt, signals.Terminated) as stop:
        status, word = signals.stopped(stop)
        complain(f"nashmail {args.command}: {word}{f'; {stop}' if str(stop) else ''}")
        return status
    except BrokenPipeError:
        discard()
        return 1
    except Exception as error:
        if args.debug:
            raise
        with suppress(OSError):  # print what was buffered, unless that is what failed
            flush()
        complain(f"nashmail {args.command}: {one_line(reason(error))}")
        return 2
