"""The registry of experts by name, and the exact experts of games that are enumerated as a graph.

An expert is made from what is known of a game: its exact model where it has one, else the game itself, for which
a solver may be at hand (``agents.solver``). Exact experts play minimax, win as soon and lose as late as they can.
What they do among equally good moves is a stated choice, because it decides what can be learned from them: ``first``
takes the lowest action, ``uniform`` mixes them all, ``vertex`` (Markov games alone) is what a linear program of each
state's matrix game ends on. Built on a quotient game they answer on the canonical position,
so images of a position get images of one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from agents.expert_markov import markov_expert
from agents.policy import PolicyError, Seats, uniform_rows
from agents.solver import solvable, solver_expert
from agents.tabular import from_model
from games.base import Game, Model, Table
from games.graph import GameGraph
from games.infosets.model import InfosetModel
from games.markov.model import MarkovModel
from games.registered import Declaration, Registry

Known: TypeAlias = Model | Game
"""What an expert is made from: the exact model, or the game where it has none."""
Factory = Callable[[Known], Seats]
EXPERTS: Registry[Factory, Declaration] = Registry("expert", error=PolicyError)


def register(name: str, factory: Factory | str, *, summary: str = "") -> None:
    """Add an expert.

    Args:
        name: A new name.
        factory: ``factory(known)`` gives one policy per seat, or raises PolicyError; or ``"module:attribute"`` to
            import it from.
        summary: One line for tables and help.

    Raises:
        PolicyError: For a name that is taken or is no name.
    """
    EXPERTS.add(name, factory, Declaration(summary))


def make(name: str, known: Known) -> Seats:
    """The expert pair of this name for a model's game, or for a game; PolicyError names the experts there are."""
    return EXPERTS.find(name)(known)


def names() -> list[str]:
    """The registered experts."""
    return EXPERTS.names()


def optimal_table(graph: GameGraph, *, ties: str) -> Table:
    """[S, A] both seats' expert play: ``first`` or ``uniform`` among the best moves of ``GameGraph.optimal``."""
    best = graph.optimal()
    if ties == "uniform":
        return uniform_rows(best)
    table = np.zeros(best.shape)
    table[np.arange(len(best)), best.argmax(1)] = 1.0
    return table


def _equilibrium(model: InfosetModel, ties: str) -> Seats:
    """The equilibrium of a game of hidden information that the linear program ends on. PolicyError for ``uniform``."""
    if ties == "uniform":
        raise PolicyError(
            f"in {model.game.spec.name} an equilibrium mixes actions by itself, so they cannot be mixed alike as the"
            " expert 'uniform' does; choose the expert first"
        )
    first, second = model.solve()
    return from_model(model, 0, first.policy), from_model(model, 1, second.policy)


def _exact_expert(ties: str) -> Factory:
    def factory(known: Known) -> Seats:
        if isinstance(known, GameGraph):
            table = optimal_table(known, ties=ties)
            return from_model(known, 0, table), from_model(known, 1, table)
        if isinstance(known, MarkovModel):
            return markov_expert(known, ties)
        if isinstance(known, InfosetModel):
            return _equilibrium(known, ties)
        if isinstance(known, Game) and solvable(known):
            return solver_expert(known, ties=ties)
        raise PolicyError(
            f"the expert {ties!r} plays turn-based games that are enumerated as a graph, and connect4 on 6x7"
        )

    return factory


def _vertex_expert(known: Known) -> Seats:
    if not isinstance(known, MarkovModel):
        raise PolicyError("the expert 'vertex' plays Markov games; choose first or uniform")
    return markov_expert(known, "vertex")


register("first", _exact_expert("first"), summary="the lowest of its best actions")
register("uniform", _exact_expert("uniform"), summary="all its best actions alike")
register("vertex", _vertex_expert, summary="Markov games alone: what a linear program of each state ends on")
