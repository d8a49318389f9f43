"""The registry of experts by name, and the exact experts of games that have a model.

An expert is made from what is known of a game: its exact model where it has one, else the game itself, for which a
solver may be at hand (``agents.solver``) or a bot that searches (``agents.experts.bots``). Exact experts play minimax,
win as soon and lose as late as they can. What they do among equally good moves is a stated choice, because it decides
what can be learned from them: ``first`` takes the lowest action, ``uniform`` mixes them all, ``vertex`` (Markov games
alone) is what a linear program of each state's matrix game ends on. Two more do not mind the length of a game:
``values`` gives all moves that keep the value, as a set, and ``few`` of these the one after which the fewest positions
follow. Built on a quotient game they answer on the canonical position, so images of a position get images of one
answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.policy import PolicyError, Seats
from agents.solver import solvable, solver_expert
from agents.tabular import from_model
from games.base import GameError, Known, Model, model_and_game
from games.registered import Declaration, Registry


@dataclass(frozen=True)
class ExpertDeclaration(Declaration):
    """What is declared of an expert."""

    number: str = ""
    """What the number in its name counts, as in ``cfr+:100``; nothing for an expert without one."""
    equilibrium: bool = False
    """Whether it plays an equilibrium wherever it can be made. Of any other expert runs report the exploitability."""
    sets: bool = False
    """Whether a label is a set of equally good actions, any of which is right, and no mixture to be cloned."""


Factory = Callable[..., Seats]
"""``factory(known)``, or ``factory(known, number)`` for an expert whose name has a number."""
EXPERTS: Registry[Factory, ExpertDeclaration] = Registry(
    "expert",
    error=PolicyError,
    rule=r"[\w+-]+",
    rule_said="a new word of letters, digits, hyphens, pluses and underscores",
)
_MOST = 1_000_000  # of what a number counts


def register(
    name: str,
    factory: Factory | str,
    *,
    summary: str = "",
    number: str = "",
    equilibrium: bool = False,
    sets: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Add an expert.

    Args:
        name: A new name.
        factory: ``factory(known)`` gives one policy per seat, or raises PolicyError; or ``"module:attribute"`` to
            import it from.
        summary: One line for tables and help.
        number: What the number after the name's colon counts, which is then the factory's second argument; nothing for
            a name without a number.
        equilibrium: Whether it plays an equilibrium wherever it can be made.
        sets: Whether its probabilities are a set of equally good actions.
        settings: Further keyword arguments of the factory.

    Raises:
        PolicyError: For a name that is taken or is no name.
    """
    declaration = ExpertDeclaration(summary, number=number, equilibrium=equilibrium, sets=sets)
    EXPERTS.add(name, factory, declaration, settings=settings)


def make(name: str, known: Known) -> Seats:
    """The expert pair of a name.

    Args:
        name: a registered word, with a number after a colon where the expert takes one.
        known: the game's model, or the game.

    Returns:
        One policy for each seat.

    Raises:
        PolicyError: for an unknown name (the message lists the known ones), or a game that the expert does not play.
    """
    word, number = parse(name)
    factory = EXPERTS.find(word)
    return factory(known) if number is None else factory(known, number)


def parse(name: str) -> tuple[str, int | None]:
    """The registered word of an expert's name, and its number.

    Args:
        name: a registered word, with a number after a colon where the expert takes one.

    Returns:
        The word and the number; None for an expert without one.

    Raises:
        PolicyError: for any other name.
    """
    word, colon, text = name.partition(":")
    counts = EXPERTS.about(word).number
    if not counts:
        if colon:
            raise PolicyError(f"the expert {word!r} takes no number; write {word}")
        return word, None
    if not re.fullmatch("[1-9][0-9]{0,9}", text) or int(text) > _MOST:
        raise PolicyError(f"write {word}:N with the number of {counts}, from 1 to {_MOST:,}, not {name[:40]!r}")
    return word, int(text)


def known_name(name: str) -> bool:
    """Whether the word of an expert's name is registered.

    Args:
        name: any name.
    """
    return name.partition(":")[0] in EXPERTS


def is_equilibrium(name: str) -> bool:
    """Whether an expert declares that it plays an equilibrium.

    Args:
        name: an expert's name.

    Raises:
        PolicyError: for a name that is none.
    """
    return EXPERTS.about(parse(name)[0]).equilibrium


def labels_are_sets(name: str) -> bool:
    """Whether an expert declares that a label is a set of actions, any of which is right.

    Args:
        name: an expert's name.

    Raises:
        PolicyError: for a name that is none.
    """
    return EXPERTS.about(parse(name)[0]).sets


def names() -> list[str]:
    """The registered experts."""
    return EXPERTS.names()


def listed() -> dict[str, str]:
    """Each expert as it is called, with its summary: ``cfr+:N``, where a number belongs to the name."""
    about = {name: EXPERTS.about(name) for name in names()}
    return {f"{name}:N" if one.number else name: _summary(one) for name, one in about.items()}


def _summary(about: ExpertDeclaration) -> str:
    return f"{about.summary}; N {about.number}" if about.number else about.summary


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


register("first", _exact_expert("first"), summary="the lowest of its best actions", equilibrium=True)
register("uniform", _exact_expert("uniform"), summary="all its best actions alike", equilibrium=True)
register(
    "vertex",
    _vertex_expert,
    summary="Markov games only: the solution that a linear program of each state finds",
    equilibrium=True,
)
register(
    "values",
    "agents.experts.graphs:values",
    summary="graphs and connect4: all actions that keep the value; a label is their set",
    equilibrium=True,
    sets=True,
)
register(
    "few",
    "agents.experts.graphs:few",
    summary="graphs and connect4: the action that keeps the value and leaves the fewest decisions after it",
    equilibrium=True,
)
for _variant, _words in (("cfr+", "CFR+"), ("dcfr", "discounted CFR")):
    register(
        _variant,
        "agents.experts.averages:expert",
        summary=f"hidden information only: the average policy of {_words}",
        number="iterations",
        settings={"variant": _variant},
    )
register(
    "mcts",
    "agents.experts.bots:mcts",
    summary="perfect information only: OpenSpiel's tree search, which needs no model",
    number="simulations",
)
