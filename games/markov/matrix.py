"""Matrix games: batches of one-shot zero-sum games, as Shapley's operator solves them at every state.

Pure saddle points are found directly, two-by-two games have a closed form, and HiGHS (scipy) solves the others as one
block-diagonal linear program. Ties among equally good pure strategies are broken as stated: ``first`` takes the lowest
action, ``uniform`` mixes all of them. A game that needs mixing is solved at a vertex in both cases. ``vertex`` takes
the vertex at which one linear program per game and player ends, saddle point or not: HiGHS's own choice, and that of
the code of arXiv 2602.22810. Sources: von Neumann 1928; Shapley 1953.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from games.base import Bools, Floats, GameError
from games.progress import report

TIES = ("first", "uniform", "vertex")
TIE = 1e-9
"""Differences in value below this, relative to the largest payoff (at least 1), count as 0."""
_BATCH = 512  # games per linear program
_SUPPORT = 1e-9  # probabilities below this in a linear program's solution count as 0
_ROUGH = 1e10  # condition number from which the linear equations are no more accurate than the program


@dataclass(frozen=True)
class Saddle:
    """The solution of N matrix games."""

    value: Floats  # [N] for the row player, the maximizer
    first: Floats  # [N, A] the row player's strategy
    second: Floats  # [N, B] the column player's


def solve(payoff: Floats, rows: Bools, columns: Bools, *, ties: str = "first") -> Saddle:
    """Solve a batch of matrix games.

    Args:
        payoff: float64 [N, A, B], the row player's payoffs.
        rows: bool [N, A] the legal rows, at least one per game.
        columns: bool [N, B] the legal columns, at least one per game.
        ties: one of ``TIES``.

    Returns:
        Values and strategies.

    Raises:
        GameError: ``ties`` is another word, or a linear program fails.
    """
    if ties not in TIES:
        raise GameError(f"ties must be 'first', 'uniform' or 'vertex', not {ties!r}")
    if ties == "vertex":
        return _vertices(payoff, rows, columns)
    worst = np.where(columns[:, None, :], payoff, np.inf).min(2)  # [N, A] of each row
    best = np.where(rows[:, :, None], payoff, -np.inf).max(1)  # [N, B] of each column
    worst, best = np.where(rows, worst, -np.inf), np.where(columns, best, np.inf)
    lower, upper = worst.max(1), best.min(1)
    slack = TIE * np.maximum(1.0, np.abs(np.where(rows[:, :, None] & columns[:, None, :], payoff, 0.0)).max((1, 2)))
    value = lower.copy()
    first = _spread(worst >= (lower - slack)[:, None], ties)
    second = _spread(best <= (upper + slack)[:, None], ties)
    mixed = np.flatnonzero(upper - lower > slack)
    if not len(mixed):
        return Saddle(value, first, second)
    small = (rows[mixed].sum(1) == 2) & (columns[mixed].sum(1) == 2)
    for which, method in ((mixed[small], _two_by_two), (mixed[~small], _programs)):
        for start in range(0, len(which), _BATCH):
            report(start, len(which), "matrix games", step="solve")
            part = which[start : start + _BATCH]
            value[part], first[part], second[part] = method(payoff[part], rows[part], columns[part])
    return Saddle(value, first, second)


def _spread(good: Bools, ties: str) -> Floats:
    """[N, A] the lowest good action of each row, or all of them with equal probability."""
    if ties == "uniform":
        return np.asarray(good / good.sum(1, keepdims=True))
    table = np.zeros(good.shape)
    table[np.arange(len(good)), good.argmax(1)] = 1.0
    return table


def _two_by_two(payoff: Floats, rows: Bools, columns: Bools) -> tuple[Floats, Floats, Floats]:
    """Games with two legal actions each and no saddle point: both players make the other indifferent."""
    n = np.arange(len(payoff))[:, None]
    r, c = np.nonzero(rows)[1].reshape(-1, 2), np.nonzero(columns)[1].reshape(-1, 2)
    m = payoff[n[:, :, None], r[:, :, None], c[:, None, :]]  # [N, 2, 2]
    a, b, cc, d = m[:, 0, 0], m[:, 0, 1], m[:, 1, 0], m[:, 1, 1]
    total = a + d - b - cc
    p, q = (d - cc) / total, (d - b) / total
    first, second = np.zeros(rows.shape), np.zeros(columns.shape)
    np.put_along_axis(first, r, np.stack([p, 1.0 - p], 1), 1)
    np.put_along_axis(second, c, np.stack([q, 1.0 - q], 1), 1)
    return (a * d - b * cc) / total, first, second


def _programs(payoff: Floats, rows: Bools, columns: Bools) -> tuple[Floats, Floats, Floats]:
    """All games in one program: maximize the sum of values v_n with  sum_a x_na Q_nab >= v_n  for legal b.

    The column player's strategy is the dual solution.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    n, a, b = payoff.shape
    game, column = np.nonzero(columns)  # one constraint each
    constraint = np.arange(len(game))
    entries = (-payoff[game, :, column]).ravel()
    at_row = np.repeat(constraint, a)
    at_column = (game[:, None] * a + np.arange(a)).ravel()
    upper = coo_array(
        (
            np.concatenate([entries, np.ones(len(game))]),
            (np.concatenate([at_row, constraint]), np.concatenate([at_column, n * a + game])),
        ),
        shape=(len(game), n * a + n),
    )
    sums = coo_array((np.ones(n * a), (np.repeat(np.arange(n), a), np.arange(n * a))), shape=(n, n * a + n))
    bounds = np.zeros((n * a + n, 2))
    bounds[: n * a, 1] = rows.ravel()
    bounds[n * a :] = -np.inf, np.inf
    cost = np.concatenate([np.zeros(n * a), -np.ones(n)])
    run: Any = linprog  # its type stubs lack sparse matrices
    solution = run(
        cost,
        A_ub=upper.tocsr(),
        b_ub=np.zeros(len(game)),
        A_eq=sums.tocsr(),
        b_eq=np.ones(n),
        bounds=bounds,
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if solution.status != 0:
        raise GameError(f"a matrix game could not be solved: {solution.message}")
    second = np.zeros((n, b))
    second[game, column] = np.maximum(-solution.ineqlin.marginals, 0.0)
    first = np.maximum(solution.x[: n * a].reshape(n, a), 0.0)
    return _polished(payoff, solution.x[n * a :], first, second)


def _polished(payoff: Floats, value: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """The same solutions to machine precision: for supports of equal size, by the equations of indifference."""
    first, second = first / first.sum(1, keepdims=True), second / second.sum(1, keepdims=True)
    rows, columns = first > _SUPPORT, second > _SUPPORT
    size = np.where(rows.sum(1) == columns.sum(1), rows.sum(1), 0)
    for k in np.unique(size[size > 0]):
        games = np.flatnonzero(size == k)
        r, c = (np.nonzero(side[games])[1].reshape(-1, k) for side in (rows, columns))
        kernel = payoff[games[:, None, None], r[:, :, None], c[:, None, :]]  # [n, k, k]
        system = np.zeros((2, len(games), k + 1, k + 1))  # of the column player's strategy, of the row player's
        system[0, :, :k, :k], system[1, :, :k, :k] = kernel, kernel.transpose(0, 2, 1)
        system[:, :, :k, k], system[:, :, k, :k] = -1.0, 1.0
        sound = np.linalg.cond(system[0]) < _ROUGH
        right = np.zeros((2, int(sound.sum()), k + 1, 1))
        right[:, :, k] = 1.0
        exact = np.linalg.solve(system[:, sound], right)[..., 0]
        better = (exact[:, :, :k] > 0).all((0, 2))
        games, r, c, exact = games[sound][better], r[sound][better], c[sound][better], exact[:, better]
        value[games] = exact[0, :, k]
        first[games], second[games] = 0.0, 0.0
        first[games[:, None], r], second[games[:, None], c] = exact[1, :, :k], exact[0, :, :k]
    return value, first, second


def _vertices(payoff: Floats, rows: Bools, columns: Bools) -> Saddle:
    """Two linear programs per game, one per player, at the vertices where HiGHS ends."""
    value, first, second = np.zeros(len(payoff)), np.zeros(rows.shape), np.zeros(columns.shape)
    for game, (matrix, r, c) in enumerate(zip(payoff, rows, columns, strict=True)):
        report(game, len(payoff), "matrix games", step="solve")
        value[game], first[game, r] = _maximin(matrix[np.ix_(r, c)])
        second[game, c] = _maximin(-matrix[np.ix_(r, c)].T)[1]
    return Saddle(value, first, second)


def _maximin(payoff: Floats) -> tuple[float, Floats]:
    """Value and strategy of the row player: maximize v subject to  x Q >= v,  x a distribution."""
    from scipy.optimize import linprog

    a, b = payoff.shape
    run: Any = linprog
    solution = run(
        np.concatenate([[-1.0], np.zeros(a)]),
        A_ub=np.concatenate([np.ones((b, 1)), -payoff.T], axis=1),
        b_ub=np.zeros(b),
        A_eq=np.concatenate([[0.0], np.ones(a)])[None],
        b_eq=np.ones(1),
        bounds=[(None, None)] + [(0.0, 1.0)] * a,
        method="highs",
    )
    if solution.status != 0:
        raise GameError(f"a matrix game could not be solved: {solution.message}")
    strategy = np.maximum(solution.x[1:], 0.0)
    return float(solution.x[0]), strategy / strategy.sum()
