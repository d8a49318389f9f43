"""What an explorer is: it plays one seat against the other seat's expert, to see where that expert can be led.

An explorer hands out frozen snapshots of its behaviour and learns from what came of them, on the driver.
It declares what it may know: most know nothing beyond play.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agents.policy import Policy, Seats, Uniform
from games.base import Game, Model, NashmailError, Rng
from mail.clone.dataset import Fit
from mail.data.decisions import Decisions
from mail.data.rollout import Selective

Metrics = dict[str, float]


class Explorer(Protocol):
    """One seat's exploration."""

    knows: frozenset[str]
    """What it uses beyond play: any of "labels", "rules", "model", "reward", "expert"."""
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
_EXPLORERS: dict[str, Factory] = {}
_CHECKS: dict[str, Check] = {}


def register(name: str, factory: Factory, *, check: Check | None = None) -> None:
    """Make ``make(name, setting, rng)`` call ``factory(setting, rng)``.

    ``check`` raises NashmailError for a setting that the factory refuses; without one the factory itself is asked,
    which is as good where making the explorer costs little.
    """
    if name in _EXPLORERS:
        raise NashmailError(f"there is an explorer called {name} already")
    _EXPLORERS[name] = factory
    if check is not None:
        _CHECKS[name] = check


def make(name: str, setting: ExplorerContext, *, rng: Rng) -> Explorer:
    """The explorer of this name; NashmailError names the explorers there are."""
    check(name)
    return _EXPLORERS[name](setting, rng)


def check(name: str, setting: ExplorerContext | None = None) -> None:
    """NashmailError unless there is an explorer of this name and, where a setting is given, it can explore there."""
    if name not in _EXPLORERS:
        raise NashmailError(f"no explorer is called {name!r}; the explorers are: {', '.join(names())}")
    if setting is None:
        return
    if name in _CHECKS:
        _CHECKS[name](setting)
    else:
        make(name, setting, rng=np.random.default_rng(0))


def names() -> list[str]:
    """The registered explorers."""
    return sorted(_EXPLORERS)


class Base:
    """What most explorers have in common: the expert itself sits opposite and is asked at every decision, and
    cloning is left to the learner.
    """

    knows: frozenset[str] = frozenset()
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


class Fixed(Base):
    """An explorer that plays one policy and learns nothing."""

    games_per_round = 16

    def __init__(self, setting: ExplorerContext, policy: Policy, knows: frozenset[str]) -> None:
        super().__init__(setting)
        self.policy, self.knows = policy, knows

    def behavior_policy(self) -> Policy:
        return self.policy

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        return {}


register("uniform", lambda setting, rng: Fixed(setting, Uniform(), frozenset()))
register("expert", lambda setting, rng: Fixed(setting, setting.experts[setting.seat], frozenset({"expert"})))
