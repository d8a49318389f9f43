"""Whatever a run can be refused for is refused before anything is written: games, learners, explorers, experts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents import expert
from games import NashmailError
from mail import explore
from mail.clone.presets import SMALL
from mail.commands.cli import main
from mail.learners import base
from mail.training.folder import Config, Run
from mail.training.train import prepare, train

REFUSED = [
    ("rps --explorer refute", "needs a turn-based game without hidden cards, unlike rps"),
    ("chain:8 --learner bc,mail --explorer refute", "needs a turn-based game"),
    ("tictactoe:2x2:2 --expert vertex", "plays Markov games"),
    ("tictactoe:2x2:2 --expert vertex --learner bc-first,bc", "plays Markov games"),
    ("rps --expert few --learner bc-first", "plays turn-based games that are enumerated as a graph"),
    ("connect4:3x3:3 --expert vertex --symmetry", "plays Markov games"),
    ("simultaneous:matrix_rps --learner bc-linear", "has no features"),
    ("simultaneous:matrix_rps --learner mail-linear", "has no features"),
    ("simultaneous:matrix_rps --learner bc,mail --explorer linear", "has no features"),
    ("simultaneous:matrix_rps --explorer linear-reference", "has no features"),
    ("simultaneous:matrix_rps --explorer refute", "needs a turn-based game"),
    ("tictactoe --learner games", "name them: --from-games FILE"),
    ("kuhn --explorer mistakes", "needs a turn-based game without hidden cards, unlike kuhn; choose respond"),
    ("kuhn --symmetry", "has no board symmetries"),
    ("tictactoe:2x2:2 --expert cfr+:10", "plays games of hidden information that have an exact model"),
    ("kuhn --expert mcts:10", "which has no game like kuhn"),
    ("openspiel:kuhn_poker --expert mcts:10", "sees the whole position, which a seat of openspiel:kuhn_poker does not"),
    ("openspiel:bargaining", "is not zero-sum; only zero-sum games fit"),
    ("openspiel:kuhn_poker(players=3)", "has 3 players; only games for two fit"),
    ("openspiel:goofspiel(num_cards=3)", "has simultaneous moves; openspiel:turn_based_simultaneous_game(game=...)"),
    ("simultaneous:goofspiel(num_cards=4,imp_info=True)", "it is of imperfect information"),
    ("openspiel:phantom_ttt", "too large to enumerate: an estimate of"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED, ids=[words for words, _ in REFUSED])
def test_nothing_is_left_that_would_block_the_corrected_command(
    words: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *words.split(), "--episodes", "2", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "game",
    [
        "simultaneous:matrix_mp",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("rps", "linear:6,2", "tictactoe:2x2:2", "unseen")),
    ],
)
def test_what_is_prepared_is_learned(game: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every learner and explorer there is, with every expert that plays an equilibrium."""
    small = replace(SMALL, clone=replace(SMALL.clone, max_steps=3))
    monkeypatch.setattr("mail.training.context.preset", lambda game: small)
    monkeypatch.setattr("mail.evaluation.figure.draw_run", lambda result, title: b"")
    done = refused = 0
    for ties in filter(expert.is_equilibrium, (name for name in expert.listed() if ":" not in name)):
        for name in base.names():
            for explorer in explore.names() if name == "mail" else ["deep"]:
                # the seats of dagger and of deep learners share no games, and some rarely decide; doubt looks around
                # before it queries
                alone = name.startswith("dagger") or name.endswith("-deep")
                episodes = 34 if explorer == "doubt" else 16 if alone else 2
                config = Config(game, (name,), explorer, ties, episodes=episodes, points=1)
                try:
                    prepared = prepare(config)
                except NashmailError:
                    refused += 1
                    continue
                train(Run.create(tmp_path / f"{ties}-{name}-{explorer}", config), prepared=prepared)
                done += 1
    assert done > 50 and (refused > 0 or game == "unseen")
