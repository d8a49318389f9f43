"""A player that errs on purpose: softmax over the scores of a game's solver, the opponent of the papers' Connect Four
figures, for every game that is enumerated as a graph.

Connect Four solvers score a move by how soon the game is over under best play: a win counts 1 plus the winner's
stones left unplayed at the end, a loss the negative of the winner's score, a draw 0. A first player who wins with
the n-th own stone on 42 cells scores 22 - n. Temperature 0 plays the best-scoring move, a large one nearly at random.

For graphs whose only reward comes with the end and whose seats take turns move by move.
"""

from __future__ import annotations

import math

import numpy as np

from agents.policy import PolicyError, Seats
from agents.tabular import from_model
from games.base import Table
from games.graph import GameGraph

WORD = "suboptimal"


def scores(graph: GameGraph) -> Table:
    """[S, A] the solver's score of every move, in the mover's own view; -inf where illegal.

    The recursion, with s(x) seat 0's score of position x, L the longest game and sign +1 for seat 0, -1 for seat 1:

        s(x, a) = payoff * (1 + (L - p) // 2)    where a is the p-th move of the game and ends it
        s(x, a) = s(x after a)                   otherwise
        s(x)    = sign * max over a of sign * s(x, a)

    Of the L - p moves that are left unplayed the loser would have made the first, so half of them, rounded down,
    were the winner's. PolicyError for a graph with rewards along the way.
    """
    if (graph.reward[graph.child >= 0] != 0).any():
        raise PolicyError(f"{graph.game.spec.name} gives rewards along the way; solver scores are for its end alone")
    best = np.zeros(len(graph) + 1)  # [S + 1] s(x); the last, where child -1 points, stays 0
    table = np.full(graph.child.shape, -np.inf)
    for block in reversed(graph.blocks):
        sign = 1.0 - 2.0 * block.seat
        left = (graph.game.spec.longest - (block.ply + 1)) // 2
        ended = np.sign(graph.reward[block.rows]) * (1.0 + left)  # [n, A] 0 for moves that do not end the game
        own = np.where(graph.open[block.rows], sign * (best[graph.child[block.rows]] + ended), -np.inf)
        table[block.rows] = own
        best[block.rows] = sign * own.max(1)
    return table


def suboptimal_table(graph: GameGraph, temperature: float) -> Table:
    """[S, A] both seats' play: softmax of the scores at this temperature; at 0 the lowest of the best-scoring moves."""
    check(temperature)
    below = scores(graph)
    below -= below.max(1, keepdims=True)  # [S, A] 0 for the best moves, -inf for illegal ones
    if temperature == 0:
        table = np.zeros(below.shape)
        table[np.arange(len(below)), below.argmax(1)] = 1.0
        return table
    with np.errstate(over="ignore"):  # a temperature close to 0 may send a worse move to -inf, where it belongs
        weights = np.exp(below / temperature)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def suboptimal(graph: GameGraph, temperature: float) -> Seats:
    """The player at this temperature, one policy per seat. PolicyError for a temperature that is none."""
    table = suboptimal_table(graph, temperature)
    return from_model(graph, 0, table), from_model(graph, 1, table)


def temperature_of(name: str) -> float:
    """The T of ``suboptimal:T``; PolicyError where it is no temperature."""
    word, _, text = name.partition(":")
    try:
        temperature = float(text)
    except ValueError:
        raise PolicyError(f"{name[:80]!r} names no temperature; write {word}:T with a number T, 0 or more") from None
    check(temperature)
    return temperature


def check(temperature: float) -> None:
    """PolicyError unless the temperature is 0 or more and finite."""
    if not 0 <= temperature < math.inf:
        raise PolicyError(f"the temperature of {WORD}:T is 0 or more and finite, not {temperature:g}")
