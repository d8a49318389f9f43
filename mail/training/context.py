"""What a run has before it learns: its game, with an exact model if it has one and up to symmetry if asked, and its
learners, each with its experts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.expert import make as make_expert
from agents.policy import Lifted, Policy, PolicyError, Seats
from games.base import Game, Model, Symmetric
from games.cost import TooLarge
from games.models import called, model_of, own_board
from games.registry import make as make_game
from games.symmetry import Quotient
from mail.clone.presets import preset
from mail.learners.base import Learner
from mail.learners.collect import Options
from mail.training.config import Config


@dataclass(frozen=True)
class GameContext:
    """What is known of a run's game: its exact model, if it has one, and that of the game it is learned on."""

    game: Game
    model: Model | None
    learned: Game
    """The quotient with symmetry on, else the game itself."""
    learned_model: Model | None
    refusal: TooLarge | None = None
    """Why there is no model, where its positions were begun to be listed."""
    _experts: dict[str, Seats] = field(default_factory=dict, repr=False, compare=False)

    @property
    def exact(self) -> bool:
        """Whether everything can be measured exactly."""
        return self.model is not None

    def lift(self, policy: Policy) -> Policy:
        """A policy of the learned game as it plays on the board."""
        return Lifted(policy, self.learned) if isinstance(self.learned, Quotient) else policy

    def lifted(self, policies: Seats) -> Seats:
        """Both seats' policies as they play on the board."""
        return self.lift(policies[0]), self.lift(policies[1])

    def options(self, config: Config) -> Options:
        """What a run's learners are made with."""
        return Options(
            seed=config.seed,
            explorer=config.explorer,
            clone=preset(self.game).clone,
            device=config.device,
            model=self.learned_model,
        )

    def experts(self, name: str) -> Seats:
        """The expert pair of this name, as it is asked while learning; made once. PolicyError where there is none."""
        if name not in self._experts:
            self._experts[name] = self._made(name)
        return self._experts[name]

    def _made(self, name: str) -> Seats:
        try:
            return make_expert(name, self.learned if self.learned_model is None else self.learned_model)
        except PolicyError as error:
            if self.refusal is not None:
                raise self.refusal from error
            if self.learned_model is None and (other := own_board(self.game)):
                raise PolicyError(
                    f"{error}; choose {other}, our own game with the rules of {called(self.game)}"
                ) from error
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

    known: GameContext
    tasks: tuple[Task, ...]
    """In the order of the configuration."""


def game_context(name: str, *, symmetry: bool) -> GameContext:
    """Build game and models. PolicyError where the game has no symmetry and it is on."""
    game = make_game(name)
    if not symmetry:
        try:
            model = model_of(game)
        except TooLarge as error:  # which may do for somebody who needs no model
            return GameContext(game, None, game, None, error)
        return GameContext(game, model, game, model)
    if not isinstance(game, Symmetric):
        raise PolicyError(f"{name} has no board symmetries; leave --symmetry off")
    quotient = Quotient(game)
    return GameContext(game, model_of(game), quotient, model_of(quotient))
