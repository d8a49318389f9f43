"""``nashmail replay``: a saved game, stepped through in a terminal or printed as a whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", type=Path, help="what `save` in nashmail play wrote")
    parser.add_argument("--all", action="store_true", help="print every move without waiting in between")
    parser.add_argument("--analysis", action="store_true", help="a verdict on every move, where values are known")
    parser.add_argument("--ascii", action="store_true", help="draw with plain characters, whatever the terminal can do")


def run(args: argparse.Namespace) -> int:
    """Show the game; waits for answers where input and output are a terminal."""
    from dataclasses import replace

    from rich.console import Console

    from mail.data.records import read
    from mail.terminal.analysis import oracle
    from mail.terminal.answers import reader
    from mail.terminal.boards import look
    from mail.terminal.pages import replayed, turn
    from mail.training.entrants import model_for

    played = read(args.file)
    console = Console(markup=False, highlight=False, emoji=False)
    on = look(console)
    on = replace(on, unicode=on.unicode and not args.ascii)
    knows = oracle(played.game, lambda: model_for(played.game)) if args.analysis else None
    waits = console.is_terminal and sys.stdin is not None and sys.stdin.isatty() and not args.all
    turn(replayed(played, on, knows), console, read=reader(sys.stdin.buffer) if waits else None)
    return 0
