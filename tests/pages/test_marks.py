"""How pages mark what is not run, and how what they show is compared."""

from __future__ import annotations

import pytest

from tests.pages.reading import Block, Command, commands, is_form
from tests.pages.test_commands import check_promises, check_shown


@pytest.mark.parametrize(
    ("line", "long"),
    [
        ("make test    # 15 minutes: runs every test", True),
        ("reproduce.py asks  # hours", True),
        ("nashmail exploit runs/a  # half a minute", True),
        ("nashmail exploit runs/a  # five minutes", True),
        ("nashmail exploit runs/a  # one of 30 minutes", False),
        ("nashmail gap runs/demo  # takes long", False),
        ("nashmail gap runs/demo", False),
    ],
)
def test_only_a_time_at_the_start_of_a_comment_marks_a_command_as_long(line: str, long: bool) -> None:
    [command] = commands(Block("sh", f"# a comment\n{line}\n", 1))
    assert command == Command(line.partition("  #")[0].strip(), long)


def test_a_console_block_holds_what_each_command_shows() -> None:
    first, second = commands(Block("console", "$ nashmail gap one\n0.5\n0.6\n$ nashmail gap two  # an hour\n", 1))
    assert (first.words, first.shown, first.long) == ("nashmail gap one", "0.5\n0.6\n", False)
    assert second.long


@pytest.mark.parametrize(
    "words", ["nashmail gap RUN[:LEARNER]", "nashmail train GAME --from-games FILE...", "nashmail exploit"]
)
def test_placeholders_make_a_form(words: str) -> None:
    assert is_form(Command(words, False))


@pytest.mark.parametrize(
    "words", ["nashmail gap runs/demo", "python scripts/attack.py", "nashmail play tictactoe --seed 1"]
)
def test_without_them_it_is_run(words: str) -> None:
    assert not is_form(Command(words, False))


def test_what_is_shown_may_leave_out_lines_and_times_alone() -> None:
    printed = "a title, 3.2 s\n bc   0.5\n mail 0.1\nrun: here\n"
    check_shown("a title, 70 s\nbc 0.5\nmail 0.1\nrun: here\n", printed)
    check_shown("...\nmail 0.1\n...\n", printed)
    for wrong in ("a title, 1 s\n...\nmail 0.2\n...\n", "bc 0.5\n...\n", "a title, 3 s\nrun: here\n"):
        with pytest.raises(AssertionError):
            check_shown(wrong, printed)


def test_every_print_promises_something() -> None:
    check_promises("print(1 / 2)  # 0.5\n", "0.5\n")
    for snippet, printed in (("print(1 / 2)\n", "0.5\n"), ("print(1 / 2)  # 0.6\n", "0.5\n")):
        with pytest.raises(AssertionError):
            check_promises(snippet, printed)
