"""The recorded screen: made from a scripted game, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents import make_expert
from agents.policy import Seats, Uniform
from mail.training.folder import Config, Profile, Run
from record_screen import main, record
from tests.support import game, graph


def profile(policies: Seats) -> Profile:
    return Profile("runs/demo", game("tictactoe"), policies, Config("tictactoe"), {})


def test_the_game_is_recorded() -> None:
    console = record(profile(make_expert("first", graph("tictactoe"))), command="nashmail play tictactoe")
    said = " ".join(console.export_text(clear=False).split())
    assert console.export_text().startswith("$ nashmail play tictactoe\n")
    assert "cell policy value" in said and "score: 0 won, 0 drawn, 1 lost" in said
    assert "You play cell 9. Throws away a draw: it now loses; it lets o complete 4-5-6." in said
    assert "Mistake 1 of 1, move 5: you played cell 9" not in said and "No, not cell 8" in said


def test_a_policy_that_answers_otherwise_is_refused() -> None:
    with pytest.raises(SystemExit, match="did not end"):
        record(profile((Uniform(), Uniform())), command="nashmail play tictactoe", seed=1)


def test_both_files_are_written_and_equal_each_time(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", Config("tictactoe", ("mail",)))
    run.save_policies("mail", make_expert("first", graph("tictactoe")), game("tictactoe"))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    pictures = []
    for name in ("one.svg", "other.svg"):
        assert main(["--run", str(run.folder), "--out", str(tmp_path / name)]) == 0
        pictures.append((tmp_path / name).read_bytes())
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"<svg")
    assert "Throws away a draw" in (tmp_path / "one.txt").read_text()
