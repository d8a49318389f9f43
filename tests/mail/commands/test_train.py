"""``nashmail train``: what it says when it is stopped is the whole command that goes on."""

from __future__ import annotations

import shlex

import pytest

from mail.commands.train import resuming


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
    assert resuming(words) == command
    assert shlex.split(command)[0] == "nashmail"
