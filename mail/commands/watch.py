"""``nashmail watch``: the progress of a run from its metrics, live from another terminal or afterwards."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", metavar="RUN", help="a run's folder; one that is not there yet is waited for")
    parser.add_argument("--once", action="store_true", help="print the present state and exit")
    parser.add_argument("--every", type=_seconds, default=1.0, metavar="S", help="seconds between updates (default: 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, and exit")


def run(args: argparse.Namespace) -> int:
    """Print the run's progress until it is finished or the user presses Ctrl-C."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from agents.storage.reading import printable
    from mail.terminal.boards import canvas_of
    from mail.terminal.progress.run import cropped, read_progress, screen
    from mail.training.config import folder_of

    folder = folder_of(args.run)
    if args.json:
        print(json.dumps(read_progress(folder).as_dict()))
        return 0
    console = Console(markup=False, highlight=False, emoji=False)
    in_place = console.is_terminal and not console.is_dumb_terminal and not args.once
    live = Live(console=console, auto_refresh=False, transient=True) if in_place else None
    picture, shown = Text(), ""
    try:
        with live or nullcontext():
            while True:
                if not (args.once or _there(folder)):
                    picture, key = Text(f"waiting for a run in {printable(folder)} (Ctrl-C ends)"), "waiting"
                    finished = False
                else:
                    progress = read_progress(folder)
                    picture, finished = screen(progress, canvas_of(console)), progress.result is not None
                    key = screen(replace(progress, status=None), canvas_of(console)).plain  # without the clock
                if live is not None:
                    live.update(cropped(picture, console.height), refresh=True)
                elif key != shown:
                    _print(console, picture)
                    shown = key
                if args.once or finished:
                    break
                time.sleep(args.every)
    except KeyboardInterrupt:
        pass  # the way to stop watching
    if live is not None:
        _print(console, picture)
    return 0


def _print(console: Console, picture: Text) -> None:
    console.print(picture.plain if console.no_color else picture, soft_wrap=True)


def _there(folder: Path) -> bool:
    """Whether there is a run, or something that will never be one; not where nothing is yet.

    RunError for RUN:LEARNER, which is no folder.
    """
    from agents.storage.reading import printable
    from mail.training.config import RunError

    if ":" in folder.name and not folder.exists():
        raise RunError(f"there is no run in {printable(folder)}; name a run's folder, without a learner")
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _seconds(text: str) -> float:
    """Parse an interval for argparse."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.05 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(
            f"an interval must be a number of seconds from 0.05 to 3600, not {text[:20]!r}"
        )
    return seconds
