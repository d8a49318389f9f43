"""Whatever is given and whatever goes wrong, a command says it in one harmless line and with an exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from games.base import GameError
from mail.commands.cli import COMMANDS, main
from mail.commands.line.usage import LONGEST, one_line, prepare_streams


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit status, and the one line on standard error."""
    try:
        status = main(words)
    except SystemExit as leaving:
        assert isinstance(leaving.code, int)
        status = leaving.code
    out, error = capsys.readouterr()
    assert not out and error.count("\n") == 1 and error.endswith("\n") and "Traceback" not in error
    return status, error


def started(words: str, **surroundings: str) -> subprocess.CompletedProcess[str]:
    """A command in a shell, with what the shell makes of its streams."""
    command = f"exec {sys.executable} -m mail {words}"
    home = Path(__file__).parents[4]
    env = os.environ | surroundings
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, cwd=home, env=env)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError("Unable to allocate 18.9 GiB"), "not enough memory (Unable to allocate 18.9 GiB)"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (ValueError("two\nlines\x1b[2J"), r"ValueError: two lines\x1b[2J; --debug"),
        (KeyError("mail"), "KeyError: 'mail'; --debug"),
        (GameError("no game is called '\x1b]0;title\x07'"), r"nashmail games: no game is called '\x1b]0;title\x07'"),
        (PermissionError(13, "Permission denied", "a\x1b[2J"), r"Permission denied (a\x1b[2J); fix that"),
        (AssertionError(), "AssertionError"),
    ],
)
def test_any_error_is_one_line(
    error: Exception, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(args: object) -> int:
        raise error

    monkeypatch.setattr("mail.commands.games.run", run)
    status, line = said(["games"], capsys)
    assert status == 2 and says in line
    with pytest.raises(type(error)):
        main(["games", "--debug"])


def test_a_long_message_loses_its_middle() -> None:
    line = one_line("begin " + "x" * 100_000 + " end")
    assert line.startswith("begin x") and line.endswith("x end") and len(line) <= LONGEST + 5


@pytest.mark.parametrize("words", [["--completion", "no-shell-of-this-world"], ["train", "--import", "?", "--help"]])
def test_errors_of_parsing_break_between_words_on_a_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    with pytest.raises(SystemExit, match="2"):
        main(words)
    whole = capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(SystemExit, match="2"):
        main(words)
    broken = capsys.readouterr().err
    assert whole.count("\n") == 1 < broken.count("\n") and broken.split() == whole.split()
    assert max(map(len, broken.splitlines())) <= 40


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"games", "learners"}))
def test_nothing_is_called_nothing(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said([command, "", "--debug"], capsys)
    assert status == 2 and "may not be empty" in line


def test_no_option_means_the_folder_here_when_it_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(["export", "run", "--out="], capsys)
    assert status == 2 and "argument --out: this may not be empty" in line


@pytest.mark.parametrize(
    "words", [["\x1b[2Jgames"], ["games", "--x=\x1b[2J\n"], ["gap", "\x1b[2J\n\x07"], ["gap", "é\udcff"]]
)
def test_what_was_given_does_not_act_on_the_terminal(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(words, capsys)
    assert status == 2 and line[:-1].isprintable()


@pytest.mark.parametrize("columns", ["0", "abc", "-1", "", "²", "99999999999"])
def test_sizes_that_are_none_are_passed_over(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", "0")
    prepare_streams()
    assert "COLUMNS" not in os.environ and "LINES" not in os.environ
    assert Console().width > 0
    monkeypatch.setenv("COLUMNS", "120")
    prepare_streams()
    assert os.environ["COLUMNS"] == "120"


@pytest.mark.parametrize("number", ["٣", "1_0", " 5 ", "1.5", "NaN", "1e3", "--", "9" * 5000])
def test_whole_numbers_are_digits(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(["match", "tictactoe", "random", "expert", f"--games={number}"], capsys)
    assert status == 2 and "argument --games: " in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("games >/dev/full", "No space left"),
        ("games --help >/dev/full", "No space left"),
        ("match tictactoe:2x2:2 random expert --games 4 >/dev/full", "No space left"),
        ("games >&-", "standard output is closed"),
    ],
)
def test_output_that_goes_nowhere_is_told(words: str, says: str) -> None:
    for unbuffered in ("", "1"):  # a buffer fails when it is written out, the stream itself at once
        done = started(words, PYTHONUNBUFFERED=unbuffered)
        assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("end", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_errors_that_nobody_can_read_are_still_errors(end: str) -> None:
    done = started(f"replay nowhere {end}")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_terminal_without_letters_beyond_ascii(tmp_path: Path) -> None:
    done = started(f"replay {tmp_path}/é□", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert done.returncode == 2 and done.stderr.isascii() and done.stderr.count("\n") == 1
