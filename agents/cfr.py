"""Counterfactual regret minimisation (CFR, CFR+ and discounted CFR): average policies that approach an equilibrium.

Sources: Zinkevich, Johanson, Bowling, Piccione, "Regret minimization in games with incomplete information" (2007);
``cfr+``: Tammelin, "Solving large imperfect information games using CFR+" (arXiv 1407.5042); ``dcfr``: Brown and
Sandholm, "Solving imperfect-information games via discounted regret minimization" (arXiv 1809.04040). An iteration is
one product with the payoffs and two sweeps for each seat, over all information states of a depth at once
(``games.infosets.treeplex``).

The *average* policy approaches an equilibrium, not the last iterate. Iterates are averaged as realization plans, which
weights each by the seat's own reach. An average is only near an equilibrium: ``Average.nash_gap`` says how near.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from games.base import Floats, NashmailError, Table
from games.infosets.model import InfosetModel
from games.infosets.treeplex import Treeplex
from games.progress import report


@dataclass(frozen=True)
class Rule:
    """How regrets and iterates are weighted; t counts iterations from 1."""

    positive: float
    """Positive regrets are multiplied by t^p / (t^p + 1) after iteration t, with this p; infinity keeps them."""
    negative: float
    """Likewise for negative regrets; minus infinity forgets them."""
    average: float
    """Iterate t counts t to this power in the average."""


RULES = {
    "cfr": Rule(np.inf, np.inf, 0.0),
    "cfr+": Rule(np.inf, -np.inf, 1.0),
    "dcfr": Rule(1.5, 0.0, 2.0),
}
"""The variants by name; of ``cfr+`` the average is linear, of ``dcfr`` the constants are its authors'."""


@dataclass(frozen=True)
class Average:
    """The average policies after some iterations."""

    iterations: int
    profile: tuple[Table, Table]
    """[S, A] seat 0's and seat 1's."""
    nash_gap: float
    """What both seats together lose to best responses (NashConv)."""


def solve(
    model: InfosetModel, *, variant: str = "cfr+", iterations: int = 1000, gap: float = 0.0, look: int = 25
) -> Average:
    """Iterate until the average is close enough to an equilibrium.

    Args:
        model: the game.
        variant: one of ``RULES``.
        iterations: most iterations.
        gap: stop when the average's Nash gap, in units of reward, is at most this.
        look: iterations between two measurements of the gap.

    Returns:
        The last average that was measured.

    Raises:
        NashmailError: for an unknown variant, or less than one iteration.
    """
    if variant not in RULES:
        raise NashmailError(f"there is no variant {variant!r} of CFR; the variants are: {', '.join(RULES)}")
    if iterations < 1 or look < 1:
        raise NashmailError("CFR needs at least one iteration, and one between two measures")
    found = None
    for found in averages(model, RULES[variant], iterations, look):
        if found.nash_gap <= gap:
            break
    assert found is not None  # there is at least one iteration
    return found


def averages(model: InfosetModel, rule: Rule, iterations: int, look: int) -> Iterator[Average]:
    """The averages of one run of CFR.

    Args:
        model: the game.
        rule: how regrets and iterates are weighted.
        iterations: how many.
        look: iterations between two averages.

    Yields:
        The average every ``look`` iterations, and after the last.
    """
    seats = _Regrets(model.seats[0]), _Regrets(model.seats[1])
    for iteration in range(1, iterations + 1):
        report(iteration, iterations, "iterations", step="CFR")
        for seat in (0, 1):  # in turn: seat 1 already meets seat 0's new plan
            seats[seat].update(model.gains(seat, seats[1 - seat].plan), rule, iteration)
        if iteration % look == 0 or iteration == iterations:
            yield _average(model, seats, iteration)


class _Regrets:
    """Regrets, current policy and sum of plans of one seat."""

    def __init__(self, seat: Treeplex) -> None:
        self.seat = seat
        self.regret = np.zeros(len(seat))
        self.behavior = seat.normalised(self.regret)
        self.plan = seat.plan(self.behavior)
        self.total = np.zeros(len(seat))

    def update(self, gains: Floats, rule: Rule, iteration: int) -> None:
        """One iteration: regrets against the other seat's plan, whose ``gains`` [Q] these are, then the next policy."""
        self.total += float(iteration) ** rule.average * self.plan
        values, state_values = self.seat.expect(gains, self.behavior)
        self.regret[1:] += values[1:] - state_values[self.seat.infoset[1:]]
        for exponent, side in ((rule.positive, self.regret > 0), (rule.negative, self.regret < 0)):
            if exponent != np.inf:
                self.regret[side] *= _discount(exponent, iteration)
        self.behavior = self.seat.normalised(np.maximum(self.regret, 0.0))
        self.plan = self.seat.plan(self.behavior)


def _discount(exponent: float, iteration: int) -> float:
    """t^p / (t^p + 1), for the exponent p and iteration t."""
    power = float(iteration) ** exponent if np.isfinite(exponent) else 0.0
    return power / (power + 1.0)


def _average(model: InfosetModel, seats: tuple[_Regrets, _Regrets], iterations: int) -> Average:
    """The average policy: the weighted mean of the plans."""
    means = [model.table(seat, own.seat.normalised(own.total)) for seat, own in enumerate(seats)]
    profile = means[0], means[1]
    best = model.respond(0, profile[1]).value - model.respond(1, profile[0]).value
    return Average(iterations, profile, max(0.0, best))
