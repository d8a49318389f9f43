"""How exploitable a pair of policies is, exactly (ALGORITHMS.md §1).

With v* the game's value, exploitability[0] = v* - min over nu of V(mu, nu) is what the best opponent of seat
0's policy mu takes from it, exploitability[1] = max over mu of V(mu, nu) - v* what the best opponent of seat 1's
policy nu takes. Their sum is the Nash gap, also called NashConv; OpenSpiel's ``exploitability`` is half of it.
Only for games with an exact model; policies are measured as they are (stochastic).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import Greedy, Seats
from games.base import Model, NashmailError, Table
from games.markov_model import MarkovModel
from mail.pool import Pool
from mail.sweep import tabulate

ROUNDING = 1e-9
"""How far below 0 an exploitability may come out, relative to what a game can pay; it counts as 0 then."""


class GapError(NashmailError):
    """A measure that cannot be: an error of ours, or of a game whose model contradicts itself."""


@dataclass(frozen=True)
class Gap:
    """What best responses gain against a profile, in units of reward."""

    exploitability: tuple[float, float]
    """Each seat's own loss against its best opponent, relative to the game's value."""
    nash_gap: float
    """Their sum, NashConv."""
    nash_gap_max: float
    """The larger of the two players' gains from deviating from the profile itself."""


def table_gap(model: Model, profile: tuple[Table, Table]) -> Gap:
    """The gap of two tables [S, A]. GapError where best responses and the game's value contradict each other."""
    value = model.solve()[0].value
    best_0, best_1 = model.respond(0, profile[1]).value, model.respond(1, profile[0]).value
    played = model.value(profile)
    lost = _loss(model, value - best_1), _loss(model, best_0 - value)
    return Gap(lost, max(0.0, best_0 - best_1), _loss(model, max(best_0 - played, played - best_1)))


def nash_gap(model: Model, profile: Seats, *, pool: Pool | None = None) -> Gap:
    """The gap of two policies, each asked once at every position, by ``pool``'s workers or in this process.

    PolicyError if one is no legal distribution.
    """
    return table_gap(model, (tabulate(model, profile[0], 0, pool=pool), tabulate(model, profile[1], 1, pool=pool)))


def exploitability(model: Model, policy: Table, seat: int) -> float:
    """One seat's own exploitability, from its table [S, A] alone. GapError as ``table_gap``."""
    sign = 1.0 - 2.0 * seat
    return _loss(model, sign * (model.solve()[0].value - model.respond(1 - seat, policy).value))


def _loss(model: Model, amount: float) -> float:
    """The amount, 0 where rounding has left it a little below. GapError where it is truly negative."""
    size = 1.0
    if isinstance(model, MarkovModel):  # its values add up so many rewards of that size, with a solver's tolerance
        size = max(1.0, model.span * float(np.abs(model.game.rewards).max()))
    if not amount >= -ROUNDING * size:
        raise GapError(
            f"internal error: a best response in {model.game.spec.name} is worth {amount:.3g} to whoever plays it,"
            " though none can lose by it; no value of this game can be trusted, please report it"
        )
    return amount if amount > 0 else 0.0


def greedy(profile: Seats) -> Seats:
    """Both policies' most probable actions."""
    return Greedy(profile[0]), Greedy(profile[1])
