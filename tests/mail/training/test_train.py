"""The train and gap commands from end to end: what they print, equal bits, resuming, and wrong usage in one line."""

from __future__ import annotations

import argparse
import json
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
from games import NashmailError, make
from mail.clone.presets import preset
from mail.commands.cli import COMMANDS, main
from mail.commands.train import _device, arguments
from mail.data.decisions import Decisions
from mail.training.folder import Config, Run
from mail.training.journal import RunJournal

MEASURES = {"exploitability", "nash_gap", "greedy_exploitability", "greedy_nash_gap"}
QUICK = Config("tictactoe:2x3", explorer="counts", episodes=6, seed=5, points=1)
SMALL = ["train", "tictactoe:2x3", "--explorer", "counts", "--episodes", "6", "--seed", "5"]


def contents(folder: Path, *, without: str = "") -> dict[str, bytes]:
    """Every file under a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != without)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def same_run(one: Path, other: Path) -> None:
    """Equal but for the clock."""
    first, second = contents(one, without="clock.json"), contents(other, without="clock.json")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one JSON object on standard output."""
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    return dict(json.loads(out))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run by the command, uninterrupted."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([*SMALL, "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run with one point a curve, uninterrupted."""
    folder = tmp_path_factory.mktemp("quick") / "run"
    mail.training.train.train(Run.create(folder, QUICK))
    return folder


@pytest.fixture(scope="module")
def other_game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of another game."""
    folder = tmp_path_factory.mktemp("other") / "run"
    config = Config("tictactoe:2x2:2", learners=("bc",), episodes=2, points=1)
    mail.training.train.train(Run.create(folder, config))
    return folder


# --- what is printed -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_train_and_gap_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object with the documented keys; ``gap`` measures the saved policies to the same bits."""
    folder = tmp_path / "run"
    words = ["train", "tictactoe", "--learner", "mail,bc", "--explorer", "counts", "--episodes", "30"]
    assert main([*words, "--out", str(folder), "--json"]) == 0
    result = told(capsys)
    assert result["run"] == str(folder)
    assert result["seconds"] > 0
    assert list(result["learners"]) == ["mail", "bc"]
    for row in result["learners"].values():
        assert row.keys() >= {*MEASURES, "games", "labels", "distinct_labels"}
        assert len(row["exploitability"]) == len(row["greedy_exploitability"]) == 2
        assert row["nash_gap"] == pytest.approx(sum(row["exploitability"]), abs=1e-12)
        assert row["greedy_nash_gap"] == pytest.approx(sum(row["greedy_exploitability"]), abs=1e-12)
        assert row["distinct_labels"] <= row["labels"]
    mail_row, bc_row = result["learners"]["mail"], result["learners"]["bc"]
    assert mail_row["games"] == 60
    assert bc_row["labels"] == mail_row["labels"], "BC gets as many labels as MAIL"
    assert bc_row["distinct_labels"] == 9 < mail_row["distinct_labels"]
    assert bc_row["nash_gap"] > 1.8
    assert main(["gap", f"{folder}:mail", f"{folder}:bc", "--json"]) == 0
    gap = told(capsys)
    assert (gap["game"], gap["exact"], list(gap["policies"])) == ("tictactoe", True, [f"{folder}:mail", f"{folder}:bc"])
    for name in ("mail", "bc"):
        row = gap["policies"][f"{folder}:{name}"]
        assert {key: row[key] for key in MEASURES} == {key: result["learners"][name][key] for key in MEASURES}


@pytest.mark.slow
def test_what_is_told_is_what_is_kept(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole run asked to go on tells its result again, and plays nothing."""
    before = contents(whole)
    assert main([*SMALL, "--out", str(whole), "--resume", "--json"]) == 0
    result = told(capsys)
    kept = json.loads((whole / "result.json").read_bytes())
    for key in ("format", "check", "files"):  # of the folder, not of what was learned
        del kept[key]
    assert {**kept, "run": str(whole), "seconds": result["seconds"]} == result
    assert main([*SMALL, "--out", str(whole), "--resume"]) == 0
    table = capsys.readouterr().out
    for word in ("mail", "bc", "Nash gap", str(whole)):
        assert word in table
    assert contents(whole) == before


def test_curves_end_with_what_was_learned(whole: Path) -> None:
    """Budgets grow to all labels, and the last point is the policy that was saved."""
    result = json.loads((whole / "result.json").read_bytes())
    for name, row in result["learners"].items():
        for seat in (0, 1):
            points = result["curves"][name][seat]
            labels = [point["labels"] for point in points]
            assert labels == sorted(set(labels))
            assert labels[-1] == row["labels_by_seat"][seat]
            assert points[-1]["exploitability"] == pytest.approx(row["exploitability"][seat], abs=1e-12)
            assert points[-1]["greedy_exploitability"] == pytest.approx(row["greedy_exploitability"][seat], abs=1e-12)


def test_the_gap_of_several_runs_as_a_table(
    whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(whole.parent)
    assert main(["gap", "run", "run:bc"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    rows = {line[0]: line[1:] for line in lines if line and line[0] in ("run", "run:bc")}
    result = json.loads((whole / "result.json").read_bytes())["learners"]
    for name, learner in (("run", "mail"), ("run:bc", "bc")):
        told = result[learner]
        counts = [f"{told[key]:,}" for key in ("games", "labels", "distinct_labels")]
        values = [*told["exploitability"], told["nash_gap"], told["greedy_nash_gap"]]
        assert rows[name] == [*counts, *(f"{value:.4f}" for value in values)]


@pytest.mark.slow
def test_all_learners_spend_the_labels_that_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "train tictactoe --explorer uniform --learner bc-first,mail,mail-tremble,bc --labels 90 --json --out"
    assert main([*words.split(), str(tmp_path / "run")]) == 0
    for row in told(capsys)["learners"].values():
        assert row["labels_by_seat"] == [90, 90]


def test_by_default_a_run_is_named_after_game_and_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", "tictactoe:2x2:2", "--learner", "bc", "--episodes", "1", "--seed", "12", "--json"]
    assert main(words) == 0
    assert told(capsys)["run"] == str(Path("runs") / "tictactoe-2x2-2-12")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["tictactoe-2x2-2-12"]


@pytest.mark.slow
def test_train_as_a_function(tmp_path: Path) -> None:
    """The library's call, in a fresh process, gives what a run gives."""
    code = (
        "import json, sys, mail\n"
        "options = dict(learners=('mail',), explorer='counts', episodes=3, points=1)\n"
        "mail.train('tictactoe:2x2:2', sys.argv[1] + '-before', **options)\n"  # and again in the same process
        "print(json.dumps(mail.train('tictactoe:2x2:2', sys.argv[1], **options)['learners']))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    config = Config("tictactoe:2x2:2", learners=("mail",), explorer="counts", episodes=3, points=1)
    result = mail.training.train.train(Run.create(tmp_path / "b", config))
    same_run(tmp_path / "a", tmp_path / "b")
    assert json.loads(done.stdout) == result["learners"]


# --- equal bits ------------------------------------------------------------------------------------------


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
    landed = {name: data for name, data in contents(folder).items() if name.startswith("decisions")}
    mail.training.train.train(Run.resume(folder))
    same_run(folder, quick)
    assert landed.items() <= contents(quick).items()


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
    line = f"nashmail train: interrupted; --resume continues the run in {folder}\n"
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


# --- wrong usage -----------------------------------------------------------------------------------------


def refused(words: list[str], capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Status 2, one line on standard error, nothing on standard output, no file made or changed; the line."""
    monkeypatch.chdir(folder)
    before, folders = contents(folder), sorted(folder.rglob("*"))
    capsys.readouterr()
    try:
        status: Any = main(words)
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1, err
    assert "Traceback" not in err
    assert err.startswith("nashmail")
    assert contents(folder) == before
    assert sorted(folder.rglob("*")) == folders
    return err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dance"], "dance"),
        (["--nosuch"], "COMMAND"),
        (["train"], "GAME"),
        (["train", "tictactoe", "--nosuch"], "--nosuch"),
        (["train", "chess"], "no game is called 'chess'; the games are: "),
        (["train", "tictactoe:0x3"], "a board needs"),
        (["train", "tictactoe:axb"], "ROWSxCOLUMNS"),
        (["train", "tictactoe", "--learner", "nope"], "no learner is called 'nope'; the learners are: bc, "),
        (["train", "tictactoe", "--learner", "mail,nope"], "no learner is called 'nope'"),
        (["train", "tictactoe", "--learner", "bc,bc"], "none twice"),
        (["train", "tictactoe", "--learner", ","], "at least one learner"),
        (["train", "tictactoe", "--explorer", "nope"], "no explorer is called 'nope'; the explorers are: counts, "),
        (["train", "tictactoe", "--expert", "nope"], "no expert is called 'nope'; the experts are: first, "),
        (["train", "tictactoe", "--episodes", "0"], "--episodes must be at least 1, not 0"),
        (["train", "tictactoe", "--episodes", "-3"], "--episodes must be at least 1, not -3"),
        (["train", "tictactoe", "--labels", "-3"], "--labels must be 0 or more, not -3"),
        (["train", "tictactoe", "--episodes", "many"], "--episodes"),
        (["train", "tictactoe", "--episodes", "2.5"], "--episodes"),
        (["train", "tictactoe", "--seed", "-1"], "--seed must be 0 or more, not -1"),
        (["train", "tictactoe", "--seed", "x"], "--seed"),
        (["train", "tictactoe", "--workers", "-1"], "--workers"),
        (["train", "tictactoe", "--workers", "0"], "--workers"),
        (["train", "tictactoe", "--workers", "two"], "--workers"),
        (["train", "tictactoe", "--device", "abacus"], "--device abacus"),
        (["train", "tictactoe", "--resume", "--force"], "not allowed with"),
        (["train", "tictactoe", "--resume"], "there is no run in"),
        (["train", "tictactoe", "--resume", "--out", "missing"], "there is no run in missing"),
        (["train", "tictactoe", "--out", "papers"], "papers exists and is not a run"),
        (["train", "tictactoe", "--out", "papers", "--force"], "papers exists and is not a run"),
        (["train", "tictactoe", "--out", "papers", "--resume"], "there is no run in papers"),
        (["train", "tictactoe", "--out", "notes.txt"], "notes.txt exists and is not a run"),
        (["train", "tictactoe", "--out", "notes.txt", "--force"], "notes.txt exists and is not a run"),
        (["train", "tictactoe", "--out", "notes.txt", "--resume"], "there is no run in notes.txt"),
        (["gap"], "RUN"),
        (["gap", "missing"], "there is no run in missing"),
        (["gap", "missing:bc"], "there is no run in missing"),
        (["gap", "papers"], "there is no run in papers"),
        (["gap", "notes.txt"], "there is no run in notes.txt"),
        (["gap", ""], "may not be empty"),
    ],
)
def test_wrong_usage_is_one_line(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("years of work")
    (tmp_path / "notes.txt").write_text("notes")
    assert says in refused(words, capsys, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (SMALL, "holds a run; add --resume to continue it or --force"),
        ([*SMALL[:2], "--resume"], "was started with another explorer, episodes, seed"),
        ([*SMALL[:-1], "6", "--resume"], "was started with another seed"),
        ([*SMALL, "--symmetry", "--resume"], "was started with another symmetry"),
        ([*SMALL, "--learner", "mail", "--resume"], "was started with another learners"),
        (["train", "chess", "--force"], "no game is called 'chess'"),
        ([*SMALL, "--force", "--episodes", "0"], "--episodes must be at least 1"),
    ],
)
def test_a_run_that_is_there_is_not_harmed(
    words: list[str],
    says: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    assert says in refused([*words, "--out", "run"], capsys, tmp_path, monkeypatch)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


@pytest.mark.parametrize("command", ["gap", "train"])
@pytest.mark.parametrize("damage", [cut, garbage])
@pytest.mark.parametrize("name", ["config.json", "result.json", "policies/mail-0.json", "policies/mail-1.safetensors"])
def test_a_damaged_run_is_told_in_one_line(
    command: str,
    damage: Callable[[Path], None],
    name: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the file's name; a whole run that is asked to go on reads no policies."""
    shutil.copytree(whole, tmp_path / "run")
    damage(tmp_path / "run" / name)
    if command == "gap":
        assert name in refused(["gap", "run", "--json"], capsys, tmp_path, monkeypatch)
    elif name.endswith("result.json") or name.startswith("config"):
        assert name in refused([*SMALL, "--out", "run", "--resume", "--json"], capsys, tmp_path, monkeypatch)


@pytest.mark.slow
def test_gap_measures_one_game_at_a_time(
    whole: Path,
    other_game: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = refused(["gap", str(whole), str(other_game)], capsys, tmp_path, monkeypatch)
    assert f"{other_game} plays tictactoe:2x2:2, not tictactoe:2x3" in line
    assert "dagger" in refused(["gap", f"{whole}:dagger"], capsys, tmp_path, monkeypatch)


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NashmailError, match="no game is called 'chess'"):
        main(["train", "chess", "--debug"])
    assert capsys.readouterr() == ("", "")


# --- help ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS)], ids=str)
def test_help_is_there_for_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(" ".join(["usage: nashmail", *words]))
    assert "--help" in out
    for name, summary in COMMANDS.items() if not words else ():
        assert name in out
        assert summary.split()[0] in out


def test_without_a_word_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("usage: nashmail")


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["gap", "--help"]], ids=str)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from mail.commands.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit as stop:\n"
        "    assert stop.code == 0\n"
        "print(sorted({'numpy', 'torch', 'rich', 'matplotlib', 'scipy', 'ray'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "usage: nashmail" in done.stdout
    assert done.stderr == "[]\n"


# --- what the defaults reach -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("symmetry", "games"), [(False, 2000), (True, 400)])
def test_the_default_learner_cannot_be_beaten(symmetry: bool, games: int, tmp_path: Path) -> None:
    """MAIL as ``nashmail train tictactoe --seed 1`` runs it: greedy, the policies are minimax; as they are, nearly."""
    config = Config("tictactoe", learners=("mail",), symmetry=symmetry, seed=1, points=1)
    row = mail.training.train.train(Run.create(tmp_path / "run", config))["learners"]["mail"]
    assert row["greedy_nash_gap"] == 0.0
    assert 0 <= row["nash_gap"] < 0.02
    assert row["games"] <= games


def test_a_device_is_found_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"cuda": False, "mps": False}
    monkeypatch.setattr("torch.cuda.is_available", lambda: there["cuda"])
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: there["mps"])
    assert _device("auto") == _device("cpu") == "cpu"
    with pytest.raises(NashmailError, match="--device mps is not available; use cpu or auto"):
        _device("mps")
    there["mps"] = True
    assert _device("auto") == _device("mps") == "mps"
    there["cuda"] = True
    assert _device("auto") == _device("cuda") == "cuda"
    with pytest.raises(NashmailError, match="use cuda, mps, cpu or auto"):
        _device("tpu")


def test_what_the_defaults_are() -> None:
    """The command's are the configuration's."""
    words = argparse.ArgumentParser()
    arguments(words)
    given = words.parse_args(["tictactoe"])
    config = Config("tictactoe")
    assert tuple(given.learner.split(",")) == config.learners
    assert given.episodes is None and preset(make("tictactoe")).episodes == config.episodes
    for name in ("explorer", "expert", "symmetry", "labels", "seed", "device"):
        assert getattr(given, name) == getattr(config, name)


@pytest.mark.slow
def test_a_folders_name_is_shown_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "tictactoe:2x2:2", "--episodes", "2", "--out", "\x1b]0;T\x07[bold]x"]) == 0
    out, error = capsys.readouterr()
    assert "\x1b" not in out + error and "\x07" not in out + error
    assert r"run: \x1b]0;T\x07[bold]x " in out
