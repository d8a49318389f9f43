"""A training run that is killed, at any moment, resumes to the same bits."""

from __future__ import annotations

import errno
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mail.clone.cloners
import mail.evaluation.sampled
import mail.evaluation.searched
import mail.training.context
import mail.training.train
from agents.policy import Uniform
from mail.clone.network import clone
from mail.clone.presets import SMALL
from mail.commands.cli import main
from mail.training.context import GameContext
from mail.training.folder import Config, Run

KILLS = 50
CONFIG = Config("tictactoe", explorer="counts", episodes=20, points=1)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run that equal runs share, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "clock.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def train(folder: Path) -> None:
    """Begin the run, or go on with it."""
    run = Run.resume(folder) if (folder / "config.json").exists() else Run.create(folder, CONFIG)
    if run.result() is None:
        mail.training.train.train(run)


def trained_in_a_child(folder: Path, patience: float) -> bool:
    """Train in a child process that is killed after so many seconds; whether it got to its end."""
    child = os.fork()
    if child == 0:
        try:
            train(folder)
        except BaseException:  # whatever it is, the child must not go on as a second test process
            os._exit(1)
        os._exit(0)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return True
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


@pytest.mark.slow
@pytest.mark.faults
def test_killed_at_fifty_moments_it_resumes_to_the_same_bits(tmp_path: Path) -> None:
    train(tmp_path / "warm")  # imports and caches are not part of a run's time
    begun = time.monotonic()
    train(tmp_path / "whole")
    whole, seconds = contents(tmp_path / "whole"), time.monotonic() - begun
    moments = random.Random(0)
    kills = runs = 0
    while kills < KILLS:
        folder = tmp_path / f"killed-{runs}"
        if trained_in_a_child(folder, moments.uniform(0.0, seconds)):
            assert contents(folder) == whole
            runs += 1
        else:
            kills += 1
    train(tmp_path / f"killed-{runs}")
    assert contents(tmp_path / f"killed-{runs}") == whole


@pytest.mark.slow
def test_killed_while_its_folder_was_made_it_begins_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.json.4711.tmp").write_bytes(b"{")
    train(tmp_path / "run")
    train(tmp_path / "whole")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [False, True])
def test_a_clone_that_was_fitted_is_not_fitted_again(
    symmetry: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is what was measured of policies in a game that is not measured exactly; damaged clones are."""
    config = replace(CONFIG, symmetry=symmetry)
    mail.training.train.train(Run.create(tmp_path / "whole", config))

    def died(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Run, "finish", died)
        mail.training.train.train(Run.create(tmp_path / "run", config))
    assert len(list((tmp_path / "run" / "kept").glob("*.fit"))) == 4
    (tmp_path / "run" / "kept" / "bc-clone-1.safetensors").write_bytes(b"half")
    fitted: list[int] = []
    real = clone
    monkeypatch.setattr(
        mail.clone.cloners, "clone", lambda *args, **words: fitted.append(args[2]) or real(*args, **words)
    )
    mail.training.train.train(Run.resume(tmp_path / "run"))
    assert fitted == [1]
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
    assert not (tmp_path / "run" / "kept").exists()


@pytest.mark.slow
def test_what_was_measured_by_sampling_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config("connect4:6x6", learners=("bc", "mail"), explorer="uniform", expert="first", episodes=2, points=1)
    monkeypatch.setattr(GameContext, "experts", lambda self, name: (Uniform(), Uniform()))
    monkeypatch.setattr(mail.training.context, "preset", lambda game: SMALL)
    for name, number in (("GAMES", 2), ("FRESH", 4), ("POSITIONS", 1), ("SIMULATIONS", 2)):
        monkeypatch.setattr(mail.evaluation.searched, name, number)
    measured: list[Any] = []
    real = mail.evaluation.sampled.sampled_measures

    def measures(*args: Any, **words: Any) -> Any:
        measured.append(args)
        if len(measured) == 2:
            raise KeyboardInterrupt
        return real(*args, **words)

    monkeypatch.setattr(mail.evaluation.sampled, "sampled_measures", measures)
    with pytest.raises(KeyboardInterrupt):
        mail.training.train.train(Run.create(tmp_path / "run", config))
    mail.training.train.train(Run.resume(tmp_path / "run"))
    assert len(measured) == 3
    mail.training.train.train(Run.create(tmp_path / "whole", config))
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "tictactoe", "--explorer", "counts", "--episodes", "20", "--learner", "bc", "--out"]
    assert main([*command, str(tmp_path / "whole")]) == 0
    real, written = Path.write_bytes, [0]

    def full(path: Path, data: bytes) -> int:
        written[0] += 1
        if written[0] > 2:
            real(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, data)

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        assert main([*command, str(tmp_path / "full")]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and "No space left" in shown.err
    assert main([*command, str(tmp_path / "full"), "--resume"]) == 0
    assert contents(tmp_path / "full") == contents(tmp_path / "whole")
