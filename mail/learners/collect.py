"""What all learners share: what they are made with, how rounds of games are collected, and how labels are cloned.

A learner's loop is: while the budget lasts, play a round, learn from it, log (``Rounds``); then clone (``finish``).
Rounds are played in shards through the pool, whose sizes never depend on the workers; what has been played before is
read from the journal (``Collector``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.policy import Seats
from games.base import Game, Model, Rng
from mail.clone import registry
from mail.clone.cloners import ClonerConfig
from mail.clone.dataset import Fit, sampled_labels
from mail.clone.linear import LinearClone
from mail.clone.network import CloneConfig
from mail.clone.registry import Cloner
from mail.clone.tabular import TabularClone
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Labels, Match, Shard, play_shard, shards
from mail.learners.budget import BudgetTracker
from mail.learners.journal import Journal, NullJournal
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import labelled_map
from mail.parallel.streams import stream

SHARD = 64
"""Most games of one shard; part of what results follow from, so it never depends on the workers."""


SLOW_ROUND = 8 * SHARD
"""Most games of a round where labels are slow (a solver's) and nothing is learned between: workers share its shards."""


@dataclass(frozen=True)
class Learned:
    """What a learner returns: per seat, the policy and the decisions whose labels it clones."""

    policies: Seats
    decisions: tuple[Decisions, Decisions]
    games: int
    """Episodes played, both seats together."""
    fits: tuple[Fit, Fit]
    cloner: str = "network"
    """How they were fitted, by name."""

    @property
    def labels(self) -> tuple[int, int]:
        """Expert queries of each seat."""
        return self._own(0).labels(), self._own(1).labels()

    @property
    def distinct_labels(self) -> tuple[int, int]:
        """Positions of each seat that were labelled."""
        return self._own(0).distinct_labels(), self._own(1).distinct_labels()

    def _own(self, seat: int) -> Decisions:
        decisions = self.decisions[seat]
        return decisions.take(decisions.seat == seat)


@dataclass(frozen=True)
class Options:
    """What the learners here are made with."""

    seed: int = 0
    explorer: str = "deep"
    clone: CloneConfig = field(default_factory=CloneConfig)
    device: str = "cpu"
    model: Model | None = None
    """The game's exact model, for explorers that declare that they know it."""
    linear: LinearClone = field(default_factory=LinearClone)
    """How softmax-linear clones are fitted; ``clone`` is for networks."""
    tabular: TabularClone = field(default_factory=TabularClone)
    """How tables are cloned."""
    sample_labels: bool = False
    """Whether an ask is answered by one action that the expert draws, instead of by its whole distribution."""


@dataclass(frozen=True)
class Collector:
    """Plays rounds under one learner's name: shards through the pool, journal first."""

    name: str
    game: Game
    seed: int
    pool: Pool = field(default_factory=Local)
    journal: Journal = field(default_factory=NullJournal)
    stage: str = ""
    """What its random streams are addressed by; the name unless said."""

    @property
    def address(self) -> str:
        return self.stage or self.name

    def round(self, seats: Seats, labels: Labels, episodes: int, *, seat: int, round_: int) -> Decisions:
        """One round of games between frozen policies, from the journal if it has landed before."""
        landed = self.journal.load(self.name, seat, round_)
        if landed is not None:
            return landed
        wanted = shards(episodes, SHARD, self.seed, f"{self.address}/play", seat=seat, round_=round_)
        decisions = merge(self._played(Match(self.game, seats, labels), wanted))
        self.journal.store(self.name, seat, round_, decisions)
        return decisions

    def _played(self, match: Match, wanted: list[Shard]) -> list[Decisions]:
        """The shards of a round in order: those that have landed before from the journal, the others played."""
        if len(wanted) == 1:  # kept as a round
            return labelled_map(self.pool, play_shard, match, wanted, game=self.game)
        parts: dict[int, Decisions] = {}
        for shard in wanted:
            kept = self.journal.load_shard(self.name, shard.seat, shard.round_, shard.shard)
            if kept is not None:
                parts[shard.shard] = kept
        missing = [shard for shard in wanted if shard.shard not in parts]

        def keep(index: int, decisions: Decisions) -> None:
            shard = missing[index]
            self.journal.store_shard(self.name, shard.seat, shard.round_, shard.shard, decisions)

        played = labelled_map(self.pool, play_shard, match, missing, game=self.game, on_result=keep)
        parts |= {shard.shard: part for shard, part in zip(missing, played, strict=True)}
        return [parts[shard.shard] for shard in wanted]


class Rounds:
    """The rounds of one collection, and what each seat that they teach has spent on them."""

    def __init__(self, collector: Collector, *trackers: BudgetTracker) -> None:
        """
        Args:
            collector: plays them.
            trackers: one for each seat that is queried; the first one's seat addresses the random streams.
        """
        self.collector, self.trackers = collector, trackers
        self.played: list[Decisions] = []

    @property
    def games(self) -> int:
        """Games played so far."""
        return self.trackers[0].games

    def play(self, seats: Seats, labels: Labels, episodes: int) -> Decisions:
        """Play the next round.

        Args:
            seats: who plays, frozen for the round.
            labels: whom each seat's decisions are labelled by (``mail.data.rollout.play``).
            episodes: how many games.
        """
        seat = self.trackers[0].seat
        self.played.append(self.collector.round(seats, labels, episodes, seat=seat, round_=len(self.played)))
        for tracker in self.trackers:
            tracker.update(self.played[-1])
        return self.played[-1]

    def log(self, metrics: Mapping[str, float] | None = None) -> None:
        """Log what each seat has spent so far, and what else there is to say of the last round."""
        for tracker in self.trackers:
            self.collector.journal.log(self.collector.name, tracker.seat, {**tracker.progress(), **(metrics or {})})

    def decisions(self) -> list[Decisions]:
        """Every decision, for each tracker's seat cut where its budget of labels is spent."""
        merged = merge(self.played)
        return [tracker.within(merged) for tracker in self.trackers]


def finish(
    collector: Collector,
    found: tuple[Decisions, Decisions],
    games: int,
    options: Options,
    *,
    fits: tuple[Fit | None, Fit | None] = (None, None),
    cloner: str = "network",
) -> Learned:
    """Clone each seat from its own decisions, unless its fit is there already."""
    if options.sample_labels:
        found = (sampled_labels(found[0]), sampled_labels(found[1]))
    made = both_cloned("clone", collector, found, options, fits=fits, cloner=cloner)
    return Learned((made[0].policy, made[1].policy), found, games, made, cloner)


def both_cloned(
    what: str,
    collector: Collector,
    found: tuple[Decisions, Decisions],
    options: Options,
    *,
    fits: tuple[Fit | None, Fit | None] = (None, None),
    cloner: str = "network",
) -> tuple[Fit, Fit]:
    """A clone of each seat: as given, or kept in the journal, or fitted now, a seat a shard of the pool.

    ``what`` tells the clones of one learner apart. Another device than the processor is used by this process alone.
    """
    game, journal, stage = collector.game, collector.journal, f"{collector.name}/{what}"
    made = {seat: fit or journal.load_fit(stage, seat, game, options.device) for seat, fit in enumerate(fits)}
    wanting = [seat for seat in (0, 1) if made[seat] is None]
    job = (registry.find(cloner), game, _config(options), options.device)
    seats = [(found[seat], seat, stream(collector.seed, f"{collector.address}/{what}", seat=seat)) for seat in wanting]

    def keep(index: int, fit: Fit) -> None:
        made[wanting[index]] = fit
        journal.store_fit(stage, wanting[index], game, fit)

    there = collector.pool if options.device == "cpu" else Local()
    there.map(_seat_cloned, job, seats, on_result=keep)
    first, second = made[0], made[1]
    assert first is not None and second is not None  # the pool has called keep for each that was missing
    return first, second


def _seat_cloned(job: tuple[Cloner, Game, ClonerConfig, str], shard: tuple[Decisions, int, Rng]) -> Fit:
    """A pool's task."""
    cloner, game, config, device = job
    decisions, seat, rng = shard
    return cloner(game, decisions, seat, config, rng, device)


def _config(options: Options) -> ClonerConfig:
    return ClonerConfig(options.clone, options.linear, options.tabular)


def cloned(cloner: str, game: Game, decisions: Decisions, seat: int, options: Options, *, rng: Rng) -> Fit:
    """One seat's clone, as a learner with these options makes it."""
    return registry.fit(cloner, game, decisions, seat, config=_config(options), rng=rng, device=options.device)
