"""``nashmail train``: what its learners may know is told, and, when it is stopped, the whole command that goes on."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from mail.commands.cli import main
from mail.commands.train import resume_command


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["train", "tictactoe"], "nashmail train tictactoe --resume"),
        (["train", "tictactoe", "--force", "--seed", "3"], "nashmail train tictactoe --seed 3 --resume"),
        (["train", "rps", "--fo", "--out=a b"], "nashmail train rps '--out=a b' --resume"),
        (["--import", "own.py", "train", "own", "--resume"], "nashmail --import own.py train own --resume"),
    ],
)
def test_the_command_that_resumes_is_whole(words: list[str], command: str) -> None:
    assert resume_command(words) == command
    assert shlex.split(command)[0] == "nashmail"


def test_what_learners_may_know_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mail.evaluation.figure.draw_run", lambda result, title: b"")
    words = [
        "train",
        "tictactoe:2x2:2",
        "--learner",
        "mail,bc-tabular",
        "--episodes",
        "2",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main([*words, "--explorer", "refute", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["knows"] == {"mail": ["labels", "model", "reward", "rules"], "bc-tabular": ["expert", "labels"]}
    assert main([*words, "--explorer", "refute", "--resume"]) == 0
    assert capsys.readouterr().out.endswith("\nmail knows beyond its labels: model, reward, rules\n")
    assert main([*words, "--explorer", "uniform", "--force"]) == 0
    assert "knows" not in capsys.readouterr().out
