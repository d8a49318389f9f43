"""What evaluation makes of what was learned: each policy is tabulated once, and a curve ends in the measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import agents.policy
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
    known = prepared.known
    learned = learn(run, prepared, pool=Local())
    asked: list[Any] = []
    real = agents.policy.tabulate

    def tabulate(model: Any, policy: Any, seat: int, **words: Any) -> Any:
        asked.append(policy)
        return real(model, policy, seat, **words)

    monkeypatch.setattr(agents.policy, "tabulate", tabulate)
    found = evaluate(run, known, learned, pool=Local())
    monkeypatch.undo()
    row, curves = found.learners["mail-tabular"], found.curves["mail-tabular"]
    assert len({id(policy) for policy in asked}) == len(asked)
    cloned = sum(len(curve) - 1 for curve in curves)
    assert len(asked) == 2 + len(known.experts("first")) + cloned
    assert known.model is not None
    assert (
        row.items()
        >= {
            **spending(learned["mail-tabular"]),
            **profile_measures(known.model, learned["mail-tabular"].policies),
        }.items()
    )
    assert min(row["value_gap"]) >= 0
    for seat, curve in enumerate(curves):
        last = {key: row[key][seat] for key in ("exploitability", "greedy_exploitability")}
        assert curve[-1] == {"labels": row["labels_by_seat"][seat], **last}
