"""Exact experts of enumerable games, and the registry of experts by name.

A graph expert plays minimax, wins as soon and loses as late as it can. What it does among equally good
moves is a stated choice, because it decides what can be learned from it: ``first`` takes the lowest action,
``uniform`` mixes them all. Built on a quotient game it answers on the canonical position, so images of a
position get images of one answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agents.policy import PolicyError, Seats, uniform_rows
from agents.tabular import from_model
from games.base import Model, Table
from games.graph import GameGraph

Factory = Callable[[Model], Seats]
_EXPERTS: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Make ``make(name, model)`` call ``factory(model)``, which gives one policy per seat."""
    if name in _EXPERTS:
        raise PolicyError(f"there is an expert called {name} already")
    _EXPERTS[name] = factory


def make(name: str, model: Model) -> Seats:
    """The expert pair of this name for a model's game; PolicyError names the experts there are."""
    if name not in _EXPERTS:
        raise PolicyError(f"no expert is called {name!r}; the experts are: {', '.join(names())}")
    return _EXPERTS[name](model)


def names() -> list[str]:
    """The registered experts."""
    return sorted(_EXPERTS)


def optimal_table(graph: GameGraph, *, ties: str) -> Table:
    """[S, A] both seats' expert play: ``first`` or ``uniform`` among the best moves of ``GameGraph.optimal``."""
    best = graph.optimal()
    if ties == "uniform":
        return uniform_rows(best)
    table = np.zeros(best.shape)
    table[np.arange(len(best)), best.argmax(1)] = 1.0
    return table


def _graph_expert(ties: str) -> Factory:
    def factory(model: Model) -> Seats:
        if not isinstance(model, GameGraph):
            raise PolicyError(f"the expert {ties!r} plays turn-based games that are enumerated as a graph")
        table = optimal_table(model, ties=ties)
        return from_model(model, 0, table), from_model(model, 1, table)

    return factory


register("first", _graph_expert("first"))
register("uniform", _graph_expert("uniform"))
