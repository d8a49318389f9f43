"""Games that are too large for a model: learned from the solver, measured by samples, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mail.training.train
from agents.network import Architecture
from agents.policy import Uniform
from agents.solver import Scores, shared, use
from agents.storage.label_cache import LabelCache
from games import make
from games.models import has_model, model_of
from mail import explore
from mail.clone.network import CloneConfig
from mail.clone.presets import LARGE, SMALL, preset
from mail.commands.cli import main
from mail.parallel.streams import stream
from mail.terminal.tables import sampled_lines
from mail.training.folder import Config, Run, load_profile
from tests.support import game

CONFIG = Config("connect4", explorer="uniform", symmetry=True, episodes=4, seed=1)


@pytest.mark.slow
def test_a_run_learns_and_measures_without_a_model(
    hurried: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = mail.training.train.train(Run.create(tmp_path / "run", CONFIG))
    assert result["exact"] is False and result["curves"] == {} and result["limits"]["least_games"] == []
    assert result["clone"]["architecture"]["blocks"] == 1
    for name, row in result["learners"].items():
        _check_row(row)
        policies = load_profile(f"{tmp_path / 'run'}:{name}").policies
        assert policies[0].probabilities(game("connect4"), game("connect4").starts(), 0).sum() == pytest.approx(1.0)
    both = [result["learners"][name] for name in ("mail", "bc")]
    assert both[0]["labels_by_seat"] == both[1]["labels_by_seat"], "equal asks"
    assert len(sampled_lines(result["learners"])) == 6

    assert shared().solved
    use(Scores(LabelCache(tmp_path / "cache" / "scores.sqlite")))
    again = mail.training.train.train(Run.create(tmp_path / "again", CONFIG))
    assert json.dumps(again) == json.dumps(result) and shared().solved == 0, "no label is paid twice"
    assert (tmp_path / "run" / "figure.png").stat().st_size > 5000

    assert main(["gap", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert "connect4 cannot be enumerated, so it has no exact Nash gap; `nashmail exploit` searches" in told
    words = "train connect4 --explorer uniform --symmetry --episodes 4 --seed 1 --resume --out"
    assert main([*words.split(), str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "suboptimal:0" in out and "blunders on positions never labelled: own" in out
    assert max(len(line) for line in out.splitlines() if "suboptimal" in line) <= 80


def _check_row(row: dict[str, Any]) -> None:
    """What is reported of one learner."""
    assert row["nash_gap"] is row["exploitability"] is row["greedy_nash_gap"] is row["greedy_exploitability"] is None
    assert [match["games"] for match in row["matches"]] == [2] * 4
    first, second = row["certificates"]
    assert first["refuted"] is True and first["value"] < 1 and second["refuted"] is False
    assert row["greedy_exploitability_at_least"] == [1 - first["value"], 0.0]
    assert row["openings"]["openings"] == 1 and 4 <= row["openings"]["moves_to_loss_from_start"] <= 20
    for seat, sources in enumerate(row["blunders"]):
        assert [found["source"] for found in sources] == ["own", "exploration", "random"]
        assert all(place["ply"] % 2 == seat for found in sources for place in found["by_ply"])


def test_what_cannot_be_learned_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.solver.installed", lambda: False)
    out = tmp_path / "run"
    cases = {
        ("connect4",): "`make solver`",
        ("connect4:6x6",): "enumerated as a graph, and connect4 on 6x7",
        ("connect4", "--device", "abacus"): "--device abacus is not available; use",
    }
    for words, says in cases.items():
        assert main(["train", *words, "--out", str(out)]) == 2
        told = capsys.readouterr().err
        assert says in told and told.count("\n") == 1 and not out.exists()


def test_an_explorer_that_needs_a_model_is_refused_first(
    hurried: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "connect4", "--explorer", "refute", "--out", str(tmp_path / "run")]) == 2
    assert "needs the exact model" in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_only_small_games_have_a_model() -> None:
    for name in ("tictactoe", "connect4:4x4"):
        assert has_model(make(name)) and has_model(game(f"quotient:{name}"))
    for name in ("connect4", "quotient:connect4", "connect4:6x6"):
        assert not has_model(game(name)) and model_of(game(name)) is None


def test_presets_follow_the_size_of_the_board() -> None:
    assert preset(make("tictactoe")) is preset(make("connect4:5x5")) is SMALL and SMALL.clone == CloneConfig()
    assert preset(make("connect4")) is LARGE and LARGE.clone.architecture.blocks > 0
    assert replace(LARGE.clone.architecture, blocks=0) != Architecture() and LARGE.clone.mirrored
    assert np.prod(make("connect4:6x6").spec.observation[1:]) == 36 and preset(make("connect4:6x6")) is LARGE


def test_deep_exploration_plays_many_games_a_round_on_large_boards() -> None:
    for name, games in (("tictactoe", 2), ("quotient:connect4:4x4", 2), ("connect4", 64), ("quotient:connect4", 64)):
        context = explore.ExplorerContext(game(name), 1, (Uniform(), Uniform()))
        assert explore.make("deep", context, rng=stream(0, "test")).games_per_round == games
