"""The exact Connect Four figure: what is kept of a curve."""

from __future__ import annotations

from figures import connect4_exact


def test_thinned_notes_keep_what_matters() -> None:
    notes = [{"asks": n, "greedy": 0.0 if n >= 411 else 1.0, "soft": 0.02 if n >= 502 else 1.0} for n in range(1, 600)]
    found = [note["asks"] for note in connect4_exact.thinned(notes)]
    assert found[0] == 1 and found[-1] == 599
    assert 411 in found and 502 in found
    assert 60 < len(found) < 150
    assert connect4_exact.thinned(connect4_exact.thinned(notes)) == connect4_exact.thinned(notes)
