"""Learners: from experts that can be asked to one policy per seat, within a budget.

``mail`` (interactive multi-agent imitation): for each seat, an explorer in the *other* seat plays against the
seat's expert, every decision of the expert is an ask, and the answers are cloned. ``bc`` clones what two
experts do to each other; it is the same collection with the experts in both seats. Both stop on what they
have seen. Sources: DESIGN.md, arXiv 2602.22810.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from agents.policy import Seats
from agents.solver import solvable
from games.base import Game, Model, NashmailError, Rng
from mail import cloners, explore
from mail.budget import Budget, Watch
from mail.clone import CloneConfig, Fit
from mail.cloners import Cloner, ClonerConfig, LinearClone, TabularClone, drawn
from mail.decisions import Decisions, merge
from mail.explore import Explorer, Setting
from mail.explore.base import Fixed
from mail.journal import Journal, Memoryless
from mail.labels import labelled_map
from mail.play import Labels, Match, Shard, play_shard, shards
from mail.pool import Local, Pool
from mail.streams import stream

SHARD = 64
"""Most games of one shard; part of what results follow from, so it never depends on the workers."""
SLOW_ROUND = 8 * SHARD
"""Most games of a round where labels are slow (a solver's) and nothing is learned between: workers share its shards."""


@dataclass
class Learned:
    """What came of it: per seat, the policy and the decisions whose labels it clones."""

    policies: Seats
    decisions: tuple[Decisions, Decisions]
    games: int
    """Episodes played, both seats together."""
    fits: tuple[Fit, Fit]
    cloner: str = "network"
    """How they were fitted, by name."""


class Learner(Protocol):
    """Declares what it may know beyond the rules of play and its labels, and learns."""

    knows: frozenset[str]
    expert: str | None
    """The expert it insists on; None for the run's."""

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        """One policy per seat."""


@runtime_checkable
class Choosy(Protocol):
    """A learner that can say, before anything is played, what it cannot learn."""

    def check(self, game: Game, experts: Seats) -> None:
        """NashmailError where ``learn`` would refuse this game or these experts, whatever the budget."""


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
    drawn: bool = False
    """Whether an ask is answered by one action that the expert draws, instead of by its whole distribution."""


@dataclass(frozen=True)
class Collector:
    """Plays rounds under one learner's name: shards through the pool, journal first."""

    name: str
    game: Game
    seed: int
    pool: Pool = field(default_factory=Local)
    journal: Journal = field(default_factory=Memoryless)

    def round(self, seats: Seats, labels: Labels, episodes: int, *, seat: int, round_: int) -> Decisions:
        """One round of games between frozen policies, from the journal if it has landed before."""
        landed = self.journal.load(self.name, seat, round_)
        if landed is not None:
            return landed
        wanted = shards(episodes, SHARD, self.seed, f"{self.name}/play", seat=seat, round_=round_)
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

        played = labelled_map(self.pool, play_shard, match, missing, game=self.game, landed=keep)
        parts |= {shard.shard: part for shard, part in zip(missing, played, strict=True)}
        return [parts[shard.shard] for shard in wanted]


@dataclass(frozen=True)
class Explored:
    """What exploring one seat's expert brought."""

    decisions: Decisions
    clone: Fit | None
    """The explorer's own clone, where it offers one."""


class Mail:
    """Interactive imitation with any explorer (None: the options') and any cloner."""

    knows: frozenset[str] = frozenset({"labels"})

    def __init__(
        self,
        options: Options,
        *,
        name: str = "mail",
        expert: str | None = None,
        explorer: str | None = None,
        cloner: str = "network",
    ) -> None:
        self.name, self.options, self.expert = name, options, expert
        self.explorer, self.cloner = explorer or options.explorer, cloner

    def check(self, game: Game, experts: Seats) -> None:
        cloners.check(self.cloner, game)
        for seat in (0, 1):
            explore.check(self.explorer, self._setting(game, experts, seat))

    def _setting(self, game: Game, experts: Seats, seat: int) -> Setting:
        """What the explorer that leads this seat's expert around is made for."""
        return Setting(game, 1 - seat, experts, self.options.device, self.options.model)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        first, second = (self.explore(collector, experts, budget, seat) for seat in (0, 1))
        found = (first.decisions, second.decisions)
        games = first.decisions.games + second.decisions.games
        fits = (first.clone, second.clone)
        return finish(collector, found, games, self.options, fits=fits, cloner=self.cloner)

    def explore(
        self, collector: Collector, experts: Seats, budget: Budget, seat: int, watch: Watch | None = None
    ) -> Explored:
        """Everything seen while the explorer in the other seat leads this seat's expert around.

        ``watch`` says when it is enough; by default it follows the budget.
        """
        name, seed = f"{self.name}/explore", self.options.seed
        setting = self._setting(collector.game, experts, seat)
        explorer = explore.make(self.explorer, setting, rng=stream(seed, name, seat=seat))
        if self.options.drawn and explorer.against() is not explorer.labels():
            raise NashmailError(f"the explorer {self.explorer} leads a clone around, so its asks are not drawn by play")
        watch = watch or Watch(budget, seat)
        rounds: list[Decisions] = []
        while not (watch.enough or explorer.done or watch.games >= budget.episodes):
            pair = (explorer.against(), explorer.behaviour())
            seats = pair if seat == 0 else (pair[1], pair[0])
            asked = explorer.labels()
            labels: Labels = (asked, None) if seat == 0 else (None, asked)
            episodes = min(_games_of_a_round(explorer, collector.game, watch), budget.episodes - watch.games)
            rounds.append(collector.round(seats, labels, episodes, seat=seat, round_=len(rounds)))
            metrics = explorer.update(rounds[-1], rng=stream(seed, f"{name}/update", seat=seat, round_=len(rounds)))
            watch.see(rounds[-1])
            collector.journal.log(self.name, seat, {**watch.progress(), **metrics})
        return Explored(watch.within(merge(rounds)), explorer.clone())


def _games_of_a_round(explorer: Explorer, game: Game, watch: Watch) -> int:
    """As many as the explorer wants; where labels are slow, and it learns nothing, all that will be played anyway."""
    if not (isinstance(explorer, Fixed) and solvable(game)):
        return explorer.games_per_round
    return max(explorer.games_per_round, min(SLOW_ROUND, watch.sure))


Round = tuple[Seats, Labels, int]
"""Who plays, who is asked, and how many games."""


class Joint(ABC):
    """A learner whose games teach both seats: rounds until nobody wants more, then a clone of each."""

    knows: frozenset[str] = frozenset({"labels", "expert"})

    def __init__(self, options: Options, *, name: str, expert: str | None = None, cloner: str = "network") -> None:
        self.name, self.options, self.expert, self.cloner = name, options, expert, cloner

    def check(self, game: Game, experts: Seats) -> None:
        cloners.check(self.cloner, game)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        watches = (Watch(budget, 0), Watch(budget, 1))
        rounds: list[Decisions] = []
        while (coming := self.round(collector, experts, watches, rounds)) is not None:
            rounds.append(collector.round(*coming, seat=0, round_=len(rounds)))
            for seat, watch in enumerate(watches):
                watch.see(rounds[-1])
                journal.log(self.name, seat, watch.progress())
        merged = merge(rounds)
        found = (watches[0].within(merged), watches[1].within(merged))
        return finish(collector, found, watches[0].games, self.options, cloner=self.cloner)

    @abstractmethod
    def round(
        self, collector: Collector, experts: Seats, watches: tuple[Watch, Watch], rounds: Sequence[Decisions]
    ) -> Round | None:
        """The next round after these, or None when it is enough."""


class Bc(Joint):
    """Behavioural cloning: two experts play each other, every decision of both is an ask.

    With a budget of labels, a seat is asked until its share is spent; the last game is cut where that is.
    """

    def __init__(
        self, options: Options, *, name: str = "bc", expert: str | None = None, cloner: str = "network"
    ) -> None:
        super().__init__(options, name=name, expert=expert, cloner=cloner)

    def round(
        self, collector: Collector, experts: Seats, watches: tuple[Watch, Watch], rounds: Sequence[Decisions]
    ) -> Round | None:
        wanting = [watch for watch in watches if not watch.enough]
        if not wanting:
            return None
        most = -(-collector.game.spec.longest // 2)  # own decisions, so labels of a seat, in one game
        whole = SLOW_ROUND if solvable(collector.game) and watches[0].budget.labels is not None else SHARD
        labels = (None if watches[0].enough else experts[0], None if watches[1].enough else experts[1])
        return experts, labels, min(whole, *(watch.games_left(most) for watch in wanting))


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
    if options.drawn:
        found = (drawn(found[0]), drawn(found[1]))
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
    job = (cloners.find(cloner), game, _config(options), options.device)
    seats = [(found[seat], seat, stream(collector.seed, stage, seat=seat)) for seat in wanting]

    def keep(index: int, fit: Fit) -> None:
        made[wanting[index]] = fit
        journal.store_fit(stage, wanting[index], game, fit)

    there = collector.pool if options.device == "cpu" else Local()
    there.map(_seat_cloned, job, seats, landed=keep)
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
    return cloners.fit(cloner, game, decisions, seat, config=_config(options), rng=rng, device=options.device)


Factory = Callable[[Options], Learner]
_LEARNERS: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Make ``make_learner(name, options)`` call ``factory(options)``."""
    if name in _LEARNERS or not name.replace("-", "").isalnum():
        raise NashmailError(f"a learner's name is a new word of letters, digits and hyphens, not {name!r}")
    _LEARNERS[name] = factory


def make_learner(name: str, options: Options) -> Learner:
    """The learner of this name; NashmailError names the learners there are."""
    check(name)
    return _LEARNERS[name](options)


def check(name: str) -> None:
    """NashmailError unless there is a learner of this name."""
    if name not in _LEARNERS:
        raise NashmailError(f"no learner is called {name!r}; the learners are: {', '.join(names())}")


def names() -> list[str]:
    """The registered learners."""
    return sorted(_LEARNERS)


register("bc", Bc)
register("bc-first", lambda options: Bc(options, name="bc-first", expert="first"))
register("bc-linear", lambda options: Bc(options, name="bc-linear", cloner="linear"))
register("bc-tabular", lambda options: Bc(options, name="bc-tabular", cloner="tabular"))
register("bc-uniform", lambda options: Bc(options, name="bc-uniform", expert="uniform"))
register("mail", Mail)
register("mail-linear", lambda options: Mail(options, name="mail-linear", explorer="linear", cloner="linear"))
register("mail-tabular", lambda options: Mail(options, name="mail-tabular", explorer="tabular", cloner="tabular"))
register("mail-uniform", lambda options: Mail(options, name="mail-uniform", explorer="uniform"))
