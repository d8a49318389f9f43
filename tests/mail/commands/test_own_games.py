"""``nashmail games --check FILE``: a user's own games are checked, and whatever is wrong is one line."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path

import pytest

from mail.commands.cli import main

ROOT = Path(__file__).parents[3]


pytestmark = pytest.mark.usefixtures("registries_as_they_were")


@pytest.fixture
def nim(tmp_path: Path) -> Path:
    """The game of the recipe in a file of its own."""
    text = (ROOT / "docs" / "adding-a-game.md").read_text()
    blocks = [
        textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    ]
    path = tmp_path / "nim.py"
    path.write_text(f"{blocks[0]}\n{blocks[1]}")
    return path


def test_a_game_of_a_file_is_checked(nim: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", "--check", str(nim)]) == 0
    shown = capsys.readouterr()
    assert re.fullmatch(r"nim:10: correct \(\d+ positions and \d+ moves checked\)\n", shown.out)
    assert shown.err == ""


def test_json_is_all_there_is_on_standard_output(nim: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nim.write_text(nim.read_text() + "\nprint('registered')\n")
    assert main(["games", "--check", str(nim), "nim:3", "nim:5", "--json"]) == 0
    shown = capsys.readouterr()
    assert [game["name"] for game in json.loads(shown.out)["games"]] == ["nim:3", "nim:5"]
    assert shown.err == "registered\n"


MISTAKES = {
    "three words of key": (
        lambda text: text.replace("return states.astype(np.uint64)", "return states[:, [0, 1, 1]].astype(np.uint64)"),
        "nim:10: key at [0, 0]: gives uint64 [N, 2]: two words for each position",
    ),
    "keys without the seat": (
        lambda text: text.replace("return states.astype(np.uint64)", "return (states * [1, 0]).astype(np.uint64)"),
        "keys are equal for equal positions and for no others",
    ),
    "no game": (lambda text: text[: text.index("games.register")], "registers no game; call games.register"),
    "no Python": (lambda text: "class Nim\n", "line 1: this is not Python: expected ':'"),
    "a null": (lambda text: "x = '\0'", "not Python"),
    "a crash": (lambda text: f"{text}\n1 / 0\n", "line 6: ZeroDivisionError: division by zero"),
    "an exit": (lambda text: "raise SystemExit(0)", "line 1: SystemExit: 0"),
    "a name that is taken": (
        lambda text: text.replace('register("nim"', 'register("chain"'),
        "a game called chain is already registered",
    ),
    "a factory that fails": (
        lambda text: text.replace("Nim(int(text or 10))", "Nim(int(text))"),
        "nim: its factory raises ValueError: invalid literal for int() with base 10: ''",
    ),
    "a name that leads elsewhere": (
        lambda text: text.replace('name=f"nim:{heap}"', 'name=f"nim:{heap + 1}"'),
        "spec.name: games.make(spec.name) gives this game again",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(nim: Path, mistake: str, capsys: pytest.CaptureFixture[str]) -> None:
    edit, says = MISTAKES[mistake]
    nim.write_text(edit(nim.read_text()))
    status = main(["games", "--check", str(nim)])
    shown = capsys.readouterr()
    assert (status, shown.out) == (2, "")
    assert shown.err.startswith("nashmail games: ") and shown.err.count("\n") == 1
    assert says.replace("line 6", f"line {nim.read_text().count(chr(10))}") in shown.err


@pytest.mark.parametrize("words", [["--check", "nowhere.py"], ["--check", "/dev/zero"], ["--check", "."], ["nim"]])
def test_what_is_no_file_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_game_that_nobody_here_has_registered_says_where_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "nim:10", "random", "random"]) == 2
    assert "A game of your own is known only to a program that registers it (games.register)" in capsys.readouterr().err
