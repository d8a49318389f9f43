"""``nashmail plot``: runs become one figure; what cannot be drawn is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agents import Uniform
from mail.commands.cli import main
from mail.training.folder import Config, Run
from tests.support import game

POINT = {"labels": 10, "exploitability": 1.0, "greedy_exploitability": 1.0}


def finished(folder: Path, name: str = "tictactoe", *, seed: int = 0, exact: bool = True) -> Path:
    """A finished run whose curves are one point each."""
    run = Run.create(folder, Config(game=name, learners=("mail",), seed=seed))
    run.save_policies("mail", (Uniform(), Uniform()), game(name))
    result: dict[str, Any] = {
        "config": {"game": name, "explorer": "deep", "expert": "first"},
        "exact": exact,
        "symmetry": False,
        "seed": seed,
        "learners": {},
        "curves": {"mail": [[POINT], [POINT]]},
    }
    run.finish(result, b"", seconds=0.0, workers=1)
    return run.folder


def test_runs_become_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [str(finished(tmp_path / f"run{seed}", seed=seed)) for seed in (0, 1)]
    for suffix, head in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        file = tmp_path / f"figure.{suffix}"
        assert main(["plot", *runs, "--out", str(file)]) == 0
        assert capsys.readouterr().out == f"{file}\n"
        assert file.read_bytes().startswith(head)


def test_the_name_is_the_games(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = str(finished(tmp_path / "run", "connect4:4x4"))
    assert main(["plot", f"{run}:mail", "--format", "svg"]) == 0
    assert capsys.readouterr().out == "connect4-4x4.svg\n"
    assert main(["plot", run, "--format", "svg"]) == 2
    assert "connect4-4x4.svg is there already; name another --out, or --force" in capsys.readouterr().err
    assert main(["plot", run, "--format", "svg", "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{first}", "--format", "gif"], "figures are written as png, svg, pdf, not as 'gif'"),
        (["{first}", "--out", "figure.jpeg"], "figures are written as png, svg, pdf, not as 'jpeg'"),
        (["{first}", "{other}"], "these runs are of different games, connect4:4x4, tictactoe; plot them separately"),
        (["{first}:bc"], "has no learner 'bc'; it has: mail"),
        (["{large}"], "has no exact measures to plot"),
        (["nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = {
        "first": finished(tmp_path / "first"),
        "other": finished(tmp_path / "other", "connect4:4x4"),
        "large": finished(tmp_path / "large", exact=False),
    }
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main(["plot", *(word.format(**runs) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
