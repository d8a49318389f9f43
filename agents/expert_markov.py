"""The exact experts of Markov games: minimax play at every position, as a pair of tables.

``first`` and ``uniform`` say which of equally good pure actions are played; ``vertex`` plays what a linear program of
each state's matrix game ends on, which is how the papers' experts came about.
"""

from __future__ import annotations

from agents.policy import Seats
from agents.tabular import from_model
from games.markov.model import MarkovModel


def markov_expert(model: MarkovModel, ties: str) -> Seats:
    """One policy per seat that knows every position of its seat; ``ties`` is one of ``games.markov.matrix.TIES``."""
    first, second = model.equilibrium(ties)
    return from_model(model, 0, first), from_model(model, 1, second)
