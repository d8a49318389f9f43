"""``nashmail play`` on the full screen of a pseudo-terminal, whose screen is compared as text (emulated by pyte)."""

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

from mail.terminal.full.app import FRAME
from tests.support import draw

pytestmark = pytest.mark.slow
BEGIN, END = (mark.encode() for mark in FRAME)
LIMIT = 30.0  # seconds that anything may take on a busy machine


class Window:
    """``python -m mail`` in an emulated terminal."""

    def __init__(
        self,
        *words: str,
        rows: int = 24,
        columns: int = 80,
        cwd: Path | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        self._emulated = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._emulated)
        self._side, other = pty.openpty()
        self.written = b""
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        unset = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")
        known = {key: value for key, value in os.environ.items() if key not in unset}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mail", *words],
            stdin=other,
            stdout=other,
            stderr=other,
            env={**known, "TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(sys.path), **(more or {})},
            cwd=cwd,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            process_group=0,  # of its own, so that suspending it suspends it alone
        )
        os.close(other)

    @property
    def shown(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self._emulated.display).rstrip()

    def wait_for(self, *texts: str) -> str:
        """Read until the screen shows all of these; the screen."""
        end = time.monotonic() + LIMIT
        while not all(text in self.shown for text in texts):
            assert select.select([self._side], [], [], max(0.0, end - time.monotonic()))[0], self.shown
            self._read()
        return self.shown

    def _read(self) -> bool:
        try:
            data = os.read(self._side, 1 << 16)
        except OSError:  # how Linux reports that the other side is closed
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)

    def record(self, text: str) -> list[str]:
        """Read until the screen shows a text, and a moment longer; the screen after each frame that was written."""
        frames, left, end, quiet = [], b"", time.monotonic() + LIMIT, False
        while time.monotonic() < end and not (text in self.shown and quiet):
            quiet = not select.select([self._side], [], [], 0.6)[0]
            left += b"" if quiet else os.read(self._side, 1 << 16)
            while END in left:
                frame, _, left = left.partition(END)
                assert frame.startswith(BEGIN) and frame.count(BEGIN) == 1, frame  # nothing is written but frames
                self._stream.feed(frame)
                frames.append(self.shown)
        assert text in self.shown and not left, self.shown
        return frames

    def type(self, keys: str | bytes) -> None:
        os.write(self._side, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, rows: int, columns: int) -> None:
        self._emulated.resize(rows, columns)
        fcntl.ioctl(self._side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def close(self) -> int:
        """Read the rest; the exit status."""
        end = time.monotonic() + LIMIT
        while select.select([self._side], [], [], max(0.0, end - time.monotonic()))[0] and self._read():
            pass
        os.close(self._side)
        return self.process.wait(LIMIT)


Open = Callable[..., Window]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens windows, and closes those that a failed test leaves."""
    windows: list[Window] = []

    def open_one(*words: str, **size: Any) -> Window:
        windows.append(Window(*words, **size))
        return windows[-1]

    yield open_one
    for window in windows:
        if window.process.poll() is None:
            window.process.kill()
            window.process.wait()


UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"


def test_tictactoe_by_arrows_numbers_and_mouse(opened: Open) -> None:
    window = opened("play", "tictactoe", "--against", "random", "--seed", "4")
    assert window.wait_for("? keys", "> 5  <").startswith("tictactoe against the random player\n")
    window.type("\r")  # the cell under the cursor
    window.wait_for("You play cell 5.", "The random player plays cell")
    assert window.shown.startswith(
        draw(
            """
            tictactoe against the random player
              ┌──────┬──────┬──────┐  > ● x you
              │  1   │  2   │  3   │    ○ o the random player
              │      │      │      │
              ├──────┼──────┼──────┤  score: 0 won, 0 drawn, 0 lost
              │> 4  <│ ▗██▖ │  6   │
              │>    <│ ▝██▘ │      │  moves (2)
              ├──────┼──────┼──────┤  58
              │  7   │[▗▛▜▖]│  9   │
              │      │[▝▙▟▘]│      │
              └──────┴──────┴──────┘
            """
        )
    )
    window.type("1")
    window.wait_for("You play cell 1.", "moves (4)")
    window.type("\x1b[<0;20;3M\x1b[<0;20;3m")  # a click on cell 3
    window.wait_for("moves (6)")
    window.type("7")
    window.wait_for("You win against the random player.", "score: 1 won", "r rematch")
    window.type("q")
    assert window.close() == 0
    assert window.shown.endswith("1 won, 0 drawn, 0 lost.")


def test_connect_four_falls_resizes_and_stays_whole(opened: Open) -> None:
    window = opened("play", "connect4", "--against", "random", "--seed", "1")
    window.wait_for("▼▼", "? keys")
    window.type("4")
    window.wait_for("The random player plays column", "moves (2)", "[▗▛▜▖]")  # it lies
    first = window.shown
    window.resize(12, 40)
    assert window.wait_for("│[○] ·  ·  ●", "a analysis").count("\n") == 11
    window.resize(24, 80)
    window.wait_for("▗██▖")
    assert window.shown == first
    window.type("a\x1a")  # suspended, and continued
    end = time.monotonic() + LIMIT
    while _state(window.process.pid) != "T" and time.monotonic() < end:
        window._read() if select.select([window._side], [], [], 0.05)[0] else None
    assert _state(window.process.pid) == "T"
    window.process.send_signal(signal.SIGCONT)
    window.type("u")
    window.wait_for("Back to move 1.")
    window.type("\x03")
    assert window.close() == 130
    assert "nashmail play: interrupted" in window.shown


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_no_frame_tears_at_80x24(opened: Open, tmp_path: Path) -> None:
    """A recorded game with falling discs: what is written are frames, and after each of them the screen is whole."""
    window = opened("play", "connect4:4x4", "--against", "expert", "--seed", "1", cwd=tmp_path)
    window.wait_for("▼▼", "? keys")
    recorded: list[str] = []
    for key, wanted in [
        ("1", "moves (2)"),
        ("a", "expert"),
        (RIGHT, "> "),
        ("?", "Keys"),
        (" ", "? keys"),
        ("2", "moves (4)"),
    ]:
        window.type(key)
        recorded += window.record(wanted)
    window.type("q")
    assert window.close() == 0
    game, page = [screen for screen in recorded if "Keys" not in screen], [one for one in recorded if "Keys" in one]
    assert len(game) > 10 and page
    for screen in game:
        _whole(screen)
    assert any("●" in screen or "▗██▖" in screen for screen in game)


def _whole(screen: str) -> None:
    """A frame of Connect Four 4x4 beside its panel: each part once, in its place, the board closed all around."""
    lines = screen.split("\n")
    assert lines[0] == "connect4:4x4 against the expert", screen
    rows = [at for at, line in enumerate(lines) if line.startswith("  │")]
    assert len(rows) == 8 and rows == list(range(rows[0], rows[0] + 8)), screen
    assert all(lines[at][2 + 25] == "│" for at in rows), screen
    assert lines[rows[-1] + 1].startswith("  └" + "─" * 24 + "┘"), screen
    assert sum("score: " in line for line in lines) == 1 and sum("the expert" in line for line in lines[1:14]) == 1, (
        screen
    )
    assert len(lines) == 24 and "? keys" in lines[-1], screen
    for at in range(rows[0], rows[0] + 8, 2):  # a disc's two lines change together
        upper, lower = lines[at][3:27], lines[at + 1][3:27]
        pairs = {(upper[cell + 1 : cell + 5], lower[cell + 1 : cell + 5]) for cell in range(0, 24, 6)}
        assert pairs <= {("▗██▖", "▝██▘"), ("▗▛▜▖", "▝▙▟▘"), (" ▗▖ ", " ▝▘ ")}, screen


def test_a_grid_world_by_arrows(opened: Open) -> None:
    window = opened("play", "gridworld:3x3", "--against", "random", "--seed", "1", rows=20, columns=40)
    window.wait_for("1 left", "4 down")
    for count, arrow in enumerate([UP, RIGHT, *[RIGHT] * 8], start=1):
        window.type(arrow)
        word = "up" if arrow == UP else "right"
        window.wait_for(f"You play {word}.", f"moves ({count})")  # where lines break depends on what else is said
    window.wait_for("r rematch")
    assert re.search(r"earned: \+\d", window.shown)
    window.type("q")
    assert window.close() == 0


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}], ids=["colour", "none"])
def test_rps_by_words_and_kuhn_with_own_cards(opened: Open, colour: dict[str, str]) -> None:
    if colour:
        window = opened("play", "kuhn", "--seed", "3", more=colour)
        assert "cards: seat" not in window.wait_for("? keys", "your card: ")
    else:
        window = opened("play", "rps", "--against", "random", "--seed", "3", rows=12, columns=40)
        window.wait_for(">1 rock<")
        window.type(RIGHT + "\r")
        window.wait_for("You play paper.", "charged: ")
    window.type("q")
    assert window.close() == 0
    colours = re.findall(rb"\x1b\[[\d;]*3[1-7][\d;]*m", window.written)
    assert not colours


def test_a_menu_of_games_opponents_and_seats(opened: Open, tmp_path: Path) -> None:
    window = opened("play", cwd=tmp_path)
    window.wait_for("Which game?", "tictactoe", "connect4")
    window.type("\r")
    window.wait_for("tictactoe: against whom?", "cannot be beaten", "easy", "hard", "human")
    window.type(DOWN * 5 + "\r")
    window.wait_for("tictactoe against random: which seat?")
    window.type("2")
    window.wait_for("tictactoe against the random player", "> ○ o you", "moves (1)")
    window.type("ry")
    window.wait_for("You resign")
    window.type("o")
    window.wait_for("against whom?")
    window.type("q")
    assert window.close() == 0


def test_a_paste_of_megabytes_is_one_line(opened: Open) -> None:
    window = opened("play", "connect4", "--against", "random", "--seed", "1")
    window.wait_for("? keys")
    os.set_blocking(window._side, False)
    left, data = 10_000_000, b"\x1b[200~" + b"4\r" * 4096
    end = time.monotonic() + LIMIT
    while left > 0 and time.monotonic() < end:
        try:
            left -= os.write(window._side, data)
        except BlockingIOError:
            select.select([window._side], [window._side], [], 0.05)
        while select.select([window._side], [], [], 0)[0]:
            window._read()
    assert left <= 0
    os.set_blocking(window._side, True)
    window.wait_for("That was pasted text")
    time.sleep(0.3)
    window.type("4")
    window.wait_for("You play column 4.", "moves (2)")
    window.type("q")
    assert window.close() == 0


@pytest.mark.parametrize(
    ("size", "environment"),
    [((24, 20), {}), ((24, 80), {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}), ((24, 80), {"TERM": "dumb"})],
    ids=["20 columns", "ascii", "dumb"],
)
def test_where_there_is_no_full_screen_there_is_the_dialogue(
    opened: Open, size: tuple[int, int], environment: dict[str, str]
) -> None:
    window = opened("play", "tictactoe", rows=size[0], columns=size[1], more=environment)
    end = time.monotonic() + LIMIT
    while b"? for help" not in window.written and time.monotonic() < end:
        window._read()
    window.type("q\n")
    assert window.close() == 0
    assert b"\x1b[?1049h" not in window.written
