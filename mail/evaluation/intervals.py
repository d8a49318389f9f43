"""Confidence intervals for rates and for mean payoffs over a number of games."""

from __future__ import annotations

import math
from statistics import NormalDist

from games.base import Floats


def wilson(wins: int, games: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided Wilson score interval of a rate (E. B. Wilson, 1927).

    Args:
        wins: How often it was seen.
        games: In how many games.
        confidence: Of the interval.

    Returns:
        Lower and upper end.
    """
    from scipy.stats import binomtest  # here, since importing it takes most of a second

    found = binomtest(wins, games).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def interval(paid: Floats, span: tuple[float, float] | None, confidence: float) -> tuple[float, float]:
    """A lower and an upper confidence bound on the mean of the distribution of payoffs; each holds at ``confidence``.

    With a known range the bounds are Chernoff's (Hoeffding, JASA 58, 1963, equation 2.1), which hold for every n and
    are tight when nearly all games are won. Otherwise they are normal, which holds for large n only.

    Args:
        paid: [n] payoffs, independent and identically distributed.
        span: The smallest and largest possible payoff, if known.
        confidence: Of each bound, for example 0.95.
    """
    mean, n = float(paid.mean()), len(paid)
    if span is None:
        spread = float(paid.std(ddof=1)) if n > 1 else math.inf
        half = NormalDist().inv_cdf(confidence) * spread / math.sqrt(n)
        return mean - half, mean + half
    low, high = span
    share = min(1.0, max(0.0, (mean - low) / (high - low)))
    lower, left = chernoff(share, n, confidence), chernoff(1.0 - share, n, confidence)
    return low + (high - low) * lower, high - (high - low) * left


def chernoff(share: float, n: int, confidence: float) -> float:
    """The smallest mean that draws between 0 and 1 may have, by the Chernoff bound.

    With n draws it solves n KL(share, p) = log(1 / (1 - confidence)), by bisection.

    Args:
        share: The mean that was seen.
        n: The number of draws.
        confidence: With a smaller p, a mean of ``share`` or more has at most the probability 1 - ``confidence``.

    Returns:
        p.
    """
    allowed = -math.log1p(-confidence) / n
    low, high = 0.0, share
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _divergence(share, middle) <= allowed else (middle, high)
    return low


def _divergence(share: float, mean: float) -> float:
    """KL(share, mean) of two Bernoulli distributions, in nats."""
    if share > 0.0 and mean <= 0.0:
        return math.inf
    lost = 1.0 - share
    won = share * math.log(share / mean) if share > 0.0 else 0.0
    return won + (lost * math.log(lost / (1.0 - mean)) if lost > 0.0 else 0.0)
