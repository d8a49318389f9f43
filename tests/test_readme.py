"""The README: the files and commands it names are there, and it stays short."""

from __future__ import annotations

import re
from pathlib import Path

from mail.commands.cli import COMMANDS
from mail.learners.base import LEARNERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:games|agents|mail|scripts|docs)/[\w/.]+\.\w+)`", README))
    named |= set(re.findall(r"\]\((docs/[\w/.]+)\)", README))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_command_is_in_its_table() -> None:
    assert set(re.findall(r"^\| `nashmail (\w+)", README, re.MULTILINE)) == set(COMMANDS)


def test_every_learner_is_in_the_table_with_its_module() -> None:
    rows = re.findall(r"^\| (`.*?) \| .*? \| (\[.*?) \|.*$", README, re.MULTILINE)
    linked = {name: links for named, links in rows for name in re.findall(r"`([\w-]+)`", named)}
    builtin = [name for name, entry in LEARNERS.entries.items() if isinstance(entry.target, str)]
    for name in builtin:
        places = re.findall(r"\]\((mail/\S+)\)", linked.get(name, ""))
        assert places and all((ROOT / place).exists() for place in places), name


def test_it_is_read_in_two_minutes() -> None:
    assert len(README.splitlines()) <= 160
