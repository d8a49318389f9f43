"""The interface of explorers. An explorer plays one seat against the other seat's expert and chooses which positions
the expert is queried at: those reachable under the expert that teach the clone something.

An explorer returns frozen snapshots of its behavior policy and learns from the resulting games in the driving process.
Its registration declares what it may know; most know nothing beyond play.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from agents.policy import Policy, Seats
from games.base import Game, Model, NashmailError, Rng
from games.plies.graph import CompactGraph
from games.registered import Declaration, Registry, resolved
from mail.clone.dataset import Fit
from mail.clone.ntuple import NtupleClone
from mail.data.decisions import Decisions
from mail.data.rollout import Selective

Metrics = dict[str, float]


class Explorer(Protocol):
    """The exploration of one seat."""

    games_per_round: int
    """The number of games that one frozen snapshot plays before the next ``update``."""

    done: bool
    """Whether the explorer knows that no useful query is left."""

    def behavior_policy(self) -> Policy:
        """A frozen, picklable snapshot of the present behavior policy of ``seat``."""

    def opponent_policy(self) -> Policy:
        """The policy in the queried seat: its expert, unless the explorer lets a clone play there."""

    def labels(self) -> Policy | Selective:
        """The policy that is queried at the queried seat's decisions: its expert, at all of them or at some."""

    def clone(self) -> Fit | None:
        """A clone that the explorer has fitted on the way; None leaves cloning to the learner."""

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        """Learn from a round of games.

        Args:
            decisions: Both seats' decisions; the explorer reads the rows of its own seat.
            rng: The source of randomness.

        Returns:
            Values to log, by name.
        """


@dataclass(frozen=True)
class ExplorerContext:
    """What an explorer needs to be made."""

    game: Game
    seat: int
    """The explorer's own seat. The queried expert has the other one."""
    experts: Seats
    device: str = "cpu"
    model: Model | None = None
    """Only for explorers that declare that they know it."""
    plies: CompactGraph | None = None
    """The graph of a board that is too large for a model, likewise."""
    cloner: str = "network"
    """What the learner clones with, and so what explorers that need a clone train, where it can be trained on."""
    ntuple: NtupleClone = field(default_factory=NtupleClone)
    """The settings of n-tuple clones."""


class Factory(Protocol):
    """Makes an explorer: a registered function, or a class."""

    def __call__(self, context: ExplorerContext, rng: Rng, /) -> Explorer:
        """Make the explorer.

        Args:
            context: The game, the explorer's seat, the experts, and what else it may know.
            rng: Draws what the explorer begins with.

        Raises:
            NashmailError: The explorer cannot explore in this context.
        """


Check = Callable[[ExplorerContext], object]
"""Raises NashmailError for a context that an explorer refuses; what it returns is not used."""

KNOWLEDGE = frozenset({"labels", "rules", "model", "reward", "expert"})
"""What an explorer or a learner may know beyond play:

- ``labels``: the expert's answers to queries,
- ``rules``: the outcome of actions that nobody has played,
- ``model``: the exact model, which lists every position,
- ``reward``: the payoffs of games,
- ``expert``: how the expert plays, as a player of its own seat.
"""


@dataclass(frozen=True)
class ExplorerDeclaration(Declaration):
    """The declaration of an explorer. NashmailError for unknown words in ``knows``."""

    knows: frozenset[str] = KNOWLEDGE
    """What it may use beyond play, any of ``KNOWLEDGE``. An explorer without a declaration may know everything: its
    queries are then compared with those of explorers that do. Only explorers that declare the model receive it."""
    check: Check | str | None = None
    """Raises NashmailError for a context that the explorer refuses. None: the explorer is made as a test, which is
    enough if that is cheap.
    """

    def __post_init__(self) -> None:
        check_knowledge(self.knows)


def check_knowledge(knows: frozenset[str]) -> None:
    """Refuse words that are not in ``KNOWLEDGE``.

    Args:
        knows: What an explorer or a learner declares.

    Raises:
        NashmailError: For other words.
    """
    if unknown := sorted(knows - KNOWLEDGE):
        raise NashmailError(f"knowledge must be any of {', '.join(sorted(KNOWLEDGE))}, not {', '.join(unknown)}")


EXPLORERS: Registry[Factory, ExplorerDeclaration] = Registry("explorer")


def register(
    name: str, factory: Factory | str, declared: ExplorerDeclaration | None = None, *, check: Check | None = None
) -> None:
    """Add an explorer.

    Args:
        name: A new name.
        factory: Makes the explorer, as ``factory(context, rng)``; or ``"module:attribute"`` to import that from.
        declared: What it may know, a summary, a source. Without one it is taken to know everything, unless the factory
            is a class with an attribute ``knows``.
        check: For an explorer without a declaration, see ``ExplorerDeclaration.check``.

    Raises:
        NashmailError: The name is taken or invalid.
    """
    if declared is None:
        declared = ExplorerDeclaration(knows=frozenset(getattr(factory, "knows", KNOWLEDGE)), check=check)
    EXPLORERS.add(name, factory, declared)


def make(name: str, context: ExplorerContext, *, rng: Rng) -> Explorer:
    """Make an explorer. It receives the exact model only if it declares that.

    Args:
        name: A registered name.
        context: The game, the explorer's seat and the experts.
        rng: Draws what it begins with.

    Raises:
        NashmailError: No explorer has this name (the message lists the known ones), or it refuses the context.
    """
    return EXPLORERS.find(name)(_allowed(name, context), rng)


def check(name: str, context: ExplorerContext | None = None) -> None:
    """Refuse an unknown explorer, or one that cannot explore in a context.

    Args:
        name: The explorer's name.
        context: The context; None to check the name alone.

    Raises:
        NashmailError: No explorer has this name, or it refuses the context.
    """
    refuses = EXPLORERS.about(name).check
    if context is None:
        return
    if refuses is not None:
        resolved(refuses)(_allowed(name, context))
    else:
        make(name, context, rng=np.random.default_rng(0))


def _allowed(name: str, context: ExplorerContext) -> ExplorerContext:
    """The context, restricted to what the explorer of this name may know."""
    return context if "model" in EXPLORERS.about(name).knows else replace(context, model=None)


def exact_model(user: str, model: Model | None, *, instead: str) -> Model:
    """The exact model of a game, for an explorer or a learner that cannot do without.

    Args:
        user: Who needs it, for the message.
        model: The model, if the game has one.
        instead: What to choose where it has none, for the message.

    Raises:
        NashmailError: There is none.
    """
    if model is None:
        reason = "whose positions cannot be listed"
        raise NashmailError(f"{user} needs the exact model of the game, {reason}; choose {instead}")
    return model


def names() -> list[str]:
    """The registered explorers."""
    return EXPLORERS.names()


def declared(name: str) -> ExplorerDeclaration:
    """The declaration of an explorer.

    Args:
        name: A registered name.

    Raises:
        NashmailError: No explorer has this name.
    """
    return EXPLORERS.about(name)


class Base:
    """What most explorers share.

    The expert itself plays the other seat and is queried at every decision, and cloning is left to the learner.

    Args:
        context: The game, the explorer's seat and the experts.
    """

    games_per_round = 1
    done = False
    decides = False
    """Whether ``done`` alone says when to stop, within the budget's games; else games without a new label do, too."""

    def __init__(self, context: ExplorerContext) -> None:
        self.context, self.seat = context, context.seat

    def opponent_policy(self) -> Policy:
        return self.context.experts[1 - self.seat]

    def labels(self) -> Policy | Selective:
        return self.context.experts[1 - self.seat]

    def clone(self) -> Fit | None:
        return None
