"""The README is a promise: its library example runs and prints what it says, and the files it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mail.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_library_example_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    exec(compile(example[1], "README.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert "nash_gap=1.91965939153439" in first
    assert second == "0.0"


def test_every_file_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:games|agents|mail|scripts|docs)/[\w/.]+\.\w+)`", README))
    named |= set(re.findall(r"\]\((docs/[\w/.]+)\)", README))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_command_is_in_its_table() -> None:
    assert set(re.findall(r"^\| `nashmail (\w+)", README, re.MULTILINE)) == set(COMMANDS)
