"""The experts ``cfr+:N`` and ``dcfr:N``: the average policy of N iterations of regret minimisation (``agents.cfr``).

They are for games of hidden information with an exact model. An average is no equilibrium, so what is learned from its
labels can at best be as exploitable as it is; runs report how much that is.
"""

from __future__ import annotations

from agents import cfr
from agents.policy import PolicyError, Seats
from agents.tabular import from_model
from games.base import Known, model_and_game
from games.infosets.model import sequence_form


def expert(known: Known, iterations: int, *, variant: str) -> Seats:
    """The average policies of both seats.

    Args:
        known: the exact model of a game of hidden information.
        iterations: of regret minimisation.
        variant: one of ``agents.cfr.RULES``.

    Raises:
        PolicyError: where there is no such model.
    """
    model, game = model_and_game(known)
    form = None if model is None else sequence_form(model)
    if form is None:
        raise PolicyError(
            f"the expert {variant!r} plays games of hidden information that have an exact model, which"
            f" {game.spec.name} has not; choose another expert"
        )
    first, second = cfr.solve(form, variant=variant, iterations=iterations, look=iterations).profile
    return from_model(form, 0, first), from_model(form, 1, second)
