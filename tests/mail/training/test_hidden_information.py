"""Training on poker from end to end: queries lead the expert where its own play does not, and the table says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mail.commands.cli import main


@pytest.mark.slow
@pytest.mark.parametrize("game", ["kuhn", "openspiel:kuhn_poker"])
def test_mail_learns_kuhn_poker_and_behavioral_cloning_does_not(
    game: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", game, "--explorer", "counts", "--episodes", "200", "--out", str(tmp_path / "run"), "--json"]
    assert main(asked) == 0
    learners = json.loads(capsys.readouterr().out)["learners"]
    assert learners["mail"]["distinct_labels"] == 12  # every information state
    assert learners["mail"]["nash_gap"] < 0.02
    assert learners["bc"]["labels"] == learners["mail"]["labels"]
    assert learners["bc"]["distinct_labels"] < 12 and learners["bc"]["nash_gap"] > 0.1

    assert main(["gap", str(tmp_path / "run"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exact"] is True
    assert next(iter(found["policies"].values()))["nash_gap"] == learners["mail"]["nash_gap"]


def test_an_expert_that_mixes_its_best_actions_alike_is_refused(tmp_path: Path) -> None:
    assert main(["train", "kuhn", "--expert", "uniform", "--out", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()


def test_what_an_expert_falls_short_of_equilibrium_is_said_with_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    assert (
        main(["train", "kuhn", "--expert", "cfr+:20", "--explorer", "respond", "--learner", "mail", "--out", run]) == 0
    )
    assert "expert cfr+:20" in capsys.readouterr().out
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    own = result["expert"]["nash_gap"]
    assert 0.001 < own < 0.2
    assert result["learners"]["mail"]["nash_gap"] == pytest.approx(own, abs=1e-6)

    assert main(["gap", run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["experts"] == {"cfr+:20": result["expert"]}
    assert main(["gap", run]) == 0
    assert "expert cfr+:20" in capsys.readouterr().out
