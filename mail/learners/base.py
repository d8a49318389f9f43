"""What a learner is: from experts that can be queried to one policy per seat, within a budget.

``mail`` (interactive multi-agent imitation): for each seat, an explorer in the *other* seat plays against the seat's
expert, every decision of the expert is a query, and the answers are cloned. ``bc`` clones what two experts do to each
other; it is the same collection with the experts in both seats. Both stop on what they have seen. Source: arXiv
2602.22810.

What a learner may know and how it collects is declared where it is registered: budgets, reports and tables follow from
the declaration, not from a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from games.base import Game
from games.registered import Declaration, Registry
from mail.explore.base import EXPLORERS, KNOWLEDGE, check_knowledge

if TYPE_CHECKING:
    from agents.policy import Seats
    from mail.learners.budget import Budget
    from mail.learners.collect import Learned, Options
    from mail.learners.journal import Journal
    from mail.parallel.pool import Pool


class Learner(Protocol):
    """Learns; made anew for each run by the factory that was registered."""

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        """One policy per seat."""


@runtime_checkable
class Choosy(Protocol):
    """A learner that can say, before anything is played, what it cannot learn."""

    def check(self, game: Game, experts: Seats) -> None:
        """NashmailError where ``learn`` would refuse this game or these experts, whatever the budget."""


OF_THE_RUN = "*"
"""As a learner's explorer: the one that the run names."""


@dataclass(frozen=True)
class LearnerDeclaration(Declaration):
    """What a learner declares. NashmailError for knowledge that there is not.

    The defaults are those of a learner that declares nothing: it may know everything, so that it is compared with those
    that do, and gets as many labels as the learner that explores.
    """

    knows: frozenset[str] = KNOWLEDGE
    """What it may use beyond play, any of ``mail.explore.KNOWLEDGE``, without what its explorer knows."""
    explores: bool = False
    """Whether it decides itself which positions are labelled, and so has the run's budget to itself. Others spend as
    many labels as the first learner of the run that explores."""
    both_seats: bool = False
    """Whether each of its games teaches both seats; else each seat has games of its own."""
    expert: str | None = None
    """The expert it insists on; None for the run's."""
    explorer: str | None = None
    """The explorer it uses: a name, ``OF_THE_RUN``, or None for no explorer."""

    def __post_init__(self) -> None:
        check_knowledge(self.knows)


Factory = Callable[["Options"], Learner]
LEARNERS: Registry[Factory, LearnerDeclaration] = Registry("learner")


def register(
    name: str,
    factory: Factory | str,
    declared: LearnerDeclaration | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Add a learner.

    Args:
        name: A new word of letters, digits, hyphens and underscores; files of a run are named after it.
        factory: Makes the learner, as ``factory(options)``; or ``"module:attribute"`` to import that from.
        declared: What it may know, how it collects, a summary, a source. Without a declaration the defaults of
            ``LearnerDeclaration`` hold, but for ``knows`` and ``expert`` where the factory is a class that has them.
        settings: Further keyword arguments of the factory.

    Raises:
        NashmailError: For a name that is taken or is no name.
    """
    if declared is None:
        knows = frozenset(getattr(factory, "knows", KNOWLEDGE))
        declared = LearnerDeclaration(knows=knows, expert=getattr(factory, "expert", None))
    LEARNERS.add(name, factory, declared, settings=settings)


def make_learner(name: str, options: Options) -> Learner:
    """The learner of this name, without the exact model unless it, or its explorer, declares that it knows it.

    Raises:
        NashmailError: Where there is none, naming those there are.
    """
    check(name)
    known = options.explorer not in EXPLORERS or "model" in knowledge(name, options.explorer)
    return LEARNERS.find(name)(options if known else replace(options, model=None))


def check(name: str) -> None:
    """NashmailError unless there is a learner of this name."""
    LEARNERS.check(name)


def names() -> list[str]:
    """The registered learners."""
    return LEARNERS.names()


def declared(name: str) -> LearnerDeclaration:
    """What the learner of this name declares; NashmailError where there is none."""
    return LEARNERS.about(name)


def knowledge(name: str, explorer: str) -> frozenset[str]:
    """What a learner may know beyond play, together with the explorer it uses.

    Args:
        name: The learner.
        explorer: The explorer that the run names.

    Raises:
        NashmailError: For names that are not registered.
    """
    about = declared(name)
    used = explorer if about.explorer == OF_THE_RUN else about.explorer
    return about.knows | (EXPLORERS.about(used).knows if used else frozenset())
