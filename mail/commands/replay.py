"""``nashmail replay``: a saved game, step by step in a terminal or printed as a whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", metavar="FILE", type=Path, help="a game saved by nashmail play")
    parser.add_argument("--all", action="store_true", help="print all moves without waiting")
    parser.add_argument("--analysis", action="store_true", help="a verdict on every move, if values are known")
    parser.add_argument("--ascii", action="store_true", help="draw with plain characters, whatever the terminal can do")


def run(args: argparse.Namespace) -> int:
    """Print the game. Waits for input after each page if input and output are a terminal."""
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
