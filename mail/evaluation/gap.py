"""How exploitable a pair of policies is, exactly (docs/algorithms.md, "Exploitability and the Nash gap").

With v* the game's value, exploitability[0] = v* - min over nu of V(mu, nu) is what the best opponent of seat
0's policy mu takes from it, exploitability[1] = max over mu of V(mu, nu) - v* what the best opponent of seat 1's
policy nu takes. Their sum is the Nash gap, also called NashConv; OpenSpiel's ``exploitability`` is half of it.
Only for games with an exact model; policies are measured as they are (stochastic). One that depends on the history of a
game is measured in the tree of histories, or, where that is too large, by positions with a HistoryWarning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import Greedy, PolicyError, Seats
from games.base import Model, NashmailError, Table
from games.markov.model import MarkovModel
from mail.evaluation.tabulate import profile_tables
from mail.parallel.pool import Pool

_TOLERANCE = 1e-6  # how far from 1 a row of a table may sum, as ``agents.policy.ask`` has it

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
    """The gap of two tables [S, A], seat 0's and seat 1's. PolicyError for what is no such pair.

    GapError where best responses and the game's value contradict each other.
    """
    _check_model(model, "table_gap")
    _check_pair(profile, "table_gap", "tables", "table")
    for seat in (0, 1):
        check_table(model, profile[seat], seat)
    return gap_of(model, profile)


def gap_of(model: Model, profile: tuple[Table, Table]) -> Gap:
    """``table_gap`` of tables that ``policy_table`` has made and so checked."""
    value = model.solve()[0].value
    best_0, best_1 = model.respond(0, profile[1]).value, model.respond(1, profile[0]).value
    played = model.value(profile)
    lost = _loss(model, value - best_1), _loss(model, best_0 - value)
    return Gap(lost, max(0.0, best_0 - best_1), _loss(model, max(best_0 - played, played - best_1)))


def nash_gap(model: Model, profile: Seats, *, pool: Pool | None = None) -> Gap:
    """The gap of two policies, each asked once at every position, by ``pool``'s workers or in this process.

    Args:
        model: a ``games.GameGraph``, a ``games.MarkovModel``, or what ``games.models.model_of`` gives.
        profile: seat 0's policy and seat 1's; the same one twice where it plays both.

    Raises PolicyError for anything but a model and a pair, and for a policy that gives no legal distribution.
    """
    _check_model(model, "nash_gap")
    _check_pair(profile, "nash_gap", "policies", "policy")
    for seat, policy in enumerate(profile):
        if not hasattr(policy, "probabilities"):
            raise PolicyError(
                f"nash_gap wants policies, which have probabilities(game, states, seat); seat {seat} has something of "
                f"type {type(policy).__name__} (arrays [S, A] are measured by mail.evaluation.gap.table_gap)"
            )
    return gap_of(*profile_tables(model, profile, pool=pool))


def check_table(model: Model, table: Table, seat: int) -> None:
    """PolicyError, with what is right, for an array that is no table [S, A] of this seat's play; rows in which the seat
    does not move don't count.
    """
    legal = model.legal(seat)
    if not isinstance(table, np.ndarray) or table.shape != legal.shape or table.dtype != np.float64:
        given = f"{table.dtype} {list(table.shape)}" if isinstance(table, np.ndarray) else type(table).__name__
        right = f"float64 [positions, actions], here {list(legal.shape)}"
        raise PolicyError(f"the table of seat {seat} is {right}, not {given}")
    moves = legal.any(1)
    wrong = moves & ~(np.abs(table.sum(1) - 1.0) <= _TOLERANCE)
    if wrong.any():
        row = int(wrong.argmax())
        raise PolicyError(
            f"the table of seat {seat} sums to {table[row].sum():g} in row {row}, where that seat moves and 1 is "
            "right: are the seats swapped, or is it a table of another game?"
        )
    wrong = moves & ((table < 0) | (~legal & (table != 0))).any(1)
    if wrong.any():
        row = int(wrong.argmax())
        raise PolicyError(
            f"the table of seat {seat} has a negative probability, or one of an illegal action, in row {row}"
        )


def _check_model(model: Model, name: str) -> None:
    if not hasattr(model, "solve"):
        raise PolicyError(
            f"{name} wants a game's model first, not {type(model).__name__}: games.GameGraph(game), or "
            "games.MarkovModel(game)"
        )


def _check_pair(profile: object, name: str, things: str, thing: str) -> None:
    if not isinstance(profile, tuple | list) or len(profile) != 2:
        given = f"{len(profile)} of them" if isinstance(profile, tuple | list) else f"one {type(profile).__name__}"
        raise PolicyError(
            f"{name} wants a pair of {things}, seat 0's and seat 1's, not {given}; for a {thing} that plays both "
            f"seats: {name}(model, ({thing}, {thing}))"
        )


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
