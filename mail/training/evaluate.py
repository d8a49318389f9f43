"""The second stage of training: how exploitable are the learned policies, and what did they cost?

Games with an exact model (``games.models``) are measured exactly: each policy is tabulated once, and every measure is
computed from the tables. Others are measured by certificates and samples (``mail.evaluation.sampled``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from agents.expert import is_equilibrium
from games.base import Keys, Model, Table
from games.markov.model import MarkovModel
from games.plies.graph import CompactGraph
from games.progress import announce, phase, report
from mail.data.records import GAMES
from mail.evaluation import exact, sampled
from mail.evaluation.blunders import canonical_keys
from mail.evaluation.linear_report import bounds, structure
from mail.evaluation.plies import ply_measures
from mail.evaluation.tabulate import policy_table, profile_tables
from mail.learners.base import declared
from mail.learners.collect import Learned, cloned
from mail.learners.snapshots import Snapshot, at_steps
from mail.parallel.pool import Pool
from mail.parallel.streams import stream
from mail.training.config import Config
from mail.training.context import GameContext
from mail.training.folder import Run
from mail.training.progress.events import Measured, PointMeasured

Row = dict[str, Any]
"""The report on one learner: budget words and measures, as JSON values."""
Curve = list[dict[str, Any]]
"""One seat's labels and exploitability, point by point."""


@dataclass
class Evaluation:
    """The measures of a run as JSON values, from which its report is made."""

    learners: dict[str, Row]
    limits: dict[str, Any]
    """Lower bounds for every learner (``mail.evaluation.exact.limits``)."""
    curves: dict[str, list[Curve]] = field(default_factory=dict)
    """By learner, seat 0's and seat 1's curve; empty without exact measures."""
    expert: Row | None = None
    """The exact measures of an expert that is not declared to play an equilibrium: what its labels fall short of one.
    None for an equilibrium; values are None where the game has no exact model."""
    structure: dict[str, Any] | None = None
    """For a Markov game, how linear it is (``mail.evaluation.linear_report.structure``)."""


def evaluate(
    run: Run, context: GameContext, learned: Mapping[str, Learned], limits: dict[str, Any], *, pool: Pool
) -> Evaluation:
    """Measure the policies of each learner.

    Args:
        run: Its configuration has the seed and the points of the curves; its journal keeps sampled measures.
        context: The run's game.
        learned: The results of ``mail.training.learn``.
        limits: Lower bounds for every learner (``mail.evaluation.exact.limits``).
        pool: Queries the policies, and plays.
    """
    config = run.config
    evaluation = Evaluation({name: spending(what) for name, what in learned.items()}, limits)
    if (graph := context.plies(config.expert)) is not None:
        _by_plies(evaluation, config, context, graph, learned, pool)
    elif context.model is None:
        _sampled(evaluation, run, context, learned, pool)
    else:
        _exact(evaluation, config, context, context.model, learned, pool)
    return evaluation


def spending(learned: Learned) -> Row:
    """The budget words, for both seats together and by seat.

    Args:
        learned: What a learner returned.
    """
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
    evaluation: Evaluation,
    config: Config,
    context: GameContext,
    model: Model,
    learned: Mapping[str, Learned],
    pool: Pool,
) -> None:
    """Add the exact measures, and curves that end in them."""
    experts = _ExpertTables(context, pool)
    # The report of a Markov game reads its transitions and features, which no other model has.
    markov = model if isinstance(model, MarkovModel) else None
    with phase("measure experts"):
        if not is_equilibrium(config.expert):
            evaluation.expert = exact.table_measures(model, experts.of(model, config.expert))
        if markov is not None:
            evaluation.structure = structure(markov, experts.of(markov, config.expert), seed=config.seed)
    for name, what in learned.items():
        row = evaluation.learners[name]
        with phase("measure", learner=name):
            unfolded, tables = profile_tables(model, context.lifted(what.policies), pool=pool)
            row |= exact.table_measures(unfolded, tables)
            if name != GAMES:  # saved games are of no expert
                own = declared(name).expert or config.expert
                row["value_gap"] = list(exact.value_gap(unfolded, tables, experts.of(unfolded, own)))
            if markov is not None:
                row |= bounds(markov, tables, experts.of(markov, config.expert))
            announce(Measured(name, dict(row)))
        with phase("curve", learner=name):
            evaluation.curves[name] = [curve(config, context, model, name, what, seat, row, pool) for seat in (0, 1)]


def _by_plies(
    evaluation: Evaluation,
    config: Config,
    context: GameContext,
    graph: CompactGraph,
    learned: Mapping[str, Learned],
    pool: Pool,
) -> None:
    """Add the exact measures of a board without tables, and curves of one point: each would take as long again."""
    for name, what in learned.items():
        row = evaluation.learners[name]
        experts = None  # saved games are of none
        if name != GAMES:
            experts = context.lifted(context.experts(declared(name).expert or config.expert))
        with phase("measure", learner=name):
            row |= ply_measures(graph, context.lifted(what.policies), experts=experts, pool=pool)
            announce(Measured(name, dict(row)))
        evaluation.curves[name] = [
            [
                {"labels": what.labels[seat]}
                | {key: row[key][seat] for key in ("exploitability", "greedy_exploitability")}
            ]
            for seat in (0, 1)
        ]


class _ExpertTables:
    """The experts of a run as tables, those of the last pair kept: most learners have the same experts."""

    def __init__(self, context: GameContext, pool: Pool) -> None:
        self.context, self.pool = context, pool
        self.kept: tuple[str, Model, tuple[Table, Table]] | None = None

    def of(self, model: Model, name: str) -> tuple[Table, Table]:
        """float64 [S, A] per seat: the experts of this name on the positions, or histories, of ``model``."""
        if self.kept is None or self.kept[0] != name or self.kept[1] is not model:
            seats = self.context.lifted(self.context.experts(name))
            tables = policy_table(model, seats[0], 0, pool=self.pool), policy_table(model, seats[1], 1, pool=self.pool)
            self.kept = name, model, tables
        return self.kept[2]


def curve(
    config: Config,
    context: GameContext,
    model: Model,
    name: str,
    learned: Learned,
    seat: int,
    row: Row,
    pool: Pool,
) -> Curve:
    """One seat's exploitability after its first n labels, with n in equal steps up to all.

    Of a learner that had clones on the way each point is the last one of those until then; of others the first n labels
    are cloned for it. The last point is the learned policy itself, whose measures are in ``row``; the only one where it
    is no clone.

    Args:
        config: The run's configuration.
        context: The run's game.
        model: Its exact model.
        name: The learner's.
        learned: What it returned.
        seat: Whose curve.
        row: The learner's measures.
        pool: Fits clones and queries them.
    """
    total = learned.labels[seat]
    parts = 1 if learned.cloner is None else config.points
    steps = sorted({max(1, round(total * part / parts)) for part in range(1, parts)} - {total})
    earlier = at_steps(learned.snapshots[seat], steps) if learned.snapshots[seat] else []
    points = []
    for index, one in enumerate(earlier or _clones(config, context, name, learned, seat, steps)):
        report(seat * (len(steps) + 1) + index, 2 * (len(steps) + 1), "points")
        measures = exact.seat_measures(model, context.lift(one.policy), seat, pool=pool)
        points.append({"labels": one.labels, **measures})
        announce(PointMeasured(name, seat, one.labels, float(measures["exploitability"])))
    measures = {key: row[key][seat] for key in ("exploitability", "greedy_exploitability")}
    announce(PointMeasured(name, seat, total, float(measures["exploitability"])))
    return [*points, {"labels": total, **measures}]


def _clones(
    config: Config, context: GameContext, name: str, learned: Learned, seat: int, steps: list[int]
) -> Iterator[Snapshot]:
    """Clones of the first labels of a learner that had none on the way."""
    if learned.cloner is None:
        return
    for index, labels in enumerate(steps):
        part = learned.decisions[seat].first_labels(seat, labels)
        rng = stream(config.seed, f"{name}/curve", seat=seat, round_=index)
        fit = cloned(learned.cloner, context.learned, part, seat, context.options(config), rng=rng)
        yield Snapshot(labels, fit.policy)


# --- games without one -----------------------------------------------------------------------------------


def _sampled(
    evaluation: Evaluation, run: Run, context: GameContext, learned: Mapping[str, Learned], pool: Pool
) -> None:
    """Add certificates and matches. Each learner is measured once, even if the run is killed and resumed."""
    name, keys = run.config.expert, (_labelled(context, learned, 0), _labelled(context, learned, 1))
    if not is_equilibrium(name):
        evaluation.expert = dict.fromkeys(sampled.EXACT_KEYS)
    experts = name, context.lifted(context.experts(name))
    measure = partial(
        sampled.sampled_measures,
        context.game,
        expert=experts,
        labelled_keys=keys,
        seed=run.config.seed,
        pool=pool,
    )
    for learner, what in learned.items():
        with phase("measure", learner=learner):
            row = run.journal.measured(learner, partial(measure, context.lifted(what.policies)))
            evaluation.learners[learner] |= row
            announce(Measured(learner, dict(evaluation.learners[learner])))


def _labelled(context: GameContext, learned: Mapping[str, Learned], seat: int) -> Keys:
    """[K, 2] canonical keys of all positions of a seat that were labelled for any of these learners."""
    keys = [np.zeros((0, 2), dtype=np.uint64)]
    for what in learned.values():
        decisions = what.decisions[seat]
        keys.append(canonical_keys(context.game, decisions.state[decisions.queried & (decisions.seat == seat)], seat))
    return np.unique(np.concatenate(keys), axis=0)
