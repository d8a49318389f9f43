"""A board without tables is learned and measured as one with tables, of which it is an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mail.commands.cli import main

WORDS = ["--learner", "mail-ntuple", "--explorer", "mistakes"]


def trained(folder: Path, *more: str) -> dict[str, Any]:
    assert main(["train", "connect4:3x4", *WORDS, "--out", str(folder), *more, "--json"]) == 0
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--symmetry"]])
def test_the_run_is_the_same(
    more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NASHMAIL_CACHE", str(tmp_path))
    wanted = trained(tmp_path / "tables", *more)
    monkeypatch.setattr("games.models.TABLES", 10)
    found = trained(tmp_path / "plies", *more)
    assert {file.name for file in (tmp_path / "graphs").iterdir()} >= {"drop-3x4-4.npz"}
    one, other = found["learners"]["mail-ntuple"], wanted["learners"]["mail-ntuple"]
    assert one.keys() == other.keys() and found["exact"] is True
    for key, value in other.items():
        np.testing.assert_allclose(one[key], value, rtol=0, atol=1e-12, err_msg=key)
    for seat in (0, 1):
        assert found["curves"]["mail-ntuple"][seat][-1] == pytest.approx(wanted["curves"]["mail-ntuple"][seat][-1])
    capsys.readouterr()
    assert main(["gap", str(tmp_path / "plies"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["policies"]
    (measured,) = told.values()
    assert measured["nash_gap"] == pytest.approx(one["nash_gap"], abs=1e-12)
    assert measured["greedy_nash_gap"] == one["greedy_nash_gap"]


def test_too_little_memory_is_said_before_anything_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NASHMAIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("games.models.TABLES", 10)
    monkeypatch.setattr("games.cost.available_memory", lambda: 1000)
    assert main(["train", "connect4:3x4", *WORDS, "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "connect4:3x4 needs about" in said and "1.0 KB is available" in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())
