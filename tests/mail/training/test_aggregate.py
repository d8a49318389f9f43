"""Aggregates over seeds and games: rliable's definitions, its numbers, and silence where there are too few seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from games.base import Floats, NashmailError
from mail.training.compare.aggregate import (
    FEWEST,
    improvement_estimate,
    interquartile_estimate,
    interquartile_mean,
    probability_of_improvement,
)

OURS = (  # [10 seeds, 3 games]
    (1.668, 1.337, 1.146),
    (1.746, 1.109, 2.382),
    (1.806, 1.629, 0.464),
    (0.24, 0.507, 1.877),
    (1.605, 0.369, 1.863),
    (0.825, 0.826, 3.089),
    (1.527, 1.75, 1.767),
    (0.361, 1.826, 5.813),
    (0.548, 2.528, 2.713),
    (2.685, 0.938, 1.137),
)
THEIRS = (
    (1.056, 1.926, 4.125),
    (1.337, 0.691, 2.044),
    (3.225, 1.735, 5.009),
    (1.805, 2.016, 1.102),
    (1.657, 3.16, 3.187),
    (3.927, 3.039, 2.655),
    (0.678, 1.254, 7.069),
    (1.484, 2.888, 1.915),
    (2.932, 2.067, 1.142),
    (1.286, 2.428, 1.514),
)
RLIABLE = ((1.1655, 1.7801), (1.6674, 2.5673), (0.54, 0.8167))
"""Its 95 % intervals: of our interquartile mean, of theirs, of the probability that theirs is higher."""

SCORES = st.lists(st.floats(-10, 10), min_size=1, max_size=12).map(np.array)


@settings(max_examples=50, deadline=None)
@given(parts=st.lists(SCORES, min_size=1, max_size=4))
def test_the_interquartile_mean_is_the_trimmed_mean_of_all_scores(parts: list[Floats]) -> None:
    expected = stats.trim_mean(np.concatenate(parts), 0.25)
    assert interquartile_mean(parts) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(pairs=st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=3))
def test_improvement_is_the_mann_whitney_statistic(pairs: list[tuple[Floats, Floats]]) -> None:
    ours, theirs = [x for x, _ in pairs], [y for _, y in pairs]
    expected = np.mean([stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in pairs])
    assert probability_of_improvement(ours, theirs) == pytest.approx(expected, abs=1e-12)
    assert probability_of_improvement(theirs, ours) == pytest.approx(1 - expected, abs=1e-12)


def test_rliable_says_the_same() -> None:
    """What rliable 1.2.0 made of these scores of three games, intervals with 20,000 and 5,000 resamples."""
    ours = [np.array(game) for game in zip(*OURS, strict=True)]
    theirs = [np.array(game) for game in zip(*THEIRS, strict=True)]
    rng = np.random.default_rng(0)
    mean, other = interquartile_estimate(ours, rng=rng), interquartile_estimate(theirs, rng=rng)
    better = improvement_estimate(theirs, ours, rng=rng)
    assert [mean.value, other.value, better.value] == pytest.approx([1.48, 2.090125, 0.6833333333333335], abs=1e-12)
    intervals = [mean.interval, other.interval, better.interval]
    for found, expected in zip(intervals, RLIABLE, strict=True):
        assert found == pytest.approx(expected, abs=0.05)


def test_few_seeds_have_no_interval() -> None:
    few, enough = [np.arange(FEWEST - 1.0)], [np.arange(float(FEWEST))]
    rng = np.random.default_rng(0)
    assert interquartile_estimate(few, rng=rng).interval is None
    assert improvement_estimate(few, enough, rng=rng).interval is None
    assert improvement_estimate(enough, few, rng=rng).interval is None
    assert interquartile_estimate(enough, rng=rng).interval is not None
    assert interquartile_estimate([*enough, *few], rng=rng).interval is None, "a game with few seeds"


def test_strata_are_resampled_by_themselves() -> None:
    """Two games of constant scores: whatever is drawn, half of the scores are of each."""
    scores = [np.zeros(8), np.ones(8)]
    estimate = interquartile_estimate(scores, rng=np.random.default_rng(0))
    assert (estimate.value, estimate.interval) == (0.5, (0.5, 0.5))


def test_an_interval_covers_as_often_as_it_says() -> None:
    """30 seeds of a normal distribution: near 95 of 100 intervals hold its interquartile mean, 0."""
    rng = np.random.default_rng(1)
    intervals = [interquartile_estimate([rng.normal(size=30)], rng=rng).interval for _ in range(200)]
    held = sum(low <= 0.0 <= high for low, high in filter(None, intervals))
    assert 176 <= held <= 198


def test_nothing_to_aggregate_is_refused() -> None:
    with pytest.raises(NashmailError, match="at least one score"):
        interquartile_mean([])
    with pytest.raises(NashmailError, match="same games"):
        probability_of_improvement([np.ones(2)], [])
