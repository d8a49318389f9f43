"""What is measured of a pair of policies where the game has an exact model, and the limits no learner can undercut."""

from __future__ import annotations

from typing import Any

from agents.expert import optimal_table
from agents.policy import Policy, Seats, greedy_rows
from games.base import Model, Table
from games.graph import GameGraph
from mail.evaluation.coverage import coverage_bounds, imitation_limit
from mail.evaluation.gap import exploitability, gap_of
from mail.evaluation.tabulate import policy_table, profile_tables, unfolded
from mail.parallel.pool import Pool


def profile_measures(model: Model, profile: Seats, *, pool: Pool | None = None) -> dict[str, Any]:
    """``table_measures`` of two policies, each asked once at every position, by ``pool``'s workers or here."""
    return table_measures(*profile_tables(model, profile, pool=pool))


def table_measures(model: Model, tables: tuple[Table, Table]) -> dict[str, Any]:
    """Exploitability and Nash gap of a pair of tables, as they are and greedy.

    Args:
        model: The exact model whose positions the rows are.
        tables: float64 [S, A], seat 0's and seat 1's, as ``mail.evaluation.tabulate`` makes them.

    Returns:
        Per seat ``exploitability`` and ``greedy_exploitability``, and ``nash_gap``, ``nash_gap_max`` and
        ``greedy_nash_gap``, in units of reward (``mail.evaluation.gap.Gap``).
    """
    soft, hard = gap_of(model, tables), gap_of(model, (greedy_rows(tables[0]), greedy_rows(tables[1])))
    return {
        "exploitability": list(soft.exploitability),
        "nash_gap": soft.nash_gap,
        "nash_gap_max": soft.nash_gap_max,
        "greedy_exploitability": list(hard.exploitability),
        "greedy_nash_gap": hard.nash_gap,
    }


def seat_measures(model: Model, policy: Policy, seat: int, *, pool: Pool | None = None) -> dict[str, float]:
    """One seat's exploitability, as its policy is and greedy: what ``profile_measures`` says of that seat."""
    model = unfolded(model, [policy])
    table = policy_table(model, policy, seat, pool=pool)
    return {
        "exploitability": exploitability(model, table, seat),
        "greedy_exploitability": exploitability(model, greedy_rows(table), seat),
    }


def limits(model: Model | None, expert: str) -> dict[str, Any]:
    """What no learner of the game that ``model`` knows can undercut, and where cloning without exploring ends up.

    Empty where the game has no graph, or the expert is not one of a graph.
    """
    found: dict[str, Any] = {"least_games": [], "reachable_labels": [], "bc_infinite": {}}
    if expert not in ("first", "uniform") or not isinstance(model, GameGraph):
        return found
    table = optimal_table(model, ties=expert)
    for seat in (0, 1):
        bound = coverage_bounds(model, table, seat)
        found["least_games"].append(bound.games)
        found["reachable_labels"].append(bound.labels)
    for ties in ("first", "uniform"):
        experts = (optimal_table(model, ties=ties),) * 2
        found["bc_infinite"][ties] = [
            exploitability(model, imitation_limit(model, experts, seat), seat) for seat in (0, 1)
        ]
    return found
