"""Asking a policy, drawing from it, and what is made of others: greedy, tempered, mixed, lifted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import expert
from agents.policy import (
    Greedy,
    Lifted,
    Mixture,
    PolicyError,
    Tempered,
    Uniform,
    query,
    sample,
    tabulate,
    uniform_rows,
)
from games import Board, Game, GameGraph, Quotient
from games.base import Floats, States
from tests.agents.pairs import full_column, random_tables
from tests.support import PENNIES, graph, position, visited


class Fixed:
    """Gives the rows it was made with, right or wrong."""

    def __init__(self, rows: object) -> None:
        self.rows = np.array(rows, dtype=np.float64)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return self.rows


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ([0.0, 0.5, 0.6, 0.0], r"do not sum to 1 \(off by 0.1\)"),
        ([0.0, 0.5, 0.499, 0.0], r"do not sum to 1 \(off by 0.001\)"),
        ([0.0, 0.0, 0.0, 0.0], r"do not sum to 1 \(off by 1\)"),
        ([0.1, 0.5, 0.4, 0.0], "puts probability on an illegal action of seat 0"),
        ([1e-300, 0.5, 0.5, 0.0], "puts probability on an illegal action of seat 0"),
        ([0.0, 1.5, -0.5, 0.0], "negative or non-finite"),
        ([0.0, np.nan, 1.0, 0.0], "negative or non-finite"),
        ([0.0, np.inf, 0.0, 0.0], "negative or non-finite"),
        ([0.0, 0.5, 0.5], r"shape \(1, 3\); expected \(1, 4\)"),
    ],
)
def test_ask_refuses_what_is_no_legal_distribution(row: list[float], says: str) -> None:
    board, states = full_column()
    with pytest.raises(PolicyError, match=f"^Fixed .*{says}"):
        query(Fixed([row]), board, states, 0)


def test_ask_accepts_rounding_and_wants_zero_rows_of_the_other_seat() -> None:
    board, states = full_column()
    row = np.array([[0.0, 0.5, 0.5 - 1e-9, 0.0]])
    assert np.array_equal(query(Fixed(row), board, states, 0), row)
    assert (query(Fixed([[0.0, 0.0, 0.0, 0.0]]), board, states, 1) == 0).all()
    with pytest.raises(PolicyError, match="illegal action of seat 1"):
        query(Fixed(row), board, states, 1)


def test_tabulate_asks_once_for_every_position(tictactoe_graph: GameGraph) -> None:
    for seat in (0, 1):
        table = tabulate(tictactoe_graph, Uniform(), seat)
        assert np.array_equal(table, uniform_rows(tictactoe_graph.legal(seat)))
        assert (table.sum(1) > 0).sum() == (2423, 2097)[seat]


class Marks:
    """A generator whose uniform draws are given."""

    def __init__(self, *marks: float) -> None:
        self.marks = marks

    def random(self, shape: tuple[int, ...]) -> Floats:
        return np.array(self.marks).reshape(shape)


@pytest.mark.parametrize(
    ("row", "mark", "action"),
    [
        ([0.0, 0.25, 0.0, 0.75], 0.0, 1),  # a draw of exactly 0 skips what has no probability
        ([0.0, 0.25, 0.0, 0.75], 0.2499, 1),
        ([0.0, 0.25, 0.0, 0.75], 0.25, 3),
        ([0.0, 0.25, 0.75, 0.0], np.nextafter(1.0, 0.0), 2),  # the last action has none either
        ([1.0, 0.0, 0.0, 0.0], np.nextafter(1.0, 0.0), 0),
        ([0.0, 0.0, 0.0, 1.0], 0.0, 3),
        ([0.1] * 3 + [0.7 - 1e-12], np.nextafter(1.0, 0.0), 3),  # rows that sum to a little less than 1
        ([0.25, 0.75 + 1e-9, 0.0, 0.0], np.nextafter(1.0, 0.0), 1),  # or a little more
        ([0.0, 5e-324, 0.0, 0.0], np.nextafter(1.0, 0.0), 1),  # where the draw rounds up to the total
        ([0.0, 0.0, 0.0, 0.0], 0.5, -1),
    ],
)
def test_sample_at_the_edges(row: list[float], mark: float, action: int) -> None:
    assert sample(np.array([row]), rng=Marks(mark)).tolist() == [action]  # type: ignore[arg-type]


def test_sample_draws_each_action_as_often_as_its_probability(rng: np.random.Generator) -> None:
    probabilities = np.array([0.0, 0.5, 0.2, 0.0, 0.3, 0.0])
    actions = sample(np.tile(probabilities, (100_000, 1)), rng=rng)
    assert actions.dtype == np.int64
    share = np.bincount(actions, minlength=6) / len(actions)
    assert (share[probabilities == 0] == 0).all()
    np.testing.assert_allclose(share, probabilities, rtol=0, atol=4 * np.sqrt(0.25 / len(actions)))


def test_sample_draws_once_per_row_in_order() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(5), 200)
    rows[::7] = 0.0
    together = sample(rows, rng=np.random.default_rng(1))
    one = np.random.default_rng(1)
    assert np.array_equal(together, np.concatenate([sample(rows[i : i + 1], rng=one) for i in range(200)]))
    assert (together[::7] == -1).all()
    assert sample(rows[:0], rng=one).shape == (0,)


@given(weights=st.lists(st.floats(0, 1), min_size=1, max_size=9), seed=st.integers(0, 2**32))
def test_sample_never_draws_the_impossible(weights: list[float], seed: int) -> None:
    row = np.array([weights])
    action = sample(np.tile(row, (50, 1)), rng=np.random.default_rng(seed))
    assert ((action == -1).all() if not row.any() else (row[0, action] > 0).all()) and len(action) == 50


def test_uniform_plays_every_legal_action_alike() -> None:
    board, states = full_column()
    assert Uniform().probabilities(board, states, 0).tolist() == [[0.0, 1 / 3, 1 / 3, 1 / 3]]
    assert Uniform().probabilities(PENNIES, PENNIES.starts(), 1).tolist() == [[0.5, 0.5]]


def test_greedy_takes_the_lowest_of_the_most_probable() -> None:
    board, states = full_column()
    assert Greedy(Fixed([[0.0, 0.2, 0.4, 0.4]])).probabilities(board, states, 0).tolist() == [[0.0, 0.0, 1.0, 0.0]]
    rounded = Fixed([[0.0, 0.2, 0.4 - 1e-15, 0.4]])
    assert Greedy(rounded).probabilities(board, states, 0).tolist() == [[0.0, 0.0, 1.0, 0.0]], "equal but for rounding"
    less = Fixed([[0.0, 0.2, 0.4 - 1e-8, 0.4 + 1e-8]])
    assert Greedy(less).probabilities(board, states, 0).tolist() == [[0.0, 0.0, 0.0, 1.0]]
    assert Greedy(Uniform()).probabilities(board, states, 0).tolist() == [[0.0, 1.0, 0.0, 0.0]]
    assert Greedy(Uniform()).probabilities(board, states, 1).tolist() == [[0.0] * 4]


@pytest.mark.parametrize(
    ("temperature", "row"),
    [
        (1.0, [0.0, 0.2, 0.8, 0.0]),
        (0.5, [0.0, 1 / 17, 16 / 17, 0.0]),
        (2.0, [0.0, 1 / 3, 2 / 3, 0.0]),
        (1e-6, [0.0, 0.0, 1.0, 0.0]),
        (1e9, [0.0, 0.5, 0.5, 0.0]),
    ],
)
def test_temperature_is_a_power(temperature: float, row: list[float]) -> None:
    board, states = full_column()
    rows = Tempered(Fixed([[0.0, 0.2, 0.8, 0.0]]), temperature).probabilities(board, states, 0)
    np.testing.assert_allclose(rows, [row], rtol=0, atol=1e-8)
    assert rows[0, 3] == 0, "what has no probability never gets any"


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_temperatures_are_above_zero(temperature: float) -> None:
    with pytest.raises(PolicyError, match="above 0"):
        Tempered(Uniform(), temperature)


def test_a_mixture_is_the_weighted_mean() -> None:
    board, states = full_column()
    mixture = Mixture([Fixed([[0.0, 1.0, 0.0, 0.0]]), Uniform()], [0.4, 0.6])
    np.testing.assert_allclose(mixture.probabilities(board, states, 0), [[0.0, 0.6, 0.2, 0.2]], rtol=0, atol=1e-15)


@pytest.mark.parametrize("weights", [[], [1.0], [0.5, 0.6], [1.5, -0.5], [0.2, 0.3, 0.5]])
def test_mixtures_want_one_weight_per_member(weights: list[float]) -> None:
    with pytest.raises(PolicyError, match="one weight per member"):
        Mixture([Uniform(), Uniform()], weights)
    with pytest.raises(PolicyError, match="one weight per member"):
        Mixture([], [])


def test_a_lifted_policy_answers_images_with_images(tictactoe: Board, quotient: Quotient) -> None:
    """At positions without a symmetry of their own; at the others several images of an answer are right."""
    policy = Lifted(random_tables(graph("quotient:tictactoe"))[0], quotient)
    states = visited(tictactoe, episodes=40)
    images = tictactoe.images(states)
    alone = (images[1:] != states).any(2).all(0)
    assert alone.sum() > 50
    rows = policy.probabilities(tictactoe, states[alone], 0)
    for g, permutation in enumerate(tictactoe.spec.symmetries):
        moved = policy.probabilities(tictactoe, images[g][alone], 0)
        assert np.array_equal(moved[:, list(permutation)], rows)


def test_a_lifted_policy_plays_the_move_that_leads_to_the_same_place(tictactoe: Board, quotient: Quotient) -> None:
    """Drawn: the quotient's policy completes the line; so does the lifted one, wherever the line is."""
    policy = Lifted(expert.make("first", graph("quotient:tictactoe"))[0], quotient)
    for picture, action in [
        ("xx.\noo.\n...", 2),
        (".xx\n.oo\n...", 0),
        ("...\n.oo\n.xx", 6),
        ("xo.\nxo.\n...", 6),
        (".ox\n.ox\n...", 8),
    ]:
        row = policy.probabilities(tictactoe, position(tictactoe, picture), 0)[0]
        assert row.tolist() == np.eye(9)[action].tolist(), picture
