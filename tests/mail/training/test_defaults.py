"""The table of defaults: what a bare ``nashmail train GAME`` does, and what ``--knowledge play`` leaves."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from games.base import NashmailError
from games.registry import make
from mail import explore, learners
from mail.commands.cli import main
from mail.commands.train import _fill, arguments
from mail.training.config import Config, read_config
from mail.training.defaults import KNOWLEDGE_LEVELS, Default, check_knowledge_level, default_for, rows

NAMES = ["tictactoe", "connect4:4x4", "connect4:5x4", "connect4:4x5", "connect4", "kuhn", "rps"]


def filled(*words: str) -> argparse.Namespace:
    """The arguments of a command after the defaults."""
    parser = argparse.ArgumentParser()
    arguments(parser)
    args = parser.parse_args(words)
    _fill(args, Path("missing"))
    return args


@pytest.mark.parametrize("name", NAMES)
def test_every_line_names_what_there_is_and_what_its_knowledge_allows(name: str) -> None:
    make(name)
    for knowledge in KNOWLEDGE_LEVELS:
        line = default_for(name, knowledge)
        explore.check(line.explorer)
        for learner in line.learners:
            learners.check(learner)
        check_knowledge_level(line.learners, line.explorer, knowledge)
        Config(name, line.learners, line.explorer, points=line.points or 8, knowledge=knowledge).check()
    assert [(row["name"], row["knowledge"]) for row in rows([name])] == [(name, "all"), (name, "play")]


def test_a_bare_command_takes_the_line_and_a_named_one_what_it_always_took() -> None:
    bare = filled("connect4:4x4")
    assert (bare.learner, bare.explorer, bare.expert, bare.knowledge) == ("mail-ntuple", "mistakes", "first", "all")
    walk = filled("connect4:5x5")
    assert (walk.learner, walk.expert, walk.knowledge) == ("mail-walk", "uniform", "all")
    play = filled("connect4:4x4", "--knowledge", "play")
    assert (play.learner, play.explorer, play.knowledge, play.symmetry) == ("mail-ntuple", "doubt", "play", True)
    assert not bare.symmetry
    old = Default()
    for words in (["--explorer", "counts"], ["--learner", "mail,bc"], ["--labels", "5"], ["--expert", "uniform"]):
        args = filled("connect4:4x4", *words)
        explorer = "counts" if words[1] == "counts" else old.explorer
        assert (args.learner, args.explorer, args.knowledge) == (",".join(old.learners), explorer, None)
        assert args.points is None


@pytest.mark.parametrize("name", ["leduc:2", "openspiel:kuhn_poker"])
def test_hidden_cards_are_a_kind_of_their_own(name: str) -> None:
    bare, play = filled(name), filled(name, "--knowledge", "play")
    assert (bare.learner, bare.knowledge) == ("mail-respond,bc-tabular", "all")
    assert (play.learner, play.knowledge) == ("mail-counts,bc-tabular", "play")
    assert filled(name, "--explorer", "deep").learner == "mail,bc"
    assert filled("openspiel:nim").learner == "mail,bc"


def test_play_refuses_learners_that_know_more(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NashmailError, match="mail-ntuple with mistakes knows model, reward, rules"):
        check_knowledge_level(("mail-ntuple",), "mistakes", "play")
    words = ["train", "tictactoe", "--knowledge", "play", "--explorer", "refute", "--out", "never"]
    assert main(words) == 2
    assert "name another explorer" in capsys.readouterr().err
    assert not Path("never").exists()


@pytest.mark.slow
def test_a_bare_run_reports_its_knowledge_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tictactoe", "--out", str(tmp_path / "run"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["knows"] == {"mail-ntuple": ["labels", "model", "reward", "rules"]}
    assert told["config"]["knowledge"] == "all" == read_config(tmp_path / "run").knowledge
    assert told["learners"]["mail-ntuple"]["greedy_nash_gap"] == 0.0
    assert told["learners"]["mail-ntuple"]["nash_gap"] < 0.02
    assert main(["train", "tictactoe", "--out", str(tmp_path / "run"), "--json", "--resume"]) == 0
    assert json.loads(capsys.readouterr().out)["learners"] == told["learners"]
