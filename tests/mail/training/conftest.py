"""Folders of runs that several test files damage, share and resume."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mail.training.folder import Run
from mail.training.train import train
from tests.mail.training.run_folders import CONFIG, OLD


@pytest.fixture
def no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.evaluation.figure.draw_run", lambda result: b"")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mail.evaluation.figure.draw_run", lambda result: b"")
        train(Run.create(folder, CONFIG))
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "old"))
