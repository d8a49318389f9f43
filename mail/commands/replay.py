"""``nashmail replay``: a saved game, step by step in a terminal or printed as a whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mail.data.records import Played


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        type=Path,
        help="a game saved by nashmail play, a ConnectX replay of Kaggle (JSON), or, with --game, a list of moves; "
        "- is standard input",
    )
    parser.add_argument("--moves", metavar="MOVES", help="instead of a file: moves such as 4455; needs --game")
    parser.add_argument("--game", metavar="GAME", help="the game of moves; files of another game are refused")
    parser.add_argument("--number", type=int, default=1, metavar="N", help="which game of a list (default: 1)")
    parser.add_argument("--all", action="store_true", help="print all moves without waiting")
    parser.add_argument("--analysis", action="store_true", help="a verdict on every move, if values are known")
    parser.add_argument("--ascii", action="store_true", help="draw with plain characters, whatever the terminal can do")


def run(args: argparse.Namespace) -> int:
    """Print the game. Waits for input after each page if input and output are a terminal."""
    from dataclasses import replace

    from rich.console import Console

    from mail.terminal.analysis import oracle
    from mail.terminal.answers import reader
    from mail.terminal.boards import canvas_of
    from mail.terminal.pages import replayed, turn
    from mail.training.entrants import model_for

    played = _played(args)
    console = Console(markup=False, highlight=False, emoji=False)
    canvas = canvas_of(console)
    canvas = replace(canvas, unicode=canvas.unicode and not args.ascii)
    knows = oracle(played.game, lambda: model_for(played.game)) if args.analysis else None
    waits = console.is_terminal and sys.stdin is not None and sys.stdin.isatty() and not args.all
    turn(replayed(played, canvas, knows), console, read=reader(sys.stdin.buffer) if waits else None)
    return 0


def _played(args: argparse.Namespace) -> Played:
    """The game that the arguments name."""
    from games.registry import make
    from mail.data.game_text import follow, read_games
    from mail.data.records import RecordError

    if (args.file is None) == (args.moves is None):
        raise RecordError("name either a FILE or --moves, for example --game connect4 --moves 4455")
    if args.moves is not None and args.game is None:
        raise RecordError("--moves needs --game GAME, for example --game connect4")
    game = None if args.game is None else make(args.game)
    if game is not None and args.moves is not None:
        games = [follow(game, args.moves, seed=None, source="--moves")]
    else:
        games = read_games(args.file, game)  # of one file
    number: int = args.number
    if not 1 <= number <= len(games):
        raise RecordError(f"--number {number} is not there: {len(games):,} game(s) were read; they count from 1")
    return games[number - 1]
