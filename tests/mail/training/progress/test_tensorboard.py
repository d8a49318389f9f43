"""TensorBoard gets the numbers that everyone gets, and is refused in one line where it is not installed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from games.base import NashmailError
from mail.commands.cli import main
from mail.training.folder import Run
from mail.training.progress import tensorboard
from mail.training.progress.events import Stream
from mail.training.train import train
from tests.mail.training.quick_runs import QUICK, SMALL, same_run


class Writer:
    """Stands in for torch's ``SummaryWriter``."""

    made: list[Writer] = []  # noqa: RUF012

    def __init__(self, folder: str) -> None:
        Path(folder).mkdir()
        (Path(folder) / "events").touch()
        self.scalars: list[tuple[str, float, int]] = []
        self.closed = False
        Writer.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.append((name, value, step))

    def close(self) -> None:
        self.closed = True


def test_scalars_are_what_was_logged_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub: Any = ModuleType("torch.utils.tensorboard")
    stub.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stub)
    monkeypatch.setattr(tensorboard, "check", lambda: None)
    run, stream = Run.create(tmp_path / "run", QUICK), Stream()
    for _ in range(2):  # as if it had been resumed: what was there is replaced
        with tensorboard.TensorBoard(run.folder, stream):
            pass
    with tensorboard.TensorBoard(run.folder, stream):
        result = train(run, stream=stream)
    writer = Writer.made[-1]
    assert writer.closed and stream.sinks == []
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    logged = [
        (f"{line['learner']}/seat_{line['seat']}/{name}", value, line["games"])
        for line in lines
        for name, value in line.items()
        if name not in ("learner", "seat")
    ]
    assert [one for one in writer.scalars if one in logged] == logged
    for learner, row in result["learners"].items():
        assert (f"{learner}/nash_gap", row["nash_gap"], row["labels"]) in writer.scalars
        for seat, curve in enumerate(result["curves"][learner]):
            for point in curve:
                name = f"{learner}/seat_{seat}/exploitability"
                assert (name, point["exploitability"], point["labels"]) in writer.scalars
    shutil.rmtree(run.folder / "tensorboard")
    train(Run.create(tmp_path / "without", QUICK))
    same_run(run.folder, tmp_path / "without")


def test_without_the_package_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(NashmailError, match="not installed"):
        tensorboard.check()
    assert main([*SMALL, "--out", str(tmp_path / "run"), "--log", "tensorboard"]) == 2
    assert (
        capsys.readouterr().err == "nashmail train: TensorBoard is not installed; pip install nashmail[tensorboard]\n"
    )
    assert not (tmp_path / "run").exists()
