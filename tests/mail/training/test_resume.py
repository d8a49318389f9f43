"""A run that is interrupted and resumed has the files of one that was not; the same seed gives the same files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mail.training.evaluate
import mail.training.train
from mail.commands.cli import main
from mail.data.decisions import Decisions
from mail.training.folder import Run
from mail.training.journal import RunJournal
from tests.mail.training.quick_runs import QUICK, SMALL, contents, same_run, told


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files(whole: Path, tmp_path: Path) -> None:
    """In another process, into another folder."""
    command = [sys.executable, "-m", "mail", *SMALL, "--out", str(tmp_path / "again"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    same_run(whole, tmp_path / "again")


@pytest.mark.slow
def test_another_seed_gives_another_run(quick: Path, tmp_path: Path) -> None:
    mail.training.train.train(Run.create(tmp_path / "run", replace(QUICK, seed=6)))
    mine, other = contents(quick), contents(tmp_path / "run")
    for name in ("policies/mail-0.safetensors", "policies/bc-1.safetensors", "decisions/mail-0/000001.npz"):
        assert mine[name] != other[name]


def interrupt_play(monkeypatch: pytest.MonkeyPatch, *, rounds: int, stored: bool) -> None:
    """Stop the run when a round has been played, before or after it is stored."""
    store, done = RunJournal.store, 0

    def stop(self: RunJournal, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        nonlocal done
        done += 1
        if stored or done < rounds:
            store(self, learner, seat, round_, decisions)
        if done == rounds:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunJournal, "store", stop)


def interrupt_call(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, calls: int) -> None:
    """Stop the run at this call of a function."""
    function, done = getattr(owner, name), 0

    def stop(*args: Any, **kwargs: Any) -> Any:
        nonlocal done
        done += 1
        if done == calls:
            raise KeyboardInterrupt
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, stop)


INTERRUPTIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "before the first round is stored": lambda patch: interrupt_play(patch, rounds=1, stored=False),
    "after the first round": lambda patch: interrupt_play(patch, rounds=1, stored=True),
    "in the first seat": lambda patch: interrupt_play(patch, rounds=4, stored=False),
    "between the seats": lambda patch: interrupt_play(patch, rounds=6, stored=True),
    "in the second seat": lambda patch: interrupt_play(patch, rounds=9, stored=True),
    "in the next learner": lambda patch: interrupt_play(patch, rounds=13, stored=False),
    "while telling": lambda patch: interrupt_call(patch, RunJournal, "log", calls=3),
    "before policies are saved": lambda patch: interrupt_call(patch, Run, "save_policies", calls=1),
    "between two learners' policies": lambda patch: interrupt_call(patch, Run, "save_policies", calls=2),
    "while measuring": lambda patch: interrupt_call(patch, mail.training.evaluate, "curve", calls=2),
    "at the end": lambda patch: interrupt_call(patch, Run, "finish", calls=1),
    "before the result": lambda patch: interrupt_call(patch, mail.training.folder, "to_json", calls=2),
}


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("when", INTERRUPTIONS)
def test_an_interrupted_run_resumes_to_the_same_files(
    when: str, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    run = Run.create(folder, QUICK)
    with monkeypatch.context() as patch:
        INTERRUPTIONS[when](patch)
        with pytest.raises(KeyboardInterrupt):
            mail.training.train.train(run)
    assert not (folder / "result.json").exists()
    completed = {name: data for name, data in contents(folder).items() if name.startswith("decisions")}
    mail.training.train.train(Run.resume(folder))
    same_run(folder, quick)
    assert completed.items() <= contents(quick).items()


@pytest.mark.slow
def test_interrupted_twice_it_still_resumes(quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    Run.create(folder, QUICK)
    for rounds in (3, 5):
        with monkeypatch.context() as patch:
            interrupt_play(patch, rounds=rounds, stored=True)
            with pytest.raises(KeyboardInterrupt):
                mail.training.train.train(Run.resume(folder))
    assert len(list((folder / "decisions").rglob("*.npz"))) == 3 + 5
    mail.training.train.train(Run.resume(folder))
    same_run(folder, quick)


@pytest.mark.slow
def test_the_command_goes_on_where_it_was_interrupted(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        interrupt_play(patch, rounds=7, stored=True)
        assert main([*SMALL, "--out", str(folder), "--json"]) == 130
    line = f"nashmail train: interrupted; `nashmail {' '.join(SMALL)} --out {folder} --json --resume` continues it\n"
    assert capsys.readouterr() == ("", line)
    assert main([*SMALL, "--out", str(folder), "--resume", "--json"]) == 0
    assert told(capsys)["run"] == str(folder)
    same_run(folder, whole)


@pytest.mark.slow
def test_rounds_that_have_landed_are_not_played_again(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the decisions is gone; the run comes back without a game."""
    folder = tmp_path / "run"
    Run.create(folder, QUICK)
    shutil.copytree(quick / "decisions", folder / "decisions")

    def never(*args: object) -> None:
        raise AssertionError("a game was played")

    monkeypatch.setattr("mail.learners.collect.play_shard", never)
    mail.training.train.train(Run.resume(folder))
    same_run(folder, quick)


@pytest.mark.slow
@pytest.mark.equal_results
def test_force_starts_the_same_run_anew(quick: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(quick, folder)
    (folder / "decisions" / "mail-0" / "000000.npz").write_bytes(b"damaged")
    mail.training.train.train(Run.create(folder, QUICK, force=True))
    same_run(folder, quick)
