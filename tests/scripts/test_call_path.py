"""The way from the command to the first game stays short."""

from __future__ import annotations

from itertools import pairwise

import pytest

from call_path import PLAY, main, trace

MOST = 12
"""Files on the call stack when the first game is played."""


@pytest.mark.parametrize(
    "words",
    [
        "tictactoe:2x2:2",
        "tictactoe:2x2:2 --learner bc",
        "tictactoe:2x2:2 --learner mail-noise",
        "chain:6 --learner mail-tabular --episodes 4",
        "tictactoe:2x2:2 --explorer counts --symmetry",
    ],
)
def test_the_call_path_is_short(words: str) -> None:
    seen = trace(words.split())
    path = list(seen.path)
    assert path[0] == "mail/commands/cli.py" and path[-1] == PLAY[0]
    assert set(path) <= set(seen.entered) and set(seen.training) <= set(seen.entered)
    assert len(path) <= MOST


def test_it_prints_each_file_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tictactoe:2x2:2", "--learner", "bc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert [head.partition(":")[0] for head in heads] == ["call path", "entered in training", "entered"]
    places = [*map(lines.index, heads), len(lines)]
    counts = [int(head.split()[-2]) for head in heads]
    assert counts == [after - place - 1 for place, after in pairwise(places)]
    assert len(set(lines[1 : places[1]])) == counts[0]


def test_a_command_that_plays_no_game_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended before its first game"):
        trace(["no-such-game"])
