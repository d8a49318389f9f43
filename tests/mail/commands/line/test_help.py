"""Help: it fits every width, lists every learner and explorer, and loads nothing heavy; completion of shells."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from games.registered import Declaration
from mail.clone.registry import CLONERS
from mail.commands.cli import COMMANDS, main, parser
from mail.commands.line.completion import SHELLS
from mail.explore import EXPLORERS
from mail.learners import LEARNERS
from mail.terminal.layout import listed, wrapped
from tests.mail.training.run_folders import OLD


def printed(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints on standard output, with exit status 0 and nothing else."""
    try:
        status = main(words)
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    out, error = capsys.readouterr()
    assert (status, error) == (0, "")
    return out


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS), ["learners"]], ids=" ".join)
def test_help_fits_the_terminal(
    words: list[str], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = printed(words, capsys)
    assert max(map(len, text.splitlines())) <= width
    assert text == text.replace("\t", "") and text.count("\n") > 3


def test_help_of_train_lists_every_learner_and_explorer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = [" ".join(line.split()) for line in printed(["train", "--help"], capsys).splitlines()]
    for kind in (LEARNERS, EXPLORERS):
        for name in kind.names():
            declared: Declaration = kind.about(name)
            assert f"{name} {declared.summary}" in lines


def test_learners_are_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = [" ".join(line.split()) for line in printed(["learners"], capsys).splitlines()]
    for kind in (LEARNERS, EXPLORERS, CLONERS):
        for name in kind.names():
            assert any(line.startswith(f"{name} ") and line.endswith(kind.about(name).summary) for line in lines), name
    assert any(line.startswith("mail labels, its explorer's yes ") for line in lines)
    assert any(line.startswith("refute labels, model, reward, rules ") for line in lines)
    assert any(line.startswith("deep play alone ") for line in lines)


def test_learners_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    told = json.loads(printed(["learners", "--json"], capsys))
    learners = {row["name"]: row for row in told["learners"]}
    assert list(learners) == LEARNERS.names()
    assert learners["bc-first"] == {
        "name": "bc-first",
        "summary": LEARNERS.about("bc-first").summary,
        "source": "arXiv 2602.22810",
        "knows": ["expert", "labels"],
        "explores": False,
        "both_seats": True,
        "expert": "first",
        "explorer": None,
    }
    assert learners["mail"]["explorer"] == "the run's" and learners["mail"]["explores"]
    assert [row["name"] for row in told["explorers"]] == EXPLORERS.names()
    assert [row["name"] for row in told["cloners"]] == CLONERS.names()


def test_help_and_learners_load_no_torch() -> None:
    code = "import sys\nfrom mail.start import main\ntry: main()\nfinally: print({*%s} & {*sys.modules})"
    for words, heavy in (
        (["--help"], "numpy rich"),
        (["train", "--help"], "torch rich"),
        (["learners"], "torch"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code % heavy.split(), *words], capture_output=True, text=True, timeout=120
        )
        assert done.stdout.endswith("set()\n") and done.stderr == ""


def test_lists_are_wrapped() -> None:
    text = listed({"ab": "one two three four five six", "a-long-name": "seven", "plain": ""}, 40)
    assert text == "  ab           one two three four five\n               six\n  a-long-name  seven\n  plain\n"
    narrow = listed({"a-name": "one two three four five", "b": "six"}, 20)
    assert narrow == "  a-name\n    one two three\n    four five\n  b\n    six\n"


def test_lines_are_wrapped_at_spaces_alone() -> None:
    path = "/a/path/that-is-longer/than/the-line"
    assert wrapped(f"  in {path} it is\n\nshort  one\n", 20) == f"  in\n    {path}\n    it is\n\nshort  one\n"
    assert wrapped("one two three\n\n", 8, hang="") == "one two\nthree\n\n"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_what_exploit_says_fits_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.chdir(OLD)
    text = printed(["exploit", "finished"], capsys)
    assert max(map(len, text.splitlines())) <= width
    assert "Seat 0, x, is " in text and ("Seat 1, o, is " in " ".join(text.split()))


# --- completion ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_name_is_completed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(["--completion", shell], capsys)
    for word in (*COMMANDS, "ray-address"):
        assert word in text
    if shell != "tcsh":
        assert all(name in text for name in ("mail-tabular", "refute", "vertex", "gridworld"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "completion"
    path.write_text(printed(["--completion", "bash"], capsys))
    ask = (
        f"source {path}; COMP_WORDS=(nashmail {{}}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        "_shtab_nashmail nashmail; echo ${COMPREPLY[@]}"
    )
    for words, replies in (("tr", "train"), ("train --explorer ref", "refute"), ("watch --onc", "--once")):
        done = subprocess.run(["bash", "-c", ask.replace("{}", words)], capture_output=True, text=True, timeout=60)
        assert done.stdout.split() == [replies], done.stderr


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--completion", "nope"])
    assert capsys.readouterr().err == "nashmail: there are completions for bash, zsh, fish, tcsh, not for 'nope'\n"


def test_completion_leaves_the_parsers_alone() -> None:
    assert {action.dest for action in parser()._actions} >= {"imports", "command", "debug"}
