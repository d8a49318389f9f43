"""The figure of labels to a clone that cannot be exploited: cells that fail, and figures that are killed and go on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import reproduce
from figures import asks
from mail.parallel.pool import Local, PoolError


class Runs:
    """Stands in for the runs of cells: counts them, and dies at a given one."""

    def __init__(self, dies_at: int | None = None, error: BaseException | None = None) -> None:
        self.done: list[object] = []
        self.dies_at, self.error = dies_at, error or KeyboardInterrupt()

    def __call__(self, cell: Any) -> dict[str, Any]:
        if len(self.done) == self.dies_at:
            raise self.error
        self.done.append(cell)
        spent = {"distinct": 10 + cell.seed, "asks": 30 + cell.seed, "games": 5}
        reached = None if cell.explorer == "expert" else spent
        return {"greedy": reached, "soft": reached, "spent": spent, "own_clone": cell.explorer == "refute"}


@pytest.mark.slow
@pytest.mark.pages
def test_a_killed_figure_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every cell is run once, and nothing of the result tells that the run was killed."""
    monkeypatch.setattr(asks, "GAMES", ("tictactoe",))
    whole, killed, resumed = Runs(), Runs(dies_at=30), Runs()
    monkeypatch.setattr(asks, "run", whole)
    asks.make(2, tmp_path / "whole", Local())
    monkeypatch.setattr(asks, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        asks.make(2, tmp_path / "killed", Local())
    assert len(list((tmp_path / "killed" / "asks-cells").iterdir())) == len(killed.done)
    monkeypatch.setattr(asks, "run", resumed)
    asks.make(2, tmp_path / "killed", Local())
    assert killed.done + resumed.done == whole.done
    assert len(whole.done) == len(set(whole.done)) == 2 * (7 + 8) * 2
    for name in ("asks.json", "asks.png"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()
    assert (tmp_path / "whole" / "asks.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "asks.json").write_bytes((tmp_path / "whole" / "asks.json").read_bytes())
    asks.make(2, tmp_path / "data", Local())  # from the data alone: nothing is run again
    assert len(resumed.done) == len(whole.done) - len(killed.done)
    assert (tmp_path / "data" / "asks.json").read_bytes() == (tmp_path / "whole" / "asks.json").read_bytes()
    said = capsys.readouterr().out
    assert re.search(r"expert, 0 .*not in 31 queries", said)
    assert re.search(r"unsure, 1 +2 +10; 11 +30; 31", said)
    assert re.search(r"all there is, 1 +426 .*least 282", said)


def test_a_cell_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """And what completed before it stays."""
    monkeypatch.setattr(asks, "GAMES", ("tictactoe",))
    monkeypatch.setattr(asks, "run", Runs(dies_at=2, error=ValueError("no\nluck")))
    words = ["asks", "--seeds", "2", "--out", str(tmp_path)]
    assert reproduce.main(words) == 2
    assert capsys.readouterr().err.splitlines()[2:] == ["reproduce.py: shard 3 of 60 failed: ValueError: no luck"]
    assert len(list((tmp_path / "asks-cells").iterdir())) == 2
    with pytest.raises(PoolError):
        reproduce.main([*words, "--debug"])
