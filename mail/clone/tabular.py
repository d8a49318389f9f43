"""Cloning into a table: the mean label of every labelled position, the maximum likelihood of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.tabular import Tabular
from games.base import Game, NashmailError
from games.markov.game import MarkovGame
from games.markov.model import MarkovModel
from mail.clone.dataset import Fit, demonstrations
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class TabularClone:
    """How a table is cloned."""

    unseen: int | None = None
    """Action of Markov games that is played wherever nobody was asked; None: the game's own ``unlabelled``, if it
    states one, else uniform play. With an action the game's positions are listed, to make the table whole."""


def clone_tabular(game: Game, decisions: Decisions, seat: int, config: TabularClone) -> Fit:
    """The mean labels as a table. NashmailError without labels, and where ``unseen`` is no action of a listed game."""
    labelled = demonstrations(decisions, seat)
    policy = Tabular(labelled.key, labelled.distribution)
    unseen = game.unlabelled if config.unseen is None and isinstance(game, MarkovGame) else config.unseen
    if unseen is not None:
        policy = whole(game, policy, seat, unseen)
    return Fit(policy, 0, 0.0, 0.0)


def whole(game: Game, policy: Tabular, seat: int, unseen: int) -> Tabular:
    """The table with one action at every other position of the seat at which it is legal; uniform where it is not."""
    if not isinstance(game, MarkovGame):
        raise NashmailError(f"unseen positions of {game.spec.name} are not listed; leave unseen at None")
    model = MarkovModel(game)
    legal = model.legal(seat)
    if not 0 <= unseen < legal.shape[1]:
        raise NashmailError(f"unseen is one of the actions 0 to {legal.shape[1] - 1} of {game.spec.name}, not {unseen}")
    acts = np.flatnonzero(legal.any(1))
    keys, first = np.unique(game.key(model.states[acts], seat), axis=0, return_index=True)
    rows = policy.probabilities(game, model.states[acts[first]], seat)
    known, _ = policy.find(keys)
    other = np.flatnonzero(~known & legal[acts[first], unseen])
    rows[other] = 0.0
    rows[other, unseen] = 1.0
    return Tabular(keys, rows)
