"""A human at the table: scripted games from both seats, answers that are no moves, leaving, and a real terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from io import BytesIO, StringIO, TextIOWrapper
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents import PolicyError, Uniform, make_expert
from agents.policy import Policy, Seats
from games import Game, GameError, Quotient, make
from games.base import Floats, States
from games.markov.gridworld import gridworld
from games.models import arrangements
from mail.commands.cli import main
from mail.data.records import Record, read
from mail.terminal import session as terminal
from mail.terminal.analysis import ModelOracle
from mail.terminal.boards import Look, Scene
from mail.terminal.session import CHATTER, HUMAN, PATIENCE, Player, Read, Session, Setting, reader, view
from mail.training.folder import Config, Run
from tests.support import PENNIES, Stuck, draw, game, graph


class Preferring:
    """Plays the first of its actions that is legal."""

    def __init__(self, *actions: int) -> None:
        self.actions = actions

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.zeros(legal.shape)
        for row in np.flatnonzero(legal.any(1)):
            rows[row, next(action for action in self.actions if legal[row, action])] = 1.0
        return rows


def expert(name: str) -> Seats:
    return make_expert("first", graph(name))


def session(
    played: Game, policy: Policy, answers: Iterator[str | None], *, human: int = 0, seed: int = 0, **setting: Any
) -> tuple[float | None, str]:
    """Seat 0's reward and all that was said, drawn with plain characters."""
    other = Player("the opponent", policy)
    players = (HUMAN, other) if human == 0 else (other, HUMAN)
    chosen = Setting(**{"unicode": False, **setting})
    return recorded(played, players, answers, seed=seed, setting=chosen)


def recorded(
    played: Game, players: tuple[Player, Player], answers: Iterator[str | None], *, seed: int, setting: Setting
) -> tuple[float | None, str]:
    file = StringIO()
    console = Console(file=file, markup=False, highlight=False, emoji=False, width=80)
    read: Read = lambda: next(answers, None)  # noqa: E731
    table = Session(played, players, seed=seed, read=read, console=console, echo=True, setting=setting)
    return table.play(), file.getvalue()


def sit(
    name: str, policy: Policy, *answers: str, human: int = 0, seed: int = 0, **setting: Any
) -> tuple[float | None, str]:
    """A scripted game; the input ends with the script."""
    return session(game(name), policy, iter(answers), human=human, seed=seed, **setting)


def boards(said: str) -> list[str]:
    """The boards that were drawn."""
    return [block for block in said.split("\n\n") if re.search(r"^-+\+|^\+-+\+$", block, re.MULTILINE)]


def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, typed: str | bytes = b""
) -> tuple[int, str, str]:
    """Exit status, output and errors of ``nashmail`` with this input."""
    data = typed.encode() if isinstance(typed, str) else typed
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))
    try:
        status = main(shlex.split(words))
    except SystemExit as stopped:  # how argparse ends
        status = int(stopped.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


# --- games from start to end -----------------------------------------------------------------------------


def test_win_from_the_first_seat() -> None:
    reward, said = sit("tictactoe", Preferring(8, 7, 5), "1", "2", "3")
    assert reward == 1
    assert "You are x and move first." in said
    assert "The opponent plays cell 9." in said
    assert said.endswith("You win against the opponent.\n")
    assert boards(said)[0] == draw_grid(" 1 | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert boards(said)[1] == draw_grid(" x | 2 | 3", " 4 | 5 | 6", " 7 | 8 |[o]")
    assert boards(said)[-1] == draw_grid("*x*|*x*|[x]", " . | . | .", " . | o | o")


def test_win_from_the_second_seat() -> None:
    reward, said = sit("tictactoe", Preferring(0, 1, 8, 7), "4", "5", "6", human=1)
    assert reward == -1
    assert "You are o and move second." in said
    assert boards(said)[0] == draw_grid("[x]| 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert boards(said)[-1] == draw_grid(" x | x | .", "*o*|*o*|[o]", " . | . | x")
    assert said.endswith("You win against the opponent.\n")


def draw_grid(*rows: str) -> str:
    return "\n---+---+---\n".join(rows)


def test_loss_and_draw_against_the_expert() -> None:
    first, second = expert("tictactoe")
    reward, said = sit("tictactoe", second, "1", "2", "6", "7", "9")
    assert reward == -1
    assert said.endswith("You lose: the opponent wins.\n")
    reward, said = sit("tictactoe", second, "5", "3", "4", "2", "9")
    assert reward == 0
    assert said.endswith("A draw between you and the opponent.\n")
    reward, said = sit("tictactoe", first, "9", "2", "4", "6", human=1)
    assert reward == 1


def test_columns_fall_and_carry_their_numbers_below() -> None:
    reward, said = sit("connect4:4x4", Preferring(3, 2), "1", "1", "1", "1")
    assert reward == 1
    assert "Your move (column 1-4, ? for help): 1\nThe opponent plays column 4.\n" in said
    assert boards(said)[1] == draw(
        """
        | .  .  .  . |
        | .  .  .  . |
        | .  .  .  . |
        | x  .  . [o]|
        +------------+
          1  2  3  4
        """
    )
    assert boards(said)[-1] == draw(
        """
        |[x] .  .  . |
        |*x* .  .  o |
        |*x* .  .  o |
        |*x* .  .  o |
        +------------+
        """
    )


def test_a_full_column_is_refused_and_no_longer_numbered() -> None:
    reward, said = sit("connect4:4x4", Preferring(0, 3), "1", "1", "1", "2")
    assert reward is None
    assert "Column 1 is full. Type one from the list." in said
    assert "Your move (column 2-4, ? for help): 1\n" in said
    assert "\n     2  3  4\n" in said


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "tictactoe:4x4:3", "connect4:1x12:4", "tictactoe:7x8:4"])
@pytest.mark.parametrize("on", [Look(False, 120, 40), Look(True, 120, 40), Look(False, 40, 12)], ids=str)
def test_numbers_stand_where_the_stone_will_be(name: str, on: Look) -> None:
    played, rng = make(name), np.random.default_rng(0)
    look, start = view(played), played.start(1, rng=rng)
    column = look.noun == "column"
    empty = look.draw(Scene(start[0]), on).plain.splitlines()
    for action in range(played.spec.actions):
        after, _, _ = played.step(start, np.array([[action, -1]]), rng=rng)
        drawn = look.draw(Scene(after[0], start[0]), on).plain.splitlines()
        line = next(line for line in drawn if re.search("[x\u25cf]", line))
        number = empty[-1] if column else empty[drawn.index(line)]
        ends = {int(found[0]): found.end() for found in re.finditer(r"\d+", number)}
        assert re.search("[x\u25cf]", line).end() == ends[action + 1]  # type: ignore[union-attr]
        if not column:
            assert str(action + 1) not in re.findall(r"\d+", "\n".join(drawn))


def test_any_turn_based_game_is_played_by_the_numbers_of_its_moves() -> None:
    reward, said = session(Quotient(game("tictactoe")), Preferring(*range(9)), iter(["5", "99", "q"]))
    assert reward is None
    assert "You are seat 0 and move first. Answer with the number of a move." in said
    assert "\n...\n...\n...\n" in said
    assert "There is no move 99; they count from 1 to 9." in said


def test_games_in_which_both_move_at_once() -> None:
    """Matching pennies, then with the sign that chance drew: the human chooses before the other's move is shown."""
    reward, said = session(PENNIES, Preferring(0), iter(["1", "1"]), seed=3)
    sign = 1 if "round 1, sign 1" in said else -1
    assert reward == 1 + sign
    assert "You are seat 0 and both move at once." in said
    first, second = said.index("Your move (move 1-2"), said.index("The opponent plays move 1.")
    assert first < second


def test_a_grid_world_is_played_with_words_or_numbers() -> None:
    grid = gridworld(3, 3)
    answers = iter(["up", "r", "right", "2", *["left"] * 10])
    reward, said = session(grid, Preferring(0), answers)
    assert "'r' is not" not in said and "You resign" in said  # r is a word already
    answers = iter(["up", "right", "2", *["left"] * 10])
    reward, said = session(grid, Preferring(0), answers)
    assert "and both move at once. Answer with the number of a move, or left, right, up, down.\n" in said
    assert "Your move (left right up down, ? for help): 2\n" in said
    assert reward == 8  # on the goal after two moves to the right, and there until the end
    assert said.endswith("You win against the opponent (8 ahead).\n")
    assert boards(said)[-1] == draw_grid(" . | . |[0]", " . | . | .", " 1 | . | .").replace("[0]", " 0")


# --- both seats, and changing them ------------------------------------------------------------------------


def test_two_humans_at_one_table() -> None:
    reward, said = recorded(
        game("tictactoe"), (HUMAN, HUMAN), iter(["1", "5", "2", "7", "3"]), seed=0, setting=Setting(unicode=False)
    )
    assert reward == 1
    assert "tictactoe, x against o, both yours." in said
    assert "x to move (cell 1-9, ? for help): 1\n" in said
    assert "o to move (cell 2-9, ? for help): 5\n" in said
    assert said.endswith("x wins.\n")


def test_undo_takes_back_the_own_move_and_the_answer() -> None:
    reward, said = sit("tictactoe", Preferring(8, 7, 5), "undo", "1", "2", "u", "5", "undo", "undo", "4", "5", "6")
    assert "There is no move of yours to take back." in said
    assert "Back to move 3." in said and "Back to move 1." in said
    assert said.endswith("You win against the opponent.\n") and reward == 1
    assert boards(said)[-1] == draw_grid(" . | . | .", "*x*|*x*|[x]", " . | o | o")


def test_undo_gives_the_same_chances_again() -> None:
    """What a random opponent answers to the same move is the same after taking it back."""
    _, plain = sit("tictactoe", Uniform(), "5", "q", seed=11)
    _, undone = sit("tictactoe", Uniform(), "1", "undo", "5", "undo", "5", "q", seed=11)
    answer = re.findall(r"The opponent plays cell \d", plain)
    assert len(answer) == 1
    assert re.findall(r"The opponent plays cell \d", undone)[1:] == answer * 2


def test_undo_after_the_end() -> None:
    played = ["1", "2", "6", "undo", "7", "quit"]
    file = iter(played)
    _, second = expert("tictactoe")
    reward, said = session(game("tictactoe"), second, file, linger=True)
    assert "You lose: the opponent wins.\nEnter leaves; undo takes your last move back" in said
    assert "Back to move 5." in said
    assert reward is None


def test_swap_changes_the_seats() -> None:
    pair = expert("tictactoe")
    reward, said = sit("tictactoe", pair[1], "5", "swap", "q", advisers=pair)
    assert "You are o now, the opponent is x." in said
    assert reward is None
    assert sum(sum(mark in "xo" for mark in re.sub(r"[^xo]", "", board)) for board in boards(said)[-1:]) == 3
    _, said = sit("tictactoe", pair[1], "swap", "q")
    assert "the opponent plays that seat alone." in said


def test_resigning_is_a_loss() -> None:
    reward, said = sit("tictactoe", Uniform(), "5", "resign")
    assert reward == -1
    assert said.endswith("You resign: the opponent wins.\n")
    reward, said = sit("tictactoe", Uniform(), "r", human=1)
    assert reward == 1


# --- analysis --------------------------------------------------------------------------------------------


def knowing(name: str) -> dict[str, Any]:
    return {"advisers": expert(name), "oracle": lambda: ModelOracle(graph(name))}


def test_analysis_shows_probabilities_values_and_verdicts() -> None:
    _, second = expert("tictactoe")
    _, said = sit("tictactoe", second, "1", "analysis on", "2", "6", "q", **knowing("tictactoe"))
    table = draw(
        """
        cell  policy             value
           4    0.0%             loses
           6    0.0%             loses
           7  100.0% ##########  draws  expert
           8    0.0%             loses
           9    0.0%             loses
        """
    )
    assert table in said
    assert "You play cell 2. Keeps the draw.\nThe opponent plays cell 3. The only move that draws.\n" in said
    assert "You play cell 6. Throws away a draw: it loses now.\n" in said
    assert "The opponent plays cell 7. The only move that wins.\n" in said


def test_analysis_is_switched() -> None:
    _, said = sit(
        "tictactoe", Uniform(), "a", "5", "analysis off", "analysis perhaps", "a", "q", **knowing("tictactoe")
    )
    assert said.count("cell  policy") == 3  # switched on, the next turn, switched on again
    assert "Analysis is off." in said
    assert "Say analysis on, or analysis off." in said


def test_hints() -> None:
    _, second = expert("tictactoe")
    _, said = sit("tictactoe", second, "hint", "1", "2", "hint", "q", **knowing("tictactoe"))
    assert "Every move is as good as any other." in said
    assert "An expert plays cell 7." in said
    _, said = sit("tictactoe", second, "hint", "q", advisers=expert("tictactoe"))
    assert "The policy likes cell 1 best; what is right is not known here." in said
    _, said = sit("tictactoe", second, "hint", "a", "q")
    assert "Nobody here knows better than you." in said
    assert "Nothing is known of this position" in said


def test_the_oracle_is_asked_for_once_and_only_when_needed() -> None:
    made: list[int] = []

    def oracle() -> None:
        made.append(1)

    sit("tictactoe", Uniform(), "5", "q", oracle=oracle)
    assert made == []
    sit("tictactoe", Uniform(), "hint", "5", "hint", "a", "q", oracle=oracle)
    assert made == [1]


def test_help_lists_every_word() -> None:
    _, said = sit("tictactoe", Uniform(), "?", "help", "q")
    for word in ("hint", "undo", "swap", "resign", "analysis", "save", "board", "help", "quit"):
        assert len(re.findall(rf"^{word}", said, re.MULTILINE)) == 2


# --- records ---------------------------------------------------------------------------------------------


def test_a_saved_game_is_written_at_every_move(tmp_path: Path) -> None:
    path = tmp_path / "game.txt"
    _, second = expert("tictactoe")
    reward, said = sit("tictactoe", second, "1", f"save {path}", "2", "undo", "2", "6", seed=7)
    assert reward == -1
    assert "as is every further move." in said
    played = read(path)
    assert played.record.players == ("human", "the opponent")
    assert (played.record.seed, played.record.result) == (7, -1)
    assert [pair[ply % 2] + 1 for ply, pair in enumerate(played.record.moves)] == [1, 5, 2, 3, 6, 7]


def test_saving_leaves_other_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    _, said = sit("tictactoe", Uniform(), "save mine.txt", "save", "save no\0name", f"save {tmp_path}/mine.txt/x", "q")
    assert "'mine.txt' is there already; choose another name." in said
    assert "Written to tictactoe-1.txt, as is every further move." in said
    assert said.count("; choose another name.") == 3
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert read(tmp_path / "tictactoe-1.txt").record.result is None


@pytest.mark.parametrize("name", ["x" * 256, "x" * 900, "dir", "null/x", "pipe"])
def test_a_name_that_cannot_be_written_does_not_end_the_game(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dir").mkdir()
    (tmp_path / "null").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "pipe")
    _, second = expert("tictactoe")
    reward, said = sit("tictactoe", second, "1", f"save {name}", "2", "6")
    assert reward == -1 and said.count("; choose another name.") == 1


def test_a_disk_that_fills_up_does_not_end_the_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []

    def full(path: Path, record: Record) -> None:
        saved.append(path)
        if len(saved) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("mail.terminal.session.write", full)
    reward, said = sit("tictactoe", expert("tictactoe")[1], "1", f"save {tmp_path / 'game'}", "2", "6")
    assert reward == -1 and len(saved) == 3
    assert said.count("No space left on device; the game goes on and is not saved.") == 1


def test_names_that_are_saved_under_do_not_act_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, said = sit("tictactoe", Uniform(), "save \x1b]0;title\x07", "q")
    assert r"Written to \x1b]0;title\x07, as is" in said and "\x1b" not in said
    assert (tmp_path / "\x1b]0;title\x07").exists()


# --- the opponent's draws --------------------------------------------------------------------------------


def test_the_same_seed_is_the_same_game() -> None:
    answers = [str(cell) for cell in range(1, 10)]
    games = [sit("tictactoe", Uniform(), *answers, seed=seed) for seed in [*range(8), *range(8)]]
    assert games[:8] == games[8:]
    assert len({said for _, said in games}) > 4
    assert {reward for reward, _ in games} >= {1, -1}


def test_moves_are_drawn_with_the_policys_probabilities() -> None:
    class Tilted:
        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            return np.array([[0.25, 0.0, 0.0, 0.75]])

    said = [sit("connect4:4x4", Tilted(), human=1, seed=seed)[1] for seed in range(400)]
    first, last = (sum(f"plays column {column}." in text for text in said) for column in (1, 4))
    assert first + last == 400
    assert abs(first - 100) < 4 * (400 * 0.25 * 0.75) ** 0.5


def test_an_opponent_that_would_cheat_is_an_error() -> None:
    class Cheat:
        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            return np.eye(9)[[0]]

    with pytest.raises(PolicyError, match="illegal"):
        sit("tictactoe", Cheat(), "1")


# --- answers that are no moves ---------------------------------------------------------------------------

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
        b"all of it\n" * 100_000,
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
    assert said.count(f"{CHATTER} words are enough") == paste.startswith(b"board")


def test_complaints_end_after_a_while_and_moves_still_count() -> None:
    reward, said = sit("tictactoe", Preferring(8, 7, 5), *["no"] * 100, "1", "oops", "2", "3")
    assert reward == 1
    assert said.count("'no' is not") == PATIENCE
    assert said.count("passed over in silence") == 1
    assert said.count("'oops' is not") == 1


def test_lines_are_read_to_their_end() -> None:
    read = reader(BytesIO(b"1\r\n" + b"x" * 200_000 + b"\n\xff2\n3"))
    assert [read() for _ in range(5)] == ["1\r\n", "x" * terminal.LONGEST_ANSWER, "\ufffd2\n", "3", None]
    assert reader(None)() is None


# --- leaving ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["q", "quit", "Q", " QUIT \n", "exit"])
def test_quit(word: str) -> None:
    reward, said = sit("tictactoe", Uniform(), "5", word)
    assert reward is None
    assert said.endswith("You leave the table; this game has no winner.\n")


def test_the_end_of_input_is_a_way_to_leave() -> None:
    reward, said = sit("tictactoe", Uniform(), "5")
    assert reward is None
    assert said.endswith("The input has ended. You leave the table; this game has no winner.\n")


# --- the command -----------------------------------------------------------------------------------------


def test_play_against_random(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = "play tictactoe --against random --seed 4"
    status, out, err = command(monkeypatch, capsys, words, "5\n1\n3\n7\n")
    assert (status, err) == (0, "")
    assert out.endswith("You win against the random player.\n")
    assert "(cell 1-9, ? for help): 5\nThe random player plays cell 8.\n" in out  # nobody saw it being typed
    assert "\x1b" not in out
    assert command(monkeypatch, capsys, words, "5\n1\n3\n7\n") == (0, out, "")


def test_play_against_the_expert_is_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = command(monkeypatch, capsys, "play connect4:4x4 --seat 1", "4\n4\n4\n")
    assert (status, err) == (0, "")
    assert "connect4:4x4 against the expert. 4 in a row win." in out
    assert out.endswith("You lose: the expert wins.\n")


@pytest.mark.parametrize("typed", ["5\nq\n", "5\n", "", b"\xff\xfe\x00\n\x80"], ids=["q", "end", "nothing", "bytes"])
def test_leaving_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str | bytes
) -> None:
    status, out, err = command(monkeypatch, capsys, "play tictactoe", typed)
    assert (status, err) == (0, "")
    assert out.endswith("You leave the table; this game has no winner.\n")


def test_without_a_seed_the_one_that_was_drawn_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = command(monkeypatch, capsys, "play connect4 --against random", "4\n4\n4\n")
    told = re.search(r"The same opponent again: (--seed \d+)\n$", out)
    assert status == 0
    assert told is not None
    _, again, _ = command(monkeypatch, capsys, f"play connect4 --against random {told[1]}", "4\n4\n4\n")
    assert out.removesuffix(told[0]) == again


def test_play_when_there_is_no_input_at_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["play", "tictactoe"]) == 0
    assert "The input has ended." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("play nosuchgame", "no game is called 'nosuchgame'"),
        ("play tictactoe:0x0", "at least one row"),
        (
            "play tictactoe --against nobody",
            "is called 'nobody'; say expert, random, suboptimal:T, a table file, or a run's folder",
        ),
        ("play tictactoe --against nobody:bc", "nobody is called 'nobody:bc'"),
        ("play tictactoe --against " + "long" * 500, "nobody is called 'long"),
        ("play connect4:6x6", "cannot be enumerated, which expert needs; choose random, or a run"),
        ("play tictactoe --seat 2", "--seat"),
        ("play tictactoe --seed=-1", "a seed is a whole number, 0 or more, not '-1'"),
        ("play tictactoe --seed x", "a seed is a whole number"),
        ("play", "GAME"),
    ],
)
def test_wrong_usage_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, hint: str
) -> None:
    status, out, err = command(monkeypatch, capsys, words)
    assert (status, out) == (2, "")
    assert hint in err
    assert err.count("\n") == 1


def test_a_long_enumeration_is_announced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("mail.training.entrants.NOTICED", 10_000)
    status, out, err = command(monkeypatch, capsys, "play connect4:3x4", "q\n")
    assert status == 0
    assert err == "listing the positions of connect4:3x4, at most 12,933 ...\n"
    assert "listing" not in out


@pytest.mark.parametrize("words", ["--seat both", "--against human", "--against human --seat 1"])
def test_two_humans_by_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str) -> None:
    status, out, err = command(monkeypatch, capsys, f"play tictactoe {words}", "1\n4\n2\n5\n3\n")
    assert (status, err) == (0, "")
    assert out.endswith("x wins.\n")


def test_analysis_and_plain_characters_by_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = command(monkeypatch, capsys, "play tictactoe --analysis --ascii --seed 0", "5\nq\n")
    assert (status, err) == (0, "")
    assert out.isascii()
    assert "You play cell 5. Keeps the draw.\nThe expert plays cell 1. Keeps the draw.\n" in out
    assert "   2  100.0% ##########  draws  expert\n" in out


def test_the_first_board_needs_nothing_heavy() -> None:
    """Neither against the expert of an enumerated game, nor with analysis; a run loads torch behind the first board."""
    heavy = ("torch", "ray", "pyspiel", "open_spiel", "pettingzoo", "matplotlib")
    code = (
        "import sys, io; sys.stdin = io.TextIOWrapper(io.BytesIO(b'5\\nhint\\nq\\n')); "
        "from mail.commands.cli import main; main(['play', 'tictactoe', '--analysis']); "
        f"print({{*{heavy}}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


# --- against a run ---------------------------------------------------------------------------------------


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A finished run whose ``mail`` is the expert and whose ``bc`` plays at random."""
    run = Run.create(tmp_path / "learned", Config(game="tictactoe", learners=("mail", "bc")))
    run.save_policies("mail", expert("tictactoe"), game("tictactoe"))
    run.save_policies("bc", (Uniform(), Uniform()), game("tictactoe"))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    return run.folder


def test_play_against_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    typed = "1\n2\n6\n7\n9\n"
    status, out, err = command(monkeypatch, capsys, f"play tictactoe --against '{run_folder}' --seed 0", typed)
    _, reference, _ = command(monkeypatch, capsys, "play tictactoe --against expert --seed 0", typed)
    assert (status, err) == (0, "")
    assert out.endswith(f"You lose: {run_folder} wins.\n")
    assert boards(out) == boards(reference)

    words = f"play tictactoe --against '{run_folder}:bc' --seed 4"
    status, out, err = command(monkeypatch, capsys, words, "5\n1\n3\n7\n")
    assert (status, err) == (0, "")
    assert out.endswith(f"You win against {run_folder}:bc.\n")


def test_a_runs_name_is_shown_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    """Whatever a folder is called, no command sends it to the terminal as it is, or takes its brackets for markup."""
    monkeypatch.chdir(run_folder.parent)
    monkeypatch.setenv("COLUMNS", "200")
    run_folder.rename("\x1b]0;T\x07[bold]x")
    name = "\x1b]0;T\x07[bold]x"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"5\n1\n3\n7\n")))
    for words in (
        ["play", "tictactoe", "--against", name, "--seed", "4"],
        ["match", "tictactoe", name, f"{name}:bc", "random", "--games", "2", "--ratings"],
        ["gap", name],
        ["exploit", name],
        ["export", name],
    ):
        assert main(words) == 0
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err and "\x07" not in said.out + said.err
        assert r"\x1b]0;T\x07[bold]x" in said.out, words


def test_runs_that_cannot_be_played_against(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    for words, hint in [
        (
            f"play connect4:4x4 --against '{run_folder}'",
            "has learned tictactoe, not connect4:4x4; choose another",
        ),
        (f"play tictactoe --against '{run_folder}:nobody'", "no learner 'nobody'"),
        (f"play tictactoe --against '{run_folder.parent}'", "no run in"),
    ]:
        status, out, err = command(monkeypatch, capsys, words)
        assert (status, out) == (2, "")
        assert hint in err
        assert err.count("\n") == 1


# --- a real terminal -------------------------------------------------------------------------------------


def interruptible() -> None:
    """A process that was started in the background ignores Ctrl-C, and so would those that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """``python -m mail`` in a pseudo-terminal."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.screen = b""
        self._seen = 0
        self._side, other = pty.openpty()
        unset = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")  # the last two are set in processes of pytest-xdist
        known = {key: value for key, value in os.environ.items() if key not in unset}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mail", *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**known, "TERM": "xterm", **environment},
            preexec_fn=interruptible,
        )
        os.close(other)

    def wait_for(self, text: bytes) -> None:
        """Read until the screen shows something new that ends with ``text``."""
        end = time.monotonic() + 60
        while text not in self.screen[self._seen :]:
            assert select.select([self._side], [], [], max(0.0, end - time.monotonic()))[0], self.screen
            self.screen += os.read(self._side, 4096)
        self._seen = self.screen.index(text, self._seen) + len(text)

    def type(self, text: bytes) -> None:
        os.write(self._side, text)

    def resize(self, rows: int, columns: int) -> None:
        """The window changes its size, which the process is told by a signal."""
        fcntl.ioctl(self._side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def close(self) -> int:
        """Read the rest; the exit status."""
        end = time.monotonic() + 60
        try:
            while select.select([self._side], [], [], max(0.0, end - time.monotonic()))[0]:
                if not (data := os.read(self._side, 4096)):
                    break
                self.screen += data
        except OSError:  # how Linux reports that the other side is closed
            pass
        os.close(self._side)
        if time.monotonic() > end:
            self.process.kill()
        return self.process.wait(60)

    @property
    def shown(self) -> str:
        """What was written, without colours."""
        return re.sub(rb"\x1b\[[\d;]*m", b"", self.screen).decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}])
def test_a_game_in_a_terminal(environment: dict[str, str]) -> None:
    window = Terminal("play", "tictactoe", "--against", "random", "--seed", "4", **environment)
    for answer in (b"5\n", b"\xff5\n", b"5\n", b"1\n", b"3\n", b"7\n"):
        window.wait_for(b"? for help): ")
        window.type(answer)
    window.wait_for(b"save writes the game down: ")
    window.type(b"\n")
    assert window.close() == 0
    assert (b"\x1b" in window.screen) == ("NO_COLOR" not in environment)
    shown = window.shown
    assert "(cell 1-9, ? for help): 5\nThe random player plays cell 8.\n" in shown  # the terminal's own echo
    assert "Cell 5 is taken." in shown
    if "PYTHONIOENCODING" in environment:
        assert boards(shown)[0] == draw_grid(" 1 | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
        assert boards(shown)[-1] == draw_grid(" x | o |*x*", " . |*x*| o", "[x]| o | .")
    else:
        assert "\u2502 x \u2502 o \u2502*x*\u2502\n" in shown
    assert "You win against the random player.\nEnter leaves;" in shown


def test_connect_four_in_a_terminal(tmp_path: Path) -> None:
    """A full game on the real board: swapped, taken back, resized, saved and won."""
    path = tmp_path / "game.txt"
    window = Terminal("play", "connect4", "--against", "random", "--seed", "1", TERM="dumb")
    for answer in (b"4\n", b"undo\n", b"4\n", b"hello\n", f"save {path}\n".encode(), b"4\n"):
        window.wait_for(b"? for help): ")
        window.type(answer)
    window.wait_for(b"? for help): ")
    window.resize(24, 20)
    window.type(b"board\n")
    window.wait_for(b"| . . . x . . .|\r\n")
    window.wait_for(b"? for help): ")
    window.resize(24, 80)
    for answer in (b"4\n", b"4\n"):
        window.type(answer)
        if answer == b"4\n" and b"You win" not in window.screen:
            window.wait_for(b": ")
    window.type(b"\n")
    assert window.close() == 0
    assert b"\x1b" not in window.screen
    assert "[x]" in window.shown and "*x*" in window.shown
    played = read(path)
    assert played.record.result == 1
    assert [pair[0] for pair in played.record.moves[::2]] == [3, 3, 3, 3]


def test_a_grid_world_in_a_terminal() -> None:
    window = Terminal("play", "gridworld:3x3", "--against", "random", "--seed", "1")
    for answer in (b"up\n", b"right\n", *[b"2\n"] * 8):
        window.wait_for(b"? for help): ")
        window.type(answer)
    window.wait_for(b"save writes the game down: ")
    window.type(b"q\n")
    assert window.close() == 0
    assert "You are 0 and both move at once." in window.shown
    assert re.search(r"You win against the random player \(\d ahead\)", window.shown)


def test_whoever_waits_for_a_policy_sees_the_board() -> None:
    _, said = recorded(
        game("tictactoe"),
        (Player("runs/slow", Uniform(), lambda: False), HUMAN),
        iter(["q"]),
        seed=0,
        setting=Setting(unicode=False, linger=True),
    )
    assert boards(said)[0] == draw_grid(" 1 | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert said.index("runs/slow is being loaded ...") < said.index("runs/slow plays cell")


def test_control_d_leaves_and_control_c_interrupts() -> None:
    window = Terminal("play", "tictactoe")
    window.wait_for(b"? for help): ")
    window.type(b"\x04")
    assert window.close() == 0
    assert window.screen.endswith(b"You leave the table; this game has no winner.\r\n")

    window = Terminal("play", "tictactoe")
    window.wait_for(b"? for help): ")
    window.process.send_signal(signal.SIGINT)
    assert window.close() == 130
    assert window.screen.endswith(b"\r\nnashmail play: interrupted\r\n")


# --- the list of games -----------------------------------------------------------------------------------


def test_games_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(monkeypatch, capsys, "games --json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    rows = {row["name"]: row for row in told["games"]}
    assert {"tictactoe", "connect4", "connect4:4x4"} <= set(rows)
    for name, row in rows.items():
        assert make(name).spec.name == name
        assert make(name).spec.actions == row["actions"]
        assert set(row) == set(rows["tictactoe"])
    expected = {
        "rows": 3,
        "columns": 3,
        "in_a_row": 3,
        "gravity": False,
        "actions": 9,
        "longest": 9,
        "symmetries": 8,
        "positions": 4520,
        "enumerable": True,
        "exact_gap": True,
        "experts": ["first", "uniform"],
    }
    assert rows["tictactoe"].items() >= expected.items()
    large = {"rows": 6, "columns": 7, "positions": None, "enumerable": False, "exact_gap": False}
    assert rows["connect4"]["experts"] == ["first", "uniform"] and rows["connect4:5x5"]["experts"] == []
    assert (
        rows["gridworld:3x3"]["experts"] == ["first", "uniform", "vertex"] and rows["gridworld:3x3"]["positions"] == 72
    )
    assert rows["connect4"].items() >= large.items()
    assert (rows["connect4:4x4"]["positions"], rows["connect4:4x4"]["enumerable"]) == (None, True)


def test_games_as_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(monkeypatch, capsys, "games")
    assert (status, err) == (0, "")
    assert re.search(r"^tictactoe +3x3 +3 +9 +4,520 +first, uniform +exact$", out, re.MULTILINE)
    assert re.search(r"^connect4 +6x7 +4 +7 +too large +first, uniform +-$", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) <= 92


def test_registered_games_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules["games.registry"]._FACTORIES, "test-pennies", (lambda _: PENNIES, "two coins"))
    _, out, _ = command(monkeypatch, capsys, "games")
    assert re.search(r"^test-pennies +- +- +2 +enumerable +first, uniform +exact$", out, re.MULTILINE)


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe:2x3:2", "connect4:2x3:2", "connect4:3x3:3"])
def test_arrangements_are_all_fillings_with_stones_in_turn(name: str) -> None:
    board = make(name)
    count = 0
    for cells in product(".xo", repeat=board.spec.longest):
        columns = [cells[column :: board.columns] for column in range(board.columns)]
        floating = any("." in column[row:] for column in columns for row in range(board.rows) if column[row] != ".")
        count += cells.count("x") - cells.count("o") in (0, 1) and not (board.gravity and floating)
    assert arrangements(board) == count
    assert len(graph(name)) < count


@pytest.mark.parametrize(
    ("name", "positions"),
    [("connect4:3x4", 12_031), ("connect4:4x4", 161_029), ("connect4:4x5", 3_945_711), ("connect4:5x5", 69_763_700)],
)
def test_arrangements_bound_the_known_numbers_of_positions(name: str, positions: int) -> None:
    assert positions < arrangements(make(name)) < 3 * positions


def test_games_is_quick_and_imports_nothing_heavy() -> None:
    heavy = ("torch", "ray", "pyspiel", "open_spiel", "pettingzoo", "matplotlib", "scipy", "rich")
    code = f"import sys; from mail.commands.cli import main; main(['games']); print({{*{heavy}}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    assert seconds("-m", "mail", "games") < 6 * seconds("-c", "import numpy")


def seconds(*words: str) -> float:
    """The quickest of three runs of Python."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    return min(times)


def test_a_game_that_goes_on_without_a_move_is_not_asked_on_about() -> None:
    with pytest.raises(GameError, match="test-stuck goes on without a move to make at: "):
        session(Stuck(), Preferring(*range(4)), iter(["1", "2", "3", "4"]))
