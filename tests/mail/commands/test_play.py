"""``nashmail play``: by words on the command line, against a run, and in a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from agents import Uniform
from mail.commands.cli import main
from mail.data.records import read
from mail.training.folder import Config, Run
from tests.mail.terminal.sitting import boards, command, draw_grid, expert
from tests.support import game


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
    assert out.endswith("You quit; this game has no winner.\n")


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
            "is called 'nobody'; use expert, random, suboptimal:T, a table file, or a run's folder",
        ),
        ("play tictactoe --against nobody:bc", "no player is called 'nobody:bc'"),
        ("play tictactoe --against " + "long" * 500, "no player is called 'long"),
        ("play connect4:6x6", "cannot be enumerated, which expert needs; choose random, or a run"),
        ("play tictactoe --seat 2", "--seat"),
        ("play tictactoe --seed=-1", "a seed must be a whole number, 0 or more, not '-1'"),
        ("play tictactoe --seed x", "a seed must be a whole number"),
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
    assert err == "enumerating the positions of connect4:3x4, at most 12,933 ...\n"
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
            "plays tictactoe, not connect4:4x4; choose another run",
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
            env={**known, "TERM": "xterm", "PYTHONPATH": os.pathsep.join(sys.path), **environment},
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


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}])
def test_a_game_in_a_terminal(environment: dict[str, str]) -> None:
    window = Terminal("play", "--plain", "tictactoe", "--against", "random", "--seed", "4", **environment)
    for answer in (b"5\n", b"\xff5\n", b"5\n", b"1\n", b"3\n", b"7\n"):
        window.wait_for(b"? for help): ")
        window.type(answer)
    window.wait_for(b"or save: ")
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
    assert "You win against the random player.\nScore: 1 won, 0 drawn, 0 lost.\nPress Enter to leave" in shown


@pytest.mark.slow
def test_menus_rematches_and_other_opponents_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A game lost by a blunder, the blunder looked at, one resigned from the other seat, then another opponent."""
    monkeypatch.chdir(tmp_path)
    window = Terminal("play", "--plain")
    for waited, typed in [
        ("or Enter to leave: ", "nothing"), ("'nothing' is none of them.", ""), ("leave: ", "1"),
        ("tictactoe: against whom?", ""), ("leave: ", "expert"), ("which seat?", ""), ("leave: ", "1"),
        ("for help): ", "1"), ("for help): ", "2"), ("for help): ", "8"),
        ("You lose: the expert wins.", ""), ("Score: 0 won, 0 drawn, 1 lost.", ""), ("or save: ", "mistakes"),
        ("Mistake 1 of 1, move 5: you played cell 8, which throws away a draw", ""),
        ("goes back): ", "9"), ("No, not cell 9: Throws away a draw", ""), ("goes back): ", "7"),
        ("Yes, cell 7: The only move that draws", ""), ("or save: ", "swap"),
        ("for help): ", "resign"), ("Type y to resign", "no"), ("for help): ", "r"), ("Type y to resign", "y"),
        ("You resign: the expert wins.", ""), ("Score: 0 won, 0 drawn, 2 lost.", ""), ("or save: ", "other"),
        ("leave: ", "human"), ("x to move", "q"),
    ]:  # fmt: skip
        window.wait_for(waited.encode())
        if typed:
            window.type(typed.encode() + b"\n")
    assert window.close() == 0


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
    window = Terminal("play", "--plain", "gridworld:3x3", "--against", "random", "--seed", "1")
    for answer in (b"up\n", b"right\n", *[b"2\n"] * 8):
        window.wait_for(b"? for help): ")
        window.type(answer)
    window.wait_for(b"or save: ")
    window.type(b"q\n")
    assert window.close() == 0
    assert "You are 0 and both seats move at once." in window.shown
    assert re.search(r"You win against the random player \(\d ahead\)", window.shown)


def test_control_d_leaves_and_control_c_interrupts() -> None:
    window = Terminal("play", "--plain", "tictactoe")
    window.wait_for(b"? for help): ")
    window.type(b"\x04")
    assert window.close() == 0
    assert window.screen.endswith(b"You quit; this game has no winner.\r\n")

    window = Terminal("play", "--plain", "tictactoe")
    window.wait_for(b"? for help): ")
    window.process.send_signal(signal.SIGINT)
    assert window.close() == 130
    assert window.screen.endswith(b"\r\nnashmail play: interrupted\r\n")


@pytest.mark.parametrize(("there", "name"), [(True, "the expert"), (False, "unbeatable")])
def test_the_real_board_needs_no_solver(
    there: bool, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agents.solver.installed", lambda: there)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"q\n")))
    assert main(["play", "connect4"]) == 0
    assert capsys.readouterr().out.startswith(f"connect4 against {name}. 4 in a row win.")
