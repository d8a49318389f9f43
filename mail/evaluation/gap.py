"""The exact exploitability of a pair of policies (docs/algorithms.md, "Exploitability and the Nash gap").

With v* the game's value, exploitability[0] = v* - min over nu of V(mu, nu) is the loss of seat 0's policy mu against
its best opponent, and exploitability[1] = max over mu of V(mu, nu) - v* that of seat 1's policy nu. Their sum is the
Nash gap, also called NashConv; OpenSpiel's ``exploitability`` is half of it. Only for games with an exact model.
Stochastic policies are measured as they are. A policy that depends on the history of a game is measured in the tree of
histories or, where that is too large, by positions with a HistoryWarning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agents.policy import Greedy, PolicyError, Seats
from games.base import Enumerable, Model, NashmailError, Response, Table
from mail.evaluation.tabulate import profile_tables
from mail.parallel.pool import Pool

_TOLERANCE = 1e-6  # allowed deviation of a table row's sum from 1, as in ``agents.policy.query``

ROUNDING = 1e-9
"""An exploitability above minus this, relative to the game's largest payoff, is rounding error and counts as 0."""


class GapError(NashmailError):
    """A contradiction between a best response and the game's value: an internal error, or an inconsistent model."""


class Solved(Protocol):
    """What a gap rests on beside best responses: a ``Model``, or a ``games.plies.graph.CompactGraph``."""

    @property
    def game(self) -> Enumerable: ...

    @property
    def scale(self) -> float: ...

    def solve(self) -> tuple[Response, Response]: ...


@dataclass(frozen=True)
class Gap:
    """What best responses gain against a profile, in units of reward."""

    exploitability: tuple[float, float]
    """Each seat's loss against its best opponent, relative to the game's value."""
    nash_gap: float
    """The sum of both, NashConv."""
    nash_gap_max: float
    """The larger of the two seats' gains from deviating from the profile."""


def table_gap(model: Model, profile: tuple[Table, Table]) -> Gap:
    """The gap of two tables.

    Args:
        model: The game's exact model.
        profile: [S, A] float64 tables of seat 0 and seat 1. Rows at which a seat does not move are ignored.

    Raises:
        PolicyError: ``model`` is not a model, or ``profile`` not a pair of tables of it.
        GapError: Best responses contradict the game's value.
    """
    _check_model(model, "table_gap")
    _check_pair(profile, "table_gap", "tables", "table")
    for seat in (0, 1):
        check_table(model, profile[seat], seat)
    return gap_of(model, profile)


def gap_of(model: Model, profile: tuple[Table, Table]) -> Gap:
    """``table_gap`` of tables that ``policy_table`` has made, without checks.

    Args:
        model: The exact model.
        profile: float64 [S, A] of each seat.
    """
    best_0, best_1 = model.respond(0, profile[1]).value, model.respond(1, profile[0]).value
    return gap_between(model, best_0, best_1, model.value(profile))


def gap_between(model: Solved, best_0: float, best_1: float, played: float) -> Gap:
    """The gap, from what is won when one seat responds.

    Args:
        model: The exact model.
        best_0: Seat 0's reward when it responds to seat 1's policy.
        best_1: Seat 0's reward when seat 1 responds to its policy.
        played: Seat 0's reward between both policies.

    Raises:
        GapError: A best response contradicts the game's value.
    """
    value = model.solve()[0].value
    lost = _loss(model, value - best_1), _loss(model, best_0 - value)
    return Gap(lost, max(0.0, best_0 - best_1), _loss(model, max(best_0 - played, played - best_1)))


def nash_gap(model: Model, profile: Seats, *, pool: Pool | None = None) -> Gap:
    """The gap of two policies. Each is queried once at every position.

    Args:
        model: A ``games.GameGraph``, a ``games.MarkovModel``, or another result of ``games.models.model_of``.
        profile: Seat 0's and seat 1's policy; the same one twice if it plays both seats.
        pool: Queries the policies; this process by default.

    Raises:
        PolicyError: ``model`` is not a model, ``profile`` not a pair of policies, or a policy does not return
            distributions over legal actions.
        GapError: Best responses contradict the game's value.
    """
    _check_model(model, "nash_gap")
    _check_pair(profile, "nash_gap", "policies", "policy")
    for seat, policy in enumerate(profile):
        if not hasattr(policy, "probabilities"):
            raise PolicyError(
                f"nash_gap needs policies, which have probabilities(game, states, seat); seat {seat} has an object of "
                f"type {type(policy).__name__} (arrays [S, A] are measured by mail.evaluation.gap.table_gap)"
            )
    return gap_of(*profile_tables(model, profile, pool=pool))


def check_table(model: Model, table: Table, seat: int) -> None:
    """Raise PolicyError unless an array is a table of this seat.

    Args:
        model: The game's exact model.
        table: Should be float64 [S, A] with distributions over legal actions where the seat moves.
        seat: 0 or 1.
    """
    legal = model.legal(seat)
    if not isinstance(table, np.ndarray) or table.shape != legal.shape or table.dtype != np.float64:
        given = f"{table.dtype} {list(table.shape)}" if isinstance(table, np.ndarray) else type(table).__name__
        right = f"float64 [positions, actions], here {list(legal.shape)}"
        raise PolicyError(f"the table of seat {seat} must be {right}, not {given}")
    moves = legal.any(1)
    wrong = moves & ~(np.abs(table.sum(1) - 1.0) <= _TOLERANCE)
    if wrong.any():
        row = int(wrong.argmax())
        raise PolicyError(
            f"the table of seat {seat} sums to {table[row].sum():g} in row {row}, where that seat moves, instead of 1: "
            "are the seats swapped, or is it a table of another game?"
        )
    wrong = moves & ((table < 0) | (~legal & (table != 0))).any(1)
    if wrong.any():
        row = int(wrong.argmax())
        raise PolicyError(
            f"the table of seat {seat} has a negative probability, or a positive one of an illegal action, in row {row}"
        )


def _check_model(model: Model, name: str) -> None:
    if not hasattr(model, "solve"):
        raise PolicyError(
            f"{name} needs a game's model first, not {type(model).__name__}: games.GameGraph(game), or "
            "games.MarkovModel(game)"
        )


def _check_pair(profile: object, name: str, things: str, thing: str) -> None:
    if not isinstance(profile, tuple | list) or len(profile) != 2:
        given = f"{len(profile)} of them" if isinstance(profile, tuple | list) else f"one {type(profile).__name__}"
        raise PolicyError(
            f"{name} needs a pair of {things}, seat 0's and seat 1's, not {given}; for a {thing} that plays both "
            f"seats: {name}(model, ({thing}, {thing}))"
        )


def exploitability(model: Model, policy: Table, seat: int) -> float:
    """One seat's exploitability, in units of reward.

    Args:
        model: The game's exact model.
        policy: [S, A] float64, the seat's table.
        seat: 0 or 1.

    Raises:
        GapError: A best response contradicts the game's value.
    """
    sign = 1.0 - 2.0 * seat
    return _loss(model, sign * (model.solve()[0].value - model.respond(1 - seat, policy).value))


def _loss(model: Solved, amount: float) -> float:
    """The amount, or 0 if rounding made it slightly negative. GapError if it is negative beyond rounding."""
    if not amount >= -ROUNDING * model.scale:
        raise GapError(
            f"internal error: a best response in {model.game.spec.name} is worth {amount:.3g} to its player, although"
            " a best response cannot lose; do not trust values of this game, and please report it"
        )
    return amount if amount > 0 else 0.0


def greedy(profile: Seats) -> Seats:
    """The greedy versions of both policies.

    Args:
        profile: Both policies.
    """
    return Greedy(profile[0]), Greedy(profile[1])
