"""What evaluation makes of what was learned: each policy is tabulated once, and a curve ends in the measures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import agents.policy
from mail.commands.cli import main
from mail.evaluation import exact, sampled, searched
from mail.evaluation.exact import profile_measures
from mail.parallel.pool import Local
from mail.training.evaluate import evaluate, spending
from mail.training.folder import Config, Run
from mail.training.learn import learn
from mail.training.train import prepare


@pytest.mark.parametrize("points", [1, 3])
@pytest.mark.parametrize("game", ["chain:6", "tictactoe:2x2:2"])
def test_each_policy_is_tabulated_once(game: str, points: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(game, learners=("mail-tabular",), explorer="tabular", episodes=6, points=points)
    run = Run.create(tmp_path / "run", config)
    prepared = prepare(config)
    context = prepared.context
    learned = learn(run, prepared, pool=Local())
    asked: list[Any] = []
    real = agents.policy.tabulate

    def tabulate(model: Any, policy: Any, seat: int, **words: Any) -> Any:
        asked.append(policy)
        return real(model, policy, seat, **words)

    monkeypatch.setattr(agents.policy, "tabulate", tabulate)
    bounds = exact.limits(context.learned_model, config.expert)
    found = evaluate(run, context, learned, bounds, pool=Local())
    monkeypatch.undo()
    row, curves = found.learners["mail-tabular"], found.curves["mail-tabular"]
    assert len({id(policy) for policy in asked}) == len(asked)
    cloned = sum(len(curve) - 1 for curve in curves)
    assert len(asked) == 2 + len(context.experts("first")) + cloned
    assert context.model is not None
    assert (
        row.items()
        >= {
            **spending(learned["mail-tabular"]),
            **profile_measures(context.model, learned["mail-tabular"].policies),
        }.items()
    )
    assert min(row["value_gap"]) >= 0
    for seat, curve in enumerate(curves):
        last = {key: row[key][seat] for key in ("exploitability", "greedy_exploitability")}
        assert curve[-1] == {"labels": row["labels_by_seat"][seat], **last}


@pytest.mark.slow
def test_a_game_too_large_to_enumerate_is_learned_from_a_search_and_measured_by_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, number in (("GAMES", 8), ("FRESH", 20), ("POSITIONS", 3)):
        monkeypatch.setattr(searched, name, number)
    monkeypatch.setattr(sampled, "GAMES", 10)
    monkeypatch.setattr(sampled, "AGAINST_EXPERT", 2)
    game = "openspiel:clobber(rows=5,columns=5)"
    words = [
        "train",
        game,
        "--learner",
        "mail",
        "--explorer",
        "counts",
        "--episodes",
        "2",
        "--out",
        str(tmp_path / "r"),
    ]
    assert main([*words, "--expert", "first"]) == 2
    assert "learn it from a search (--expert mcts:100)" in capsys.readouterr().err
    assert main([*words, "--expert", "mcts:5"]) == 0
    said = capsys.readouterr().out
    for line in (
        "its best opponent wins at least what a response learned in 8 games does",
        "blunders by a search with 50 simulations, on positions never labelled",
        "the expert mcts:5 is no equilibrium; how exploitable it is was not measured",
    ):
        assert line in said
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    assert result["exact"] is False and result["expert"]["nash_gap"] is None
    assert {match["second"] for match in result["learners"]["mail"]["matches"]} == {"policy", "mcts:5", "random"}
    assert main([*words, "--expert", "mcts:5", "--resume", "--json"]) == 0  # the written result is read again
