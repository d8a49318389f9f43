"""Cloning into a table: the mean label of every labelled position, which is the maximum likelihood of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.tabular import Tabular
from games.base import Game, NashmailError
from games.models import model_of
from mail.clone.dataset import Fit, demonstrations
from mail.data.decisions import Decisions


@dataclass(frozen=True)
class TabularClone:
    """The settings of a tabular clone."""

    unseen: int | None = None
    """Action at unlabelled positions. None: the game's own ``Spec.unlabelled`` if it has one, else uniform play. With
    an action the game is enumerated to complete the table.
    """


def clone_tabular(game: Game, decisions: Decisions, seat: int, config: TabularClone) -> Fit:
    """The mean labels as a table.

    Args:
        game: The game.
        decisions: Decisions of either seat; those of ``seat`` with a label are used.
        seat: The seat that is cloned.
        config: What is played at positions without a label.

    Returns:
        The policy; its fit is perfect.

    Raises:
        NashmailError: There are no labels, or ``unseen`` is not an action of the game.
    """
    labelled = demonstrations(decisions, seat)
    policy = Tabular(labelled.key, labelled.distribution)
    unseen = game.spec.unlabelled if config.unseen is None else config.unseen
    if unseen is not None:
        policy = completed_table(game, policy, seat, unseen)
    return Fit(policy, 0, 0.0, 0.0)


def completed_table(game: Game, policy: Tabular, seat: int, unseen: int) -> Tabular:
    """Complete a table: one action at every other position of the seat where it is legal; uniform elsewhere.

    Args:
        game: A game with an exact model.
        policy: The table.
        seat: Whose policy it is.
        unseen: The action.

    Raises:
        NashmailError: The game's positions cannot be listed, or it has no such action.
    """
    model = model_of(game)
    if model is None:
        raise NashmailError(f"positions of {game.spec.name} cannot be listed; leave unseen at None")
    legal = model.legal(seat)
    if not 0 <= unseen < legal.shape[1]:
        raise NashmailError(f"unseen must be an action of {game.spec.name}, 0 to {legal.shape[1] - 1}, not {unseen}")
    acts = np.flatnonzero(legal.any(1))
    keys, first = np.unique(game.key(model.states[acts], seat), axis=0, return_index=True)
    rows = policy.probabilities(game, model.states[acts[first]], seat)
    known, _ = policy.find(keys)
    other = np.flatnonzero(~known & legal[acts[first], unseen])
    rows[other] = 0.0
    rows[other, unseen] = 1.0
    return Tabular(keys, rows)
