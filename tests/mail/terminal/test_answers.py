"""Answers: moves and what is no move, long pastes, lines to their end."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import Uniform
from mail.terminal.answers import LONGEST_ANSWER, reader
from mail.terminal.session import CHATTER, PATIENCE
from tests.mail.terminal.sitting import Preferring, knowing, session, sit
from tests.support import game

NO_MOVES = {
    "0": "There is no cell 0; they count from 1 to 9.",
    "10": "There is no cell 10; they count from 1 to 9.",
    "5": "Cell 5 is taken. Type one from the list.",
    "": "Nothing was typed. Type the number of a cell, or ? for help.",
    "  \t ": "Nothing was typed. Type the number of a cell, or ? for help.",
    "b2": "'b2' is not the number of a cell. Type one from the list, or ? for help.",
    "hint 2": "'hint 2' is not the number of a cell. Type one from the list, or ? for help.",
    "-1": "'-1' is not the number of a cell. Type one from the list, or ? for help.",
    "1.0": "'1.0' is not the number of a cell. Type one from the list, or ? for help.",
    "1 2": "'1 2' is not the number of a cell. Type one from the list, or ? for help.",
    "\uff11": "'\\uff11' is not the number of a cell. Type one from the list, or ? for help.",
    "\u0661": "'\\u0661' is not the number of a cell. Type one from the list, or ? for help.",
    "\x1b[2J\x00": "'\\x1b[2J\\x00' is not the number of a cell. Type one from the list, or ? for help.",
    "9" * 5000: "'99999999999999999999'... is not the number of a cell. Type one from the list, or ? for help.",
}


@pytest.mark.parametrize("answer", NO_MOVES)
def test_what_is_no_move_is_explained_and_asked_for_again(answer: str) -> None:
    reward, said = sit("tictactoe", Preferring(*range(9)), "5", answer, " 9 \r\n", "q")
    prompt = "Your move (cell 2-4 6-9, ? for help): "
    before, _, after = said.partition(NO_MOVES[answer] + "\n" + prompt)
    assert before.count(prompt) == 1
    assert after.startswith("9\nThe opponent plays cell 2.\n")
    assert reward is None
    assert said.isascii()
    assert "\x1b" not in said


WORDS = st.sampled_from(["hint", "undo", "swap", "a", "board", "?", "1", "2", "5", "9", "resign", ""])


@given(st.lists(st.text(max_size=40).filter(lambda text: "save" not in text.lower()) | WORDS, max_size=30))
def test_no_answer_breaks_the_table(answers: list[str]) -> None:
    reward, said = sit("tictactoe", Uniform(), *answers, **knowing("tictactoe"))
    assert reward in (None, -1, 0, 1)
    assert said.isascii()


@pytest.mark.parametrize(
    "paste",
    [
        b"7" * 10_000_000 + b"\n",
        b"all of it\n" * 20_000,
        bytes(range(256)) * 4_000,
        b"\x00" * 10_000_000,
        b"board\n" * 100_000,
    ],
    ids=["one line", "many lines", "odd bytes", "no line at all", "a word"],
)
def test_a_large_paste_does_not_flood_the_screen(paste: bytes) -> None:
    lines = reader(BytesIO(paste + b"\n5\nq\n"))
    reward, said = session(game("tictactoe"), Preferring(0), iter(lines, None))
    assert reward is None
    assert "The opponent plays cell 1." in said
    assert len(said) < (25_000 if paste.startswith(b"board") else 4_000)
    assert said.count(f"{CHATTER} commands are the limit") == paste.startswith(b"board")


def test_complaints_end_after_a_while_and_moves_still_count() -> None:
    reward, said = sit("tictactoe", Preferring(8, 7, 5), *["no"] * 100, "1", "oops", "2", "3")
    assert reward == 1
    assert said.count("'no' is not") == PATIENCE
    assert said.count("get no reply") == 1
    assert said.count("'oops' is not") == 1


def test_lines_are_read_to_their_end() -> None:
    read = reader(BytesIO(b"1\r\n" + b"x" * 200_000 + b"\n\xff2\n3"))
    assert [read() for _ in range(5)] == ["1\r\n", "x" * LONGEST_ANSWER, "\ufffd2\n", "3", None]
    assert reader(None)() is None
