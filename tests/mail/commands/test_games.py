"""``nashmail games``: the list, as a table and as JSON, and what it takes to print it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.storage.graphs import graph_of
from games import make, register
from games.cost import size
from mail.commands.games import count
from tests.mail.terminal.sitting import command
from tests.support import PENNIES


def test_games_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(monkeypatch, capsys, "games --json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    rows = {row["name"]: row for row in told["games"]}
    assert {"tictactoe", "connect4", "connect4:4x4"} <= set(rows)
    for name, row in rows.items():
        assert make(name).spec.name == name
        assert make(name).spec.actions == row["actions"]
        assert set(row) == set(rows["tictactoe"])
    expected = {
        "rows": 3,
        "columns": 3,
        "in_a_row": 3,
        "gravity": False,
        "actions": 9,
        "longest": 9,
        "symmetries": 8,
        "positions": 4520,
        "enumerable": True,
        "exact_gap": True,
        "experts": ["few", "first", "mcts:N", "uniform", "values"],
    }
    assert rows["tictactoe"].items() >= expected.items()
    large = {"rows": 6, "columns": 7, "positions": None, "enumerable": False, "exact_gap": False}
    assert rows["connect4"]["experts"] == ["few", "first", "mcts:N", "uniform", "values"]
    assert rows["connect4:5x5"]["experts"] == ["few", "first", "mcts:N", "uniform", "values"]
    assert (rows["connect4:5x5"]["enumerable"], rows["connect4:5x5"]["exact_gap"]) == (False, True)
    assert rows["leduc"]["experts"] == ["cfr+:N", "dcfr:N", "first"]
    assert (
        rows["gridworld:3x3"]["experts"] == ["first", "uniform", "vertex"] and rows["gridworld:3x3"]["positions"] == 72
    )
    assert rows["connect4"].items() >= large.items()
    assert (rows["connect4:4x4"]["positions"], rows["connect4:4x4"]["enumerable"]) == (None, True)


def test_games_as_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = command(monkeypatch, capsys, "games")
    assert (status, err) == (0, "")
    assert re.search(r"^tictactoe +3x3:3 +4,520 +few first mcts:N uniform values +exact$", out, re.MULTILINE)
    assert re.search(r"^connect4 +6x7:4 +<= 7.1e13 +few first mcts:N uniform values +-$", out, re.MULTILINE)
    assert re.search(r"^kuhn +- +12 +cfr[+]:N dcfr:N first +exact$", out, re.MULTILINE)
    assert max(map(len, out.splitlines())) < 80


def test_games_in_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = command(monkeypatch, capsys, "games")
    assert max(map(len, out.splitlines())) < 40
    shown = "  board: 3x3:3; positions: 4,520;\n  experts: few first mcts:N uniform\n    values;\n  Nash gap: exact\n"
    assert f"\ntictactoe\n{shown}" in out


@pytest.mark.parametrize(
    ("counted", "bound", "shown"),
    [(4520, 5000, "4,520"), (None, 201_755, "<= 2.1e5"), (None, 999, "<= 10.0e2"), (None, None, "?")],
)
def test_positions_are_counted_or_bounded_from_above(counted: int | None, bound: int | None, shown: str) -> None:
    assert count(counted, bound) == shown
    if counted is None and bound is not None:
        assert float(shown.removeprefix("<= ")) >= bound


@pytest.mark.usefixtures("registries_as_they_were")
def test_registered_games_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    register("test-pennies", lambda _: PENNIES, summary="two coins")
    _, out, _ = command(monkeypatch, capsys, "games")
    assert re.search(r"^test-pennies +- +[?] +few first uniform values +exact$", out, re.MULTILINE)


def test_kept_graphs_are_deleted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("NASHMAIL_CACHE", str(tmp_path))
    graph_of(make("connect4:3x3:3"))  # type: ignore[arg-type]
    kept = sum(file.stat().st_size for file in (tmp_path / "graphs").iterdir())
    assert command(monkeypatch, capsys, "games --clean") == (0, f"1 files deleted, {size(kept)}\n", "")
    assert not list((tmp_path / "graphs").iterdir())
    assert command(monkeypatch, capsys, "games --clean --json") == (0, '{"deleted": 0, "bytes": 0}\n', "")
    status, _, err = command(monkeypatch, capsys, "games --clean tictactoe")
    assert (status, err.count("\n")) == (2, 1) and "takes no names" in err


@pytest.mark.slow
def test_games_is_quick_and_imports_nothing_heavy() -> None:
    heavy = ("torch", "ray", "pyspiel", "open_spiel", "pettingzoo", "matplotlib", "scipy", "rich", "numba")
    code = f"import sys; from mail.commands.cli import main; main(['games']); print({{*{heavy}}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    assert seconds("-m", "mail", "games") < 6 * seconds("-c", "import numpy")


def seconds(*words: str) -> float:
    """The quickest of three runs of Python."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        times.append(time.perf_counter() - begun)
    return min(times)
