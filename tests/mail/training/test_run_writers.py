"""Who writes to a run's folder: one process at a time, and the games it learns from all or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mail.training.folder
import mail.training.lock
from games import NashmailError
from mail.commands.cli import main
from mail.data.records import parse
from mail.training.config import read_config
from mail.training.folder import Run
from mail.training.profile import load_profile
from mail.training.train import train
from tests.mail.training.run_folders import CONFIG, WORDS, contents, refused

pytestmark = pytest.mark.usefixtures("no_figure")


# --- saved games -----------------------------------------------------------------------------------------


def saved(folder: Path, number: int) -> list[str]:
    """Files of so many different games."""
    folder.mkdir()
    for index in range(number):
        text = f"nashmail game 1\ngame: tictactoe:2x2:2\nseat 0: a\nseat 1: b\nseed: {index}\nresult: 1\n"
        (folder / f"{index}.txt").write_text(text + "1. 1\n2. 2\n3. 3\n")
    return [str(path) for path in sorted(folder.iterdir())]


def quick_clones(monkeypatch: pytest.MonkeyPatch) -> None:
    from mail.clone.presets import SMALL

    small = replace(SMALL, clone=replace(SMALL.clone, max_steps=3))
    monkeypatch.setattr("mail.training.context.preset", lambda game: small)


def test_a_run_that_was_killed_while_it_stored_its_games_learns_from_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick_clones(monkeypatch)
    files = saved(tmp_path / "files", 5)
    words = ["train", "tictactoe:2x2:2", "--from-games", *files]
    assert main([*words, "--out", str(tmp_path / "whole")]) == 0
    assert not (tmp_path / "whole" / "games").exists(), "which would shadow the package of that name"
    real = mail.data.records.write_atomic
    for stored in (0, 1, 4):
        left = [stored]

        def write(path: Path, data: bytes, left: list[int] = left) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            real(path, data)

        folder = tmp_path / f"killed-{stored}"
        with monkeypatch.context() as patch:
            patch.setattr("mail.data.records.write_atomic", write)
            assert main([*words, "--out", str(folder)]) == 130
        with pytest.raises(NashmailError, match="--from-games"):
            train(Run.resume(folder))
        capsys.readouterr()
        for others in (files[:4], files[::-1]):
            line = refused([*words[:3], *others, "--out", str(folder), "--resume"], capsys)
            assert "was started with another from-games" in line
        assert main([*words, "--out", str(folder), "--resume"]) == 0
        assert contents(folder) == contents(tmp_path / "whole")


def test_an_edited_saved_game_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_clones(monkeypatch)
    words = ["train", "tictactoe:2x2:2", "--from-games", *saved(tmp_path / "files", 2), "--out", str(tmp_path / "run")]
    assert main(words) == 0
    (tmp_path / "run" / "result.json").unlink()
    path = tmp_path / "run" / "demonstrations" / "000001.txt"
    path.write_text(path.read_text().replace("3. 3", "3. 4"))
    assert parse(path.read_text(), "file").over
    with pytest.raises(NashmailError, match="does not hold the games that the run started with"):
        train(Run.resume(tmp_path / "run"))


def test_games_of_the_first_format_are_found_and_compared(
    old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    quick_clones(monkeypatch)
    run = old / "from_games"
    files = [str(path) for path in sorted((run / "games").iterdir())]
    words = ["train", "tictactoe:2x2:2", "--out", str(run), "--resume", "--from-games"]
    assert "another from-games" in refused([*words, files[0]], capsys)
    assert main([*words, *files]) == 0
    assert load_profile(f"{run}:games").config.learners == ("games",)


def test_the_learner_of_saved_games_is_refused_without_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(["train", "tictactoe", "--learner", "games", "--out", str(tmp_path / "run")], capsys)
    assert "--from-games FILE" in line and not (tmp_path / "run").exists()


# --- one writer ------------------------------------------------------------------------------------------

HOLDS = (
    "import sys; from pathlib import Path; from mail.training.folder import Run; run = Run.resume(Path(sys.argv[1])); "
    "print('held', flush=True); sys.stdin.read()"
)


@pytest.mark.slow
def test_a_second_writer_is_refused_until_the_first_is_dead(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Starting anew, training alike and resuming; finished or not, nothing is touched."""
    before = contents(copied)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(copied)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        for word in ([], ["--force"], ["--resume"]):
            line = refused(["train", *WORDS, "--out", str(copied), *word], capsys)
            assert "another process trains in" in line and str(copied) in line
        holder.kill()
    assert contents(copied) == before
    assert main(["train", *WORDS, "--out", str(copied), "--resume"]) == 0
    assert main(["train", *WORDS, "--out", str(copied), "--force"]) == 0
    assert contents(copied) == before


def test_starting_anew_keeps_the_folder_and_its_lock(copied: Path) -> None:
    place = copied.stat().st_ino
    run = Run.create(copied, CONFIG, force=True)
    assert copied.stat().st_ino == place
    code = "import sys; from pathlib import Path; from mail.training.lock import lock; lock(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(copied)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "another process trains in" in done.stderr
    del run
    subprocess.run([sys.executable, "-c", code, str(copied)], check=True)


def test_starting_anew_that_is_killed_leaves_a_run(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one, unfinished: it can be resumed, or replaced again."""
    real = shutil.rmtree
    removed: list[Path] = []

    def died(path: Path, **_: Any) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        real(path)

    before = contents(copied)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", died)
        Run.create(copied, replace(CONFIG, seed=9), force=True)
    assert read_config(copied) == CONFIG and not (copied / "result.json").exists()
    train(Run.resume(copied))
    assert contents(copied) == before


def test_without_locks_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(mail.training.lock, "_exclusive", none)
    train(Run.create(tmp_path / "run", CONFIG))
    assert "cannot be locked (No locks available)" in capsys.readouterr().err
