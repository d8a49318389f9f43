"""The second stage of training: how exploitable is what was learned, and what did it cost?

Games with an exact model (``games.models``) are measured exactly: each policy is tabulated once, and every measure is
computed from the tables. Others are measured by certificates and samples (``mail.evaluation.sampled``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from games.base import Keys, Model
from games.markov.model import MarkovModel
from mail.evaluation import exact, sampled
from mail.evaluation.blunders import canonical_keys
from mail.evaluation.linear_report import bounds, structure
from mail.evaluation.tabulate import profile_tables
from mail.learners.collect import Learned, cloned
from mail.parallel.pool import Pool
from mail.parallel.streams import stream
from mail.training.config import Config
from mail.training.context import GameContext
from mail.training.folder import Run

Row = dict[str, Any]
"""What is reported of one learner: budget words and measures, as JSON holds them."""
Curve = list[dict[str, Any]]
"""Of one seat: labels and exploitability, point by point."""


@dataclass
class Evaluation:
    """What was measured in a run: numbers, as JSON holds them, and all that its report is made from."""

    learners: dict[str, Row]
    limits: dict[str, Any]
    """What no learner can undercut (``mail.evaluation.exact.limits``)."""
    curves: dict[str, list[Curve]] = field(default_factory=dict)
    """By learner, seat 0's and seat 1's; none where nothing can be measured exactly."""
    structure: dict[str, Any] | None = None
    """Of a Markov game: how linear it is (``mail.evaluation.linear_report.structure``)."""


def evaluate(run: Run, known: GameContext, learned: Mapping[str, Learned], *, pool: Pool) -> Evaluation:
    """Measure what each learner has learned.

    Args:
        run: whose configuration says the seed and the points of the curves; sampled measures are kept in its journal.
        known: the run's game.
        learned: what ``mail.training.learn`` returned.
        pool: who is asked for the policies' actions, and plays.
    """
    config = run.config
    found = Evaluation(
        {name: spending(what) for name, what in learned.items()}, exact.limits(known.learned_model, config.expert)
    )
    if known.model is None:
        _sampled(found, run, known, learned, pool)
    else:
        _exact(found, config, known, known.model, learned, pool)
    return found


def spending(learned: Learned) -> Row:
    """The budget words: both seats together, and by seat."""
    return {
        "games": learned.games,
        "labels": sum(learned.labels),
        "distinct_labels": sum(learned.distinct_labels),
        "games_by_seat": [part.games for part in learned.decisions],
        "labels_by_seat": list(learned.labels),
        "distinct_labels_by_seat": list(learned.distinct_labels),
    }


# --- games with an exact model ---------------------------------------------------------------------------


def _exact(
    found: Evaluation,
    config: Config,
    known: GameContext,
    model: Model,
    learned: Mapping[str, Learned],
    pool: Pool,
) -> None:
    """Add the exact measures, and curves that end in them."""
    experts = None
    if isinstance(model, MarkovModel):
        _, experts = profile_tables(model, known.experts(config.expert), pool=pool)
        found.structure = structure(model, experts, seed=config.seed)
    for name, what in learned.items():
        row = found.learners[name]
        unfolded, tables = profile_tables(model, known.lifted(what.policies), pool=pool)
        row |= exact.table_measures(unfolded, tables)
        if isinstance(model, MarkovModel) and experts is not None:
            row |= bounds(model, tables, experts)
        found.curves[name] = [curve(config, known, model, name, what, seat, row, pool) for seat in (0, 1)]


def curve(
    config: Config,
    known: GameContext,
    model: Model,
    name: str,
    learned: Learned,
    seat: int,
    row: Row,
    pool: Pool,
) -> Curve:
    """One seat's exploitability when only its first n labels are cloned, n growing in equal steps to all.

    The last point is the learned policy itself, which ``row`` holds the measures of.
    """
    total = learned.labels[seat]
    budgets = sorted({max(1, round(total * part / config.points)) for part in range(1, config.points + 1)})
    points = []
    for index, labels in enumerate(budgets):
        if labels == total:
            measures = {key: row[key][seat] for key in ("exploitability", "greedy_exploitability")}
        else:
            part = learned.decisions[seat].first_labels(seat, labels)
            rng = stream(config.seed, f"{name}/curve", seat=seat, round_=index)
            fit = cloned(learned.cloner, known.learned, part, seat, known.options(config), rng=rng)
            measures = exact.seat_measures(model, known.lift(fit.policy), seat, pool=pool)
        points.append({"labels": labels, **measures})
    return points


# --- games without one -----------------------------------------------------------------------------------


def _sampled(found: Evaluation, run: Run, known: GameContext, learned: Mapping[str, Learned], pool: Pool) -> None:
    """Add what certificates and matches say; each learner is measured once, though the run be killed and resumed."""
    keys = _labelled(known, learned, 0), _labelled(known, learned, 1)
    measure = partial(sampled.sampled_measures, known.game, labelled_keys=keys, seed=run.config.seed, pool=pool)
    for name, what in learned.items():
        found.learners[name] |= run.journal.measured(name, partial(measure, known.lifted(what.policies)))


def _labelled(known: GameContext, learned: Mapping[str, Learned], seat: int) -> Keys:
    """[K, 2] keys, equal for mirror images, of all positions of a seat that any of these learners had labelled."""
    keys = [np.zeros((0, 2), dtype=np.uint64)]
    for what in learned.values():
        decisions = what.decisions[seat]
        keys.append(canonical_keys(known.game, decisions.state[decisions.queried & (decisions.seat == seat)], seat))
    return np.unique(np.concatenate(keys), axis=0)
