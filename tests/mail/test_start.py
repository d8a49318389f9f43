"""Ctrl-C while Python still imports: exit status 130, one line, no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A process that interrupts itself the moment it begins to import a module, then starts the command by this entry.
INTERRUPTED = """
import os, runpy, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), 2)

module, entry = sys.argv[1:3]
sys.meta_path.insert(0, Interrupt())
sys.argv = ["nashmail", *sys.argv[3:]]
if entry == "script":
    from mail.start import main
    sys.exit(main())
runpy.run_module("mail", run_name="__main__", alter_sys=True)
"""


def interrupted(module: str, entry: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", INTERRUPTED, module, entry, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("entry", ["script", "-m"])
@pytest.mark.parametrize(
    "module", ["argparse", "gettext", "mail.commands.line.usage", "mail.commands.games", "numpy", "games.base"]
)
def test_an_interrupted_import_ends_in_one_line(module: str, entry: str) -> None:
    done = interrupted(module, entry, "games")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "nashmail: interrupted\n"


@pytest.mark.slow
@pytest.mark.parametrize("module", ["mail.evaluation.arena.match", "pyspiel", "rich.console"])
def test_so_does_one_that_a_running_command_makes(module: str) -> None:
    done = interrupted(module, "script", "match", "openspiel:tic_tac_toe", "random", "expert", "--games", "1")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "nashmail match: interrupted\n"


def test_the_entry_leaves_the_status_of_a_command_alone() -> None:
    done = interrupted("nothing", "script", "match", "no_such_game", "random", "random")
    assert done.returncode == 2 and done.stderr.startswith("nashmail match: no game is called 'no_such_game'")
