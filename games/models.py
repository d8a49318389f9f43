"""Whether a game has an exact model, and which: everything that trains, measures or refutes asks here.

``None`` means too large to enumerate: such a game is learned from an expert that needs no model (a solver), and
measured by certificates and samples (``mail.evaluation.certificate.walk``, ``mail.evaluation.sampled``).
"""

from __future__ import annotations

from math import comb

from games.adapters.openspiel import searchable
from games.adapters.outside import printable
from games.base import Enumerable, Game, Hidden, Model, as_enumerable
from games.boards import Board
from games.cost import Meter, TooLarge
from games.graph import LIMIT, GameGraph
from games.infosets import program
from games.infosets.model import InfosetModel
from games.infosets.size import estimate_histories
from games.infosets.unroll import unroll
from games.markov.game import MarkovGame
from games.markov.model import MarkovModel
from games.plies.rules import rules_of
from games.symmetry import base_of, board_behind

SECONDS = 20.0
"""Most seconds that listing the positions of a game of another library may take, as estimated while it goes on."""
TABLES = 200_000_000
"""Most moves (positions times actions) of a game whose policies are measured: eight bytes each in a table, of which
several are held at a time."""
PLIES = 200_000_000
"""Most ways to arrange a board's stones where policies are measured ply by ply, without tables."""
RULE = (
    "A board's positions are bounded by the ways to arrange its stones (placed in turn, lines ignored). Where these"
    f" times the actions are at most {TABLES:,}, the board is enumerable and policies are measured exactly; boards of"
    f" at most 32 bits and {PLIES:,} arrangements are measured exactly, too, ply by ply, in minutes. Any other game is"
    " enumerable if it lists"
    f" its successors, as many positions at most, within {SECONDS:.0f} seconds as estimated from the first"
)


def model_class(game: Game) -> type[MarkovModel] | type[InfosetModel] | type[GameGraph] | None:
    """The class of a game's exact model, without building it.

    Args:
        game: any game.

    Returns:
        The class; None where positions are not listed or are known to be too many.
    """
    if isinstance(game, MarkovGame):
        return MarkovModel
    if not isinstance(game, Enumerable) or not enumerable(base_of(game)):
        return None
    return InfosetModel if isinstance(game, Hidden) else GameGraph


def has_model(game: Game) -> bool:
    """Whether ``model_of`` would build a model, as far as can be told without building it.

    Args:
        game: any game.
    """
    return model_class(game) is not None


def has_plies(game: Game) -> bool:
    """Whether a game is a board that is too large for tables of policies, but not for ``games.plies.graph``.

    Args:
        game: any game.
    """
    base = base_of(game)
    return (
        isinstance(base, Board)
        and not fits(base, TABLES)
        and arrangements(base) <= PLIES
        and (len(base.spec.symmetries) == 2 or base is game)
        and rules_of(game) is not None
    )


def ties_of(game: Game) -> tuple[str, ...]:
    """What ``Model.ties`` of the game's model would be, without building it.

    Args:
        game: any game.

    Returns:
        The words; none where there is no model.
    """
    kind = model_class(game)
    return () if kind is None else kind.ties


def positions(game: Game, *, most: int) -> int | None:
    """How many positions have a move to make; with hidden information, how many information states both seats have.

    Args:
        game: any game.
        most: positions that may be listed to find out.

    Returns:
        The number; None where it is not known and too many would have to be listed.
    """
    if isinstance(game, MarkovGame):
        return game.states * (game.horizon or 1)
    if isinstance(game, Hidden):
        few = estimate_histories(game, seconds=0.1) <= most
        return sum(len(states) for states in unroll(game, meter=Meter(game, moves=TABLES)).states) if few else None
    bound = positions_at_most(game)
    return len(GameGraph(as_enumerable(game))) if bound is not None and bound <= most else None


def positions_at_most(game: Game) -> int | None:
    """A bound on the positions of one of our boards (``arrangements``).

    Args:
        game: any game.

    Returns:
        The bound; None for a game that is no board.
    """
    return arrangements(game) if isinstance(game, Board) else None


def model_of(game: Game) -> Model | None:
    """Build the exact model of a game, which may take seconds.

    Progress is shown on standard error if that is a terminal.

    Args:
        game: any game.

    Returns:
        The model; None where positions are not listed or are known to be too many.

    Raises:
        TooLarge: where positions turn out to be too many while they are listed; says what to do instead.
        GameError: for a game that breaks the contract of ``games.base``.
    """
    if isinstance(game, MarkovGame):
        return MarkovModel(game)
    if not has_model(game):
        return None
    try:
        if isinstance(game, Hidden):
            return InfosetModel(game, meter=_meter(game, expected=estimate_histories(game)), most=program.MOST)
        return GameGraph(as_enumerable(game), meter=_meter(game))
    except MemoryError as error:
        reason = f"there is not enough memory for the positions of {called(game)}"
        raise TooLarge(f"{reason}; {instead(game)}") from error
    except TooLarge as error:
        raise TooLarge(f"{error}; {instead(game)}") from error


def _meter(game: Game, *, expected: float | None = None) -> Meter:
    """The limits within which a game of any library is enumerated; ``expected`` positions, where that is known."""
    return Meter(game, seconds=SECONDS, moves=TABLES, expected=expected, progress=True)


def instead(game: Game) -> str:
    """What to do where a game cannot be enumerated, for messages.

    Args:
        game: the game.
    """
    other = own_board(game)
    if other:
        return f"choose {other}, our own game with the same rules"
    smaller = "choose a smaller size, or play it with `nashmail match` and `nashmail play --against random`"
    return f"learn it from a search (--expert mcts:100), {smaller}" if searchable(game) else smaller


def own_board(game: Game) -> str:
    """The name of our own board with the rules of another library's game, where more can be done with it.

    Args:
        game: any game.

    Returns:
        The name, or "".
    """
    board = board_behind(game)
    if board is None or isinstance(base_of(game), Board):
        return ""
    word, usual = ("connect4", (6, 7, 4)) if board.gravity else ("tictactoe", (3, 3, 3))
    if (board.rows, board.columns, board.k) == usual:
        return word  # a solver plays connect4
    if not fits(board, LIMIT):
        return ""
    return f"{word}:{board.rows}x{board.columns}" + ("" if board.k == usual[2] else f":{board.k}")


def called(game: Game) -> str:
    """The name that the user asked for the game by.

    Args:
        game: any game.
    """
    base = base_of(game)
    return printable(str(getattr(base, "called", base.spec.name)))


def enumerable(game: Game) -> bool:
    """Whether a game can be enumerated, by the rule of ``RULE``.

    For games of other libraries that are no boards of ours only listing the positions can tell; True here.

    Args:
        game: any game.
    """
    board = board_behind(game)
    return isinstance(game, Enumerable) if board is None else fits(board, TABLES)


def fits(board: Board, moves: int) -> bool:
    """Whether a board has at most so many moves (positions times actions), by the bound of ``arrangements``.

    Args:
        board: the board.
        moves: how many.
    """
    return arrangements(board) * board.spec.actions <= moves


def arrangements(board: Board) -> int:
    """The ways to fill a board with any number of stones, half of them (rounded down) seat 1's: at least its positions.

    The number of cell sets that n stones can fill (with gravity: of column heights that sum to n), times the ways to
    color them, summed over n.

    Args:
        board: the board.
    """
    cells = board.rows * board.columns
    filled = [comb(cells, n) for n in range(cells + 1)]
    if board.gravity:
        filled = [1]
        for _ in range(board.columns):  # one more column, of any height
            spans = range(len(filled) + board.rows)
            filled = [sum(filled[max(0, n - board.rows) : n + 1]) for n in spans]
    return sum(ways * comb(n, n // 2) for n, ways in enumerate(filled))
