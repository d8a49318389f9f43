"""Exact measures of a pair of policies in a game with an exact model, and lower bounds for every learner."""

from __future__ import annotations

from typing import Any

from agents.policy import Policy, Seats, greedy_rows
from games.base import Model, Table
from games.graph import GameGraph
from games.infosets.model import InfosetModel
from mail.evaluation.coverage import coverage_bounds, imitation_limit
from mail.evaluation.gap import ROUNDING, Gap, exploitability, gap_of
from mail.evaluation.tabulate import policy_table, profile_tables, unfolded
from mail.parallel.pool import Pool

_TIES = ("first", "uniform")
"""Experts of equilibria, whose limits are told."""


def profile_measures(model: Model, profile: Seats, *, pool: Pool | None = None) -> dict[str, Any]:
    """``table_measures`` of two policies, each queried once at every position.

    Args:
        model: The exact model.
        profile: Both policies.
        pool: Queries them; by default this process.
    """
    return table_measures(*profile_tables(model, profile, pool=pool))


def table_measures(model: Model, tables: tuple[Table, Table]) -> dict[str, Any]:
    """Exploitability and Nash gap of a pair of tables, stochastic and greedy.

    Args:
        model: The exact model whose positions the rows are.
        tables: float64 [S, A], seat 0's and seat 1's, as ``mail.evaluation.tabulate`` makes them.

    Returns:
        Per seat ``exploitability`` and ``greedy_exploitability``, and ``nash_gap``, ``nash_gap_max`` and
        ``greedy_nash_gap``, in units of reward (``mail.evaluation.gap.Gap``).
    """
    return as_measures(gap_of(model, tables), gap_of(model, (greedy_rows(tables[0]), greedy_rows(tables[1]))))


def as_measures(soft: Gap, hard: Gap) -> dict[str, Any]:
    """Gaps by the names of the measures.

    Args:
        soft: Of a pair of policies.
        hard: Of their greedy versions.

    Returns:
        As ``table_measures``.
    """
    return {
        "exploitability": list(soft.exploitability),
        "nash_gap": soft.nash_gap,
        "nash_gap_max": soft.nash_gap_max,
        "greedy_exploitability": list(hard.exploitability),
        "greedy_nash_gap": hard.nash_gap,
    }


def value_gap(model: Model, tables: tuple[Table, Table], experts: tuple[Table, Table]) -> tuple[float, float]:
    """What each seat's policy gives away against the other seat's expert, relative to its own expert.

    ``V(mu_E, nu_E) - V(mu, nu_E)`` for seat 0 and ``V(mu_E, nu) - V(mu_E, nu_E)`` for seat 1, exact. It is what
    matching the expert's occupancy makes small, and no bound on the exploitability: an opponent other than the expert
    may gain much more (docs/algorithms.md, "Exploitability and the Nash gap"). Against an equilibrium it is 0 or more;
    against experts that can be exploited it may be negative.

    Args:
        model: The exact model whose positions the rows are.
        tables: float64 [S, A], the learned policies of seat 0 and seat 1.
        experts: float64 [S, A], the experts' policies of seat 0 and seat 1.

    Returns:
        Seat 0's and seat 1's value gap, in units of reward.
    """
    par = model.value(experts)
    gaps = par - model.value((tables[0], experts[1])), model.value((experts[0], tables[1])) - par
    return without_rounding(gaps, model.scale)


def without_rounding(gaps: tuple[float, float], scale: float) -> tuple[float, float]:
    """Value gaps, with what is rounding error alone as 0.

    Args:
        gaps: Both seats'.
        scale: The largest payoff that there can be.
    """
    slack = ROUNDING * scale
    return (0.0 if abs(gaps[0]) <= slack else gaps[0]), (0.0 if abs(gaps[1]) <= slack else gaps[1])


def seat_measures(model: Model, policy: Policy, seat: int, *, pool: Pool | None = None) -> dict[str, float]:
    """One seat's exploitability, stochastic and greedy: its part of ``profile_measures``.

    Args:
        model: The exact model.
        policy: The policy.
        seat: Its seat.
        pool: Queries it; by default this process.
    """
    model = unfolded(model, [policy])
    table = policy_table(model, policy, seat, pool=pool)
    return {
        "exploitability": exploitability(model, table, seat),
        "greedy_exploitability": exploitability(model, greedy_rows(table), seat),
    }


def limits(model: Model | None, expert: str) -> dict[str, Any]:
    """Lower bounds for every learner of a game, and the limit of cloning without exploration.

    Args:
        model: The exact model of the learned game.
        expert: The expert's name.

    Returns:
        Per seat ``least_games`` and ``reachable_labels`` (``mail.evaluation.coverage``), and ``bc_infinite``, by ties
        of the experts, both seats' exploitability of behavioral cloning with infinite data. All empty if the game has
        no exact model, is a Markov game, or the expert is no equilibrium of the model.
    """
    values: dict[str, Any] = {"least_games": [], "reachable_labels": [], "bc_infinite": {}}
    # Where games end, reach says where experts come; in endless Markov games it says how often.
    if not isinstance(model, GameGraph | InfosetModel) or expert not in _TIES or expert not in model.ties:
        return values
    tables = model.equilibrium(expert)
    for seat in (0, 1):
        bound = coverage_bounds(model, tables[seat], seat)
        values["least_games"].append(bound.games)
        values["reachable_labels"].append(bound.labels)
    for ties in (ties for ties in _TIES if ties in model.ties):
        experts = model.equilibrium(ties)
        values["bc_infinite"][ties] = [
            exploitability(model, imitation_limit(model, experts, seat), seat) for seat in (0, 1)
        ]
    return values
