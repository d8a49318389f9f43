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
from typing import TYPE_CHECKING

from games.base import Game, Rng
from games.registered import Declaration, Registry, resolved
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions

if TYPE_CHECKING:
    from mail.clone.cloners import ClonerConfig

Cloner = Callable[[Game, Decisions, int, "ClonerConfig", Rng, str], Fit]
"""Maps a game, decisions, a seat, settings, a generator and a torch device to a fitted policy. Picklable."""
Check = Callable[[Game], None]


@dataclass(frozen=True)
class ClonerDeclaration(Declaration):
    """The declaration of a cloner."""

    check: Check | str | None = None
    """Raises NashmailError for a game that it cannot take; None if it takes all."""


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
    """Raise NashmailError unless a cloner has this name and takes the game, if one is given."""
    refuses = CLONERS.about(name).check
    if game is not None and refuses is not None:
        resolved(refuses)(game)


def names() -> list[str]:
    """The registered cloners."""
    return CLONERS.names()


def find(name: str) -> Cloner:
    """The cloner of this name. NashmailError if there is none; the message lists the known ones."""
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


register(
    "network",
    "mail.clone.cloners:network",
    ClonerDeclaration("a network trained by gradient steps", "docs/algorithms.md, behavioral cloning"),
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
    ),
)
register(
    "tabular",
    "mail.clone.cloners:tabular",
    ClonerDeclaration("the mean label of every labelled position", "docs/algorithms.md, behavioral cloning"),
)
