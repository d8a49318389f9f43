"""Files of the user's own: what they register works in every command, and whatever is wrong with them is one line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents import make_expert, register_expert
from mail.commands.cli import main
from mail.commands.line import imports
from mail.training.config import Config

ROOT = Path(__file__).parents[4]


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
    assert "A game of your own comes with the Python file that registers it: --import FILE" in capsys.readouterr().err


# --- --import --------------------------------------------------------------------------------------------

OWN = """
import agents, games, mail
from agents.policy import Uniform
from games.boards import Board
from mail.clone.cloners import tabular
from mail.explore.fixed import Fixed
from mail.learners.interactive import Mail
from own_helper import SIZE


class Mine(Board):
    pass


class Flat:
    def probabilities(self, game, states, seat):
        return Uniform().probabilities(game, states, seat)


games.register("mine", lambda text: Mine(SIZE, SIZE, SIZE, gravity=False, name="mine"), summary="my game")
mail.register_explorer("flat", lambda context, rng: Fixed(context, Flat()), mail.ExplorerDeclaration("flat play"))
mail.register_learner(
    "my-mail",
    lambda options: Mail(options, name="my-mail", cloner="my-table"),
    mail.LearnerDeclaration("my learner", explores=True, explorer="*"),
)
mail.register_cloner("my-table", tabular, mail.ClonerDeclaration("my table"))
agents.register_expert("mixed", lambda known: agents.make_expert("uniform", known))
print("registered")
"""
TRAIN = ["train", "mine", "--learner", "my-mail,bc-tabular", "--explorer", "flat", "--expert", "mixed"]
TRAIN += ["--episodes", "70", "--out", "run"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that registers one of each kind, and what it imports from beside it; the working folder is another."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own_helper.py").write_text("SIZE = 2")
    path = tmp_path / "mine" / "own.py"
    path.write_text(OWN)
    monkeypatch.chdir(tmp_path)
    return path


def shell(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    command = [sys.executable, "-m", "mail", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, env=env)


@pytest.mark.slow
def test_what_a_file_registers_works_in_every_command(own: Path, tmp_path: Path) -> None:
    trained = shell("--import", "mine/own.py", *TRAIN, "--json", "--quiet", folder=tmp_path)
    assert (trained.returncode, trained.stderr) == (0, "registered\n")
    assert json.loads(trained.stdout)["learners"]["my-mail"]["labels"] > 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["imports"] == [str(own)]
    for words in (
        ["gap", "run:my-mail", "run:bc-tabular"],
        ["exploit", "run:my-mail"],
        ["match", "mine", "run:my-mail", "random", "--games", "4"],
        ["export", "run:my-mail"],
        ["games"],
        ["learners"],
        [*TRAIN, "--resume", "--quiet"],
    ):
        done = shell(*words, "--import", str(own), folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "registered\n"), (words, done.stderr)
    assert "my-mail" in shell("learners", "--import", str(own), folder=tmp_path).stdout
    watched = shell("watch", "run", "--once", folder=tmp_path)
    assert watched.returncode == 0 and "my-mail" in watched.stdout


@pytest.mark.slow
def test_workers_have_what_a_file_registers(own: Path, tmp_path: Path) -> None:
    alone = shell(*TRAIN, "--json", "--import", str(own), folder=tmp_path)
    (tmp_path / "run").rename(tmp_path / "alone")
    code = (
        "import sys, mail.parallel.pool; mail.parallel.pool.START_UP = 0.0\n"
        "from mail.start import main; sys.argv[0] = 'nashmail'; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, *TRAIN, "--workers", "2", "--json", "--import", str(own)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path, env=env)
    assert "starting 2 workers" in both.stderr and both.returncode == 0, both.stderr
    assert json.loads(both.stdout)["learners"] == json.loads(alone.stdout)["learners"]


@pytest.mark.slow
def test_a_run_names_the_file_that_it_needs(own: Path, tmp_path: Path) -> None:
    assert shell(*TRAIN, "--import", str(own), folder=tmp_path).returncode == 0
    for words in (["gap", "run"], ["exploit", "run"], ["export", "run"], ["match", "chain:4", "run", "random"]):
        done = shell(*words, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"nashmail {words[0]}: the run in run was made with files of your own; name them: --import {own}\n"
        )
    done = shell(*TRAIN, "--resume", folder=tmp_path)
    assert done.returncode == 2 and f"name them: --import {own}\n" in done.stderr
    moved = own.rename(tmp_path / "mine" / "moved.py")
    assert shell("gap", "run", "--import", str(moved), folder=tmp_path).returncode == 0


def test_files_that_cannot_be_used(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = [dict(kind.entries) for kind in imports.REGISTRIES]
    for text, says in {
        "x = 1": "own.py registers nothing; call games.register, ",
        "import games\ngames.register('tictactoe', None)": "own.py, line 2: a game called tictactoe is already",
        "import mail\nmail.register_learner('half', None)\n1 / 0": "own.py, line 3: ZeroDivisionError: division",
        "raise SystemExit": "own.py, line 1: SystemExit:",
        "def": "own.py, line 1: this is not Python",
    }.items():
        own.write_text(text)
        for words in (["--import", str(own), "games"], ["games", f"--import={own}"]):
            assert main(words) == 2
            shown = capsys.readouterr()
            assert shown.out == "" and shown.err.count("\n") == 1 and says in shown.err
        assert [dict(kind.entries) for kind in imports.REGISTRIES] == before, "half of a file stays registered"
    assert main(["games", "--import", "nowhere.py"]) == 2
    assert "nowhere.py" in capsys.readouterr().err


def test_the_example_registers_its_game(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", "--check", str(ROOT / "examples" / "own_game.py")]) == 0
    assert capsys.readouterr().out.startswith("tug-of-war:3: correct")


def test_help_and_lists_have_what_a_file_registers(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {"train", "mail", "uniform", "tabular"}
    for words in (
        ["--import", str(own), "train", "--help"],
        ["train", "--help", "--import", str(own)],
        ["learners", "--import", str(own)],
    ):
        with suppress(SystemExit):
            main(words)
        shown = capsys.readouterr().out.split()
        added = {"my-mail", "flat", "mixed"} | ({"my-table"} if words[0] == "learners" else set())
        assert added <= set(shown) and before & set(shown)


def test_help_refuses_a_file_that_cannot_be_used(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own.write_text("1 / 0")
    with pytest.raises(SystemExit) as left:
        main(["train", "--help", "--import", str(own)])
    shown = capsys.readouterr()
    assert left.value.code == 2 and shown.out == ""
    assert shown.err == f"nashmail train: {own}, line 1: ZeroDivisionError: division by zero\n"


def test_a_broken_game_is_refused_by_what_needs_its_model(nim: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys of three words are not cut to two, and the message names the fault, not the size of the game."""
    edit, says = MISTAKES["three words of key"]
    nim.write_text(edit(nim.read_text()))
    for words in (["match", "nim", "random", "expert"], ["train", "nim", "--out", "refused"]):
        assert main([*words, "--import", str(nim)]) == 2
        shown = capsys.readouterr()
        assert shown.err.count("\n") == 1 and says.removeprefix("nim:10: key at [0, 0]: ") in shown.err
    assert not Path("refused").exists()


def test_a_factory_that_fails_is_named_in_every_command(nim: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit, says = MISTAKES["a factory that fails"]
    nim.write_text(edit(nim.read_text()))
    for words in (["match", "nim", "random", "random"], ["games"], ["train", "nim", "--learner", "bc"]):
        assert main([*words, "--import", str(nim)]) == 2
        assert says in capsys.readouterr().err


def test_a_file_is_run_once_however_it_is_named(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--import", str(own), "games", "--import", "mine/../mine/own.py", "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "registered\n"
    assert "mine" in [game["name"] for game in json.loads(shown.out)["games"]]


def test_a_configuration_without_imports_is_what_it_was() -> None:
    assert "imports" not in Config("tictactoe").values()
    assert Config("tictactoe", imports=("/a.py",)).values()["imports"] == ["/a.py"]


# --- installed plugins -----------------------------------------------------------------------------------


@dataclass
class Point:
    """An entry point."""

    name: str
    load: Callable[[], object]
    value: str = "somewhere:something"


def test_installed_plugins_are_there_in_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def plug() -> None:
        register_expert("plugged", lambda known: make_expert("first", known))

    def broken() -> object:
        raise ImportError("no such\nlibrary")

    points = [Point("bad", broken), Point("good", lambda: plug)]
    asked = []
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: asked.append(group) or points)
    assert main(["train", "tictactoe", "--expert", "nope"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert asked == ["nashmail.plugins"]
    assert said[0] == "nashmail train: the plugin bad (somewhere:something) failed: ImportError: no such library"
    assert "the experts are: cfr+, dcfr, few, first, mcts, plugged, uniform, values, vertex" in said[1]
