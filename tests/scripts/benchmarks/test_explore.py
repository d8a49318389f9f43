"""The exploration benchmark: what it counts and compares. Nothing here tests speed."""

from __future__ import annotations

import pytest

from benchmarks import explore
from benchmarks.results import Settings


@pytest.mark.slow
def test_it_measures_both_and_compares_their_labels(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    found = explore.run(Settings(seed=3, repeats=1), plays=2)
    cases = {f"{what} {heat}" for what in ("games", "labels") for heat in ("cold", "warm")}
    assert found.ours.keys() == cases | {"solver share"} and found.peers["pettingzoo"].keys() == cases
    assert min(found.ours.values()) > 0 and found.ours["solver share"] < 1
    assert found.units.keys() == found.ours.keys()
    assert found.same_result is True and found.repeats == 1
    assert "games cold" in capsys.readouterr().err

    lines = [(0, [3, 3, 3])]  # after 4, 4 the solver's first best move is another
    assert explore._agree([(0, [3])]) and not explore._agree([(0, [0])])
    assert explore._agree(lines) == (explore._agree([(0, [3])]) and _third_is_best())


def _third_is_best() -> bool:
    """Whether the first best answer to 4, 4 is 4, by the solver itself."""
    from agents import solver

    library, board = solver.core()
    board.setRawState(0, 0, 42)
    for column in (3, 3):
        board.play(column)
    scores = library.scoreMoves(board)
    return bool(scores.index(max(scores)) == 3)
