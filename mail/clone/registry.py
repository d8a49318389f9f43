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
from dataclasses import dataclass, field

import numpy as np

from agents.linear import features
from games.base import Game, NashmailError, Rng
from mail.clone.dataset import Fit
from mail.clone.linear import LinearClone, clone_linear
from mail.clone.network import CloneConfig, clone
from mail.clone.tabular import TabularClone, clone_tabular
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class ClonerConfig:
    """What every cloner is set to; each reads its own part."""

    network: CloneConfig = field(default_factory=CloneConfig)
    linear: LinearClone = field(default_factory=LinearClone)
    tabular: TabularClone = field(default_factory=TabularClone)


Cloner = Callable[[Game, Decisions, int, ClonerConfig, Rng, str], Fit]
"""From a game, decisions, a seat, the configuration, a generator and a torch device to a fitted policy; picklable."""
Check = Callable[[Game], None]
_CLONERS: dict[str, Cloner] = {}
_CHECKS: dict[str, Check] = {}


def register(name: str, cloner: Cloner, *, check: Check | None = None) -> None:
    """Make ``fit(name, ...)`` call ``cloner``; ``check`` raises NashmailError for a game that it cannot take."""
    if name in _CLONERS:
        raise NashmailError(f"there is a cloner called {name} already")
    _CLONERS[name] = cloner
    if check is not None:
        _CHECKS[name] = check


def check(name: str, game: Game | None = None) -> None:
    """NashmailError unless there is a cloner of this name and, where a game is given, it takes that."""
    if name not in _CLONERS:
        raise NashmailError(f"no cloner is called {name!r}; the cloners are: {', '.join(names())}")
    if game is not None and name in _CHECKS:
        _CHECKS[name](game)


def names() -> list[str]:
    """The registered cloners."""
    return sorted(_CLONERS)


def find(name: str) -> Cloner:
    """The cloner of this name; NashmailError names those there are."""
    check(name)
    return _CLONERS[name]


def fit(
    name: str, game: Game, decisions: Decisions, seat: int, *, config: ClonerConfig, rng: Rng, device: str = "cpu"
) -> Fit:
    """Clone one seat's labels. NashmailError for a cloner there is not, and without labels."""
    return find(name)(game, decisions, seat, config, rng, device)


def _network(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    return clone(game, decisions, seat, config=config.network, rng=rng, device=device)


def _linear(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    return clone_linear(game, decisions, seat, config.linear)


def _tabular(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    return clone_tabular(game, decisions, seat, config.tabular)


def _featured(game: Game) -> None:
    """GameError for a Markov game without features."""
    start = game.start(1, rng=np.random.default_rng(0))
    for seat in (0, 1):
        features(game, start, seat)


register("network", _network)
register("linear", _linear, check=_featured)
register("tabular", _tabular)
