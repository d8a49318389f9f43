"""Numbers over seeds: intervals, and counts that were not reached."""

from __future__ import annotations

import pytest

from figures import over_seeds


def test_the_interval_is_students() -> None:
    """1, 2, 3, 4: mean 2.5, standard deviation 1.290994, t with three degrees of freedom 3.182446."""
    half = 3.182446 * 1.290994 / 2
    assert over_seeds.interval([1, 2, 3, 4]) == pytest.approx((2.5, 2.5 - half, 2.5 + half), abs=1e-5)
    assert over_seeds.interval([7, 7]) == (7.0, 7.0, 7.0)


def test_what_was_not_reached_is_said() -> None:
    rows: list[dict[str, int | None]] = [{"games": 10}, {"games": None}, {"games": 12}]
    assert over_seeds.ranged(rows, "games") == "not reached in 1 of 3"
    assert over_seeds.ranged(rows[::2], "games") == "10; 12", "an interval of two seeds says nothing"
    assert over_seeds.spread([10, 11, 12]) == "11 [9, 13]"  # 11 -+ 4.3027 / sqrt(3)
