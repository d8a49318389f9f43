"""Intervals against published values, exact coverage and each other."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from mail.evaluation.intervals import chernoff, interval, wilson


@pytest.mark.parametrize(
    ("wins", "games", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (1, 10, 0.0179, 0.4042),
        (0, 1, 0.0, 0.7935),
        (81, 263, 0.2553, 0.3662),  # R. G. Newcombe (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_wilson_interval_has_its_known_values(wins: int, games: int, low: float, high: float) -> None:
    assert wilson(wins, games) == pytest.approx((low, high), abs=5e-5)


def test_the_wilson_interval_holds_the_rate_and_mirrors() -> None:
    for games in (1, 2, 7, 200):
        for wins in range(games + 1):
            low, high = wilson(wins, games)
            assert 0.0 <= low <= wins / games <= high <= 1.0
            assert wilson(games - wins, games) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.slow
def test_scipy_is_loaded_by_who_asks_for_a_wilson_interval() -> None:
    code = (
        "import sys; from mail.evaluation.intervals import wilson; before = 'scipy.stats' in sys.modules; "
        "wilson(1, 2); print(before, 'scipy.stats' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_the_wilson_interval_narrows() -> None:
    widths = [high - low for low, high in (wilson(games // 2, games) for games in (10, 100, 1000, 10**6))]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(2 * 1.96 * 0.5 / 1000, rel=1e-3)


@pytest.mark.parametrize("n", [1, 7, 100])
def test_chernoff_covers_and_is_no_tighter_than_clopper_pearson(n: int) -> None:
    wins = np.arange(n + 1)
    least = np.array([chernoff(k / n, n, 0.95) for k in wins])
    assert (np.diff(least) > 0).all() and least[0] == 0.0
    assert least[-1] == pytest.approx(0.05 ** (1 / n))
    assert (least[1:] <= stats.beta.ppf(0.05, wins[1:], n - wins[1:] + 1) + 1e-9).all()
    for p in np.linspace(0.01, 0.99, 33):
        assert stats.binom.pmf(wins[least > p], n, p).sum() <= 0.05
    for k, p in zip(wins[1:], least[1:], strict=True):
        assert n * stats.entropy([k / n, 1 - k / n], [p, 1 - p]) == pytest.approx(-np.log(0.05))


def test_intervals_of_payoffs() -> None:
    paid = np.repeat([1.0, 0.0, -1.0], [60, 30, 10])
    low, high = interval(paid, (-1.0, 1.0), 0.975)
    assert low < 0.5 < high and low == pytest.approx(2 * chernoff(0.75, 100, 0.975) - 1)
    assert interval(-paid, (-1.0, 1.0), 0.975) == pytest.approx((-high, -low))
    assert interval(np.ones(40), (-1.0, 1.0), 0.975) == pytest.approx((2 * 0.025 ** (1 / 40) - 1, 1.0))
    normal = interval(paid, None, 0.975)
    half = 1.959964 * paid.std(ddof=1) / 10
    assert normal == pytest.approx((0.5 - half, 0.5 + half))
    assert interval(np.ones(1), None, 0.95) == (-np.inf, np.inf)
