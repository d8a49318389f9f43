"""The input of a run's training: its game, with an exact model and up to symmetry where requested, and its learners,
each with its experts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.expert import labels_are_sets
from agents.expert import make as make_expert
from agents.experts.graphs import EXACT, expert_of
from agents.policy import Policy, PolicyError, Seats, lift
from games.base import Game, GameError, Model, as_enumerable
from games.cost import TooLarge
from games.models import called, has_plies, model_of, own_board
from games.plies.graph import CompactGraph
from games.registry import make as make_game
from games.symmetry import Quotient
from mail.clone.ntuple import NtupleClone
from mail.clone.presets import preset
from mail.learners.base import Learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.training.config import Config


@dataclass(frozen=True)
class GameContext:
    """A run's game and the game that is learned, each with its exact model if it has one."""

    game: Game
    model: Model | None
    learned: Game
    """The quotient with symmetry, else the game itself."""
    learned_model: Model | None
    refusal: TooLarge | None = None
    """Why there is no model, if its enumeration was started and stopped."""
    _experts: dict[str, Seats] = field(default_factory=dict, repr=False, compare=False)
    _plies: dict[str, CompactGraph] = field(default_factory=dict, repr=False, compare=False)

    def exact(self, expert: str) -> bool:
        """Whether measures are exact.

        Args:
            expert: The name of the run's expert.
        """
        return self.model is not None or self._by_plies(expert)

    def plies(self, expert: str, *, learned: bool = False) -> CompactGraph | None:
        """The graph of a board that is too large for a model; from disk, or listed, which takes seconds.

        Args:
            expert: The name of the run's expert. Only perfect play needs the graph; other experts of such boards do
                without, and so do the measures of what is learned from them.
            learned: Whether it is that of the learned game, which with symmetry is the quotient.

        Returns:
            The graph; None where there is none.

        Raises:
            GameError: The memory does not suffice.
        """
        if not self._by_plies(expert):
            return None
        game = self.learned if learned else self.game
        key = "quotient" if game is not self.game else "board"
        if key not in self._plies:
            from agents.storage.graphs import graph_of

            self._plies[key] = graph_of(as_enumerable(game))
        return self._plies[key]

    def _by_plies(self, expert: str) -> bool:
        return self.model is None and expert in EXACT and has_plies(self.game)

    def lift(self, policy: Policy) -> Policy:
        """A policy of the learned game as a policy of the board.

        Args:
            policy: The policy.
        """
        return lift(policy, self.learned)

    def lifted(self, policies: Seats) -> Seats:
        """Both seats' policies as policies of the board.

        Args:
            policies: The policies.
        """
        return self.lift(policies[0]), self.lift(policies[1])

    def options(self, config: Config) -> Options:
        """The options of a run's learners.

        Args:
            config: The run's configuration.
        """
        return Options(
            seed=config.seed,
            explorer=config.explorer,
            clone=preset(self.game).clone,
            device=config.device,
            model=self.learned_model,
            plies=self.plies(config.expert, learned=True),
            ntuple=NtupleClone(sets=labels_are_sets(config.expert)),
        )

    def budget(self, config: Config) -> Budget:
        """What each of a run's learners may spend, as far as that does not depend on the learners before it.

        Args:
            config: The run's configuration.
        """
        usual, labels = preset(self.game), (config.labels, config.labels) if config.labels else None
        return Budget(config.episodes, labels, usual.patience, usual.patience_games)

    def experts(self, name: str) -> Seats:
        """The pair of experts of a name, for the learned game; cached.

        Args:
            name: A registered name.

        Raises:
            PolicyError: There is none for this game.
        """
        if name not in self._experts:
            self._experts[name] = self._made(name)
        return self._experts[name]

    def _made(self, name: str) -> Seats:
        if graph := self.plies(name, learned=True):
            return expert_of(graph, name)
        try:
            return make_expert(name, self.learned if self.learned_model is None else self.learned_model)
        except PolicyError as error:
            if self.refusal is not None:
                raise self.refusal from error
            if self.learned_model is None and (other := own_board(self.game)):
                raise PolicyError(f"{error}; choose {other}, which has the rules of {called(self.game)}") from error
            raise


@dataclass(frozen=True)
class Task:
    """A learner of a run and the experts it queries."""

    name: str
    learner: Learner
    experts: Seats
    explores: bool
    """As it declares (``mail.learners.base.LearnerDeclaration``)."""


@dataclass(frozen=True)
class Prepared:
    """What ``mail.training.train.prepare`` returns and ``mail.training.learn`` takes."""

    context: GameContext
    budget: Budget
    """Of every learner; without a number of labels, learners that do not explore get as many as the first that does."""
    tasks: tuple[Task, ...]
    """In the order of the configuration."""


def game_context(name: str, *, symmetry: bool) -> GameContext:
    """Make a game and its models.

    Args:
        name: The game's.
        symmetry: Whether it is learned up to symmetry.

    Raises:
        PolicyError: It has no symmetry.
    """
    game = make_game(name)
    if not symmetry:
        try:
            model = model_of(game)
        except TooLarge as error:  # acceptable for learners that need no model
            return GameContext(game, None, game, None, error)
        return GameContext(game, model, game, model)
    try:
        quotient = Quotient(game)
    except GameError as error:
        raise PolicyError(f"{name} has no board symmetries; leave --symmetry off") from error
    return GameContext(game, model_of(game), quotient, model_of(quotient))
