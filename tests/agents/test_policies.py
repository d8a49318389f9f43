"""One suite over every policy: what ``Policy`` promises, whoever plays; then what each kind does in particular.

To add a policy, add a line to ``POLICIES``: a function of a game's graph that gives one policy per seat. To add
a promise, write a function of a case and list it in ``CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from agents import expert
from agents.policy import (
    Greedy,
    Lifted,
    Mixture,
    Policy,
    PolicyError,
    Seats,
    Tempered,
    Uniform,
    greedy_rows,
    query,
)
from agents.tabular import Tabular
from agents.tactics import Tactics
from games import Game, GameGraph, Quotient
from games.base import Floats, States
from tests.agents.pairs import full_column, network, ntuple, partial_table, random_tables, same
from tests.support import graph, position, reloaded, visited


def lifted(name: str) -> Callable[[GameGraph], Seats]:
    """The quotient's policies ``name``, played on the board."""

    def build(model: GameGraph) -> Seats:
        quotient = graph(f"quotient:{model.game.spec.name}")
        assert isinstance(quotient.game, Quotient)
        first, second = POLICIES[name](quotient)
        return Lifted(first, quotient.game), Lifted(second, quotient.game)

    return build


POLICIES: dict[str, Callable[[GameGraph], Seats]] = {
    "uniform": lambda _: same(Uniform()),
    "expert first": lambda model: expert.make("first", model),
    "expert uniform": lambda model: expert.make("uniform", model),
    "table": random_tables,
    "partial table": partial_table,
    "greedy uniform": lambda _: same(Greedy(Uniform())),
    "greedy table": lambda model: (Greedy(random_tables(model)[0]), Greedy(random_tables(model)[1])),
    "sharp table": lambda model: same(Tempered(partial_table(model)[0], 0.3)),
    "very sharp table": lambda model: same(Tempered(partial_table(model)[0], 1e-3)),
    "flat table": lambda model: same(Tempered(partial_table(model)[0], 5.0)),
    "mixture": lambda model: same(Mixture([Uniform(), partial_table(model)[0]], [0.25, 0.75])),
    "tactics": lambda model: same(Tactics(partial_table(model)[0])),
    "network": lambda model: (network(model, 0), network(model, 1)),
    "ntuple": lambda model: (ntuple(model, 0), ntuple(model, 1)),
}
LIFTED = [
    "uniform",
    "expert first",
    "expert uniform",
    "table",
    "partial table",
    "greedy table",
    "mixture",
    "tactics",
    "network",
    "ntuple",
]
BASES = ["tictactoe", "connect4:3x4"]


@dataclass(frozen=True)
class Case:
    """A policy in one seat, and the positions of random games that it is asked about, finished ones included."""

    policy: Policy
    game: Game
    seat: int
    states: States

    def query(self, states: States) -> Floats:
        return self.policy.probabilities(self.game, states, self.seat)


def case(name: str, game_name: str, seat: int) -> Case:
    build = lifted(name.removeprefix("lifted ")) if name.startswith("lifted ") else POLICIES[name]
    model = graph(game_name)
    return Case(build(model)[seat], model.game, seat, visited(model.game, episodes=30))


CASES = [
    *[(name, game_name) for name in POLICIES for game_name in [*BASES, *[f"quotient:{base}" for base in BASES]]],
    *[(f"lifted {name}", game_name) for name in LIFTED for game_name in BASES],
]


# --- what every policy promises --------------------------------------------------------------------------


def rows_are_distributions_over_legal_actions(case: Case) -> None:
    rows = case.query(case.states)
    legal = case.game.legal(case.states, case.seat)
    assert (rows.shape, rows.dtype) == (legal.shape, np.dtype(np.float64))
    assert (rows >= 0).all()
    assert (rows[~legal] == 0).all()
    acts = case.game.acting(case.states)[:, case.seat]
    assert 0 < acts.sum() < len(acts)
    np.testing.assert_allclose(rows[acts].sum(1), 1.0, rtol=0, atol=1e-9)
    assert np.array_equal(query(case.policy, case.game, case.states, case.seat), rows)


def rows_are_zero_where_the_seat_does_not_act(case: Case) -> None:
    idle = case.states[~case.game.acting(case.states)[:, case.seat]]
    assert (case.query(idle) == 0).all()


def alike(found: Floats, expected: Floats) -> None:
    """Rows of one position from different batches, or places in one: they decide the same, and differ by rounding."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert np.array_equal(found > 0, expected > 0)
    assert np.array_equal(greedy_rows(found), greedy_rows(expected))


def equal_keys_give_equal_rows(case: Case) -> None:
    rows = case.query(np.concatenate([case.states, case.states[::-1]]))
    alike(rows[: len(case.states)], rows[len(case.states) :][::-1])
    keys = [key.tobytes() for key in case.game.key(case.states, case.seat)]
    known: dict[bytes, int] = {}
    first = [known.setdefault(key, row) for row, key in enumerate(keys)]
    alike(rows[: len(keys)], rows[first])


def rows_depend_on_the_batch_by_rounding_alone(case: Case) -> None:
    rows = case.query(case.states)
    order = np.random.default_rng(3).permutation(len(case.states))
    alike(case.query(case.states[order]), rows[order])
    alike(np.concatenate([case.query(case.states[i : i + 1]) for i in range(40)]), rows[:40])
    alike(case.query(case.states[:65]), rows[:65])
    assert case.query(case.states[:0]).shape == (0, case.game.spec.actions)


def the_same_batch_has_the_same_bits(case: Case) -> None:
    assert np.array_equal(case.query(case.states.copy()), case.query(case.states))


def asking_changes_neither_states_nor_answers(case: Case) -> None:
    before = case.states.copy()
    once = case.query(case.states)
    answer = once.copy()
    once[:] = -1.0
    assert np.array_equal(case.query(case.states), answer), "the answer was the policy's own memory"
    assert np.array_equal(case.states, before)


def pickled_it_gives_the_same_answers(case: Case) -> None:
    other, board = reloaded((case.policy, case.game))
    assert np.array_equal(other.probabilities(board, case.states, case.seat), case.query(case.states))
    assert isinstance(other, Policy)


CHECKS = [
    rows_are_distributions_over_legal_actions,
    rows_are_zero_where_the_seat_does_not_act,
    equal_keys_give_equal_rows,
    rows_depend_on_the_batch_by_rounding_alone,
    the_same_batch_has_the_same_bits,
    asking_changes_neither_states_nor_answers,
    pickled_it_gives_the_same_answers,
]


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize(
    ("name", "game_name"),
    [pytest.param(*case, marks=pytest.mark.equal_results if "network" in case[0] else ()) for case in CASES],
)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_policy(name: str, game_name: str, seat: int, check: Callable[[Case], None]) -> None:
    check(case(name, game_name, seat))


def test_a_partial_table_is_uniform_where_it_knows_nothing() -> None:
    board, states = full_column()
    other = position(board, "....\n....\n....")
    table = Tabular(board.key(states), np.array([[0.0, 0.0, 0.25, 0.75]]))
    rows = table.probabilities(board, np.concatenate([other, states, other]), 0)
    assert rows.tolist() == [[0.25] * 4, [0.0, 0.0, 0.25, 0.75], [0.25] * 4]
    assert not table.probabilities(board, states, 1).any()
    known, row = table.find(board.key(np.concatenate([other, states])))
    assert known.tolist() == [False, True]
    assert row[1] == 0


def test_an_empty_table_is_uniform() -> None:
    board, states = full_column()
    table = Tabular(np.zeros((0, 2), dtype=np.uint64), np.zeros((0, 4)))
    assert np.array_equal(table.probabilities(board, states, 0), Uniform().probabilities(board, states, 0))


def test_a_complete_table_never_guesses() -> None:
    board, states = full_column()
    other = position(board, "....\n....\n....")
    table = Tabular(board.key(states), np.array([[0.0, 0.0, 0.25, 0.75]]), complete=True)
    assert table.probabilities(board, states, 0).tolist() == [[0.0, 0.0, 0.25, 0.75]]
    with pytest.raises(PolicyError, match="has no row for this position of connect4:3x4") as error:
        table.probabilities(board, np.concatenate([states, other]), 0)
    assert str(error.value).count("....") == 3, "the position is shown"
    assert "\n" not in str(error.value)
    assert not table.probabilities(board, other, 1).any(), "it is not asked where its seat does not act"


def test_a_table_is_in_any_order_but_names_a_position_once() -> None:
    keys = np.array([[5, 9], [1, 3], [5, 8]], dtype=np.uint64)
    rows = np.eye(3)
    table = Tabular(keys, rows)
    known, at = table.find(keys)
    assert known.all()
    assert np.array_equal(table.table[at], rows)
    with pytest.raises(PolicyError, match="has two rows for one position"):
        Tabular(np.array([[5, 9], [1, 3], [5, 9]], dtype=np.uint64), rows)
