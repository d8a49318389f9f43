"""The run of a cell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from agents.expert import labels_are_sets
from figures.asking.cells import WALK, Cell
from figures.asking.counting import Queries, Search
from figures.asking.measures import TARGETS, known, measured, reachable
from games.symmetry import board_behind
from mail import explore
from mail.clone.ntuple import NtupleClone
from mail.data.decisions import Decisions
from mail.data.rollout import Labels
from mail.explore.base import Explorer, ExplorerContext
from mail.explore.fixed import Fixed
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.journal import NullJournal
from mail.learners.walk.judge import forget
from mail.learners.walk.learner import MailWalk
from mail.parallel.pool import Local
from mail.parallel.streams import stream
from mail.training.context import GameContext

BATCH = 256
"""Games a round for explorers that learn nothing: their rounds are all alike."""


class Stopwatch:
    """Processor seconds of learning, without those of measuring."""

    def __init__(self) -> None:
        self._begun = time.process_time()

    @property
    def seconds(self) -> float:
        """So far."""
        return time.process_time() - self._begun

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """While something is measured."""
        before = time.process_time()
        yield
        self._begun += time.process_time() - before


def run(cell: Cell) -> dict[str, Any]:
    """What was spent until the targets were reached (None where they were not), and in all."""
    return traced(cell)[0]


def traced(cell: Cell) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """The same, and what was measured on the way."""
    if cell.cloner == "ntuple":
        warm(cell.explorer)
    return _traced(cell)


@cache
def warm(explorer: str) -> None:
    """Load what an explorer of compiled n-tuples needs, once, so that no cell's time has it."""
    _traced(Cell("connect4:3x3:3", False, explorer, 0, 0))


def _traced(cell: Cell) -> tuple[dict[str, Any], list[dict[str, float]]]:
    return walked(cell) if cell.explorer == WALK else explored(cell)


def explored(cell: Cell) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """What an explorer queries."""
    at = known(cell.game, cell.symmetry)
    context = context_of(cell, at)
    watch = Stopwatch()
    explorer = explore.make(cell.explorer, context, rng=stream(cell.seed, "asks", seat=cell.seat))
    fit = explorer.clone()
    own = fit is not None or cell.cloner == "ntuple"  # one that has fitted nothing yet has no clone
    queried = Queries(cell.seat, frozenset() if own else reachable(cell.game, cell.symmetry, cell.seat, cell.expert))
    search = Search(cell, at, queried)
    for decisions in rounds(cell, context, explorer):
        queried.update(decisions)
        with watch.stopped():
            if not own:
                search.look()
            elif (latest := explorer.clone()) is not None and latest is not fit:
                fit = latest
                if losses := measured(at, fit.policy, cell.seat):
                    search.note(losses, watch.seconds)
        if search.over or not (own or queried.missing):
            break
    if not own:
        search.look(last=True)
    spent = queried.spent(queried.queries)
    return {**search.found(), "spent": spent, "own_clone": own}, search.notes


def context_of(cell: Cell, at: GameContext) -> ExplorerContext:
    """What the explorer of a cell may know."""
    experts, plies = at.experts(cell.expert), at.plies(cell.expert, learned=True)
    ntuple = NtupleClone(sets=labels_are_sets(cell.expert))
    return ExplorerContext(at.learned, 1 - cell.seat, experts, "cpu", at.learned_model, plies, cell.cloner, ntuple)


def rounds(cell: Cell, context: ExplorerContext, explorer: Explorer) -> Iterator[Decisions]:
    """Rounds of play within the budget, from each of which the explorer has learned."""
    collector = Collector(f"asks/{cell.explorer}", context.game, cell.seed)
    games = number = 0
    while games < cell.most_games and not explorer.done:
        pair = (explorer.opponent_policy(), explorer.behavior_policy())
        queried = explorer.labels()
        labels: Labels = (queried, None) if cell.seat == 0 else (None, queried)
        seats = pair if cell.seat == 0 else (pair[1], pair[0])
        size = BATCH if isinstance(explorer, Fixed) else explorer.games_per_round
        decisions = collector.round(seats, labels, size, seat=cell.seat, round_=number)
        games, number = games + size, number + 1
        explorer.update(decisions, rng=stream(cell.seed, "asks/update", seat=cell.seat, round_=number))
        yield decisions


# --- the learner that walks ------------------------------------------------------------------------------


class Clock(NullJournal):
    """Notes the processor seconds until there were so many labels, and a clone of them."""

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self.seconds: dict[int, float] = {}

    def log(self, learner: str, seat: int, values: dict[str, float]) -> None:
        self.seconds.setdefault(int(values["labels"]), self.watch.seconds)


def walked(cell: Cell) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """What ``mail-walk`` queries: each position once, up to mirror image, and each query counts as a game. Its random
    streams are those of ``nashmail train``.
    """
    at = known(cell.game, False)  # its clones answer mirror images alike, so the quotient is of no use
    experts, board = at.experts(cell.expert), board_behind(at.game)
    assert board is not None
    forget()
    learner, clock = MailWalk(Options(seed=cell.seed)), Clock()
    collector = Collector(learner.name, board, cell.seed, Local(), clock)
    taught = learner.taught(collector, experts[cell.seat], Budget(cell.most_games), cell.seat)
    labels, seconds = taught.decisions.labels(), clock.watch.seconds
    clones = [(kept.labels, clock.seconds[kept.labels], kept.policy) for kept in taught.snapshots]
    clones = [*(clone for clone in clones if clone[0] < labels), (labels, seconds, taught.fit.policy)]
    notes = []
    for spent, when, policy in clones:
        if losses := measured(at, policy, cell.seat):
            notes.append({**spent_on(spent), "seconds": when, **losses})
    reached = {key: next((note for note in notes if note[key] <= limit), None) for key, limit in TARGETS.items()}
    found = {key: note and {unit: note[unit] for unit in (*spent_on(0), "seconds")} for key, note in reached.items()}
    return {**found, "spent": spent_on(labels), "own_clone": True}, notes


def spent_on(labels: int) -> dict[str, float]:
    """What labels come to of which each is another position's and a game."""
    return {"distinct": labels, "asks": labels, "games": labels}
