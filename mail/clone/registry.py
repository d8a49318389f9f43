"""Cloning by name: from the labels of one seat to a policy (docs/algorithms.md, "Behavioral cloning").

- ``network``: a network trained by gradient steps (``mail.clone.network``).
- ``linear``: softmax-linear in the game's features, by a convex solver. Every distinct position is one row with its
  mean label, and weighs the same (``weigh="position"``, what the network does) or as often as it was asked
  (``"count"``, the maximum-likelihood fit). ``"pair"``, one row for each distinct pair of position and action, is a
  fault of the reference code, kept to reproduce it: it drives a mixed expert's clone towards uniform play.
- ``tabular``: the mean label of every position that was asked, the maximum likelihood of a table; uniform play, or
  one stated action, elsewhere.
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
"""From a game, decisions, a seat, the configuration, a generator and a torch device to a fitted policy; picklable."""
Check = Callable[[Game], None]


@dataclass(frozen=True)
class ClonerDeclaration(Declaration):
    """What a cloner declares."""

    check: Check | str | None = None
    """Raises NashmailError for a game that it cannot take; None where it takes all."""


CLONERS: Registry[Cloner, ClonerDeclaration] = Registry("cloner")


def register(
    name: str, cloner: Cloner | str, declared: ClonerDeclaration | None = None, *, check: Check | None = None
) -> None:
    """Add a cloner.

    Args:
        name: A new name.
        cloner: Fits a policy, see ``Cloner``; or ``"module:attribute"`` to import it from.
        declared: A summary, a source, and which games it takes.
        check: As in the declaration, for a cloner without one.

    Raises:
        NashmailError: For a name that is taken or is no name.
    """
    CLONERS.add(name, cloner, declared or ClonerDeclaration(check=check))


def check(name: str, game: Game | None = None) -> None:
    """NashmailError unless there is a cloner of this name and, where a game is given, it takes that."""
    refuses = CLONERS.about(name).check
    if game is not None and refuses is not None:
        resolved(refuses)(game)


def names() -> list[str]:
    """The registered cloners."""
    return CLONERS.names()


def find(name: str) -> Cloner:
    """The cloner of this name; NashmailError names those there are."""
    return CLONERS.find(name)


def fit(
    name: str, game: Game, decisions: Decisions, seat: int, *, config: ClonerConfig, rng: Rng, device: str = "cpu"
) -> Fit:
    """Clone one seat's labels. NashmailError for a cloner there is not, and without labels."""
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
    "tabular",
    "mail.clone.cloners:tabular",
    ClonerDeclaration("the mean label of every labelled position", "docs/algorithms.md, behavioral cloning"),
)
