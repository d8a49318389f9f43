"""``nashmail watch``: the progress of a run from its metrics, live from another terminal or afterwards."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from agents.storage.reading import printable
from mail.training.config import RunError, folder_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", metavar="RUN", help="a run's folder; one that is not there yet is waited for")
    parser.add_argument("--once", action="store_true", help="print the present state and exit")
    parser.add_argument("--every", type=_seconds, default=1.0, metavar="S", help="seconds between updates (default: 1)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, and exit")


def run(args: argparse.Namespace) -> int:
    """Print the run's progress until it is finished or the user presses Ctrl-C."""
    from rich.console import Console

    from mail.terminal.boards import canvas_of
    from mail.terminal.progress.run import cropped, read_progress, screen

    folder = folder_of(args.run)
    if args.json:
        print(json.dumps(read_progress(folder).as_dict()))
        return 0
    console = Console(markup=False, highlight=False, emoji=False)
    printed = ""
    try:
        while True:
            if not (args.once or _there(folder)):
                if not printed:
                    printed = f"waiting for a run in {printable(folder)} (Ctrl-C ends)"
                    console.print(printed, soft_wrap=True)
                time.sleep(args.every)
                continue
            progress = read_progress(folder)
            picture = screen(progress, canvas_of(console))
            if (whole := picture.plain) != printed:
                if console.is_terminal and not args.once:
                    console.clear()
                    if progress.result is None:
                        picture = cropped(picture, console.height)
                console.print(picture.plain if console.no_color else picture, soft_wrap=True)
                printed = whole
            if args.once or progress.result is not None:
                return 0
            time.sleep(args.every)
    except KeyboardInterrupt:
        return 0  # the way to stop watching


def _there(folder: Path) -> bool:
    """Whether there is a run, or something that will never be one; not where nothing is yet.

    RunError for RUN:LEARNER, which is no folder.
    """
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
