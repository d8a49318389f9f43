"""Learners: from experts that can be asked to one policy per seat, within a budget.

``mail`` (interactive multi-agent imitation): for each seat, an explorer in the *other* seat plays against the
seat's expert, every decision of the expert is an ask, and the answers are cloned. ``bc`` clones what two
experts do to each other; it is the same collection with the experts in both seats. Both stop on what they
have seen. Source: arXiv 2602.22810.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from agents.policy import Seats
from games.base import Game, NashmailError
from mail.learners.bc import Bc
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options
from mail.learners.interactive import Mail
from mail.learners.journal import Journal
from mail.parallel.pool import Pool


class Learner(Protocol):
    """Declares what it may know beyond the rules of play and its labels, and learns."""

    knows: frozenset[str]
    expert: str | None
    """The expert it insists on; None for the run's."""

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        """One policy per seat."""


@runtime_checkable
class Choosy(Protocol):
    """A learner that can say, before anything is played, what it cannot learn."""

    def check(self, game: Game, experts: Seats) -> None:
        """NashmailError where ``learn`` would refuse this game or these experts, whatever the budget."""


Factory = Callable[[Options], Learner]
_LEARNERS: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Make ``make_learner(name, options)`` call ``factory(options)``."""
    if name in _LEARNERS or not name.replace("-", "").isalnum():
        raise NashmailError(f"a learner's name is a new word of letters, digits and hyphens, not {name!r}")
    _LEARNERS[name] = factory


def make_learner(name: str, options: Options) -> Learner:
    """The learner of this name; NashmailError names the learners there are."""
    check(name)
    return _LEARNERS[name](options)


def check(name: str) -> None:
    """NashmailError unless there is a learner of this name."""
    if name not in _LEARNERS:
        raise NashmailError(f"no learner is called {name!r}; the learners are: {', '.join(names())}")


def names() -> list[str]:
    """The registered learners."""
    return sorted(_LEARNERS)


register("bc", Bc)
register("bc-first", lambda options: Bc(options, name="bc-first", expert="first"))
register("bc-linear", lambda options: Bc(options, name="bc-linear", cloner="linear"))
register("bc-tabular", lambda options: Bc(options, name="bc-tabular", cloner="tabular"))
register("bc-uniform", lambda options: Bc(options, name="bc-uniform", expert="uniform"))
register("mail", Mail)
register("mail-linear", lambda options: Mail(options, name="mail-linear", explorer="linear", cloner="linear"))
register("mail-tabular", lambda options: Mail(options, name="mail-tabular", explorer="tabular", cloner="tabular"))
register("mail-uniform", lambda options: Mail(options, name="mail-uniform", explorer="uniform"))
