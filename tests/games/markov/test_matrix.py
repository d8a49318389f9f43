"""Matrix games against another linear program, one game at a time, and the promises about ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from games import GameError
from games.markov.matrix import Saddle, solve


def whole(payoff: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, a, b = payoff.shape
    return np.ones((n, a), bool), np.ones((n, b), bool)


def gaps(payoff: np.ndarray, saddle: Saddle, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """[N] what both players could gain against the solution."""
    worst = np.where(columns, np.einsum("nab,na->nb", payoff, saddle.first), np.inf).min(1)
    best = np.where(rows, np.einsum("nab,nb->na", payoff, saddle.second), -np.inf).max(1)
    np.testing.assert_allclose(saddle.value, worst, rtol=0, atol=1e-9)
    return best - worst


def textbook_value(matrix: np.ndarray) -> float:
    """With all payoffs positive: 1 / min(sum u) subject to  u Q >= 1,  u >= 0; an interior point method."""
    shift = 1.0 - matrix.min()
    found = linprog(np.ones(len(matrix)), A_ub=-(matrix + shift).T, b_ub=-np.ones(matrix.shape[1]), method="highs-ipm")
    assert found.fun is not None
    return float(1.0 / found.fun - shift)


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 4), (5, 3), (1, 3), (4, 1)])
def test_values_are_those_of_the_textbook_program(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[0] * 10 + shape[1])
    payoff = rng.normal(size=(12, *shape))
    saddle = solve(payoff, *whole(payoff))
    np.testing.assert_allclose(saddle.value, [textbook_value(matrix) for matrix in payoff], rtol=0, atol=1e-6)
    assert gaps(payoff, saddle, *whole(payoff)).max() < 1e-12


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_nobody_gains_against_the_solution_of_small_integer_games(seed: int, a: int, b: int, most: int) -> None:
    """Few payoffs make many ties and degenerate programs; some actions are not legal."""
    rng = np.random.default_rng(seed)
    payoff = rng.integers(-most, most + 1, size=(20, a, b)).astype(float)
    rows, columns = rng.random((20, a)) < 0.7, rng.random((20, b)) < 0.7
    rows[~rows.any(1), 0] = columns[~columns.any(1), 0] = True
    for ties in ("first", "uniform"):
        saddle = solve(payoff, rows, columns, ties=ties)
        assert gaps(payoff, saddle, rows, columns).max() < 1e-9
        for strategy, legal in ((saddle.first, rows), (saddle.second, columns)):
            assert (strategy[~legal] == 0).all()
            np.testing.assert_allclose(strategy.sum(1), 1.0, rtol=0, atol=1e-12)


def test_two_by_two_is_the_closed_form() -> None:
    payoff = np.array([[[3.0, -1.0], [-2.0, 4.0]]])  # total 10: p = 6/10, q = 5/10, value 10/10
    saddle = solve(payoff, *whole(payoff))
    np.testing.assert_allclose(saddle.first, [[0.6, 0.4]])
    np.testing.assert_allclose(saddle.second, [[0.5, 0.5]])
    np.testing.assert_allclose(saddle.value, [1.0])


def test_ties_are_broken_as_stated() -> None:
    payoff = np.array([[[1.0, 1.0, 2.0], [1.0, 1.0, 3.0], [0.0, 5.0, 0.0]]])
    first, uniform, vertex = (solve(payoff, *whole(payoff), ties=ties) for ties in ("first", "uniform", "vertex"))
    assert first.first.tolist() == [[1, 0, 0]]
    assert first.second.tolist() == [[1, 0, 0]]
    assert uniform.first.tolist() == [[0.5, 0.5, 0]]
    assert uniform.second.tolist() == [[1, 0, 0]], "column 1 costs 5 in the last row"
    assert gaps(payoff, vertex, *whole(payoff)).max() < 1e-9
    with pytest.raises(GameError, match="ties must be"):
        solve(payoff, *whole(payoff), ties="last")


def test_many_games_are_their_games_one_by_one(rng: np.random.Generator) -> None:
    payoff = rng.normal(size=(40, 3, 3))
    together = solve(payoff, *whole(payoff))
    for row in range(len(payoff)):
        alone = solve(payoff[row : row + 1], *whole(payoff[:1]))
        np.testing.assert_allclose(alone.first[0], together.first[row], rtol=0, atol=1e-12)
        np.testing.assert_allclose(alone.second[0], together.second[row], rtol=0, atol=1e-12)


def test_rock_paper_scissors_is_uniform_to_machine_precision() -> None:
    payoff = np.array([[[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]])
    saddle = solve(payoff, *whole(payoff))
    np.testing.assert_allclose(saddle.first, 1 / 3, rtol=0, atol=1e-15)
    np.testing.assert_allclose(saddle.second, 1 / 3, rtol=0, atol=1e-15)
