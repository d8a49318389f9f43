"""A small finished run, one of the first format, and what tests of run folders ask of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mail.commands.cli import main
from mail.training.config import Config

OLD = Path(__file__).parents[2] / "fixtures" / "first_format"
"""Made by the last version that wrote the first format; figures left out."""
CONFIG = Config("tictactoe:2x2:2", learners=("mail-tabular",), explorer="tabular", episodes=3, seed=3)
WORDS = ["tictactoe:2x2:2", "--learner", "mail-tabular", "--explorer", "tabular", "--episodes", "3", "--seed", "3"]


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "clock.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command ends with."""
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    return said.err
