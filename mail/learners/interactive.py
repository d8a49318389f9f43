"""Interactive multi-agent imitation: ``mail`` and its variants.

For each seat, an explorer in the *other* seat plays against the seat's expert. The expert is queried at each of its
decisions, and a clone is fitted to the labels. Explorers and cloners can be combined freely. Source: Viano et al.,
"Multi-agent imitation learning with function approximation: linear Markov games and beyond", arXiv:2602.22810.

    for each seat i:
        for k = 1, 2, ... until the budget is spent or the explorer is done:
            play rounds of the explorer's policy mu_k against the expert pi_i, and query pi_i at each of its decisions
            the explorer learns from the round, which gives mu_{k+1}
        return the clone of all labels of seat i
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agents.policy import Seats
from agents.solver import solvable
from games.base import Game, NashmailError
from games.progress import phase
from mail import explore
from mail.clone import registry
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.data.rollout import Labels
from mail.explore import Explorer, ExplorerContext
from mail.explore.fixed import Fixed
from mail.learners.budget import Budget, BudgetTracker
from mail.learners.collect import SLOW_ROUND, Collector, Learned, Options, Rounds, finish
from mail.learners.journal import Journal
from mail.learners.snapshots import Snapshot, Snapshots
from mail.parallel.pool import Pool
from mail.parallel.streams import stream


@dataclass(frozen=True)
class Explored:
    """The result of exploration against one seat's expert."""

    decisions: Decisions
    clone: Fit | None
    """The explorer's own clone, if it has one."""
    snapshots: list[Snapshot]
    """The explorer's clones on the way."""


class Mail:
    """Interactive imitation with an explorer and a cloner.

    Args:
        options: Of the run.
        name: What the learner is registered as.
        explorer: A registered name; None for that of the options.
        cloner: A registered name.
    """

    def __init__(
        self, options: Options, *, name: str = "mail", explorer: str | None = None, cloner: str = "network"
    ) -> None:
        self.name, self.options = name, options
        self.explorer, self.cloner = explorer or options.explorer, cloner

    def check(self, game: Game, experts: Seats) -> None:
        registry.check(self.cloner, game)
        for seat in (0, 1):
            explore.check(self.explorer, self._context(game, experts, seat))

    def _context(self, game: Game, experts: Seats, seat: int) -> ExplorerContext:
        """The context of the explorer that plays against this seat's expert."""
        given = self.options
        return ExplorerContext(
            game, 1 - seat, experts, given.device, given.model, given.plies, self.cloner, given.ntuple
        )

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        collector = Collector(self.name, game, self.options.seed, pool, journal)
        first, second = (self._explored(collector, experts, budget, seat) for seat in (0, 1))
        collected = (first.decisions, second.decisions)
        games = first.decisions.games + second.decisions.games
        fits = (first.clone, second.clone)
        kept = (first.snapshots, second.snapshots)
        return finish(collector, collected, games, self.options, fits=fits, cloner=self.cloner, snapshots=kept)

    def _explored(self, collector: Collector, experts: Seats, budget: Budget, seat: int) -> Explored:
        with phase("explore", learner=self.name, seat=seat):
            return self.explore(collector, experts, budget, seat)

    def explore(
        self, collector: Collector, experts: Seats, budget: Budget, seat: int, tracker: BudgetTracker | None = None
    ) -> Explored:
        """Let the explorer in the other seat play against this seat's expert.

        Args:
            collector: Plays the rounds.
            experts: Both seats' experts; this seat's is queried.
            budget: What may be spent.
            seat: The seat that is imitated.
            tracker: Decides when to stop; by default according to the budget.
        """
        name, seed = f"{self.name}/explore", self.options.seed
        context = self._context(collector.game, experts, seat)
        explorer = explore.make(self.explorer, context, rng=stream(seed, name, seat=seat))
        if self.options.sample_labels and explorer.opponent_policy() is not explorer.labels():
            raise NashmailError(f"the explorer {self.explorer} lets a clone play, so labels cannot be sampled by play")
        if getattr(explorer, "decides", False):
            budget = replace(budget, patience_games=budget.episodes)
        tracker = tracker or BudgetTracker(budget, seat)
        rounds, snapshots = Rounds(collector, tracker), Snapshots()
        while not (tracker.done or explorer.done or rounds.games >= budget.episodes):
            opponent, behavior, queried = explorer.opponent_policy(), explorer.behavior_policy(), explorer.labels()
            seats = (opponent, behavior) if seat == 0 else (behavior, opponent)
            labels: Labels = (queried, None) if seat == 0 else (None, queried)
            episodes = min(_games_of_a_round(explorer, collector.game, tracker), budget.episodes - rounds.games)
            decisions = rounds.play(seats, labels, episodes)
            round_ = len(rounds.played)
            rounds.log(explorer.update(decisions, rng=stream(seed, f"{name}/update", seat=seat, round_=round_)))
            fit = explorer.clone()
            snapshots.add(tracker.labels, None if fit is None else fit.policy)
        return Explored(rounds.decisions()[0], explorer.clone(), snapshots.kept)


def _games_of_a_round(explorer: Explorer, game: Game, tracker: BudgetTracker) -> int:
    """The explorer's own number. If labels are slow and it does not learn, all games that will be played anyway."""
    if not (isinstance(explorer, Fixed) and solvable(game)):
        return explorer.games_per_round
    return max(explorer.games_per_round, min(SLOW_ROUND, tracker.sure))
