"""The page on how a policy is beaten: complete, self-contained HTML that says what the terminal says."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from agents import Uniform, make_expert
from agents.policy import Policy, Seats
from games.boards import Board
from mail.commands.cli import main
from mail.terminal.boards import Scene
from mail.terminal.web.svg import picture
from mail.training.folder import Config, Run
from tests.support import game, graph, position

VOID = {"meta", "path", "circle", "rect"}


class Outline(HTMLParser):
    """Checks that elements are closed in order, and collects them with their texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and data.strip():
            self.texts.append(data.strip())


def run_of(name: str, pair: Seats, folder: Path) -> Path:
    """A finished run without labels whose ``mail`` is this pair."""
    run = Run.create(folder, Config(game=name, learners=("mail",)))
    run.save_policies("mail", pair, game(name))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    return run.folder


def page_of(name: str, pair: Seats, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    file = folder / "page.html"
    assert main(["exploit", str(run_of(name, pair, folder / "a<b & c")), "--html", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "noun"), [("tictactoe", "cell"), ("connect4:4x4", "column")])
def test_both_seats_are_shown_step_by_step(
    name: str, noun: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = page_of(name, (Uniform(), Uniform()), tmp_path, capsys)
    outline = Outline(page)
    assert "a<b & c on " + name in outline.texts[0]  # escaped in the file
    for seat in (0, 1):
        assert any(f"Seat {seat}" in text and "is refuted: it gets -1" in text for text in outline.texts)
    assert sum("(the mistake)" in text for text in outline.texts) == 2
    assert sum(text.startswith("The line as moves:") for text in outline.texts) == 2
    steps = [text for text in outline.texts if re.match(rf"\d+\. [xo]: {noun} \d", text)]
    assert outline.elements.count("li") == len(steps) + 2  # and the two starts
    assert outline.elements.count("svg") == len(steps) + 4  # and the position of each mistake
    assert not re.search(r"https?://|<script|url\(|@import", page)


def test_a_seat_that_cannot_be_beaten_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair: Seats = (make_expert("first", graph("tictactoe"))[0], Uniform())
    outline = Outline(page_of("tictactoe", pair, tmp_path, capsys))
    assert any("is not refuted, and that is proven" in text for text in outline.texts)
    assert sum("(the mistake)" in text for text in outline.texts) == 1


def drawn(played: Board, state: str, before: str | None = None, *, over: bool = False) -> ET.Element:
    earlier = None if before is None else position(played, before)[0]
    return ET.fromstring(picture(played, Scene(position(played, state)[0], earlier, over)))


def test_a_board_is_a_picture_of_its_marks() -> None:
    """Crosses and rings in their cells, the last move and a winning line behind them, and numbers in free cells."""
    board = drawn(game("tictactoe"), "xxx\noo.\n...", "xx.\noo.\n...", over=True)
    circles = [(part.get("class"), part.get("cx"), part.get("cy")) for part in board.iter("circle")]
    assert circles == [("stone o", "20", "60"), ("stone o", "60", "60")]
    assert sum(part.get("class") == "stone x cross" for part in board.iter("path")) == 3
    assert [(part.get("class"), part.get("x"), part.get("y")) for part in board.iter("rect")] == [
        ("won", "0", "0"),
        ("won", "40", "0"),
        ("won", "80", "0"),
    ]
    assert [part.text for part in board.iter("text")] == ["6", "7", "8", "9"]
    assert board.get("aria-label") == "xxx / oo. / ..."


def test_discs_fall_in_columns() -> None:
    board = drawn(game("connect4:4x4"), "....\n....\n....\nxo..", "....\n....\n....\nx...")
    assert [(part.get("class"), part.get("cx"), part.get("cy")) for part in board.iter("circle")] == [
        ("stone x", "20", "140"),
        ("stone o", "60", "140"),
    ]
    assert [(part.get("class"), part.get("x"), part.get("y")) for part in board.iter("rect")] == [
        ("fresh", "40", "120")
    ]


def test_other_games_are_text() -> None:
    played = game("openspiel:nim")
    state = played.start(1, rng=np.random.default_rng(0))[0]
    assert picture(played, Scene(state)).startswith("<pre>")


def test_the_table_has_every_legal_move(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy: Policy = Uniform()
    page = page_of("tictactoe:2x3:2", (policy, policy), tmp_path, capsys)
    rows = re.findall(r"<tr><td>cell (\d)</td><td>([\d.]+)%", page)
    assert rows, page
    assert {chance for _, chance in rows} <= {f"{100 / n:.1f}" for n in range(1, 7)}


MEASURE = """<script>
const boards = [...document.querySelectorAll("svg")].map(board => board.getBoundingClientRect());
document.title = JSON.stringify({
  boards: boards.filter(box => box.width > 20 && box.height > 20 && box.right <= innerWidth).length,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  steps: [...document.querySelectorAll("li")].filter(step => step.innerText.trim()).length,
});
</script>"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_lays_it_out(width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every board is visible within the window, which needs no sideways scrolling."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no browser is installed")
    page = page_of("connect4:4x4", (Uniform(), Uniform()), tmp_path, capsys)
    probe = tmp_path / "probe.html"
    probe.write_text(page.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    window = f"--window-size={width},800"
    done = subprocess.run([*words, window, "--dump-dom", probe.as_uri()], capture_output=True, text=True, timeout=60)
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title is not None, done.stderr
    told = json.loads(html.unescape(title[1]))
    assert told == {"boards": page.count("<svg"), "wide": 0, "steps": page.count("<li")}
