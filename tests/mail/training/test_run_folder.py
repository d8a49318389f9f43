"""What is read of a run's folder: its own files as it wrote them, of any version, or one line that says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest

from agents.policy import Uniform
from mail.commands.cli import main
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.parallel.streams import stream
from mail.terminal.refutation import labelled
from mail.training.config import RunError
from mail.training.folder import Run
from mail.training.profile import load_profile
from mail.training.rounds import read_decisions, write_decisions
from mail.training.train import train
from tests.mail.training.run_folders import CONFIG, WORDS, contents, refused
from tests.support import game

pytestmark = pytest.mark.usefixtures("no_figure")
OLD_WORDS = ["tictactoe", "--learner", "bc-tabular", "--explorer", "uniform", "--episodes", "2"]
HALF_WORDS = ["tictactoe:2x2:2", "--learner", "mail-tabular,bc-tabular", "--explorer", "tabular", "--episodes", "2"]


# --- rounds ----------------------------------------------------------------------------------------------


def edit(path: Path, **columns: Any) -> None:
    """Change columns of a round and leave its seal as it is."""
    with ZipFile(path) as archive:
        seal = archive.comment
    with np.load(path) as arrays:
        changed = {name: arrays[name] for name in arrays.files}
    np.savez(path, **{**changed, **columns})
    with ZipFile(path, "a") as archive:
        archive.comment = seal


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def first_round(run: Path) -> Path:
    return run / "decisions" / "mail-tabular-0" / "000000.npz"


def seat_1(path: Path) -> Path:
    return path.parents[1] / "mail-tabular-1" / path.name


def other_seed(path: Path, tmp: Path) -> None:
    run = Run.create(tmp / "other", replace(CONFIG, seed=4))
    train(run)
    shutil.copy(first_round(run.folder), path)


DAMAGE: dict[str, tuple[str, Callable[[Path, Path], Any]]] = {
    "labels edited": ("was edited", lambda path, tmp: edit(path, label=np.zeros_like(np.load(path)["label"]))),
    "reward edited": ("was edited", lambda path, tmp: edit(path, reward=np.load(path)["reward"] + 1)),
    "garbage keys": ("was edited", lambda path, tmp: edit(path, key=np.load(path)["key"] + np.uint64(7))),
    "seal removed": (
        "no check sum",
        lambda path, tmp: np.savez(path, allow_pickle=False, **read_decisions(path).arrays()),
    ),
    "a member's date": ("was edited", lambda path, tmp: flip(path, 10)),
    "a digit of the seal": ("was edited", lambda path, tmp: flip(path, -1)),
    "more behind it": ("was edited", lambda path, tmp: path.write_bytes(path.read_bytes() + b"more")),
    "next round": ("another round", lambda path, tmp: shutil.copy(path.with_name("000001.npz"), path)),
    "other seat": (
        "another round",
        lambda path, tmp: shutil.copy(path.parents[1] / "mail-tabular-1" / path.name, path),
    ),
    "other run": ("another round", other_seed),
    "own run, sealed as a shard": (
        "another round",
        lambda path, tmp: write_decisions(path, read_decisions(path), "somewhere"),
    ),
    "truncated": ("damaged", lambda path, tmp: path.write_bytes(path.read_bytes()[:-9])),
    "device": ("a device, not a regular file", lambda path, tmp: (path.unlink(), path.symlink_to("/dev/zero"))),
    "pipe": ("a pipe, not a regular file", lambda path, tmp: (path.unlink(), os.mkfifo(path))),
    "folder": ("a folder, not a regular file", lambda path, tmp: (path.unlink(), path.mkdir())),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_round_that_is_not_the_runs_own_is_named_and_can_be_deleted(
    damage: str, finished: Path, copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    says, change = DAMAGE[damage]
    (copied / "result.json").unlink()
    path = first_round(copied)
    change(path, tmp_path)
    line = refused(["train", *WORDS, "--out", str(copied), "--resume"], capsys)
    assert says in line and str(path) in line and "delete it and resume" in line
    with pytest.raises(RunError, match=says):
        list(Run.at(copied).journal.rounds("mail-tabular", 0))
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    train(Run.resume(copied))
    same = contents(finished)
    assert contents(copied).keys() == same.keys()
    assert [name for name, data in contents(copied).items() if data != same[name]] == []


def columns(decisions: Decisions) -> dict[str, dict[str, Any]]:
    """What rounds of the first format, which carry no check sums, can be seen not to be."""
    label, asked = decisions.label, np.flatnonzero(decisions.queried)
    negative, halved, part = label.copy(), label.copy(), label.copy()
    negative[asked[0], :2] = [-1.0, 2.0]
    halved[asked[0]] /= 2
    part[asked[0], 0] = np.nan
    return {
        "label negative": {"label": negative},
        "label halved": {"label": halved},
        "label zero": {"label": np.zeros_like(label)},
        "label partly NaN": {"label": part},
        "key": {"key": decisions.key + np.uint64(1)},
        "key kind": {"key": decisions.key.astype(np.int64)},
        "observation": {"observation": decisions.observation + 1},
        "observation shape": {"observation": decisions.observation[:, :1]},
        "legal": {"legal": np.ones_like(decisions.legal)},
        "seat": {"seat": decisions.seat + 1},
        "other seat": {"seat": 1 - decisions.seat},
        "state": {"state": decisions.state + np.uint64(1)},
        "state shape": {"state": decisions.state[:, :1]},
        "reward": {"reward": np.full(len(decisions), np.inf)},
        "next": {"next": np.zeros_like(decisions.next)},
        "episode": {"episode": decisions.episode - 9},
        "flat": {"legal": decisions.legal[:, 0]},
    }


def test_rounds_without_a_check_sum_are_held_against_the_rules(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = old / "finished" / "decisions" / "bc-tabular-0" / "000000.npz"
    good = path.read_bytes()
    rounds = [part.games for part in Run.at(old / "finished").journal.rounds("bc-tabular", 0)]
    assert rounds and all(rounds)
    profile = load_profile(str(old / "finished"))
    for name, change in columns(read_decisions(path)).items():
        edit(path, **change)
        with pytest.raises(RunError, match=r"000000\.npz .*delete it and resume"):
            labelled(profile, 0)
        if name in ("key", "flat"):
            assert "delete it and resume" in refused(["exploit", str(old / "finished"), "--show"], capsys)
        path.write_bytes(good)
    other = play(game("tictactoe:2x2:2"), (Uniform(), Uniform()), 2, rng=stream(0, "test"))
    np.savez(path, **other.arrays())  # type: ignore[arg-type]
    with pytest.raises(RunError, match="does not fit tictactoe"):
        labelled(profile, 0)


# --- older versions --------------------------------------------------------------------------------------


def test_a_finished_run_of_the_first_format_is_read(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = old / "finished"
    before = contents(run)
    assert main(["gap", str(run), "--json"]) == 0
    measured = next(iter(json.loads(capsys.readouterr().out)["policies"].values()))
    told = json.loads((run / "result.json").read_bytes())["learners"]["bc-tabular"]
    assert measured["nash_gap"] == pytest.approx(told["nash_gap"], abs=1e-12)
    assert main(["watch", str(run), "--once"]) == 0
    assert "finished" in capsys.readouterr().out
    assert main(["exploit", str(run), "--show"]) == 0
    assert "The expert was never queried here. The nearest 2 of the run's 4" in capsys.readouterr().out
    assert main(["train", *OLD_WORDS, "--out", str(run), "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["learners"]["bc-tabular"] == told
    assert contents(run) == before


def test_an_unfinished_run_of_the_first_format_goes_on(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    completed = contents(old / "unfinished" / "decisions")
    assert main(["train", *HALF_WORDS, "--out", str(old / "unfinished"), "--resume", "--json"]) == 0
    assert main(["train", *HALF_WORDS, "--out", str(tmp_path / "new"), "--json"]) == 0
    one, other = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert one["learners"] == other["learners"] and one["curves"] == other["curves"]
    assert contents(old / "unfinished" / "policies") == contents(tmp_path / "new" / "policies")
    assert completed.items() <= contents(old / "unfinished" / "decisions").items()
    assert main(["train", *HALF_WORDS, "--out", str(old / "unfinished"), "--resume"]) == 0


# --- the other files -------------------------------------------------------------------------------------

JSON_FILES = ("config.json", "result.json", "clock.json", "metrics.jsonl")
READERS = {
    "config.json": ["watch", "gap", "train"],
    "result.json": ["watch", "gap", "train"],
    "clock.json": ["train"],
    "metrics.jsonl": ["watch"],
}
BAD = {
    "empty": b"",
    "list": b"[]\n",
    "number": b"5\n",
    "no text": b"\xff\xfe\x00\n",
    "deep": b'{"format": 1, "seconds": ' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
    "NaN": b'{"format": NaN, "seconds": NaN}\n',
    "1e999": b'{"format": 1e999, "seconds": 1e999}\n',
    "negative": b'{"format": -1, "seconds": -1}\n',
    "newer": b'{"format": 99, "seconds": true}\n',
}


def commands(name: str, folder: Path, words: list[str]) -> list[list[str]]:
    known = {
        "watch": ["watch", str(folder), "--once"],
        "gap": ["gap", str(folder)],
        "train": ["train", *words, "--out", str(folder), "--resume"],
    }
    return [known[reader] for reader in READERS[name]]


@pytest.mark.parametrize("name", JSON_FILES)
def test_files_that_are_something_else(name: str, copied: Path, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, words in ((copied, WORDS), (old / "finished", OLD_WORDS)):
        for bad in BAD.values():
            (folder / name).write_bytes(bad)
            for command in commands(name, folder, words):
                if bad or name != "metrics.jsonl" or folder == copied:
                    assert name in refused(command, capsys)


@pytest.mark.parametrize("name", JSON_FILES)
def test_files_that_are_no_regular_ones(name: str, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copied / name
    for make, says in (
        (lambda: path.symlink_to("/dev/zero"), "it is a device"),
        (lambda: os.mkfifo(path), "it is a pipe"),
    ):
        path.unlink()
        make()
        for command in commands(name, copied, WORDS):
            line = refused(command, capsys)
            assert says in line and name in line


@pytest.mark.parametrize("name", [*JSON_FILES, "decisions/mail-tabular-0/000000.npz"])
def test_files_that_may_not_be_read_are_not_called_damaged(
    name: str, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def closed(path: Any, *words: Any, **more: Any) -> int:
        if str(path).endswith(name):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *words, **more)

    from mail.terminal.progress.run import read_progress
    from mail.training.files import read_seconds

    readers: list[Callable[[], object]] = [
        lambda: read_progress(copied),
        lambda: read_seconds(copied),
        lambda: list(Run.at(copied).journal.rounds("mail-tabular", 0)),
    ]
    said = []
    monkeypatch.setattr(os, "open", closed)
    for read in readers:
        try:
            read()
        except RunError as error:
            said.append(str(error))
    assert said and all("cannot read" in line and "Permission denied; fix that" in line for line in said)


@pytest.mark.parametrize(
    ("name", "old_text", "new"),
    [("result.json", '"nash_gap": ', '"nash_gap": 1'), ("metrics.jsonl", '"labels": ', '"labels": 1')],
)
def test_what_was_edited_after_the_run_is_noticed(
    name: str, old_text: str, new: str, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (copied / name).read_text()
    assert old_text in text
    (copied / name).write_text(text.replace(old_text, new))
    assert "check sum differs" in refused(["watch", str(copied), "--once"], capsys)


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x1b[2J", "\ud800"])
def test_escapes_in_a_folder_do_not_reach_the_terminal(
    text: str, old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = old / "finished"
    for name, change in (
        ("config.json", lambda values: values.update(explorer=text)),
        ("config.json", lambda values: values.update({text: 1})),
        ("result.json", lambda values: values["learners"].update({text: {}})),
        ("result.json", lambda values: values["config"].update(game=text)),
        ("metrics.jsonl", lambda values: values.update({text: 1})),
    ):
        good = (folder / name).read_bytes()
        values = json.loads(good.splitlines()[0] if name == "metrics.jsonl" else good)
        change(values)
        (folder / name).write_text(json.dumps(values) + "\n")
        line = refused(["watch", str(folder), "--once"], capsys)
        assert name in line and line.strip().isprintable()
        (folder / name).write_bytes(good)


@pytest.mark.parametrize("command", ["gap", "exploit", "export", "watch"])
@pytest.mark.parametrize("name", ["", ":mail", "a\0b"])
def test_no_name_is_no_folder(
    command: str, name: str, copied: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above all not the folder that one happens to be in."""
    monkeypatch.chdir(copied)
    try:
        status = main([command, name])
    except SystemExit as stop:  # wrong usage
        status = int(str(stop.code))
    assert status == 2 and capsys.readouterr().err.count("\n") == 1


def test_an_empty_folder_name_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["train", *WORDS, "--out", ""])
    assert stop.value.code == 2 and capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_metrics_are_finite(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    run.journal.log("mail-tabular", 0, {"games": 1, "bonus": float("inf"), "loss": float("nan")})
    assert json.loads((tmp_path / "run" / "metrics.jsonl").read_text()) == {
        "learner": "mail-tabular",
        "seat": 0,
        "games": 1,
    }


def test_a_kept_clone_of_another_run_is_fitted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def died(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    for name, seed in (("one", 3), ("other", 4)):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Run, "finish", died)
            train(Run.create(tmp_path / name, replace(CONFIG, seed=seed)))
    shutil.rmtree(tmp_path / "one" / "kept")
    shutil.copytree(tmp_path / "other" / "kept", tmp_path / "one" / "kept")
    stage = "mail-tabular/clone"
    assert Run.at(tmp_path / "other").journal.load_fit(stage, 0, game(CONFIG.game), "cpu") is not None
    assert Run.at(tmp_path / "one").journal.load_fit(stage, 0, game(CONFIG.game), "cpu") is None
