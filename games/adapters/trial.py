"""A process of its own for names that OpenSpiel has not been given before: some parameters kill the one that asks.

``havannah(board_size=-1)`` reads past an array, ``hanabi(colors=-1)`` calls abort, others fill the memory or never
come back. ``tried`` lets ``games.adapters.trial_child`` go first. Names without parameters, and boards of ordinary
sizes, are known to be sound and not tried, so that they load as fast as they did; what was tried once is remembered.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from games.adapters.outside import shown, worded
from games.base import GameError

PATIENCE = 8.0
"""Seconds that a description may take to try."""
_SOUND = re.compile(r"[a-z0-9_]+(\(\))?|(connect_four|mnk)\(((rows|columns|x_in_row|m|n|k)=[1-9][0-9]?,?)*\)")
_remembered: dict[str, tuple[str, bool]] = {}  # what is wrong with a description, or "", and whether it can be loaded


def tried(text: str, name: str, folder: str) -> str:
    """What is wrong with the game of this description, which can be loaded; nothing, if all is well.

    GameError, which calls the game ``name``, where it cannot. ``folder`` is where OpenSpiel can be imported from.
    """
    if _SOUND.fullmatch(text):
        return ""
    if text not in _remembered:
        _remembered[text] = _went_wrong(text, folder)
    wrong, loads = _remembered[text]
    if not loads:
        raise GameError(f"OpenSpiel cannot make {shown(name)}: {wrong}")
    return wrong


def trust(text: str) -> None:
    """This description was tried by the process that this one was started by."""
    _remembered.setdefault(text, ("", True))


def _went_wrong(text: str, folder: str) -> tuple[str, bool]:
    """What a process of its own finds wrong, and whether it could load the game."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("trial_child.py")), folder]
    try:
        done = subprocess.run(
            command, input=text.encode("utf-8", "surrogateescape"), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {PATIENCE:.0f} seconds; choose a smaller size", False
    except OSError as error:
        return f"no process could be started to try it in ({error.strerror})", False
    loaded, answer = done.stdout.startswith(b"loaded\n"), done.stdout.removeprefix(b"loaded\n")
    if done.returncode < 0:
        number = -done.returncode
        if number == signal.SIGXCPU:
            return "it takes too long to make; choose a smaller size", False
        return f"it breaks down on these parameters ({signal.Signals(number).name}); choose others", loaded
    try:
        found = json.loads(answer)
        return (worded(found["kind"], found["said"]) if found else ""), loaded
    except (ValueError, KeyError, TypeError):
        return "the process that tried it ended without an answer; is there memory left?", False
