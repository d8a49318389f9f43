"""What learners share: their options, the collection of rounds of games, and cloning.

A learner's loop is: while the budget lasts, play a round, learn from it, log (``Rounds``); then clone (``finish``).
Rounds are played in shards through the pool. The sizes of shards do not depend on the workers, and finished rounds are
read from the journal (``Collector``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.policy import Seats
from games.base import Game, Model, Rng
from games.plies.graph import CompactGraph
from games.progress import phase, report
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Fit, sampled_labels
from mail.clone.linear import LinearClone
from mail.clone.network import CloneConfig
from mail.clone.ntuple import NtupleClone
from mail.clone.registry import Cloner
from mail.clone.tabular import TabularClone
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Labels, Match, Shard, play_shard, shards
from mail.explore.base import exact_model
from mail.learners.budget import BudgetTracker
from mail.learners.journal import Journal, NullJournal
from mail.learners.snapshots import Snapshot
from mail.parallel.pool import Local, Pool
from mail.parallel.streams import stream

SHARD = 64
"""Most games of one shard. Results depend on it, so it must not depend on the workers."""


SLOW_ROUND = 8 * SHARD
"""Most games of a round if labels are slow (a solver's) and the explorer does not learn: workers share its shards."""


@dataclass(frozen=True)
class Learned:
    """The result of a learner: per seat, the policy and the decisions whose labels it clones."""

    policies: Seats
    decisions: tuple[Decisions, Decisions]
    games: int
    """Number of episodes, both seats together."""
    fits: tuple[Fit, Fit]
    cloner: str | None = "network"
    """The cloner that fitted them, by name; None where more than labels went into them."""
    snapshots: tuple[Sequence[Snapshot], Sequence[Snapshot]] = ((), ())
    """Per seat, clones on the way, in order of labels; empty where there were none."""

    @property
    def labels(self) -> tuple[int, int]:
        """The number of expert queries of each seat."""
        return self._own(0).labels(), self._own(1).labels()

    @property
    def distinct_labels(self) -> tuple[int, int]:
        """The number of distinct positions of each seat that were labelled."""
        return self._own(0).distinct_labels(), self._own(1).distinct_labels()

    def _own(self, seat: int) -> Decisions:
        decisions = self.decisions[seat]
        return decisions.take(decisions.seat == seat)


@dataclass(frozen=True)
class Options:
    """The options of the built-in learners."""

    seed: int = 0
    explorer: str = "deep"
    clone: CloneConfig = field(default_factory=CloneConfig)
    device: str = "cpu"
    model: Model | None = None
    """The game's exact model, for explorers that declare that they know it."""
    plies: CompactGraph | None = None
    """The graph of a board that is too large for a model, likewise."""
    linear: LinearClone = field(default_factory=LinearClone)
    """The settings of softmax-linear clones; ``clone`` is for networks."""
    tabular: TabularClone = field(default_factory=TabularClone)
    """The settings of tabular clones."""
    ntuple: NtupleClone = field(default_factory=NtupleClone)
    """The settings of n-tuple clones."""
    sample_labels: bool = False
    """Whether a label is one action sampled from the expert, instead of its whole distribution."""

    def exact_model(self, learner: str) -> Model:
        """The exact model, for a learner that cannot do without.

        Args:
            learner: Its name, for the message.

        Raises:
            NashmailError: There is none.
        """
        return exact_model(learner, self.model, instead="mail or bc")


@dataclass(frozen=True)
class Collector:
    """Plays rounds for one learner: in shards through the pool, after a look in the journal."""

    name: str
    game: Game
    seed: int
    pool: Pool = field(default_factory=Local)
    journal: Journal = field(default_factory=NullJournal)
    stage: str = ""
    """The address of its random streams; the name by default."""

    @property
    def address(self) -> str:
        return self.stage or self.name

    def round(self, seats: Seats, labels: Labels, episodes: int, *, seat: int, round_: int) -> Decisions:
        """One round of games between frozen policies, from the journal if it was completed before.

        Args:
            seats: The players.
            labels: The policies that are queried, by seat.
            episodes: The number of games.
            seat: The seat that learns from the round.
            round_: Its number.

        Returns:
            Both seats' decisions.
        """
        completed = self.journal.load(self.name, seat, round_)
        if completed is not None:
            return completed
        parts = shards(episodes, SHARD, self.seed, f"{self.address}/play", seat=seat, round_=round_)
        decisions = merge(self._played(Match(self.game, seats, labels), parts))
        self.journal.store(self.name, seat, round_, decisions)
        return decisions

    def _played(self, match: Match, round_: list[Shard]) -> list[Decisions]:
        """The shards of a round in order: completed ones from the journal, the others played."""
        if len(round_) == 1:  # stored as a round
            return self.pool.map(play_shard, match, round_)
        parts: dict[int, Decisions] = {}
        for shard in round_:
            kept = self.journal.load_shard(self.name, shard.seat, shard.round_, shard.shard)
            if kept is not None:
                parts[shard.shard] = kept
        missing = [shard for shard in round_ if shard.shard not in parts]

        def keep(index: int, decisions: Decisions) -> None:
            shard = missing[index]
            self.journal.store_shard(self.name, shard.seat, shard.round_, shard.shard, decisions)

        played = self.pool.map(play_shard, match, missing, on_result=keep)
        parts |= {shard.shard: part for shard, part in zip(missing, played, strict=True)}
        return [parts[shard.shard] for shard in round_]


class Rounds:
    """The rounds of one collection, and the budgets of the seats that they teach."""

    def __init__(self, collector: Collector, *trackers: BudgetTracker) -> None:
        """Start without rounds.

        Args:
            collector: Plays them.
            trackers: One for each queried seat; the first one's seat is part of the address of random streams.
        """
        self.collector, self.trackers = collector, trackers
        self.played: list[Decisions] = []

    @property
    def games(self) -> int:
        """The number of games so far."""
        return self.trackers[0].games

    def play(self, seats: Seats, labels: Labels, episodes: int, *, samples: int = 1) -> Decisions:
        """Play the next round.

        Args:
            seats: The policies that play, frozen for the round.
            labels: The policies that are queried (``mail.data.rollout.play``).
            episodes: The number of games.
            samples: How many actions are sampled from each label; every one counts as a query, and has its own row.
        """
        seat = self.trackers[0].seat
        played = self.collector.round(seats, labels, episodes, seat=seat, round_=len(self.played))
        if samples > 1:
            played = played.take(np.repeat(np.arange(len(played)), np.where(played.queried, samples, 1)))
        self.played.append(played)
        for tracker in self.trackers:
            tracker.update(self.played[-1])
        report(*min(self.trackers, key=lambda tracker: tracker.spent).come())
        return self.played[-1]

    def log(self, metrics: Mapping[str, float] | None = None) -> None:
        """Log each seat's budget and the metrics of the last round.

        Args:
            metrics: By name.
        """
        for tracker in self.trackers:
            self.collector.journal.log(self.collector.name, tracker.seat, {**tracker.progress(), **(metrics or {})})

    def decisions(self) -> list[Decisions]:
        """For each tracker, all decisions up to where its seat's label budget is spent."""
        merged = merge(self.played)
        return [tracker.within(merged) for tracker in self.trackers]


def finish(
    collector: Collector,
    collected: tuple[Decisions, Decisions],
    games: int,
    options: Options,
    *,
    fits: tuple[Fit | None, Fit | None] = (None, None),
    cloner: str = "network",
    snapshots: tuple[Sequence[Snapshot], Sequence[Snapshot]] = ((), ()),
) -> Learned:
    """Clone each seat from its own decisions, unless ``fits`` has its clone.

    Args:
        collector: Of the learner.
        collected: Per seat, the decisions whose labels are cloned.
        games: The number of games played.
        options: Of the learner.
        fits: Per seat, a clone that exists already, or None.
        cloner: The cloner's name.
        snapshots: Per seat, clones on the way.
    """
    if options.sample_labels:
        collected = (sampled_labels(collected[0]), sampled_labels(collected[1]))
    made = both_cloned("clone", collector, collected, options, fits=fits, cloner=cloner)
    return Learned((made[0].policy, made[1].policy), collected, games, made, cloner, snapshots)


def both_cloned(
    what: str,
    collector: Collector,
    collected: tuple[Decisions, Decisions],
    options: Options,
    *,
    fits: tuple[Fit | None, Fit | None] = (None, None),
    cloner: str = "network",
) -> tuple[Fit, Fit]:
    """A clone of each seat: as given, or from the journal, or fitted now with one shard per seat.

    Devices other than the CPU are used in this process only.

    Args:
        what: Distinguishes the clones of one learner.
        collector: Game, pool and journal.
        collected: Each seat's decisions.
        options: Settings and device.
        fits: Clones that there are already.
        cloner: A registered name.
    """
    game, journal, stage = collector.game, collector.journal, f"{collector.name}/{what}"
    made = {seat: fit or journal.load_fit(stage, seat, game, options.device) for seat, fit in enumerate(fits)}
    missing = [seat for seat in (0, 1) if made[seat] is None]
    job = (registry.find(cloner), game, _config(options), options.device)
    seats = [
        (collected[seat], seat, stream(collector.seed, f"{collector.address}/{what}", seat=seat)) for seat in missing
    ]

    def keep(index: int, fit: Fit) -> None:
        made[missing[index]] = fit
        journal.store_fit(stage, missing[index], game, fit)

    there = collector.pool if options.device == "cpu" else Local()
    with phase("clone", learner=collector.name):
        there.map(_seat_cloned, job, seats, on_result=keep)
    first, second = made[0], made[1]
    assert first is not None and second is not None  # ``keep`` has added the missing ones
    return first, second


def _seat_cloned(job: tuple[Cloner, Game, ClonerConfig, str], shard: tuple[Decisions, int, Rng]) -> Fit:
    """A pool's task: clone one seat."""
    cloner, game, config, device = job
    decisions, seat, rng = shard
    return cloner(game, decisions, seat, config, rng, device)


def _config(options: Options) -> ClonerConfig:
    return ClonerConfig(options.clone, options.linear, options.tabular, options.ntuple)


def cloned(cloner: str, game: Game, decisions: Decisions, seat: int, options: Options, *, rng: Rng) -> Fit:
    """One seat's clone, with the settings of a learner's options.

    Args:
        cloner: A registered name.
        game: The game.
        decisions: Decisions of either seat; those of ``seat`` with a label are used.
        seat: The seat that is cloned.
        options: Settings and device.
        rng: Draws what is random in the fit.
    """
    return registry.fit(cloner, game, decisions, seat, config=_config(options), rng=rng, device=options.device)
