"""Robust aggregates over seeds and games: interquartile means, bootstrap intervals, probability of improvement.

Source: Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice" (arXiv 2108.13264),
sections 4.2 and 4.3; the definitions are those of its library rliable. A *score* is a measure of one seed in one game,
and the seeds of a game are a stratum: a resample draws as many seeds of every game, with replacement, each game by
itself.
Few seeds say little: below ``FEWEST`` there is no interval, and the points themselves are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from games.base import Floats, NashmailError, Rng

FEWEST = 5
"""Seeds per game from which a bootstrap interval is given: the resamples of fewer take hardly any values."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A point estimate and its interval, which is None for too few seeds."""

    value: float
    interval: tuple[float, float] | None


def interquartile_mean(scores: Sequence[Floats]) -> float:
    """The mean of the middle half of all scores.

    A quarter of them, rounded down, is left out at either end, whichever games they are of.

    Args:
        scores: Per game, [n] the scores of its seeds.

    Raises:
        NashmailError: There are no scores.
    """
    pooled = np.sort(np.concatenate([_numbers(part) for part in scores])) if len(scores) else np.zeros(0)
    if not len(pooled):
        raise NashmailError("an interquartile mean needs at least one score")
    cut = len(pooled) // 4
    return float(pooled[cut : len(pooled) - cut].mean())


def interquartile_estimate(scores: Sequence[Floats], *, rng: Rng, confidence: float = 0.95) -> Estimate:
    """The interquartile mean with its stratified percentile bootstrap interval.

    Args:
        scores: Per game, [n] the scores of its seeds.
        rng: Draws the resamples.
        confidence: Of the interval.
    """
    value = interquartile_mean(scores)
    if min(len(part) for part in scores) < FEWEST:
        return Estimate(value, None)
    parts = [_numbers(part) for part in scores]
    drawn = [part[rng.integers(0, len(part), (RESAMPLES, len(part)))] for part in parts]  # [resamples, n] each
    pooled = np.sort(np.concatenate(drawn, axis=1), axis=1)
    cut = pooled.shape[1] // 4
    return Estimate(value, _percentiles(pooled[:, cut : pooled.shape[1] - cut].mean(1), confidence))


def probability_of_improvement(ours: Sequence[Floats], theirs: Sequence[Floats]) -> float:
    """The probability that a seed of ours scores *higher* than one of theirs, ties counting half; the mean over games.

    Negate losses, of which less is better.

    Args:
        ours: Per game, [n] our scores.
        theirs: Per game, in the same order, [m] their scores.

    Raises:
        NashmailError: The games differ, or one has no scores.
    """
    if len(ours) != len(theirs) or not ours or not all(len(x) and len(y) for x, y in zip(ours, theirs, strict=True)):
        raise NashmailError("improvement is measured on the same games, with at least one score of each in every game")
    return float(np.mean([_better(_numbers(x), _numbers(y)) for x, y in zip(ours, theirs, strict=True)]))


def improvement_estimate(
    ours: Sequence[Floats], theirs: Sequence[Floats], *, rng: Rng, confidence: float = 0.95
) -> Estimate:
    """The probability of improvement with its stratified bootstrap interval: both sides' seeds are resampled.

    Args:
        ours: Per game, [n] our scores.
        theirs: Per game, in the same order, [m] their scores.
        rng: Draws the resamples.
        confidence: Of the interval.
    """
    value = probability_of_improvement(ours, theirs)
    if min(len(part) for part in [*ours, *theirs]) < FEWEST:
        return Estimate(value, None)
    total = np.zeros(RESAMPLES)
    for x, y in zip(ours, theirs, strict=True):
        signs = _signs(_numbers(x), _numbers(y))  # [n, m]; sums of halves, which no order of summation changes
        rows, columns = _resampled(len(x), rng), _resampled(len(y), rng)
        total += ((rows @ signs) * columns).sum(1) / signs.size
    return Estimate(value, _percentiles(total / len(ours), confidence))


def _resampled(n: int, rng: Rng) -> Floats:
    """[resamples, n] how often each of n scores is in a resample of as many."""
    drawn = rng.integers(0, n, (RESAMPLES, n)) + n * np.arange(RESAMPLES)[:, None]
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(np.float64)


def _better(ours: Floats, theirs: Floats) -> float:
    return float(_signs(ours, theirs).mean())


def _signs(ours: Floats, theirs: Floats) -> Floats:
    """[n, m] 1 where ours is higher, 1/2 where they are equal, else 0: what the Mann-Whitney statistic sums."""
    return (1.0 + np.sign(ours[:, None] - theirs[None, :])) / 2.0


def _numbers(scores: Floats) -> Floats:
    return np.asarray(scores, dtype=np.float64)


def _percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    low, high = np.percentile(values, [50.0 * (1.0 - confidence), 50.0 * (1.0 + confidence)])
    return float(low), float(high)
