"""``nashmail --completion SHELL``: a script for the shell, made from the parsers (``shtab``)."""

from __future__ import annotations

import argparse

from agents.expert import EXPERTS
from games.base import NashmailError
from games.registry import names as games
from mail.commands.line.usage import CommandParser, Parser
from mail.explore import EXPLORERS
from mail.learners import LEARNERS

SHELLS = ("bash", "zsh", "fish", "tcsh")
_FILES = {"FILE", "DIR", "RUN", "RUN[:LEARNER]", "WHO"}


def script(parser: Parser, shell: str) -> str:
    """The script that completes commands, options, names and files in a shell.

    Args:
        parser: The whole command line.
        shell: ``bash``, ``zsh``, ``fish`` or ``tcsh``.

    Raises:
        NashmailError: There are none for this shell.
    """
    if shell not in SHELLS:
        raise NashmailError(f"there are completions for {', '.join(SHELLS)}, not for {shell[:40]!r}")
    import shtab

    for action in list(parser._actions):
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                assert isinstance(command, CommandParser)
                command.fill()
                _offer(command)
    return str(shtab.complete(parser, shell=shell))


def _offer(command: CommandParser) -> None:
    """Say what stands for an argument: a file, or one of the names there are."""
    known = {"game": games, "learner": LEARNERS.names, "explorer": EXPLORERS.names, "expert": EXPERTS.names}
    for action in command._actions:
        if action.metavar in _FILES or action.dest in ("out", "save", "check"):
            action.complete = {  # type: ignore[attr-defined]
                "bash": "_shtab_compgen_files",
                "zsh": "_files",
                "tcsh": "f",
                "fish": "(__fish_complete_path (commandline -ct))",
            }
        elif action.dest in known and action.choices is None:
            action.choices = known[action.dest]()
