"""What an explorer is: it plays one seat against the other seat's expert, to see where that expert can be led.

An explorer hands out frozen snapshots of its behaviour and learns from what came of them, on the driver. What it may
know is declared where it is registered: most know nothing beyond play.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from agents.policy import Policy, Seats
from games.base import Game, Model, NashmailError, Rng
from games.registered import Declaration, Registry, resolved
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.data.rollout import Selective

Metrics = dict[str, float]


class Explorer(Protocol):
    """One seat's exploration."""

    games_per_round: int
    """How many games one frozen snapshot plays before the explorer learns from them."""

    done: bool
    """Whether what it knows tells it that there is nothing more to ask."""

    def behavior_policy(self) -> Policy:
        """A frozen, picklable snapshot of how it plays now."""

    def opponent_policy(self) -> Policy:
        """Who sits in the asked seat meanwhile: its expert, unless the explorer leads a clone around."""

    def labels(self) -> Policy | Selective:
        """Who is asked at the asked seat's decisions: its expert, at all of them or at those the explorer wants."""

    def clone(self) -> Fit | None:
        """A clone it has fitted on the way and stands by; None leaves cloning to the learner."""

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        """Learn from a round: both seats' decisions, of which the explorer reads its own seat's rows."""


@dataclass(frozen=True)
class ExplorerContext:
    """What an explorer is made for."""

    game: Game
    seat: int
    """The explorer's own seat; the expert under question sits in the other."""
    experts: Seats
    device: str = "cpu"
    model: Model | None = None
    """Only for explorers that declare that they know it."""


Factory = Callable[[ExplorerContext, Rng], Explorer]
Check = Callable[[ExplorerContext], None]

KNOWLEDGE = frozenset({"labels", "rules", "model", "reward", "expert"})
"""What an explorer or a learner can know beyond play:

- ``labels``: what the expert answers where it is queried,
- ``rules``: what follows an action that nobody has played,
- ``model``: the exact model, which lists every position,
- ``reward``: what games pay,
- ``expert``: how the expert plays, as a player of its own seat.
"""


@dataclass(frozen=True)
class ExplorerDeclaration(Declaration):
    """What an explorer declares. NashmailError for knowledge that there is not."""

    knows: frozenset[str] = KNOWLEDGE
    """What it may use beyond play, any of ``KNOWLEDGE``. One that declares nothing may know everything: its queries
    are then compared with those of explorers that do. The exact model is given to those alone that declare it."""
    check: Check | str | None = None
    """Raises NashmailError for a context that the explorer refuses. None: the explorer is made, to see whether it can
    be, which is as good where that costs little."""

    def __post_init__(self) -> None:
        check_knowledge(self.knows)


def check_knowledge(knows: frozenset[str]) -> None:
    """NashmailError for words that are not in ``KNOWLEDGE``."""
    if unknown := sorted(knows - KNOWLEDGE):
        raise NashmailError(f"what may be known is any of {', '.join(sorted(KNOWLEDGE))}, not {', '.join(unknown)}")


EXPLORERS: Registry[Factory, ExplorerDeclaration] = Registry("explorer")


def register(
    name: str, factory: Factory | str, declared: ExplorerDeclaration | None = None, *, check: Check | None = None
) -> None:
    """Add an explorer.

    Args:
        name: A new name.
        factory: Makes the explorer, as ``factory(context, rng)``; or ``"module:attribute"`` to import that from.
        declared: What it may know, a summary, a source. Without a declaration it is taken to know everything, unless
            the factory is a class with an attribute ``knows``.
        check: As in the declaration, for an explorer without one.

    Raises:
        NashmailError: For a name that is taken or is no name.
    """
    if declared is None:
        declared = ExplorerDeclaration(knows=frozenset(getattr(factory, "knows", KNOWLEDGE)), check=check)
    EXPLORERS.add(name, factory, declared)


def make(name: str, setting: ExplorerContext, *, rng: Rng) -> Explorer:
    """The explorer of this name, without the exact model unless it declares that it knows it.

    Raises:
        NashmailError: Where there is none, naming those there are, or where it refuses the context.
    """
    return EXPLORERS.find(name)(_allowed(name, setting), rng)


def check(name: str, setting: ExplorerContext | None = None) -> None:
    """NashmailError unless there is an explorer of this name and, where a context is given, it can explore there."""
    refuses = EXPLORERS.about(name).check
    if setting is None:
        return
    if refuses is not None:
        resolved(refuses)(_allowed(name, setting))
    else:
        make(name, setting, rng=np.random.default_rng(0))


def _allowed(name: str, setting: ExplorerContext) -> ExplorerContext:
    """The context with what the explorer of this name may know."""
    return setting if "model" in EXPLORERS.about(name).knows else replace(setting, model=None)


def names() -> list[str]:
    """The registered explorers."""
    return EXPLORERS.names()


def declared(name: str) -> ExplorerDeclaration:
    """What the explorer of this name declares; NashmailError where there is none."""
    return EXPLORERS.about(name)


class Base:
    """What most explorers have in common: the expert itself sits opposite and is asked at every decision, and
    cloning is left to the learner.
    """

    games_per_round = 1
    done = False

    def __init__(self, setting: ExplorerContext) -> None:
        self.setting, self.seat = setting, setting.seat

    def opponent_policy(self) -> Policy:
        return self.setting.experts[1 - self.seat]

    def labels(self) -> Policy | Selective:
        return self.setting.experts[1 - self.seat]

    def clone(self) -> Fit | None:
        return None
