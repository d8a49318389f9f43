"""Folders of runs that several test files damage, share and resume."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mail.commands.cli import main
from mail.training.folder import Config, Run
from mail.training.train import train
from tests.mail.training.quick_runs import QUICK, SMALL
from tests.mail.training.run_folders import CONFIG, OLD


@pytest.fixture
def no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mail.evaluation.figure.draw_run", lambda result, title: b"")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folder") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mail.evaluation.figure.draw_run", lambda result, title: b"")
        train(Run.create(folder, CONFIG))
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "old"))


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run by the command, uninterrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([*SMALL, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with one point a curve, uninterrupted."""
    folder = tmp_path_factory.mktemp("quick") / "run"
    train(Run.create(folder, QUICK))
    return folder


@pytest.fixture(scope="session")
def other_game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of another game."""
    folder = tmp_path_factory.mktemp("other") / "run"
    config = Config("tictactoe:2x2:2", learners=("bc",), episodes=2, points=1)
    train(Run.create(folder, config))
    return folder
