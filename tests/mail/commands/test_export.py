"""``nashmail export``: a run becomes files that a loader reads, and wrong usage is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import Uniform, make_expert
from agents.loaders import folder as loader
from mail.commands.cli import main
from mail.training.folder import Config, Run
from tests.support import game, graph


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A finished run whose ``mail`` is the expert and whose ``bc`` plays at random."""
    run = Run.create(tmp_path / "learned", Config(game="tictactoe", learners=("mail", "bc")))
    run.save_policies("mail", make_expert("first", graph("tictactoe")), game("tictactoe"))
    run.save_policies("bc", (Uniform(), Uniform()), game("tictactoe"))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    return run.folder


@pytest.mark.parametrize(("learner", "form"), [("", "folder"), (":bc", "onnx"), (":bc", "torchscript")])
def test_files_are_written_and_named(
    run_folder: Path,
    learner: str,
    form: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # so that no line is broken
    assert main(["export", f"{run_folder}{learner}", "--to", form]) == 0
    said = capsys.readouterr().out.splitlines()
    home = run_folder / f"export-{form}{learner.replace(':', '-')}"
    files = [line for line in said if line.startswith(str(home))]
    assert sorted(files) == sorted(str(path) for path in home.iterdir())
    assert "observation: float32 [N, 2, 3, 3], the mover's view, own stones first" in said
    assert f"for usage see the first lines of {home / 'load.py'}" in said


def test_connectx_is_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Boards where discs fall are written; others are refused before there is a folder."""
    for name, code in (("connect4:4x4", 0), ("tictactoe", 2)):
        run = Run.create(tmp_path / name, Config(game=name, learners=("mail",)))
        run.save_policies("mail", (Uniform(), Uniform()), game(name))
        run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
        assert main(["export", str(run.folder), "--to", "connectx"]) == code
        home = run.folder / "export-connectx"
        assert [path.name for path in home.glob("*")] == ["submission.py"] * (code == 0)
    said = capsys.readouterr()
    assert "submit it as it is" in said.out
    assert "ConnectX is played where discs fall, and tictactoe is not; choose another form" in said.err


def test_the_exported_run_plays_as_the_run_does(run_folder: Path, tmp_path: Path) -> None:
    assert main(["export", str(run_folder), "--out", str(tmp_path / "out")]) == 0
    played, model = game("tictactoe"), graph("tictactoe")
    for seat, policy in enumerate(make_expert("first", model)):
        states = model.states[model.legal(seat).any(1)]
        found = loader.load(f"seat{seat}", tmp_path / "out")(played.observe(states, seat), played.legal(states, seat))
        assert np.array_equal(found, policy.probabilities(played, states, seat))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "pickle"], "policies are exported to folder, onnx, torchscript, connectx, not to 'pickle'"),
        (["--out", "{run}"], "is not empty; choose another --out, or --force to overwrite it"),
        (["--out", "{run}/config.json"], "is not empty"),
    ],
)
def test_wrong_usage_is_one_line(
    run_folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(run_folder), *(word.format(run=run_folder) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_an_earlier_export_is_written_over_on_request(run_folder: Path) -> None:
    assert main(["export", str(run_folder)]) == 0
    assert main(["export", str(run_folder)]) == 2
    assert main(["export", str(run_folder), "--force"]) == 0
