"""Kernels: whatever they are kept as, they answer like the table of their probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from games import GameError
from games.markov.transitions import Dense, Entries, LowRank, Transitions, tabulated

S, A, B, D = 7, 2, 3, 4


def low_rank(rng: np.random.Generator) -> LowRank:
    return LowRank(rng.dirichlet(np.ones(D), size=(S, A, B)), rng.dirichlet(np.ones(S), size=D))


def sparse(rng: np.random.Generator, states: int = S) -> np.ndarray:
    """A kernel in which every joint action leads to two states."""
    table = np.zeros((states, A, B, states))
    weight = rng.random((states, A, B))
    first, second = rng.integers(states, size=(2, states, A, B))
    np.put_along_axis(table, first[..., None], weight[..., None], axis=3)
    left = 1.0 - np.take_along_axis(table, first[..., None], axis=3)
    np.put_along_axis(table, second[..., None], np.where(second == first, 1.0, left[..., 0])[..., None], axis=3)
    return table


def as_entries(table: np.ndarray) -> Entries:
    s, a, b, following = np.nonzero(table)
    row = np.ravel_multi_index((s, a, b), table.shape[:3])
    return Entries(table.shape[:3], row, following, table[s, a, b, following])


def pairs(seed: int) -> list[tuple[Transitions, np.ndarray]]:
    """Kernels of all kinds beside their tables."""
    rng = np.random.default_rng(seed)
    lower = low_rank(rng)
    full = lower.features @ lower.anchors
    few, many = sparse(rng), sparse(rng, 300)
    return [
        (lower, full),
        (Dense(full), full),
        (as_entries(full), full),
        (as_entries(few), few),
        (as_entries(many), many),
    ]


@settings(max_examples=6)
@given(st.integers(0, 1000), st.floats(0.0, 0.99))
def test_kernels_answer_like_their_tables(seed: int, discount: float) -> None:
    rng = np.random.default_rng(seed)
    for kernel, table in pairs(seed):
        states = len(table)
        values, two = rng.normal(size=states), rng.normal(size=(states, 2))
        mass = rng.random((states, A, B))
        np.testing.assert_allclose(kernel.expect(values), table @ values, atol=1e-12)
        np.testing.assert_allclose(kernel.expect(two), table @ two, atol=1e-12)
        np.testing.assert_allclose(kernel.flow(mass), np.einsum("sab,sabt->t", mass, table), atol=1e-12)
        weights = rng.dirichlet(np.ones(A * B), size=states).reshape(states, A, B)
        moved = np.einsum("sab,sabt->st", weights, table)
        inverse = np.linalg.inv(np.eye(states) - discount * moved)
        for right in (values, two):
            np.testing.assert_allclose(kernel.evaluate(weights, right, discount), inverse @ right, atol=1e-8)
            np.testing.assert_allclose(kernel.occupancy(weights, right, discount), inverse.T @ right, atol=1e-8)


def test_outcomes_are_the_rows_of_the_table(rng: np.random.Generator) -> None:
    for kernel, table in pairs(3):
        s, a, b = (rng.integers(size, size=20) for size in table.shape[:3])
        move, following, probability = kernel.outcomes(s, a, b)
        rows = np.zeros((20, len(table)))
        rows[move, following] = probability
        assert len(np.unique(move * len(table) + following)) == len(move), "an outcome is listed twice"
        np.testing.assert_allclose(rows, table[s, a, b], rtol=0, atol=1e-12)


def test_draws_are_the_kernels(rng: np.random.Generator) -> None:
    for kernel, table in pairs(5):
        n, at = 20_000, (1, 1, 2)
        drawn = kernel.sample(*(np.full(n, index) for index in at), rng=rng)
        expected = table[at] * n
        seen = np.bincount(drawn, minlength=len(table))
        assert (seen[expected == 0] == 0).all()
        held = expected > 0
        assert chisquare(seen[held], expected[held]).pvalue > 1e-3


def test_entries_of_one_place_add_up_in_any_order() -> None:
    row, following = np.array([1, 0, 0, 1]), np.array([1, 0, 0, 0])
    kernel = Entries((2, 1, 1), row, following, np.array([0.5, 0.25, 0.75, 0.5]))
    assert kernel.row.tolist() == [0, 1, 1]
    np.testing.assert_allclose(kernel.expect(np.array([1.0, 3.0])).ravel(), [1.0, 2.0])


def test_tables_are_kept_as_fits_them(rng: np.random.Generator) -> None:
    assert isinstance(tabulated(rng.dirichlet(np.ones(S), size=(S, A, B))), Dense)
    assert isinstance(tabulated(sparse(rng, 30)), Entries)


ONE = np.ones((1, 1, 1, 1))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: tabulated(ONE * 0.9), r"from state 0 under actions \(0, 0\) sum to 0.9, not to 1"),
        (lambda: tabulated(np.zeros((2, 1, 1, 2))), "sum to 0, not to 1"),
        (lambda: tabulated(ONE * np.nan), "finite and not negative"),
        (lambda: tabulated(-ONE), "finite and not negative"),
        (lambda: tabulated(np.ones((2, 1, 1, 3))), r"shape \[S, A, B, S\], not \[2, 1, 1, 3\]"),
        (lambda: tabulated(np.ones((2, 2))), r"shape \[S, A, B, S\]"),
        (lambda: Entries((1, 1, 1), np.array([0]), np.array([1]), np.ones(1)), "does not exist"),
        (lambda: Entries((1, 1, 1), np.array([0]), np.array([0]), np.ones(2)), "one row, one next state"),
        (lambda: Entries((1, 1, 1), np.array([0]), np.array([0]), np.array([np.inf])), "finite"),
        (lambda: LowRank(np.ones((1, 1, 1, 2)), np.ones((2, 1))), "features of low-rank transitions must be"),
        (lambda: LowRank(np.full((1, 1, 1, 2), 0.5), np.full((2, 1), np.nan)), "anchors of low-rank"),
        (lambda: LowRank(np.full((1, 1, 1, 2), 0.5), np.ones((3, 1))), r"anchors \[d, S\]"),
    ],
)
def test_what_is_no_kernel_is_refused_in_one_line(make: object, says: str) -> None:
    with pytest.raises(GameError, match=says) as error:
        make()  # type: ignore[operator]
    assert "\n" not in str(error.value)
