"""Cloners by name: from the labels of one seat to a policy (docs/algorithms.md, "Behavioral cloning").

- ``network``: a network trained by gradient steps (``mail.clone.network``).
- ``linear``: softmax-linear in the game's features, by a convex solver (``mail.clone.linear``). Every distinct position
  is one row with its mean label, with equal weights (``weigh="position"``, as in ``network``) or weighted by its number
  of labels (``"count"``, the maximum-likelihood fit). ``"pair"``, one row per distinct pair of position and action,
  reproduces a fault of the reference code, which makes the clone of a mixed expert too uniform.
- ``ntuple``: softmax-linear in the patterns that groups of cells show, by Adagrad in compiled code
  (``mail.clone.ntuple``); for boards.
- ``tabular``: the mean label of every labelled position, the maximum likelihood of a table; elsewhere uniform play or
  one given action.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from games.base import Game, Rng
from games.registered import Declaration, Registry, resolved
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions

if TYPE_CHECKING:
    from mail.clone.cloners import ClonerConfig
    from mail.clone.trainers import Trainer


class Cloner(Protocol):
    """Fits a policy to labels: a function of a module, so that it can be pickled."""

    def __call__(
        self, game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str, /
    ) -> Fit:
        """Fit a policy.

        Args:
            game: The game.
            decisions: Decisions of either seat; those of ``seat`` with a label are used.
            seat: The seat that is cloned.
            config: The settings of all cloners.
            rng: Draws what is random in the fit.
            device: For torch.

        Returns:
            The policy, and how closely it fits.

        Raises:
            NashmailError: There are no labels, or the game or the settings cannot be used.
        """


class TrainerFactory(Protocol):
    """Makes a clone that is trained on while labels come in."""

    def __call__(self, game: Game, config: ClonerConfig, rng: Rng, device: str, /) -> Trainer:
        """Make the trainer.

        Args:
            game: The game.
            config: The settings of all cloners.
            rng: Draws the first weights.
            device: For torch.

        Raises:
            NashmailError: The game or the settings cannot be used.
        """


Check = Callable[[Game], None]


@dataclass(frozen=True)
class ClonerDeclaration(Declaration):
    """The declaration of a cloner."""

    check: Check | str | None = None
    """Raises NashmailError for a game that it cannot take; None if it takes all."""
    trainer: TrainerFactory | str | None = None
    """Makes a clone that is trained on while labels come in; None if it has no such thing."""


TRAINED = "network"
"""What explorers train that need a clone, where the cloner has no trainer."""
CLONERS: Registry[Cloner, ClonerDeclaration] = Registry("cloner")


def register(
    name: str, cloner: Cloner | str, declared: ClonerDeclaration | None = None, *, check: Check | None = None
) -> None:
    """Add a cloner.

    Args:
        name: A new name.
        cloner: Fits a policy, see ``Cloner``; or ``"module:attribute"`` to import it from.
        declared: A summary, a source, and a check of games.
        check: For a cloner without a declaration, see ``ClonerDeclaration.check``.

    Raises:
        NashmailError: The name is taken or invalid.
    """
    CLONERS.add(name, cloner, declared or ClonerDeclaration(check=check))


def check(name: str, game: Game | None = None) -> None:
    """Refuse an unknown cloner, or one that does not take a game.

    Args:
        name: The cloner's name.
        game: The game; None to check the name alone.

    Raises:
        NashmailError: No cloner has this name (the message lists the known ones), or it refuses the game.
    """
    refuses = CLONERS.about(name).check
    if game is not None and refuses is not None:
        resolved(refuses)(game)


def names() -> list[str]:
    """The registered cloners."""
    return CLONERS.names()


def find(name: str) -> Cloner:
    """The cloner of a name.

    Args:
        name: A registered name.

    Raises:
        NashmailError: No cloner has this name; the message lists the known ones.
    """
    return CLONERS.find(name)


def fit(
    name: str, game: Game, decisions: Decisions, seat: int, *, config: ClonerConfig, rng: Rng, device: str = "cpu"
) -> Fit:
    """Clone one seat's labels with the cloner of this name.

    Args:
        name: The cloner.
        game: The game of the decisions.
        decisions: Decisions with labels; those of ``seat`` are used.
        seat: The seat.
        config: The settings of all cloners.
        rng: The source of randomness.
        device: The torch device.

    Raises:
        NashmailError: No cloner has this name, or there are no labels.
    """
    return find(name)(game, decisions, seat, config, rng, device)


def trainer(name: str, game: Game, *, config: ClonerConfig, rng: Rng, device: str = "cpu") -> Trainer:
    """A clone to be trained on while labels come in; a network where the cloner has no trainer.

    Args:
        name: The cloner.
        game: The game.
        config: The settings of all cloners.
        rng: The source of randomness.
        device: The torch device.

    Raises:
        NashmailError: No cloner has this name, or it cannot take the game.
    """
    factory = CLONERS.about(name if trains(name) else TRAINED).trainer
    assert factory is not None
    return resolved(factory)(game, config, rng, device)


def trains(name: str) -> bool:
    """Whether a cloner's clones can be trained on.

    Args:
        name: A registered name.

    Raises:
        NashmailError: No cloner has this name.
    """
    return CLONERS.about(name).trainer is not None


register(
    "network",
    "mail.clone.cloners:network",
    ClonerDeclaration(
        "a network trained by gradient steps",
        "docs/algorithms.md, behavioral cloning",
        trainer="mail.clone.trainers:network",
    ),
)
register(
    "linear",
    "mail.clone.cloners:linear",
    ClonerDeclaration(
        "softmax-linear in the features of the game, a convex fit",
        "docs/algorithms.md, behavioral cloning",
        check="mail.clone.cloners:check_features",
    ),
)
register(
    "ntuple",
    "mail.clone.cloners:ntuple",
    ClonerDeclaration(
        "softmax-linear in patterns of groups of cells, for boards",
        "docs/algorithms.md, n-tuple policies",
        check="mail.clone.ntuple:check_board",
        trainer="mail.clone.trainers:ntuple",
    ),
)
register(
    "tabular",
    "mail.clone.cloners:tabular",
    ClonerDeclaration("the mean label of every labelled position", "docs/algorithms.md, behavioral cloning"),
)
