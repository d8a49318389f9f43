"""Ratings of players from the games they played against each other, with draws and seats in the model.

Bradley and Terry's model with Davidson's draws and Davidson and Beaver's order effect (JASA 65, 1970; Biometrics 33,
1977). Players have strengths t, seat 0 an advantage s, draws a weight d, all as natural logarithms:

    P(seat 0's player i wins) : P(draw) : P(j wins)  =  exp(t_i + s) : exp(d + (t_i + s + t_j) / 2) : exp(t_j)

The model is log-linear, so the likelihood is concave and Newton's method finds its maximum. Normal priors (standard
deviation ``PRIOR`` for t and s, twice that for d) keep the strengths of players that won or lost every game finite.
Intervals come from the normal approximation at the maximum. Strengths sum to 0 and are reported in points of 400 / ln
10 each, as in chess: 400 points more are odds of ten to one, draws aside.

A rating is one number per player. It cannot express that A beats B, B beats C and C beats A, and it says nothing about
exploitability. ``Ratings.misfit`` names the pair with the worst fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from games.base import Floats

PRIOR = 2.0
POINTS = 400.0 / math.log(10.0)
STEPS = 100  # of Newton's method; it needs about ten
SURE = 1.959964  # standard deviations of a 95 % interval


class Counted(Protocol):
    """Games of two players in one order, such as ``mail.evaluation.arena.match.Result``."""

    @property
    def first(self) -> str: ...
    @property
    def second(self) -> str: ...
    @property
    def wins(self) -> int: ...
    @property
    def draws(self) -> int: ...
    @property
    def losses(self) -> int: ...


@dataclass(frozen=True)
class Ratings:
    """Strengths in points, in descending order."""

    names: tuple[str, ...]
    points: tuple[float, ...]
    interval: tuple[float, ...]
    """Half the width of each 95 % interval."""
    seat: float
    """The advantage of seat 0, in points."""
    draws: float
    """The share of draws between equal players without a seat advantage."""
    misfit: tuple[str, str, float, float]
    """The ordered pair with the worst fit: the first player's actual score and the expected one."""

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail match --json`` prints."""
        rows = [
            {"name": name, "points": points, "interval": half}
            for name, points, half in zip(self.names, self.points, self.interval, strict=True)
        ]
        return {"players": rows, "seat": self.seat, "draws": self.draws, "misfit": list(self.misfit)}


def rate(results: Sequence[Counted]) -> Ratings:
    """The ratings of all players in some results.

    Args:
        results: Wins, draws and losses of pairs of players.

    Raises:
        ValueError: The results have no games.
    """
    names = list(dict.fromkeys(name for result in results for name in (result.first, result.second)))
    counts = np.array([[result.wins, result.draws, result.losses] for result in results], dtype=np.float64)  # [M, 3]
    if not counts.sum():
        raise ValueError("ratings need games")
    design = _design(results, names)  # [M, 3, P]
    spread = np.array([PRIOR] * (len(names) + 1) + [2 * PRIOR])
    solution, covariance = _newton(design, counts, spread)
    strength = solution[: len(names)] - solution[: len(names)].mean()
    centre = np.eye(len(names)) - 1.0 / len(names)
    deviation = np.sqrt(np.diag(centre @ covariance[: len(names), : len(names)] @ centre.T))
    order = np.argsort(-strength, kind="stable")
    expected = _chances(design, solution) @ [1.0, 0.5, 0.0]
    seen = counts @ [1.0, 0.5, 0.0] / np.maximum(counts.sum(1), 1.0)
    off = int(np.where(counts.sum(1) > 0, np.abs(seen - expected), -1.0).argmax())
    return Ratings(
        names=tuple(names[index] for index in order),
        points=tuple(float(POINTS * strength[index]) for index in order),
        interval=tuple(float(SURE * POINTS * deviation[index]) for index in order),
        seat=float(POINTS * solution[-2]),
        draws=float(math.exp(solution[-1]) / (2.0 + math.exp(solution[-1]))),
        misfit=(results[off].first, results[off].second, float(seen[off]), float(expected[off])),
    )


def _design(results: Sequence[Counted], names: list[str]) -> Floats:
    """[M, 3, P] the contribution of each parameter (strengths, seat, draws) to the log weight of win, draw and loss."""
    place = {name: index for index, name in enumerate(names)}
    design = np.zeros((len(results), 3, len(names) + 2))
    for row, result in enumerate(results):
        for outcome, first in ((0, 1.0), (1, 0.5), (2, 0.0)):
            design[row, outcome, place[result.first]] += first
            design[row, outcome, place[result.second]] += 1.0 - first
            design[row, outcome, -2] = first
        design[row, 1, -1] = 1.0
    return design


def _chances(design: Floats, parameters: Floats) -> Floats:
    """[M, 3] probabilities of win, draw and loss."""
    logits = design @ parameters
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _newton(design: Floats, counts: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """The maximum of likelihood times prior, and the inverse of the curvature there. Steps that
    overshoot are halved.
    """
    parameters = np.zeros(design.shape[2])
    games = counts.sum(1)

    def height(at: Floats) -> float:
        return float((counts * np.log(_chances(design, at))).sum() - 0.5 * ((at / spread) ** 2).sum())

    curvature = np.eye(len(parameters))
    for _ in range(STEPS):
        chances = _chances(design, parameters)
        mean = np.einsum("mo,mop->mp", chances, design)
        slope = np.einsum("mo,mop->p", counts - games[:, None] * chances, design) - parameters / spread**2
        second = np.einsum("m,mo,mop,moq->pq", games, chances, design, design)
        curvature = second - np.einsum("m,mp,mq->pq", games, mean, mean) + np.diag(1.0 / spread**2)
        step = np.linalg.solve(curvature, slope)
        while np.abs(step).max() > 1e-12 and height(parameters + step) < height(parameters):
            step = step / 2.0
        parameters = parameters + step
        if np.abs(step).max() < 1e-10:
            break
    return parameters, np.asarray(np.linalg.inv(curvature), dtype=np.float64)


# --- tables ----------------------------------------------------------------------------------------------


def remarks(ratings: Ratings) -> list[str]:
    """Lines to print below the table.

    Args:
        ratings: What ``rate`` gives.
    """
    first, second, seen, expected = ratings.misfit
    return [
        f"seat 0 is worth {ratings.seat:+z.0f} points; {ratings.draws:.0%} draws between equals",
        f"fits worst: {first} in seat 0 scored {seen:.3f} against {second}, the points expect {expected:.3f}",
        "points measure who beats whom on average, not who can be exploited: see nashmail gap",
    ]
