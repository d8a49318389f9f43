"""A player that errs on purpose: softmax over a solver's scores.

It is the opponent of the Connect Four figures of arXiv 2602.22810. It plays every game that is enumerated as a graph,
whose only reward comes at the end and whose seats take turns move by move, and Connect Four on 6x7 where the solver is
installed.

Connect Four solvers score a move by how soon the game is over under best play: a win counts 1 plus the winner's stones
left unplayed at the end, a loss the negative of the winner's score, a draw 0. A first player who wins with the n-th own
stone on 42 cells scores 22 - n. Temperature 0 plays the best-scoring move, a large one nearly uniformly at random.

Where every move loses, the plain player at temperature 0 loses as late as it can. The variant ``hopeless``, as in the
code of the paper, plays at temperature 1 there, which leads the winner to positions it has not seen.
"""

from __future__ import annotations

import math
import re
from functools import partial

import numpy as np

from agents.policy import PolicyError, Seats
from agents.solver import Solver, load, solvable
from agents.tabular import from_model
from games.base import Floats, Known, Model, Table, model_and_game
from games.graph import GameGraph

WORD = "suboptimal"
RANDOM_WHEN_LOST = "hopeless"
"""``suboptimal:0:hopeless`` is the reference's variant: it draws its moves where every one of them loses."""


def scores(graph: GameGraph) -> Table:
    """The solver's score of every move, in the mover's own view.

    The recursion, with s(x) seat 0's score of position x, L the longest game and sign +1 for seat 0, -1 for seat 1:

        s(x, a) = payoff * (1 + (L - p) // 2)    where a is the p-th move of the game and ends it
        s(x, a) = s(x after a)                   otherwise
        s(x)    = sign * max over a of sign * s(x, a)

    Of the L - p moves that are left unplayed the loser would have made the first, so half of them, rounded down, were
    the winner's.

    Args:
        graph: the game's graph.

    Returns:
        float64 [S, A]; -inf where illegal.

    Raises:
        PolicyError: for a graph with rewards along the way.
    """
    if not graph.decided_at_end:
        raise PolicyError(f"{graph.game.spec.name} gives rewards along the way; solver scores are for its end alone")
    best = np.zeros(len(graph) + 1)  # [S + 1] s(x); the last, where child -1 points, stays 0
    table = np.full(graph.successor.shape, -np.inf)
    for block in reversed(graph.blocks):
        sign = 1.0 - 2.0 * block.seat
        left = (graph.game.spec.longest - (block.ply + 1)) // 2
        ended = np.sign(graph.reward[block.rows]) * (1.0 + left)  # [n, A] 0 for moves that do not end the game
        own = np.where(graph.legal_mask[block.rows], sign * (best[graph.successor[block.rows]] + ended), -np.inf)
        table[block.rows] = own
        best[block.rows] = sign * own.max(1)
    return table


def graph_of(model: Model | None) -> GameGraph | None:
    """The model, if moves have scores in it.

    Args:
        model: a game's exact model, or None.

    Returns:
        The model where it is a graph; None for others.
    """
    return model if isinstance(model, GameGraph) else None  # scores are counted in plies, which a graph alone has


def rows_at(scored: Floats, temperature: float, *, random_when_lost: bool = False) -> Floats:
    """Softmax of scores; at temperature 0 the lowest of the best-scoring moves.

    Args:
        scored: float64 [N, A] scores, -inf where illegal.
        temperature: 0 or more, in units of score.
        random_when_lost: whether a mover whose every move loses plays at temperature 1 if the temperature is 0.

    Returns:
        float64 [N, A].
    """
    below = scored - scored.max(1, keepdims=True)  # [N, A] 0 for the best moves, -inf for illegal ones
    if temperature == 0:
        table = np.zeros(below.shape)
        table[np.arange(len(below)), below.argmax(1)] = 1.0
        lost = np.flatnonzero((scored.max(1) < 0) & random_when_lost)
        table[lost] = rows_at(scored[lost], 1.0) if len(lost) else 0.0
        return table
    with np.errstate(over="ignore"):  # a temperature close to 0 may send a worse move to -inf, where it belongs
        weights = np.exp(below / temperature)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def suboptimal_table(graph: GameGraph, temperature: float, *, random_when_lost: bool = False) -> Table:
    """Both seats' play at a temperature, as one table.

    Args:
        graph: the game's graph.
        temperature: see ``rows_at``.
        random_when_lost: see ``rows_at``.

    Returns:
        float64 [S, A].

    Raises:
        PolicyError: for a temperature out of range, and a graph with rewards along the way.
    """
    check(temperature)
    return rows_at(scores(graph), temperature, random_when_lost=random_when_lost)


def suboptimal(known: Known, temperature: float, *, random_when_lost: bool = False) -> Seats:
    """The player at a temperature, from a game's graph or, where it has none, its solver.

    Args:
        known: the game's model, or the game.
        temperature: see ``rows_at``.
        random_when_lost: see ``rows_at``.

    Returns:
        One policy for each seat.

    Raises:
        PolicyError: for a temperature out of range, and for a game that has neither.
    """
    check(temperature)
    model, game = model_and_game(known)
    if (graph := graph_of(model)) is not None:
        table = suboptimal_table(graph, temperature, random_when_lost=random_when_lost)
        return from_model(graph, 0, table), from_model(graph, 1, table)
    if model is not None or not solvable(game):
        raise PolicyError(f"{WORD}:T plays games that are enumerated as a graph, and connect4 on 6x7")
    load()
    rule = partial(rows_at, temperature=temperature, random_when_lost=random_when_lost)
    player = Solver(rule, best_only=temperature == 0 and not random_when_lost)
    return player, player


def parse(name: str) -> tuple[float, bool]:
    """Temperature and ``random_when_lost`` of a player's name.

    Args:
        name: ``suboptimal:T`` or ``suboptimal:0:hopeless``.

    Raises:
        PolicyError: for other names.
    """
    bare = name.removesuffix(f":{RANDOM_WHEN_LOST}")
    temperature = temperature_of(bare)
    if bare != name and temperature != 0:
        raise PolicyError(f"{name[:80]!r}: only temperature 0 has the variant {RANDOM_WHEN_LOST}")
    return temperature, bare != name


def temperature_of(name: str) -> float:
    """The temperature in a name.

    Args:
        name: ``suboptimal:T``, or another word before the colon.

    Raises:
        PolicyError: for a T that is no temperature.
    """
    word, _, text = name.partition(":")
    try:
        temperature = float(text if re.fullmatch("[-+.0-9a-zA-Z]+", text) else "")  # no spaces, underscores, or scripts
    except ValueError:
        raise PolicyError(f"{name[:80]!r} names no temperature; write {word}:T with a number T, 0 or more") from None
    check(temperature)
    return temperature


def check(temperature: float) -> None:
    """Refuse a temperature that is negative or not finite.

    Args:
        temperature: any number.

    Raises:
        PolicyError: for such a temperature.
    """
    if not 0 <= temperature < math.inf:
        raise PolicyError(f"the temperature of {WORD}:T is 0 or more and finite, not {temperature:g}")
