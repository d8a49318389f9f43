"""The learner ``mail-walk``: interactive imitation on boards whose positions cannot be listed.

Beyond the paper (docs/algorithms.md, "Walks without a list of positions"). In place of games, an opponent who knows the
rules walks over all that it can force against the greedy clone, and the expert is queried at the clone's mistakes,
moves that give away what its seat can get. Whether a move is one is decided by search (``mail.learners.walk.judge``).
The clone is made of n-tuples, on the board's lines, and plays with tactics: it wins at once where it can, and else
blocks. Each query counts as a game of the budget.

    until a walk that was not thinned finds no mistake:
        walk against the greedy clone; query the expert at some of its mistakes
        train the clone further on all labels

Such a walk is a proof: no opponent gets more than the game's value from the greedy clone. Once few mistakes are left, a
walk queries the expert at all of them, and the answers become exceptions of the clone: the policy is then proven, too,
and is not trained further, which would lead to mistakes elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.policy import Policy, Seats, query
from agents.tactics import Tactics
from games.base import Game
from games.boards import Board
from games.deciding import Decider
from games.progress import phase, report
from games.symmetry import board_behind
from mail.clone.dataset import Fit, demonstrations
from mail.clone.ntuple import NtupleClone, NtupleTrainer
from mail.data.decisions import Decisions, merge
from mail.data.drops import first_positions
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import Collector, Learned, Options, finish
from mail.learners.journal import Journal
from mail.learners.snapshots import Snapshot, Snapshots
from mail.learners.walk.descent import Answers, Limits, Walked, as_decisions, descend
from mail.learners.walk.judge import SMALL, Judge, check_board, value_of
from mail.learners.walk.layers import Job
from mail.parallel.pool import Pool
from mail.parallel.streams import stream


@dataclass(frozen=True)
class WalkConfig:
    """The constants of the learner ``mail-walk``."""

    share: float = 0.5
    """Queries of a round, as a share of the labels so far ..."""
    least: int = 16
    """... but at least so many, ..."""
    most: int = 20_000
    """... and at most so many."""
    width: int = 100_000
    """Positions of a layer above which it is thinned."""
    widening: int = 8
    """By how much the width grows after a round that found less than half the mistakes that it could query."""
    opening: int = 12
    """On boards without a list of positions: stones up to which every position is queried, for a single move."""
    small: int = SMALL
    """Cells of boards whose opening is like the rest."""
    length: int = 8
    """Most cells of a tuple."""
    strictest: float = 1024.0
    """The tolerances of training are halved while the clone errs at answered positions alone, down to this part."""
    finish: float = 0.33
    """Mistakes of a walk that was not thinned, as a share of the labels so far, up to which it is made once more, with
    queries at all of them. 0 for clones without exceptions."""
    passes: int = 12
    """Passes over the labels in each round."""
    sharpness: float = 2.0**20
    """By how much the clone's preferences are sharpened. Labels are sets of moves and its mistakes are those of its
    most probable moves, so the policy that is learned is the greedy one."""


@dataclass(frozen=True)
class Taught:
    """What one seat has learned."""

    decisions: Decisions
    fit: Fit
    snapshots: list[Snapshot]


class MailWalk:
    """The learner.

    Args:
        options: Of the run.
        name: What it is registered as.
        config: Its constants.
    """

    def __init__(self, options: Options, *, name: str = "mail-walk", config: WalkConfig | None = None) -> None:
        self.options, self.name, self.config = options, name, config or WalkConfig()

    def check(self, game: Game, experts: Seats) -> None:
        Decider(check_board(board_behind(game), game.spec.name), 0, bits=1)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        board = check_board(board_behind(game), game.spec.name)
        collector = Collector(self.name, board, self.options.seed, pool, journal)
        first, second = (self.taught(collector, experts[seat], budget, seat) for seat in (0, 1))
        collected = (first.decisions, second.decisions)
        return finish(
            collector,
            collected,
            len(first.decisions) + len(second.decisions),
            self.options,
            fits=(first.fit, second.fit),
            cloner="ntuple",
            snapshots=(first.snapshots, second.snapshots),
        )

    def _judge(self, board: Board, seat: int) -> Judge:
        ties = board.spec.actions if self._small(board) else 2
        return Judge(board, seat, (1.0 - 2.0 * seat) * value_of(board), ties)

    def _small(self, board: Board) -> bool:
        return board.rows * board.columns <= self.config.small

    def taught(self, collector: Collector, expert: Policy, budget: Budget, seat: int) -> Taught:
        """Teach one seat.

        Args:
            collector: Of a board on which discs fall.
            expert: The seat's, which is queried.
            budget: What may be spent.
            seat: The seat.

        Raises:
            NashmailError: The collector's game is another one.
        """
        seed = self.options.seed
        judge = self._judge(check_board(board_behind(collector.game), collector.game.spec.name), seat)
        tracker = BudgetTracker(replace(budget, patience_games=budget.episodes), seat)
        trainer = NtupleTrainer(judge.board, self._tuples(), rng=stream(seed, f"{self.name}/clone", seat=seat))
        rounds, snapshots = _Rounds(self.name, self.config, collector, expert, judge), Snapshots()
        policy = self._policy(trainer)
        fit = Fit(policy, 0, 1.0, 1.0)
        with phase("explore", learner=self.name, seat=seat):
            while not tracker.done and (found := rounds.next(policy, tracker)) is not None:
                tracker.update(found)
                report(*tracker.come())
                if rounds.last is None:
                    rng = stream(seed, f"{self.name}/train", seat=seat, round_=len(rounds.played))
                    labels = demonstrations(merge(rounds.played), seat)
                    fit = trainer.train(labels, rng=rng, strictness=rounds.strictness)
                policy = self._policy(trainer, rounds.last)
                snapshots.add(tracker.labels, policy)
                collector.journal.log(self.name, seat, {**tracker.progress(), **rounds.metrics})
        return Taught(merge(rounds.played), replace(fit, policy=policy), snapshots.kept)

    def _policy(self, trainer: NtupleTrainer, last: Walked | None = None) -> Policy:
        """The present clone as it plays, with the exceptions of the last walk."""
        clone = trainer.policy().sharpened(self.config.sharpness)
        return Tactics(clone if last is None else clone.excepting(last.exceptions, last.answers))

    def _tuples(self) -> NtupleClone:
        """The settings of the clone."""
        config = self.config
        return replace(self.options.ntuple, sets=True, lines=True, length=config.length, passes=config.passes)


class _Rounds:
    """The rounds of one seat, from the journal or walked."""

    def __init__(self, name: str, config: WalkConfig, collector: Collector, expert: Policy, judge: Judge) -> None:
        self.name, self.config, self.collector = name, config, collector
        self.expert, self.judge = expert, judge
        self.answers, self.width = Answers(), config.width
        self.played: list[Decisions] = []
        self.metrics: dict[str, float] = {}
        self.strictness = 1.0
        """By which the tolerances of training are divided."""
        self.last: Walked | None = None
        """The walk all of whose mistakes are answered, after which the clone is not trained any more."""

    def next(self, policy: Policy, tracker: BudgetTracker) -> Decisions | None:
        """The queries of the next round; None if a walk proves that none is left.

        A round without queries tells that the clone errs where it has an answer. It is then trained more strictly,
        until that has been of no use often enough.

        Args:
            policy: The present clone.
            tracker: What the seat has spent, and may spend.
        """
        config, seat, journal = self.config, self.judge.seat, self.collector.journal
        if self.strictness > config.strictest or self.last is not None:
            return None
        left = tracker.games_left(1)
        most = min(left, config.most, max(config.least, int(config.share * tracker.labels)))
        round_, stage = len(self.played), f"{self.name}/walk"
        found = journal.load(self.name, seat, round_)
        if found is not None:
            self.metrics = journal.load_values(stage, seat, round_)
        else:
            found = self._walked(policy, most, tracker)
            if found is None:
                return None
            if len(found) > left:
                found, self.last = found.first_labels(seat, left), None  # the opening asks whatever the round may
            if self.last is None:  # else a resumed run walks once more, for the exceptions
                journal.store_values(stage, seat, round_, self.metrics)
                journal.store(self.name, seat, round_, found)
        if 2 * len(found) < most:  # not just less: layers leave some of their share of the queries
            self.width *= config.widening
        if not len(found):
            self.strictness *= 2.0
        self.played.append(found)
        self.answers.add(found)
        return found

    def _walked(self, policy: Policy, most: int, tracker: BudgetTracker) -> Decisions | None:
        """Walk, wider as long as nothing is found in a thinned walk; None for a proof."""
        if self.judge.goal < 0:  # nothing is worse; but without a label there is no clone
            return None if self.played else self._any_label()
        job, width = Job(policy, self.judge), self.width
        while True:
            walked = self._walk(job, width, most, even=True)
            few = 0 < sum(walked.mistakes) <= self.config.finish * tracker.labels
            if few and not (walked.thinned or walked.answered):
                walked = self._walk(job, width, tracker.games_left(1), even=False)
            if few and walked.answered:
                self.last = walked
            self.metrics = walked.metrics(self.judge.seat)
            found = walked.decisions(self.judge)
            if found is None and not self.played and not walked.thinned:
                return self._any_label()
            if found is not None or walked.proven:
                return found
            if any(walked.mistakes):
                return self.played[0].take(np.zeros(0, dtype=np.int64))
            width *= self.config.widening

    def _walk(self, job: Job, width: int, queries: int, *, even: bool) -> Walked:
        """One walk of layers up to a width, with so many queries after the opening."""
        config, board, collector = self.config, self.judge.board, self.collector
        opening = config.opening if board.rows * board.columns > config.small else -1
        return descend(
            job,
            self.expert,
            self.answers,
            Limits(width, queries, even, opening),
            pool=collector.pool,
            seed=collector.seed,
            address=f"{self.name}/walk",
            round_=len(self.played),
        )

    def _any_label(self) -> Decisions:
        """A label for a clone that needs none."""
        states = first_positions(self.judge.board, self.judge.seat)[:1]
        return as_decisions(self.judge, states, query(self.expert, self.judge.board, states, self.judge.seat))
