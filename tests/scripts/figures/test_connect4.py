"""The 6x7 figure, made small: runs that go on, numbers over seeds, tables and picture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.policy import PolicyError
from figures import connect4 as figure
from games.base import NashmailError
from mail.parallel.pool import Local


@pytest.fixture
def small(hurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two learners and two budgets of a few games."""
    monkeypatch.setattr("mail.evaluation.sampled.OPPONENTS", ("suboptimal:1", "suboptimal:0:hopeless"))
    monkeypatch.setattr(figure, "MORE", 3)
    monkeypatch.setattr(figure, "LEARNERS", {name: figure.LEARNERS[name] for name in ("bc", "bc-first")})
    monkeypatch.setattr(figure, "BUDGETS", (20, 40))


@pytest.mark.slow
@pytest.mark.pages
def test_a_figure_is_made_and_goes_on(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    out = tmp_path / "out"
    figure.make(2, out, Local())
    data = json.loads((out / "connect4.json").read_bytes())
    assert {labels: {name: len(rows) for name, rows in found.items()} for labels, found in data.items()} == {
        labels: {"bc": 2, "bc-first": 2} for labels in ("20", "40")
    }
    for labels, found in data.items():
        assert all(row["labels"] == 2 * int(labels) for rows in found.values() for row in rows), "equal asks"
        assert all(figure.wins(rows, "greedy_matches", 0)["suboptimal:1"][1] == 10 for rows in found.values())
        assert all(figure.wins(rows, "matches", 0)["suboptimal:1"][1] == 4 for rows in found.values())
    table = capsys.readouterr().out
    assert "40 queries per seat, 2 seed(s)" in table and "bc-first, second seat, as it is" in table
    assert (out / "connect4.png").stat().st_size > 5000

    def never(run: Any) -> None:
        raise AssertionError("nothing is left to run")

    monkeypatch.setattr(figure, "train", never)
    before = (out / "connect4.json").read_bytes()
    figure.make(2, out, Local())
    assert (out / "connect4.json").read_bytes() == before
    shutil.rmtree(out / "connect4-cells")
    figure.make(2, out, Local())
    assert (out / "connect4.json").read_bytes() == before, "what is in the data is not run again"


@pytest.mark.slow
@pytest.mark.pages
def test_a_run_with_other_settings_is_refused(hurried: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure.run_of(tmp_path, (30, 1))
    monkeypatch.setattr(figure, "LEARNERS", {"bc": "black"})
    with pytest.raises(NashmailError, match="was begun with other settings; remove it, or give another --out"):
        figure.run_of(tmp_path, (30, 1))


def test_nothing_is_begun_without_a_solver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise PolicyError("no solver; make solver")

    monkeypatch.setattr("agents.solver.load", missing)
    with pytest.raises(PolicyError, match="make solver"):
        figure.one(tmp_path, (30, 1))
    assert list(tmp_path.iterdir()) == []


def row(won: tuple[int, int], rates: tuple[float, float], drawn: int, line: list[int] | None) -> dict[str, Any]:
    """What a run reports: games won of ten in both seats, blunder rates of both, openings held, a refutation."""
    matches = [
        {"first": "policy", "second": "suboptimal:1", "wins": won[0], "draws": 1, "losses": 9 - won[0], "games": 10},
        {"first": "suboptimal:1", "second": "policy", "wins": 10 - won[1], "draws": 0, "losses": won[1], "games": 10},
    ]
    blunders = [
        [{"source": source, "rate": rate, "greedy_rate": rate / 2} for source in ("own", "exploration", "random")]
        for rate in rates
    ]
    return {
        "matches": matches,
        "greedy_matches": matches,
        "close": [20, 30],
        "blunders": blunders,
        "distinct_labels": 1000,
        "openings": {"drawn": drawn, "openings": 200},
        "certificates": [{"refuted": line is not None or None, "line": line or []}],
    }


def test_numbers_are_those_of_all_seeds(capsys: Any) -> None:
    rows = [row((6, 2), (0.02, 0.2), 70, [3, 3]), row((8, 3), (0.04, 0.4), 90, None)]
    assert figure.wins(rows, "matches", 0) == {"suboptimal:1": (14, 20)}
    assert figure.wins(rows, "matches", 1) == {"suboptimal:1": (5, 20)}
    assert figure.wins(rows, "greedy_matches", 0) == {"suboptimal:1": (14 + 40, 20 + 60)}, (
        "with the games played besides"
    )
    assert figure.wins(rows, "greedy_matches", 1) == {"suboptimal:1": (5, 20)}
    assert figure.blundered(rows, 0, "random", "rate") == pytest.approx(0.03)
    assert figure.blundered(rows, 1, "exploration", "greedy_rate") == pytest.approx(0.15)
    figure.show({"50000": {"bc": rows}})
    out = capsys.readouterr().out
    assert "70 [48, 85]" in out and "25 [11, 47]" in out, "Wilson's intervals"
    assert "3.0 (1.5)" in out and "2, open" in out and "70, 90" in out and "of 200 openings held" in out
    for part in rows[0]["blunders"][0], rows[1]["blunders"][0]:
        part[0]["rate"] = None  # every own position was shown to some learner
    assert np.isnan(figure.blundered(rows, 0, "own", "rate")) and figure.draw({"50000": {"bc": rows}})
    assert figure.short("suboptimal:0:hopeless") == "T=0*"


def test_games_in_which_nobody_draws_a_move_count_once() -> None:
    rows = [row((6, 2), (0.02, 0.2), 70, None), row((8, 3), (0.04, 0.4), 90, None)]
    for found in rows:
        for match in found["matches"]:
            match |= {word: match[word].replace(":1", ":0") for word in ("first", "second")}
    rows[0]["matches"][0] |= {"wins": 10, "draws": 0, "losses": 0}
    assert figure.wins(rows, "matches", 0) == {"suboptimal:0": (18, 20)}
    assert figure.wins(rows, "greedy_matches", 0) == {"suboptimal:0": (1, 2)}, "the same game ten times"
