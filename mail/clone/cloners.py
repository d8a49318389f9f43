"""The built-in cloners, as functions with one signature (``mail.clone.registry.Cloner``)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from games.base import Game, Rng
from games.features import features
from mail.clone.dataset import Fit, demonstrations
from mail.clone.linear import LinearClone, clone_linear
from mail.clone.network import CloneConfig, clone
from mail.clone.ntuple import NtupleClone, clone_ntuple
from mail.clone.tabular import TabularClone, clone_tabular
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class ClonerConfig:
    """The settings of all cloners; each uses its own part."""

    network: CloneConfig = field(default_factory=CloneConfig)
    linear: LinearClone = field(default_factory=LinearClone)
    tabular: TabularClone = field(default_factory=TabularClone)
    ntuple: NtupleClone = field(default_factory=NtupleClone)


def network(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    """The cloner ``network``."""
    return clone(game, decisions, seat, config=config.network, rng=rng, device=device)


def linear(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    """The cloner ``linear``."""
    return clone_linear(game, decisions, seat, config.linear)


def tabular(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    """The cloner ``tabular``."""
    return clone_tabular(game, decisions, seat, config.tabular)


def ntuple(game: Game, decisions: Decisions, seat: int, config: ClonerConfig, rng: Rng, device: str) -> Fit:
    """The cloner ``ntuple``; it learns on the processor, whatever the device."""
    return clone_ntuple(game, demonstrations(decisions, seat), config.ntuple, rng=rng)


def check_features(game: Game) -> None:
    """The check of ``linear``.

    Args:
        game: The game.

    Raises:
        GameError: For a Markov game without features.
    """
    start = game.start(1, rng=np.random.default_rng(0))
    for seat in (0, 1):
        features(game, start, seat)
