"""The train and gap commands from end to end: what they print, equal bits, resuming, and wrong usage in one line."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mail.training.evaluate
import mail.training.train
from games import NashmailError, make
from mail.clone.presets import preset
from mail.commands.cli import COMMANDS, main
from mail.commands.train import _device, arguments
from mail.training.defaults import Default
from mail.training.folder import Config, Run
from tests.mail.training.quick_runs import SMALL, contents, same_run, told

MEASURES = {"exploitability", "nash_gap", "greedy_exploitability", "greedy_nash_gap"}


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
    assert result.pop("knows") == {"bc": ["expert", "labels"], "mail": ["labels"]}
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
    assert done.stderr in ("[]\n", *(["['numpy']\n"] if words[0] == "train" else []))  # learners are listed


# --- what the defaults reach -----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_papers_learner_cannot_be_beaten(tmp_path: Path) -> None:
    """Greedy, its policies are minimax; as they are, nearly. Without symmetry the README's demo shows it."""
    config = Config("tictactoe", learners=("mail",), symmetry=True, seed=1, points=1)
    row = mail.training.train.train(Run.create(tmp_path / "run", config))["learners"]["mail"]
    assert row["greedy_nash_gap"] == 0.0
    assert 0 <= row["nash_gap"] < 0.02
    assert row["games"] <= 400


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
    """The command's are the configuration's, but for what a game's line of the table of defaults says."""
    words = argparse.ArgumentParser()
    arguments(words)
    given = words.parse_args(["tictactoe"])
    config = Config("tictactoe")
    assert (Default().learners, Default().explorer) == (config.learners, config.explorer)
    assert given.episodes is None and preset(make("tictactoe")).episodes == config.episodes
    for name in ("symmetry", "labels", "seed", "device"):
        assert getattr(given, name) == getattr(config, name)
    assert [getattr(given, name) for name in ("learner", "explorer", "expert", "knowledge")] == [None] * 4


@pytest.mark.slow
def test_a_folders_name_is_shown_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "tictactoe:2x2:2", "--episodes", "2", "--out", "\x1b]0;T\x07[bold]x"]) == 0
    out, error = capsys.readouterr()
    assert "\x1b" not in out + error and "\x07" not in out + error
    assert r"run: \x1b]0;T\x07[bold]x " in out
