"""Perfect play on the real Connect Four board, 6x7, by the solver BitBully, which nothing else imports.

BitBully (AGPL-3) is an optional extra: it is loaded when the first position is scored, and if it is missing, one line
says how to get it. Its scores follow the convention of ``agents.suboptimal``: 0 is a draw, a win counts 22 minus the
stones the winner will have placed, a loss the negative of that, always for the seat to move and under perfect play of
both. On the empty board the columns score -2 -1 0 1 0 -1 -2: the middle wins with the 21st stone. The best-scoring
moves are therefore those of a graph expert: keep the value, win soonest, lose latest.

Scores are slow (up to a tenth of a second), so they are cached: in memory, and in the file of
``agents.storage.label_cache``, once for a position and its mirror image. An expert needs the score of the best moves
alone, and to know that the others are worse: that is one full search and a null-window test per move instead of a full
search per move, several times faster where it counts. Moves known only to be worse are marked ``WORSE``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agents.policy import PolicyError, Seats, uniform_rows
from agents.storage.label_cache import LabelCache
from agents.storage.reading import printable
from games.base import Floats, Game, Ints, States
from games.boards import Board
from games.progress import report
from games.symmetry import canonical

VALUE = 1.0
"""Of the game, to seat 0, who wins it (J. Allen and V. Allis, 1988): known without the solver."""
ILLEGAL, WORSE = -128, -127  # in place of a score: the column is full; the move is not among the best
FLUSH = 1.0  # seconds of solving after which scores are written down
_COLUMNS, _ROWS, _THEIRS = 7, 6, 9  # BitBully's columns are nine bits apart, ours seven
SOLVER = "connect4"
"""What a game that this solver knows states in its spec."""
_BOARD = Board(_ROWS, _COLUMNS, 4, gravity=True, name="connect4")

Scored = NDArray[np.int8]  # [N, 7]
_T = TypeVar("_T")
Rule = Callable[[Floats], Floats]
"""From scores [N, A], -inf where illegal, to probabilities; module-level functions, so that policies pickle."""


def solvable(game: Game) -> bool:
    """Whether the solver knows a game: Connect Four on 6x7, as it is or up to its mirror symmetry.

    Args:
        game: any game.
    """
    return game.spec.solver == SOLVER


# --- scores ----------------------------------------------------------------------------------------------------


class Scores:
    """The scores of positions, each solved once: cached in memory, read from the file of earlier runs, or computed.

    A process that may not write (a worker, whose driver does) reads the file and computes; ``take_new`` hands over what
    it computed, and ``receive`` takes it in. If the file cannot be used, the driver says so once on standard error, and
    everything is computed.

    Args:
        file: the cache on disk, if there is one.
        writes: whether this process may write it.
    """

    def __init__(self, file: LabelCache | None, *, writes: bool = True) -> None:
        self.file, self.writes = file, writes
        self.queried = self.solved = 0
        """Positions that were asked for, and those that had to be computed."""
        self.seconds = 0.0
        """Spent inside the solver."""
        self._place: dict[int, int] = {}
        self._known = np.zeros((1024, _COLUMNS), dtype=np.int8)
        self._new: list[int] = []

    def of(self, states: States, *, best_only: bool = False) -> Scored:
        """The score of every column for the seat to move.

        Args:
            states: [N, 2] positions of 6x7 Connect Four that are not over.
            best_only: moves that are not among the best may be ``WORSE`` instead of scored.

        Returns:
            int8 [N, 7]; ``ILLEGAL`` for a full column.
        """
        position, mirrored = _canonical(states)
        self.queried += len(position)
        rows = self._rows(position, best_only)
        lacking = np.flatnonzero(rows < 0)
        if len(lacking):
            self._obtain(np.unique(position[lacking]), best_only)
            rows[lacking] = self._rows(position[lacking], best_only)
        found = self._known[rows]
        found[mirrored] = found[mirrored, ::-1]
        return found

    def add(self, position: Ints, scores: Scored) -> None:
        """Cache scores that were computed elsewhere, and write them.

        Args:
            position: int64 [n] canonical positions.
            scores: int8 [n, 7].
        """
        self._remember(position, scores)
        if self.writes:
            self._with_file(lambda file: file.put(_BOARD.spec.name, position, scores))

    def take_new(self) -> tuple[Ints, Scored]:
        """What was computed here since the last call and not written by this process: int64 [n] and int8 [n, 7]."""
        position = np.array(self._new, dtype=np.int64)
        self._new = []
        return position, self._known[self._rows(position, True)]

    def receive(self, position: Ints, scores: Scored) -> None:
        """Cache and write what a worker computed, where it says more than what is known already.

        Args:
            position: int64 [n] canonical positions.
            scores: int8 [n, 7].
        """
        rows = self._rows(position, True)
        self._read(position[rows < 0], True)
        rows = self._rows(position, True)
        better = (rows < 0) | (_whole(scores) & ~_whole(self._known[rows]))
        if better.any():
            self.add(position[better], scores[better])

    def unknown(self, states: States, *, best_only: bool = False) -> Ints:
        """The positions that would have to be computed, one of each position and its mirror image.

        Args:
            states: [N, 2].
            best_only: as in ``of``.

        Returns:
            int64 [n] rows of ``states``, ascending.
        """
        position = _canonical(states)[0]
        rows = np.flatnonzero(self._rows(position, best_only) < 0)
        missing, first = np.unique(position[rows], return_index=True)
        left = self._read(missing, best_only)
        return np.sort(rows[first[np.isin(missing, left)]])

    def _read(self, position: Ints, best_only: bool) -> Ints:
        """Cache what the file holds of these distinct positions, and return the others."""
        kept = self._with_file(lambda file: file.get(_BOARD.spec.name, position, _COLUMNS)) if len(position) else None
        if kept is None:
            return position
        found, scores = kept
        found &= best_only | _whole(scores)
        self._remember(position[found], scores[found])
        return position[~found]

    def _with_file(self, work: Callable[[LabelCache], _T]) -> _T | None:
        """The result of ``work``; None without a file, and from the first error of the file on."""
        if self.file is None:
            return None
        try:
            return work(self.file)
        except PolicyError as error:
            self.file = None
            if self.writes:
                print(f"{printable(error)}; this run goes on without it, labels are computed anew", file=sys.stderr)
            return None

    def _obtain(self, position: Ints, best_only: bool) -> None:
        """Read what the file holds of these distinct positions and compute the rest."""
        position = self._read(position, best_only)
        if not len(position):
            return
        solve = _solve_best if best_only else _solve
        boards = _their_boards(position)
        start = 0
        while start < len(boards):
            begun = time.perf_counter()
            solved: list[list[int]] = []
            while start + len(solved) < len(boards) and time.perf_counter() - begun < FLUSH:
                report(start + len(solved), len(boards), "positions", step="solve")
                solved.append(solve(*boards[start + len(solved)]))
            self.seconds += time.perf_counter() - begun
            self.solved += len(solved)
            done = position[start : start + len(solved)]
            self.add(done, np.array(solved, dtype=np.int8))
            if not self.writes:
                self._new += done.tolist()
            start += len(solved)

    def _rows(self, position: Ints, best_only: bool) -> Ints:
        """[N] the cached row of each position, -1 where there is none, or not all that is needed."""
        get = self._place.get
        rows = np.array([get(key, -1) for key in position.tolist()], dtype=np.int64)
        return rows if best_only else np.where(_whole(self._known[rows]), rows, -1)

    def _remember(self, position: Ints, scores: Scored) -> None:
        """Cache rows, replacing older ones."""
        first = len(self._place)
        while first + len(position) > len(self._known):
            self._known = np.concatenate([self._known, np.zeros_like(self._known)])
        self._known[[self._place.setdefault(key, len(self._place)) for key in position.tolist()]] = scores


def _whole(scores: Scored) -> NDArray[np.bool_]:
    """[N] whether every move is scored."""
    return np.asarray((scores != WORSE).all(1))


_SHARED: dict[int, Scores] = {}


def shared() -> Scores:
    """The scores of this process, with the user's cache file; a fork gets its own."""
    process = os.getpid()
    if process not in _SHARED:
        _SHARED.clear()
        _SHARED[process] = Scores(LabelCache.default())
    return _SHARED[process]


def use(scores: Scores | None) -> None:
    """Set the scores that this process uses.

    Args:
        scores: the scores; None: with the user's cache file again.
    """
    _SHARED.clear()
    if scores is not None:
        _SHARED[os.getpid()] = scores


def scores(game: Game, states: States, *, best_only: bool = False) -> Floats:
    """The solver's scores of every move, for the seat to move.

    Args:
        game: a game that is ``solvable``.
        states: [N, 2].
        best_only: moves that are not among the best may be -inf, too, which is much faster.

    Returns:
        float64 [N, A]; -inf where illegal or the game is over.

    Raises:
        PolicyError: for any other game, and where the solver is not installed.
    """
    if not solvable(game):
        raise PolicyError(f"no solver is at hand for {game.spec.name}; the solver knows connect4 on 6x7")
    found = np.full((len(states), game.spec.actions), -np.inf)
    running = np.flatnonzero(game.acting(states).any(1))
    solved = shared().of(states[running], best_only=best_only)
    found[running] = np.where(solved <= WORSE, -np.inf, solved.astype(np.float64))
    return found


# --- policies --------------------------------------------------------------------------------------------------


class Solver:
    """A policy whose probabilities follow from the solver's scores by a rule; for both seats, picklable.

    In the quotient by mirror symmetry it answers at the canonical position.

    Args:
        rule: from scores float64 [N, A], -inf where illegal, to probabilities; a function of a module, so that it can
            be pickled.
        best_only: whether the rule looks at the best moves alone.
    """

    def __init__(self, rule: Rule, *, best_only: bool = False) -> None:
        self.rule, self.best_only = rule, best_only

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        asked = states[rows]
        found = np.zeros(legal.shape)
        if len(rows):
            found[rows] = self.rule(scores(game, canonical(game, asked), best_only=self.best_only))
        return found


def best_rows(scored: Floats, *, ties: str) -> Floats:
    """The best-scoring moves.

    Args:
        scored: float64 [N, A] scores, -inf where illegal.
        ties: ``first`` for the lowest of them, ``uniform`` for all with equal probability.

    Returns:
        float64 [N, A].
    """
    best = scored == scored.max(1, keepdims=True)
    return uniform_rows(best if ties == "uniform" else best & (best.cumsum(1) == 1))


def solver_expert(game: Game, *, ties: str) -> Seats:
    """The solver as the expert pair of a game.

    Args:
        game: a game that is ``solvable``.
        ties: what it does among equally good moves: ``first`` or ``uniform``.

    Raises:
        PolicyError: for any other game, and where the solver is not installed.
    """
    if not solvable(game):
        raise PolicyError(f"no solver is at hand for {game.spec.name}; the solver knows connect4 on 6x7")
    load()
    expert = Solver(partial(best_rows, ties=ties), best_only=True)
    return expert, expert


# --- BitBully --------------------------------------------------------------------------------------------------


def installed() -> bool:
    """Whether the extra ``solver`` is installed."""
    return find_spec("bitbully") is not None


def load() -> None:
    """Raise PolicyError unless the solver is installed. Cheap: the opening book is read with the first position."""
    if not installed():
        raise PolicyError("the Connect Four solver is not installed; `make solver` (or pip install nashmail[solver])")


@cache
def core() -> tuple[Any, Any]:
    """BitBully with its 12-ply book, and a board to set positions on; one of each per process, a second to load."""
    load()
    library = import_module("bitbully.bitbully_core")
    book = import_module("bitbully_databases").BitBullyDatabases.get_database_path("default")
    return library.BitBullyCore(book), library.BoardCore()


def forget() -> None:
    """Empty the solver's own transposition table, so that a measurement does not profit from what was solved before."""
    core()[0].resetTranspositionTable()


def _solve(stones: int, own: int, left: int) -> list[int]:
    """The scores of all columns, ``ILLEGAL`` for a full one."""
    solver, board = core()
    board.setRawState(stones, own, left)
    return [max(int(score), ILLEGAL) for score in solver.scoreMoves(board)]


def _solve_best(stones: int, own: int, left: int) -> list[int]:
    """The score of the best columns, ``WORSE`` for the others, ``ILLEGAL`` for a full one."""
    solver, board = core()
    board.setRawState(stones, own, left)
    legal = [bool(board.isLegalMove(column)) for column in range(_COLUMNS)]
    if board.canWin():
        value = (left + 1) // 2  # 22 minus the winner's stones
        best = [legal[column] and bool(board.canWin(column)) for column in range(_COLUMNS)]
    else:
        value = int(solver.mtdf(board, 0))
        best = [
            there and -int(solver.negamax(board.playMoveOnCopy(column), -value, -value + 1, 0)) >= value
            for column, there in enumerate(legal)
        ]
    return [value if top else WORSE if there else ILLEGAL for top, there in zip(best, legal, strict=True)]


def _canonical(states: States) -> tuple[Ints, NDArray[np.bool_]]:
    """[N] one number for a position and its mirror image, and whether the image's was the one taken.

    Own stones plus all stones: within a column of height h that is 2^h - 1 plus a number below 2^h, so no two agree.
    """
    images = _BOARD.images(states)
    itself, image = (images[:, :, 0] + images[:, :, 1]).view(np.int64)
    return np.minimum(itself, image), image < itself


def _their_boards(position: Ints) -> list[tuple[int, int, int]]:
    """All stones, own stones and empty cells of numbered positions, in BitBully's bits."""
    stones, own = np.zeros((2, len(position)), dtype=np.int64)
    for column in range(_COLUMNS):
        part = (position >> (column * (_ROWS + 1))) & 0x7F  # 2^h - 1 + own
        filled = (1 << np.floor(np.log2(part + 1)).astype(np.int64)) - 1
        stones |= filled << (column * _THEIRS)
        own |= (part - filled) << (column * _THEIRS)
    left = _ROWS * _COLUMNS - np.bitwise_count(stones).astype(np.int64)
    return list(zip(stones.tolist(), own.tolist(), left.tolist(), strict=True))
