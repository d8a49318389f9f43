"""The exact Connect Four figure: what is kept of a curve, what is run, and the table of what is there."""

from __future__ import annotations

from figures import connect4_exact


def test_thinned_notes_keep_what_matters() -> None:
    notes = [{"asks": n, "greedy": 0.0 if n >= 411 else 1.0, "soft": 0.02 if n >= 502 else 1.0} for n in range(1, 600)]
    found = [note["asks"] for note in connect4_exact.thinned(notes)]
    assert found[0] == 1 and found[-1] == 599
    assert 411 in found and 502 in found
    assert 60 < len(found) < 150
    assert connect4_exact.thinned(connect4_exact.thinned(notes)) == connect4_exact.thinned(notes)


def test_seeds_are_of_lines_and_boards_that_there_are() -> None:
    assert connect4_exact.SEEDS.keys() <= set(connect4_exact.BOARDS)
    assert all(lines.keys() <= connect4_exact.LINES.keys() for lines in connect4_exact.SEEDS.values())
    names = [connect4_exact.name(cell.game, line, cell.seat, cell.seed) for line, cell in connect4_exact.cells(0)]
    assert len(names) == len(set(names))


def test_learning_time_is_told_where_every_run_has_it() -> None:
    timed = {"greedy": {"distinct": 3, "seconds": 1.0}, "soft": {"distinct": 4, "seconds": 2.0}}
    stored, short = {"greedy": {"distinct": 3}, "soft": None}, {"greedy": None, "soft": None}
    assert connect4_exact.learning([timed, timed], "greedy") == "1.0"
    assert connect4_exact.learning([timed, stored], "greedy") == "-"
    assert connect4_exact.learning([timed, short], "soft") == "-"
