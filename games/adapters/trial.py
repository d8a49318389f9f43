"""New descriptions of OpenSpiel games are tried in a separate process, because some parameters kill the process.

``havannah(board_size=-1)`` reads past an array, ``hanabi(colors=-1)`` calls abort, others fill the memory or never
return. ``tried`` runs ``games.adapters.trial_child`` first. Names without parameters and boards of ordinary sizes are
known to be safe and load directly. Results are cached for the life of the process.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from games.adapters.outside import printable, worded
from games.base import GameError

PATIENCE = 8.0
"""Seconds allowed for the trial of a description."""
_SOUND = re.compile(r"[a-z0-9_]+(\(\))?|(connect_four|mnk)\(((rows|columns|x_in_row|m|n|k)=[1-9][0-9]?,?)*\)")
_remembered: dict[str, tuple[str, bool]] = {}  # what is wrong with a description ("" if nothing), and whether it loads


def tried(text: str, name: str, folder: str) -> str:
    """Try a description in a separate process.

    Args:
        text: The description.
        name: The game's name in messages.
        folder: The directory from which OpenSpiel can be imported.

    Returns:
        What is wrong with the game although it loads; ``""`` if nothing is.

    Raises:
        GameError: The game cannot be loaded.
    """
    if _SOUND.fullmatch(text):
        return ""
    if text not in _remembered:
        _remembered[text] = _went_wrong(text, folder)
    wrong, loads = _remembered[text]
    if not loads:
        raise GameError(f"OpenSpiel cannot make {printable(name)}: {wrong}")
    return wrong


def trust(text: str) -> None:
    """Skip the trial of a description that the parent process has already tried.

    Args:
        text: the description.
    """
    _remembered.setdefault(text, ("", True))


def _went_wrong(text: str, folder: str) -> tuple[str, bool]:
    """What a separate process finds wrong, and whether it could load the game."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("trial_child.py")), folder]
    try:
        done = subprocess.run(
            command, input=text.encode("utf-8", "surrogateescape"), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {PATIENCE:.0f} seconds; choose a smaller size", False
    except OSError as error:
        return f"no process could be started to try it ({error.strerror})", False
    loaded, answer = done.stdout.startswith(b"loaded\n"), done.stdout.removeprefix(b"loaded\n")
    if done.returncode < 0:
        number = -done.returncode
        if number == signal.SIGXCPU:
            return "it takes too long to load; choose a smaller size", False
        return f"it crashes on these parameters ({signal.Signals(number).name}); choose others", loaded
    try:
        problem = json.loads(answer)
        return (worded(problem["kind"], problem["said"]) if problem else ""), loaded
    except (ValueError, KeyError, TypeError):
        return "the process that tried it ended without a result; it may have run out of memory", False
