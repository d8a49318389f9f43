"""What train shows while it works: bars at 80 and 40 columns, without colour and Unicode, plain lines elsewhere."""

from __future__ import annotations

import io
import re

import pyte
import pytest
from rich.console import Console

from games.progress import Phase, announce, phase, report
from mail.terminal.progress.live import RARELY, Bars, Lines, Nothing, display
from mail.terminal.progress.words import amount, clock, coverage
from mail.training.progress import events
from mail.training.progress.events import Advanced, Began, Bounds, Event, Logged, Stream


def work(bars: Bars) -> str:
    """The terminal's text in the middle of exploration."""
    stream = Stream([bars])
    with bars, stream, phase("learn", learner="mail"):
        announce(Bounds((81, 426), (63, 282)))
        with phase("explore", learner="mail", seat=1):
            report(312, 1000, "games")
            report(6, 10, "steps", step="fit")
            values = {"games": 310, "labels": 1204, "distinct_labels": 213, "clone_exploitability": 0.5}
            announce(Logged("mail", 1, values))
            bars._live.refresh()
            return str(bars.console.file.getvalue())  # type: ignore[attr-defined]


def screen(columns: int, written: str) -> list[str]:
    """The lines of a terminal that was sent this."""
    terminal = pyte.Screen(columns, 12)
    pyte.Stream(terminal).feed(written.replace("\n", "\r\n"))
    return [line.rstrip() for line in terminal.display if line.strip()]


def console(width: int, *, encoding: str = "utf-8", no_color: bool = False) -> Console:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

        @property
        def encoding(self) -> str:  # type: ignore[override]
            return encoding

    return Console(
        file=Terminal(), width=width, height=24, force_terminal=True, no_color=no_color, color_system="standard"
    )


@pytest.mark.parametrize("no_color", [False, True])
def test_eighty_columns(no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    written = work(Bars(console(80, no_color=no_color)))
    heading, bar, *details = screen(80, written)
    assert heading == "mail: explore, seat 1"
    assert bar.startswith("━━━━━━━━━") and "312 of 1,000 games 0:00:00 left" in bar
    assert details == [
        "  seat 1: 310 games, 1,204 labels, 213 of 426 positions (50%)",
        "  latest gap: 0.5000 (exploitability of the clone)",
        "  fit: 6 of 10 steps",
    ]
    assert bool(re.search(r"\x1b\[[\d;]*3\d[;m]", written)) != no_color


def test_forty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    lines = screen(40, work(Bars(console(40))))
    assert lines[0] == "mail: explore, seat 1"
    assert "0:00:00 left" in lines[1]
    assert lines[2] == "  312 of 1,000 games"
    assert lines[-1] == "  fit: 6 of 10 steps"
    assert len(lines) == 6 and max(map(len, lines)) <= 40


def test_without_unicode_nothing_else_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert work(Bars(console(80, encoding="ascii"))).isascii()


def test_elsewhere_there_is_a_plain_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    lines, phases = Lines(), (Phase("learn", "mail"), Phase("explore", "mail", 0))
    for at, _ in enumerate(phases):
        lines(Event(0.0, phases[: at + 1], Began()))
    for second in range(1, 100):
        lines(Event(float(second), phases, Advanced(second, 200, "games")))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "0:00:30 mail: explore, seat 0, 30 of 200 games"
    assert len(err.splitlines()) == 99 // RARELY


def test_what_is_shown_suits_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(display(quiet=True)) is Nothing
    assert type(display(quiet=False)) is Lines
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert type(display(quiet=False)) is Lines


def test_words() -> None:
    assert [amount(1, None, "games"), amount(2, None, "games")] == ["1 game", "2 games"]
    assert amount(1, 2000, "games") == "1 of 2,000 games"
    assert coverage(40, Bounds((80,), (1,)), 0) == "40 of 80 positions (50%)"
    assert coverage(40, Bounds((), ()), 1) == "40 positions"
    assert clock(3661.9) == "1:01:01"
    assert events.OFTEN < 2.0
