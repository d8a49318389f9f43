"""The interface of learners: from experts that can be queried to one policy per seat, within a budget.

``mail`` (interactive multi-agent imitation): for each seat, an explorer in the *other* seat plays against the seat's
expert, which is queried at each of its decisions, and a clone is fitted to the labels. ``bc`` clones two experts that
play each other; it is the same collection with experts in both seats. Both stop when nothing new comes. Source:
arXiv:2602.22810.

A learner's registration declares what it may know and how it collects. Budgets, reports and tables follow from the
declaration, not from a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    """A learner, made for each run by its registered factory."""

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        """Learn one policy per seat.

        Args:
            game: The game.
            experts: Seat 0's and seat 1's expert, which can be queried.
            budget: What may be spent.
            pool: Plays games and fits clones.
            journal: Stores rounds and clones, and logs progress.
        """


@runtime_checkable
class CheckingLearner(Protocol):
    """A learner that can check, before any game, whether it can learn."""

    def check(self, game: Game, experts: Seats) -> None:
        """Check before any game what ``learn`` would refuse, whatever the budget.

        Args:
            game: The game.
            experts: Seat 0's and seat 1's expert.

        Raises:
            NashmailError: It would refuse the game or the experts.
        """


OF_THE_RUN = "*"
"""As a learner's explorer: the explorer of the run's configuration."""


@dataclass(frozen=True)
class LearnerDeclaration(Declaration):
    """The declaration of a learner. NashmailError for unknown words in ``knows``.

    The defaults are those of a learner without a declaration: it may know everything, so it is compared with learners
    that do, and gets as many labels as the learner that explores.
    """

    knows: frozenset[str] = KNOWLEDGE
    """What it may use beyond play, any of ``mail.explore.KNOWLEDGE``, not including what its explorer knows."""
    explores: bool = False
    """Whether it chooses the labelled positions, and so has the run's budget to itself. Others get as many labels as
    the first learner of the run that explores.
    """
    both_seats: bool = False
    """Whether each game teaches both seats; if not, each seat has its own games."""
    expert: str | None = None
    """The expert it requires; None for the run's."""
    explorer: str | None = None
    """The explorer it uses: a name, ``OF_THE_RUN``, or None for none."""

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
        name: A new word of letters, digits, hyphens and underscores; files of a run contain it.
        factory: Makes the learner, as ``factory(options)``; or ``"module:attribute"`` to import that from.
        declared: What it may know, how it collects, a summary, a source. Without one the defaults of
            ``LearnerDeclaration`` apply, except for ``knows`` and ``expert`` if the factory is a class with those.
        settings: Further keyword arguments of the factory.

    Raises:
        NashmailError: The name is taken or invalid.
    """
    if declared is None:
        knows = frozenset(getattr(factory, "knows", KNOWLEDGE))
        declared = LearnerDeclaration(knows=knows, expert=getattr(factory, "expert", None))
    LEARNERS.add(name, factory, declared, settings=settings)


def make_learner(name: str, options: Options) -> Learner:
    """Make a learner. It receives the exact model only if it, or its explorer, declares that.

    Args:
        name: A registered name.
        options: Of the run.

    Raises:
        NashmailError: No learner has this name; the message lists the known ones.
    """
    check(name)
    known = options.explorer not in EXPLORERS or "model" in knowledge(name, options.explorer)
    return LEARNERS.find(name)(options if known else replace(options, model=None))


def check(name: str) -> None:
    """Refuse an unknown learner.

    Args:
        name: The learner's name.

    Raises:
        NashmailError: No learner has this name; the message lists the known ones.
    """
    LEARNERS.check(name)


def names() -> list[str]:
    """The registered learners."""
    return LEARNERS.names()


def declared(name: str) -> LearnerDeclaration:
    """The declaration of a learner.

    Args:
        name: A registered name.

    Raises:
        NashmailError: No learner has this name.
    """
    return LEARNERS.about(name)


def share_explorer(names: Iterable[str]) -> bool:
    """Whether one of some learners uses the explorer of the run.

    Args:
        names: The learners'; one that is not registered does not use it.
    """
    return any(name in LEARNERS and declared(name).explorer == OF_THE_RUN for name in names)


def knowledge(name: str, explorer: str) -> frozenset[str]:
    """What a learner and its explorer may know beyond play.

    Args:
        name: The learner.
        explorer: The explorer of the run's configuration.

    Raises:
        NashmailError: A name is not registered.
    """
    about = declared(name)
    used = explorer if about.explorer == OF_THE_RUN else about.explorer
    return about.knows | (EXPLORERS.about(used).knows if used else frozenset())
