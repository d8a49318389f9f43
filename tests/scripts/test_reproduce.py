"""The command of the figures, and figures made small: the same whoever works, and gone on with from their data."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import reproduce
from figures import tictactoe
from mail.learners.budget import Budget
from mail.parallel.pool import Local, Pool
from mail.parallel.ray import RayPool
from tests.support import reloaded

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


# --- the command -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nosuch"], "no figure is called 'nosuch'; there are: .*tictactoe"),
        (["tictactoe", "--seeds", "1"], "--seeds must be at least 2 .*not 1"),
        (["tictactoe", "--seeds", "0"], "--seeds must be at least 2 .*not 0"),
        (["tictactoe", "--seeds", "-5"], "--seeds must be at least 2 .*not -5"),
        (["chain", "--workers", "0"], "--workers must be at least 1, not 0"),
        (["chain", "--ray-address", "nowhere"], "a Ray address is HOST:PORT, not 'nowhere'"),
        (["chain", "--redraw"], "there is no chain.json in .* to redraw"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce.main([*words, "--out", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert re.search(says, err)
    assert list(tmp_path.iterdir()) == []


def test_no_figure_at_all_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reproduce.main([])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_figure_is_made_by_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, Path, type]] = []
    monkeypatch.setattr(tictactoe, "make", lambda seeds, out, pool: made.append((seeds, out, type(pool))))
    assert reproduce.main(["tictactoe", "--seeds", "3", "--out", str(tmp_path)]) == 0
    assert reproduce.main(["tictactoe", "--seeds", "3", "--out", str(tmp_path), "--workers", "2"]) == 0
    assert made == [(3, tmp_path, Local), (3, tmp_path, RayPool)]


# --- whoever works ---------------------------------------------------------------------------------------


class Elsewhere(Local):
    """Shards in reverse order, each with what a process of its own would receive, and its result sent back."""

    def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
        found: dict[int, Any] = {}
        for index in reversed(range(len(shards))):
            found[index] = reloaded(reloaded(task)(reloaded(shared), reloaded(shards[index])))
            if on_result is not None:
                on_result(index, found[index])
        return [found[index] for index in range(len(shards))]


CLOCKS = ("seconds", "seconds_per_seed", "seconds_per_game")


def untimed(value: Any) -> Any:
    """The data without the clock's."""
    if isinstance(value, dict):
        return {key: untimed(part) for key, part in value.items() if key not in CLOCKS}
    return [untimed(part) for part in value] if isinstance(value, list) else value


SMALL: dict[str, dict[str, Any]] = {
    "chain": {"LENGTHS": (4, 8)},
    "concentrability": {"DELTAS": (0.5,), "GAMES": 4},
    "dimension": {"STATES": (50,), "DIMENSIONS": (5,), "FIXED_STATES": 60, "GAP": 9.0, "COSTED": 1},
    "linear": {"KINDS": ("BC", "uniform"), "residuals": dict, "draw": lambda data: Figure()},
    "offline-limits": {},
    "rates": {"BUDGETS": (2, 4)},
    "cards": {"BUDGETS": ("kuhn",), "METHODS": ("BC", "MAIL, respond"), "draw": lambda data: Figure()},
    "value-gap": {
        "GROUNDS": (("tictactoe:2x2:2", "first"), ("rps", "uniform")),
        "LEARNERS": ("bc-tabular", "gail"),
        "GAMES": {"rps": (2, 4)},
        "MOST": 4,
    },
    "asks": {"GAMES": ("tictactoe",), "EXPLORERS": ("expert",)},
    "connect4-exact": {
        "BOARDS": ("connect4:3x3:3",),
        "LINES": ("bc first",),
        "GROWTH": {"connect4:3x3:3": 1 / 2},
        "SEEDS": {"connect4:3x3:3": {"bc first": 1}},
    },
    "tictactoe": {
        "METHODS": ("mail uniform",),
        "COLOURS": ("mail uniform",),
        "BUDGETS": ((4,), (4,)),
        "COVER_LIMIT": 8,
        "Budget": lambda episodes=8: Budget(episodes),
    },
}
"""What makes each figure small; of a table, the rows that are left."""


def small(name: str, pool: Pool, out: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The data of a small figure, without the clock's."""
    module = importlib.import_module(f"figures.{name.replace('-', '_')}")
    with monkeypatch.context() as patch:
        for word, value in SMALL[name].items():
            whole = getattr(module, word)
            rows = isinstance(whole, dict) and isinstance(value, tuple)
            patch.setattr(module, word, {row: whole[row] for row in value} if rows else value)
        module.make(2, out, pool)
    return untimed(json.loads((out / f"{name}.json").read_bytes()))


@pytest.mark.slow
@pytest.mark.pages
@pytest.mark.parametrize("name", SMALL)
def test_a_figure_is_the_same_whoever_works(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order, and with everything sent there and back."""
    here = small(name, Local(), tmp_path / "here", monkeypatch)
    assert small(name, Elsewhere(), tmp_path / "elsewhere", monkeypatch) == here
    assert here["seeds"] == 2


@pytest.mark.slow
@pytest.mark.pages
@pytest.mark.parametrize("name", ["asks", "connect4-exact", "cards"])
def test_a_figure_goes_on_from_its_data(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that an earlier JSON holds are not run again, nor are those that a killed figure left as files."""

    class Idle(Local):
        def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
            assert not shards, "nothing is left to run"
            return []

    whole = small(name, Local(), tmp_path / "first", monkeypatch)
    (tmp_path / "second").mkdir()
    data = (tmp_path / "first" / f"{name}.json").read_bytes()
    (tmp_path / "second" / f"{name}.json").write_bytes(data)
    assert small(name, Idle(), tmp_path / "second", monkeypatch) == whole
    assert (tmp_path / "second" / f"{name}.json").read_bytes() == data
    (tmp_path / "first" / f"{name}.json").unlink()
    assert small(name, Idle(), tmp_path / "first", monkeypatch) == whole


@pytest.mark.slow
@pytest.mark.pages
def test_ray_workers_find_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line starts them, but for the seconds of work before Ray is worth it."""
    words = ["offline-limits", "--seeds", "2", "--out", str(tmp_path / "ray"), "--workers", "2"]
    script = f"""
import sys
sys.argv = {[str(SCRIPTS / "reproduce.py"), *words]!r}
sys.path[0] = {str(SCRIPTS)!r}
import reproduce
from mail.parallel.ray import RayPool, report
reproduce.workers.pool = lambda args, at_once: RayPool(args.workers, patience=0.0, memory=100 << 20, say=report)
sys.exit(reproduce.main())
"""
    driver = tmp_path / "driver.py"  # Ray takes a program without a file for a shell
    driver.write_text(script)
    done = subprocess.run([sys.executable, driver], capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "starting 2 workers" in done.stderr
    small("offline-limits", Local(), tmp_path / "here", monkeypatch)
    assert (tmp_path / "ray" / "offline-limits.json").read_bytes() == (
        tmp_path / "here" / "offline-limits.json"
    ).read_bytes()


def test_an_interrupt_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stop(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tictactoe, "make", stop)
    assert reproduce.main(["tictactoe", "--out", str(tmp_path)]) == 130
    out, err = capsys.readouterr()
    assert out == "" and err == "reproduce.py: interrupted; finished cells are kept\n"
