"""A human at the table: scripted games from both seats, answers that are no moves, leaving, and a real terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO, StringIO, TextIOWrapper
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents import PolicyError, Uniform, make_expert
from agents.policy import Policy, Seats
from games import Game, GameError, Quotient, make
from games.base import Floats, States
from mail import terminal
from mail.__main__ import main
from mail.commands import games as listing
from mail.runs import Config, Run
from mail.terminal import PATIENCE, Session, reader, view
from tests.support import PENNIES, draw, game, graph


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
    played: Game, policy: Policy, answers: Iterator[str | None], *, human: int = 0, seed: int = 0
) -> tuple[float | None, str]:
    """The human's reward and all that was said."""
    file = StringIO()
    console = Console(file=file, markup=False, highlight=False, emoji=False, width=80)
    who = {"opponent": "the opponent", "human": human, "seed": seed}
    table = Session(played, policy, read=lambda: next(answers, None), console=console, echo=True, **who)
    return table.play(), file.getvalue()


def sit(name: str, policy: Policy, *answers: str, human: int = 0, seed: int = 0) -> tuple[float | None, str]:
    """A scripted game; the input ends with the script."""
    return session(game(name), policy, iter(answers), human=human, seed=seed)


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
        status = main(words.split())
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
    assert boards(said)[1] == draw_grid(" x | 2 | 3", " 4 | 5 | 6", " 7 | 8 | o")
    assert boards(said)[-1] == draw_grid(" x | x | x", " . | . | .", " . | o | o")


def test_win_from_the_second_seat() -> None:
    reward, said = sit("tictactoe", Preferring(0, 1, 8, 7), "4", "5", "6", human=1)
    assert reward == 1
    assert "You are o and move second." in said
    assert boards(said)[0] == draw_grid(" x | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert boards(said)[-1] == draw_grid(" x | x | .", " o | o | o", " . | . | x")
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
    assert reward == -1


def test_columns_fall_and_carry_their_numbers_below() -> None:
    reward, said = sit("connect4:4x4", Preferring(3, 2), "1", "1", "1", "1")
    assert reward == 1
    assert "Your move, column 1 2 3 4 (q ends the game): 1\nThe opponent plays column 4.\n" in said
    assert boards(said)[-1] == draw(
        """
        | x . . . |
        | x . . o |
        | x . . o |
        | x . . o |
        +---------+
          1 2 3 4
        """
    )


def test_a_full_column_is_refused_and_no_longer_listed() -> None:
    reward, said = sit("connect4:4x4", Preferring(0, 3), "1", "1", "1", "2")
    assert reward is None
    assert "Column 1 is full. Type one from the list." in said
    assert "Your move, column 2 3 4 (q ends the game): 1\n" in said


@pytest.mark.parametrize("name", ["tictactoe", "connect4", "tictactoe:4x4:3", "connect4:1x12:4", "tictactoe:7x8:4"])
def test_numbers_stand_where_the_stone_will_be(name: str) -> None:
    played, rng = make(name), np.random.default_rng(0)
    look, start = view(played), played.start(1, rng=rng)
    empty = look.draw(start[0], False)
    lengths = [len(line) for line in empty.splitlines()]
    assert max(lengths) - min(lengths) <= 2  # the margins of cells and of columns differ
    for action in range(played.spec.actions):
        after, _, _ = played.step(start, np.array([[action, -1]]), rng=rng)
        row, column = divmod(played.render(after[0]).replace("\n", "").index("x"), played.spec.observation[2])
        drawn = look.draw(after[0], False).splitlines()
        ends = [match.end() for match in re.finditer(r"\d+", empty.splitlines()[-1 if look.noun == "column" else 0])]
        line = drawn[row if look.noun == "column" else 2 * row]
        assert line.index("x") == ends[column] - 1
        if look.noun == "cell":
            assert str(action + 1) not in re.findall(r"\d+", "\n".join(drawn))


def test_any_turn_based_game_is_played_by_the_numbers_of_its_moves() -> None:
    reward, said = session(Quotient(game("tictactoe")), Preferring(*range(9)), iter(["5", "99", "q"]))
    assert reward is None
    assert "You are seat 0 and move first. Answer with the number of a move." in said
    assert "\n...\n...\n...\n" in said
    assert "There is no move 99; they count from 1 to 9." in said


def test_games_in_which_both_move_at_once_are_refused() -> None:
    with pytest.raises(GameError, match="not turn-based"):
        session(PENNIES, Uniform(), iter(["1"]))


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
    "": "Nothing was typed. Type the number of a cell.",
    "  \t ": "Nothing was typed. Type the number of a cell.",
    "b2": "'b2' is not the number of a cell. Type one from the list.",
    "-1": "'-1' is not the number of a cell. Type one from the list.",
    "1.0": "'1.0' is not the number of a cell. Type one from the list.",
    "1 2": "'1 2' is not the number of a cell. Type one from the list.",
    "\uff11": "'\\uff11' is not the number of a cell. Type one from the list.",
    "\u0661": "'\\u0661' is not the number of a cell. Type one from the list.",
    "\x1b[2J\x00": "'\\x1b[2J\\x00' is not the number of a cell. Type one from the list.",
    "9" * 5000: "'99999999999999999999'... is not the number of a cell. Type one from the list.",
}


@pytest.mark.parametrize("answer", NO_MOVES)
def test_what_is_no_move_is_explained_and_asked_for_again(answer: str) -> None:
    reward, said = sit("tictactoe", Preferring(*range(9)), "5", answer, " 9 \r\n", "q")
    prompt = "Your move, cell 2 3 4 6 7 8 9 (q ends the game): "
    before, _, after = said.partition(NO_MOVES[answer] + "\n" + prompt)
    assert before.count(prompt) == 1
    assert after.startswith("9\nThe opponent plays cell 2.\n")
    assert reward is None
    assert said.isascii()
    assert "\x1b" not in said


@given(st.lists(st.text(max_size=40), max_size=30))
def test_no_answer_breaks_the_table(answers: list[str]) -> None:
    reward, said = sit("tictactoe", Uniform(), *answers)
    assert reward in (None, -1, 0, 1)
    assert said.isascii()


@pytest.mark.parametrize(
    "paste",
    [b"7" * 10_000_000 + b"\n", b"all of it\n" * 100_000, bytes(range(256)) * 4_000, b"\x00" * 10_000_000],
    ids=["one line", "many lines", "odd bytes", "no line at all"],
)
def test_a_large_paste_does_not_flood_the_screen(paste: bytes) -> None:
    lines = reader(BytesIO(paste + b"\n5\nq\n"))
    reward, said = session(game("tictactoe"), Preferring(0), iter(lines, None))
    assert reward is None
    assert "The opponent plays cell 1." in said
    assert len(said) < 4_000


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


@pytest.mark.parametrize("word", ["q", "quit", "Q", " QUIT \n"])
def test_quit(word: str) -> None:
    reward, said = sit("tictactoe", Uniform(), "5", word)
    assert reward is None
    assert said.endswith("You leave the table; this game has no winner.\n")


def test_the_end_of_input_is_a_way_to_leave() -> None:
    reward, said = sit("tictactoe", Uniform(), "5")
    assert reward is None
    assert said.endswith("The input has ended.\nYou leave the table; this game has no winner.\n")


# --- the command -----------------------------------------------------------------------------------------


def test_play_against_random(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = "play tictactoe --against random --seed 4"
    status, out, err = command(monkeypatch, capsys, words, "5\n1\n3\n7\n")
    assert (status, err) == (0, "")
    assert out.endswith("You win against the random player.\n")
    assert "(q ends the game): 5\nThe random player plays cell 8.\n" in out  # nobody saw it being typed
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
        ("play connect4", "cannot be enumerated, which expert needs; choose random, or a run"),
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
    monkeypatch.setattr("mail.entrants.NOTICED", 10_000)
    status, out, err = command(monkeypatch, capsys, "play connect4:3x4", "q\n")
    assert status == 0
    assert err == "listing the positions of connect4:3x4, at most 12,933 ...\n"
    assert "listing" not in out


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
    status, out, err = command(monkeypatch, capsys, f"play tictactoe --against {run_folder} --seed 0", typed)
    _, reference, _ = command(monkeypatch, capsys, "play tictactoe --against expert --seed 0", typed)
    assert (status, err) == (0, "")
    assert out.endswith(f"You lose: {run_folder} wins.\n")
    assert boards(out) == boards(reference)

    words = f"play tictactoe --against {run_folder}:bc --seed 4"
    status, out, err = command(monkeypatch, capsys, words, "5\n1\n3\n7\n")
    assert (status, err) == (0, "")
    assert out.endswith(f"You win against {run_folder}:bc.\n")


def test_runs_that_cannot_be_played_against(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run_folder: Path
) -> None:
    for words, hint in [
        (
            f"play connect4:4x4 --against {run_folder}",
            "has learned tictactoe, not connect4:4x4; choose another",
        ),
        (f"play tictactoe --against {run_folder}:nobody", "no learner 'nobody'"),
        (f"play tictactoe --against {run_folder.parent}", "no run in"),
    ]:
        status, out, err = command(monkeypatch, capsys, words)
        assert (status, out) == (2, "")
        assert hint in err
        assert err.count("\n") == 1


# --- a real terminal -------------------------------------------------------------------------------------


class Terminal:
    """``python -m mail`` in a pseudo-terminal."""

    def __init__(self, *words: str, **environment: str) -> None:
        self.screen = b""
        self._seen = 0
        self._side, other = pty.openpty()
        known = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mail", *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**known, "TERM": "xterm", **environment},
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

    def close(self) -> int:
        """Read the rest; the exit status."""
        try:
            while data := os.read(self._side, 4096):
                self.screen += data
        except OSError:  # how Linux reports that the other side is closed
            pass
        os.close(self._side)
        return self.process.wait(60)


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}])
def test_a_game_in_a_terminal(environment: dict[str, str]) -> None:
    window = Terminal("play", "tictactoe", "--against", "random", "--seed", "4", **environment)
    for answer in (b"5\n", b"\xff5\n", b"5\n", b"1\n", b"3\n", b"7\n"):
        window.wait_for(b"(q ends the game): ")
        window.type(answer)
    assert window.close() == 0
    assert (b"\x1b" in window.screen) == ("NO_COLOR" not in environment)
    shown = re.sub(rb"\x1b\[\d+m", b"", window.screen).decode("ascii", "replace").replace("\r\n", "\n")
    assert "(q ends the game): 5\nThe random player plays cell 8.\n" in shown  # the terminal's own echo
    assert "Cell 5 is taken." in shown
    assert boards(shown)[0] == draw_grid(" 1 | 2 | 3", " 4 | 5 | 6", " 7 | 8 | 9")
    assert boards(shown)[-1] == draw_grid(" x | o | x", " . | x | o", " x | o | .")
    assert shown.endswith("You win against the random player.\n")


def test_control_d_leaves_and_control_c_interrupts() -> None:
    window = Terminal("play", "tictactoe")
    window.wait_for(b"(q ends the game): ")
    window.type(b"\x04")
    assert window.close() == 0
    assert window.screen.endswith(b"You leave the table; this game has no winner.\r\n")

    window = Terminal("play", "tictactoe")
    window.wait_for(b"(q ends the game): ")
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
    large = {"rows": 6, "columns": 7, "positions": None, "enumerable": False, "exact_gap": False, "experts": []}
    assert rows["connect4"].items() >= large.items()
    assert (rows["connect4:4x4"]["positions"], rows["connect4:4x4"]["enumerable"]) == (None, True)


def test_games_as_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(monkeypatch, capsys, "games")
    assert (status, err) == (0, "")
    assert re.search(r"^tictactoe +3x3 +3 +9 +4,520 +first, uniform +exact$", out, re.MULTILINE)
    assert re.search(r"^connect4 +6x7 +4 +7 +too large +none +-$", out, re.MULTILINE)
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
    assert listing.arrangements(board) == count
    assert len(graph(name)) < count


@pytest.mark.parametrize(
    ("name", "positions"),
    [("connect4:3x4", 12_031), ("connect4:4x4", 161_029), ("connect4:4x5", 3_945_711), ("connect4:5x5", 69_763_700)],
)
def test_arrangements_bound_the_known_numbers_of_positions(name: str, positions: int) -> None:
    assert positions < listing.arrangements(make(name)) < 3 * positions


def test_games_is_quick_and_imports_nothing_heavy() -> None:
    heavy = ("torch", "ray", "pyspiel", "open_spiel", "pettingzoo", "matplotlib", "scipy", "rich")
    code = f"import sys; from mail.__main__ import main; main(['games']); print({{*{heavy}}} & {{*sys.modules}})"
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
