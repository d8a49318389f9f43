"""Whether a game has an exact model, and which: everything that trains, measures or refutes asks here.

``None`` means too large to enumerate: such a game is learned from an expert that needs no model (a solver), and
measured by certificates and samples (``mail.certificate``, ``mail.sampled``).
"""

from __future__ import annotations

from math import comb

from games.base import Enumerable, Game, Model
from games.boards import Board
from games.graph import LIMIT, GameGraph
from games.markov import MarkovGame
from games.markov_model import MarkovModel
from games.symmetry import Quotient

TABLES = 200_000_000
"""Most moves (positions times actions) of a game whose policies are measured: eight bytes each in a table, of which
several are held at a time."""
RULE = (
    "A board's positions are bounded by the ways to arrange its stones (placed in turn, lines ignored). Where these"
    f" times the actions are at most {TABLES:,}, the board is enumerable and policies are measured exactly; up to"
    f" {LIMIT:,} its graph and minimax values still fit (games.GameGraph). Any other game is enumerable if it lists"
    " its successors"
)


def has_model(game: Game) -> bool:
    """Whether ``model_of`` would build a model, as far as can be told without building it."""
    base = game.base if isinstance(game, Quotient) else game
    return isinstance(game, MarkovGame) or (isinstance(game, Enumerable) and enumerable(base))


def model_of(game: Game) -> Model | None:
    """The exact model of a game; None where its positions are not listed or are too many.

    GameError where the game lists positions that no model can hold.
    """
    if isinstance(game, MarkovGame):
        return MarkovModel(game)
    if not isinstance(game, Enumerable) or not has_model(game):
        return None
    return GameGraph(game)


def enumerable(game: Game) -> bool:
    """Whether the game's positions are listed and policies measured on them all, by the rule that RULE states."""
    return fits(game, TABLES) if isinstance(game, Board) else isinstance(game, Enumerable)


def fits(board: Board, moves: int) -> bool:
    """Whether there are at most so many moves, by the bound."""
    return arrangements(board) * board.spec.actions <= moves


def arrangements(board: Board) -> int:
    """The ways to fill a board with any number of stones, half of them (rounded down) seat 1's: at least its positions.

    The number of cell sets that n stones can fill (with gravity: of column heights that sum to n), times the
    ways to colour them, summed over n.
    """
    cells = board.rows * board.columns
    filled = [comb(cells, n) for n in range(cells + 1)]
    if board.gravity:
        filled = [1]
        for _ in range(board.columns):  # one more column, of any height
            spans = range(len(filled) + board.rows)
            filled = [sum(filled[max(0, n - board.rows) : n + 1]) for n in spans]
    return sum(ways * comb(n, n // 2) for n, ways in enumerate(filled))
