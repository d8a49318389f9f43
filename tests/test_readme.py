"""The README: the files and commands it names are there, and it stays short."""

from __future__ import annotations

import re
from pathlib import Path

from mail.commands.cli import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:games|agents|mail|scripts|docs)/[\w/.]+\.\w+)`", README))
    named |= set(re.findall(r"\]\((docs/[\w/.]+)\)", README))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_command_is_in_its_table() -> None:
    assert set(re.findall(r"^\| `nashmail (\w+)", README, re.MULTILINE)) == set(COMMANDS)


def test_it_is_read_in_two_minutes() -> None:
    assert len(README.splitlines()) <= 160
