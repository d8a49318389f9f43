"""What the pages say happens: their commands and snippets are run in order, and print what is shown.

A page is followed from its top in a folder of its own, which looks like a clone of the project after `make demo`. A
command that takes long is not run: the page states its time (``reading.TIME``), and that is the only way out.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from mail.commands.cli import COMMANDS, main
from tests.pages.reading import PAGES, ROOT, blocks, commands, is_form, mentioned

Run = Callable[[str], str]

MAKEFILE = (ROOT / "Makefile").read_text()
PROMISE = r"print\(.*?  # (?:exact: )?([\w.,/\[\] ]+?)(?: positions to move in)?$"
SOLVED = re.compile(r"\bconnect4\b(?![:-])")

pytestmark = [pytest.mark.slow, pytest.mark.pages, pytest.mark.usefixtures("registries_as_they_were")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder like a clone of the project after `make demo`, and what that printed."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("scripts", "examples", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "docs", folder / "docs")  # recorded screens are written there
    (folder / ".venv").symlink_to(sys.prefix)
    recipe = re.search(r"^demo: .*\n\t\$\(BIN\)/nashmail (.*)$", MAKEFILE, re.MULTILINE)
    assert recipe
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "120")
        assert main(recipe[1].replace("$(SEED)", "0").split()) == 0
    return folder, printed.getvalue()


@pytest.fixture
def run(
    demo: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command in a clone of its own and returns what it printed; whoever is asked for a move there quits."""
    folder = shutil.copytree(demo[0], tmp_path / "clone", symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)

    def run(words: str) -> str:
        if words == "make demo":
            return demo[1]
        if SOLVED.search(words):
            pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
        if not words.startswith("nashmail ") or ".py" in words:  # what a file registers is registered here already
            done = subprocess.run(["bash", "-ec", words], capture_output=True, text=True, check=False)
            assert done.returncode == 0, (words, done.stderr)
            return done.stdout
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"quit\n")))
        capsys.readouterr()
        status = main(shlex.split(words)[1:])
        printed = capsys.readouterr()
        assert status == 0, (words, printed.err)
        return printed.out

    return run


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_block_does_what_the_page_says(page: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in blocks(page):
        if block.language == "python":
            if block.file:
                with Path(block.file).open("a") as file:
                    file.write(block.text)
            exec(compile(block.text, f"{page.name}:{block.line}", "exec"), names)
            check_promises(block.text, capsys.readouterr().out)
        for command in commands(block):
            if not command.long:
                check_shown(command.shown, run(command.words))


def check_promises(snippet: str, printed: str) -> None:
    """Every line that prints says in its comment what, values that are printed one after another behind commas."""
    promised = re.findall(PROMISE, snippet, re.MULTILINE)
    assert len(promised) == len(re.findall(r"^ *print\(", snippet, re.MULTILINE)), snippet
    for words in promised:
        for word in [words] if words.startswith("[") else words.split(", "):
            assert word in printed, (word, printed)


def check_shown(shown: str | None, printed: str) -> None:
    """What is shown is what was printed, but for white space, times, and what a line of three dots stands for."""
    if shown is None:
        return
    parts = [timeless(part) for part in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
    rest = timeless(printed)
    assert rest.startswith(parts[0]) and rest.endswith(parts[-1]), (shown, printed)
    for part in parts:
        assert part in rest, (part, printed)
        rest = rest[rest.index(part) + len(part) :]


def timeless(text: str) -> str:
    """On one line, times taken out."""
    return re.sub(r"\b\d[\d.,]* (?:ms|s|seconds|minutes)\b", "TIME", " ".join(text.split()))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_command_of_the_text_is_there(page: Path, run: Run) -> None:
    for command in mentioned(page):
        program, name, *_ = command.words.split()
        if program == "make":
            assert re.search(rf"^{name}:", MAKEFILE, re.MULTILINE), command.words
        elif program == "nashmail" and is_form(command):
            check_form(command.words)
        elif program == "python" and name.startswith("scripts/"):
            assert (ROOT / name).is_file(), command.words
        if program != "make" and not is_form(command) and not command.long:
            run(command.words)


def check_form(words: str) -> None:
    """The command is there, and so are its options."""
    known = {"--debug", "--version", "--help", "--import", "--completion"}
    name = next((word for word in words.split()[1:] if not word.startswith("-")), None)
    if name and not name.isupper():
        assert name in COMMANDS, words
        parser = argparse.ArgumentParser()
        importlib.import_module(f"mail.commands.{name}").arguments(parser)
        known |= set(parser._option_string_actions)
    assert set(re.findall(r"(?<!\S)--[\w-]+", words)) <= known, words


def test_the_screen_of_the_readme_is_a_part_of_the_recorded_game(run: Run) -> None:
    run("python scripts/record_screen.py --run runs/demo")
    recorded = Path("docs/figures/play.txt").read_text()
    assert recorded == (ROOT / "docs" / "figures" / "play.txt").read_text()
    shown = next(block for block in blocks(ROOT / "README.md") if block.text.startswith("$ nashmail play"))
    first, _, rest = shown.text.partition("\n")
    assert recorded.startswith(first)
    assert rest.strip() in recorded
    assert shown.text.count("\n") <= 24
