"""The registry of experts by name, and the exact experts of games that have a model.

An expert is made from what is known of a game: its exact model where it has one, else the game itself, for which
a solver may be at hand (``agents.solver``). Exact experts play minimax, win as soon and lose as late as they can.
What they do among equally good moves is a stated choice, because it decides what can be learned from them: ``first``
takes the lowest action, ``uniform`` mixes them all, ``vertex`` (Markov games alone) is what a linear program of each
state's matrix game ends on. Built on a quotient game they answer on the canonical position,
so images of a position get images of one answer.
"""

from __future__ import annotations

from collections.abc import Callable

from agents.policy import PolicyError, Seats
from agents.solver import solvable, solver_expert
from agents.tabular import from_model
from games.base import GameError, Known, Model, model_and_game
from games.registered import Declaration, Registry

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


def model_expert(model: Model, ties: str) -> Seats:
    """The exact expert of a game with a model.

    Args:
        model: the exact model.
        ties: what it does among equally good moves, one of ``model.ties``.

    Returns:
        One policy per seat, which knows every position of its seat and raises PolicyError at any other.

    Raises:
        PolicyError: where the model has no such choice.
    """
    try:
        first, second = model.equilibrium(ties)
    except GameError as error:
        raise PolicyError(f"{error}; choose the expert {' or '.join(model.ties)}") from error
    return from_model(model, 0, first), from_model(model, 1, second)


def _exact_expert(ties: str) -> Factory:
    def factory(known: Known) -> Seats:
        model, game = model_and_game(known)
        if model is not None:
            return model_expert(model, ties)
        if solvable(game):
            return solver_expert(game, ties=ties)
        raise PolicyError(
            f"the expert {ties!r} plays turn-based games that are enumerated as a graph, and connect4 on 6x7"
        )

    return factory


def _vertex_expert(known: Known) -> Seats:
    model, _ = model_and_game(known)
    if model is None:
        raise PolicyError("the expert 'vertex' plays Markov games; choose the expert first or uniform")
    return model_expert(model, "vertex")


register("first", _exact_expert("first"), summary="the lowest of its best actions")
register("uniform", _exact_expert("uniform"), summary="all its best actions alike")
register("vertex", _vertex_expert, summary="Markov games alone: what a linear program of each state ends on")
