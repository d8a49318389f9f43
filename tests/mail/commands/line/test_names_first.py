"""A mistyped name is refused before torch is loaded, which takes longer than all else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.mail.training.run_folders import OLD

CODE = """
import contextlib, io, json, sys
from mail.commands.cli import main
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    print(json.dumps([status, "torch" in sys.modules, out.getvalue(), err.getvalue()]))
"""
MISTYPED = [
    "train nope",
    "train tictactoe --learner nope",
    "train tictactoe --learner mail,nope",
    "train tictactoe --explorer nope",
    "train tictactoe --expert nope",
    "gap nope",
    "gap RUN:nope",
    "gap RUN nope",
    "gap UNFINISHED",
    "gap RUN --game nope",
    "exploit nope",
    "exploit RUN:nope",
    "export nope",
    "export RUN:nope",
    "match nope random expert",
    "match tictactoe random nope",
    "match tictactoe RUN nope",
    "match tictactoe RUN:nope random",
    "play nope",
    "play tictactoe --against nope",
    "watch nope --once",
    "replay nope",
    "games --check nope",
    "games --import nope",
]


def named(words: str) -> list[str]:
    """The words of a command line, with the folders of runs."""
    places = {"RUN": str(OLD / "finished"), "UNFINISHED": str(OLD / "unfinished")}
    return [":".join(places.get(part, part) for part in word.split(":")) for word in words.split()]


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, bool, str, str]]:
    """By command line: exit status, whether torch is loaded by then, standard output, standard error. One process
    that loads nothing else runs them all.
    """
    lines = json.dumps([named(words) for words in MISTYPED])
    done = subprocess.run([sys.executable, "-c", CODE], input=lines, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return dict(zip(MISTYPED, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("words", MISTYPED)
def test_torch_is_not_loaded_for_a_mistyped_name(words: str, answers: dict[str, tuple[int, bool, str, str]]) -> None:
    status, loaded, out, err = answers[words]
    assert (status, loaded, out) == (2, False, "")
    assert err.startswith(f"nashmail {words.split()[0]}: ") and err.count("\n") == 1
    assert "nope" in err or "is not finished" in err
