"""The figure of experts: counts against the coverage bounds, queries against the default learner's run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import mail
from figures.field.experts import decisions, experts, graph, positions, queries
from mail.evaluation.coverage import coverage_bounds


def test_positions_are_those_of_the_coverage_bounds() -> None:
    board = "connect4:4x4"
    model = graph(board, symmetry=True)
    found = positions(board, "first")
    table = model.equilibrium("first")[0]  # type: ignore[union-attr]
    assert found["positions"] == [coverage_bounds(model, table, seat).labels for seat in (0, 1)]  # type: ignore[arg-type]
    assert positions(board, "few")["known"] < found["known"]


def test_whoever_keeps_the_value_can_be_led_wherever_first_can() -> None:
    model = graph("connect4:3x4", symmetry=True)
    first, values = experts(model, "first"), experts(model, "values")
    for seat in (0, 1):
        few, many = (set(np.concatenate(list(decisions(model, pair[seat], seat))).tolist()) for pair in (first, values))
        assert few < many


def test_queries_are_those_of_the_default_learner(tmp_path: Path) -> None:
    board = "connect4:3x4"
    result = mail.train(
        board, out=tmp_path / "run", learners=("mail-ntuple",), explorer="mistakes", expert="few", seed=3
    )
    spent = queries(board, "few", 3)
    curve = result["learners"]["mail-ntuple"]
    assert 0 < sum(spent) <= curve["labels"]
