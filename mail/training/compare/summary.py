"""What a comparison amounts to: per entrant the aggregates of its seeds, who improves on whom, a CSV and tidy rows.

An *entrant* is a learner with its explorer and budget. Aggregates are those of ``mail.training.compare.aggregate``;
their resamples have an address of their own, so that equal rows have equal intervals.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from games.base import Floats
from mail.parallel.streams import stream
from mail.training.compare.aggregate import Estimate, improvement_estimate, interquartile_estimate
from mail.training.compare.cells import Row

COUNTS = ("labels", "distinct_labels", "games", "steps")
SCALARS = (*COUNTS, "nash_gap", "nash_gap_max", "greedy_nash_gap", "cpu_seconds")
PAIRS = ("value_gap", "exploitability", "greedy_exploitability")
MEASURES = (
    *COUNTS,
    *(f"{name}_{seat}" for name in PAIRS for seat in (0, 1)),
    *("value_gap", "nash_gap", "nash_gap_max", "greedy_nash_gap", "cpu_seconds"),
)
"""The numbers of a tidy row: counts of both seats together, measures by seat and summed, seconds of learning."""
WHO = ("game", "expert", "symmetry", "learner", "explorer", "budget", "seed", "key")
Entrant = tuple[str, str, int]
"""Learner, explorer (empty for none), budget."""


def tidy(row: Row) -> Row:
    """A row with one number per key: those of ``MEASURES``, None where the cell failed.

    Args:
        row: What ``mail.training.compare.cells.run_cells`` returns.

    Returns:
        ``WHO``, ``knows`` (words separated by spaces), ``MEASURES`` and ``failed`` (empty if it did not).
    """
    flat: Row = {name: row[name] for name in WHO} | {"knows": " ".join(row.get("knows", ()))}
    flat |= dict.fromkeys(MEASURES)
    flat["failed"] = row.get("failed", "")
    if not flat["failed"]:
        flat |= {name: row[name] for name in SCALARS}
        flat |= {f"{name}_{seat}": row[name][seat] for name in PAIRS for seat in (0, 1)}
        flat["value_gap"] = sum(row["value_gap"])
    return flat


def to_csv(rows: Sequence[Row]) -> bytes:
    """Tidy rows as CSV, one line per cell.

    Args:
        rows: The rows.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, [*WHO, "knows", *MEASURES, "failed"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def by_entrant(rows: Sequence[Row]) -> dict[Entrant, list[Row]]:
    """Tidy rows by entrant, in order of first appearance.

    Args:
        rows: The rows.
    """
    groups: dict[Entrant, list[Row]] = {}
    for row in rows:
        groups.setdefault((row["learner"], row["explorer"], row["budget"]), []).append(row)
    return groups


def called(entrant: Entrant, entrants: Sequence[Entrant]) -> str:
    """A name that tells an entrant from the others: with its explorer and budget where others differ in them.

    Args:
        entrant: The entrant.
        entrants: All of them.
    """
    learner, explorer, budget = entrant
    name = f"{learner}+{explorer}" if explorer else learner
    return f"{name} @{budget:,}" if len({other[2] for other in entrants}) > 1 else name


def summarize(rows: Sequence[Row]) -> dict[str, Any]:
    """The aggregates of tidy rows.

    Args:
        rows: Of one game.

    Returns:
        ``entrants``: by name, ``learner``, ``explorer``, ``budget``, ``knows``, ``seeds`` (finished), ``failed`` (how
        many) and ``measures``: per name in ``MEASURES`` ``points`` (one per seed), ``iqm`` and ``interval`` (None below
        ``mail.training.compare.aggregate.FEWEST`` seeds). ``improvement``: by name and other name the probability that
        a seed of the first has a smaller Nash gap than one of the second, with ``interval``, within each budget.
    """
    groups = by_entrant(rows)
    entrants = {called(one, list(groups)): _entrant(one, group) for one, group in groups.items()}
    improvement: dict[str, dict[str, Any]] = {}
    for name, one in entrants.items():
        for other_name, other in entrants.items():
            if name != other_name and one["budget"] == other["budget"] and one["seeds"] and other["seeds"]:
                pair = _gaps(one), _gaps(other)
                rng = stream(0, f"compare/improvement/{name}/{other_name}")
                improvement.setdefault(name, {})[other_name] = _said(
                    improvement_estimate([pair[0]], [pair[1]], rng=rng)
                )
    return {"entrants": entrants, "improvement": improvement}


def _gaps(entrant: dict[str, Any]) -> Floats:
    """[n] minus the Nash gaps of an entrant: more is better."""
    return -np.array(entrant["measures"]["nash_gap"]["points"])


def _entrant(who: Entrant, rows: Sequence[Row]) -> dict[str, Any]:
    finished = [row for row in rows if not row["failed"]]
    measures: dict[str, Any] = {}
    for name in MEASURES if finished else ():
        points = np.array([row[name] for row in finished], dtype=np.float64)
        estimate = interquartile_estimate([points], rng=stream(0, f"compare/{'/'.join(map(str, who))}/{name}"))
        measures[name] = {"points": points.tolist(), "iqm": estimate.value, "interval": estimate.interval}
    return {
        "learner": who[0],
        "explorer": who[1],
        "budget": who[2],
        "knows": finished[0]["knows"].split() if finished else [],
        "seeds": len(finished),
        "failed": len(rows) - len(finished),
        "measures": measures,
    }


def _said(estimate: Estimate) -> dict[str, Any]:
    return {"probability": estimate.value, "interval": estimate.interval}


def spread(measure: dict[str, Any], form: str = ".4f") -> str:
    """An aggregate in words: the interquartile mean and its interval, or the points where there are few.

    Args:
        measure: The aggregate.
        form: Of its numbers, as ``format`` takes it.
    """
    if measure["interval"] is None:
        points = list(dict.fromkeys(f"{value:z{form}}" for value in measure["points"]))
        return "; ".join(points)
    low, high = measure["interval"]
    return f"{measure['iqm']:z{form}} [{low:z{form}}, {high:z{form}}]"
