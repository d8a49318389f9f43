"""Runs of a small board, which take a second, and how two of them are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mail.training.folder import Config

QUICK = Config("tictactoe:2x3", explorer="counts", episodes=6, seed=5, points=1)
SMALL = ["train", "tictactoe:2x3", "--explorer", "counts", "--episodes", "6", "--seed", "5"]


def contents(folder: Path, *, without: str = "") -> dict[str, bytes]:
    """Every file under a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != without)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def same_run(one: Path, other: Path) -> None:
    """Equal but for the clock."""
    first, second = contents(one, without="clock.json"), contents(other, without="clock.json")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one JSON object on standard output."""
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    return dict(json.loads(out))
