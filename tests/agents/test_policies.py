"""One suite over every policy: what ``Policy`` promises, whoever plays; then what each kind does in particular.

To add a policy, add a line to ``POLICIES``: a function of a game's graph that gives one policy per seat. To add
a promise, write a function of a case and list it in ``CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import expert
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.ntuple import Grid, NtuplePolicy
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
    sample,
    tabulate,
    uniform_rows,
)
from agents.tabular import Tabular, from_model
from games import Board, Game, GameGraph, Quotient
from games.base import Floats, States
from tests.support import PENNIES, game, graph, position, random_profile, reloaded, visited

# --- who plays what --------------------------------------------------------------------------------------


def same(policy: Policy) -> Seats:
    return policy, policy


def random_tables(model: GameGraph) -> Seats:
    """Tables that know every position, with some probabilities 0."""
    profile = random_profile(model, 5, sparse=True)
    return from_model(model, 0, profile[0]), from_model(model, 1, profile[1])


def partial_table(model: GameGraph) -> Seats:
    """One table, shared by the seats, that knows every third position."""
    profile = random_profile(model, 6)
    rows = np.arange(0, len(model), 3)
    return same(Tabular(model.game.key(model.states[rows]), (profile[0] + profile[1])[rows]))


def network(model: GameGraph, seed: int) -> NetworkPolicy:
    """A small network as it was drawn."""
    spec = model.game.spec
    sizes = Architecture(channels=4, convolutions=1, hidden=16)
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, sizes, rng=np.random.default_rng(seed)))


def ntuple(model: GameGraph, seed: int) -> NtuplePolicy:
    """Random weights for every pattern of a few tuples, and for none of another."""
    rng = np.random.default_rng(seed)
    cells = Grid.of(model.game).draw(5, 3, rng=rng)
    codes = np.tile(np.arange(64, dtype=np.uint64), 4)
    weights = rng.normal(size=(256, model.game.spec.actions)).astype(np.float32)
    return NtuplePolicy(cells, np.array([64, 64, 0, 64, 64]), codes, weights)


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


# --- asking ----------------------------------------------------------------------------------------------


class Fixed:
    """Gives the rows it was made with, right or wrong."""

    def __init__(self, rows: object) -> None:
        self.rows = np.array(rows, dtype=np.float64)

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return self.rows


def full_column() -> tuple[Board, States]:
    """Connect Four on 3 x 4 with the first column full, seat 0 to move."""
    board = game("connect4:3x4")
    return board, position(board, "o...\nx...\no.x.")


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


# --- sampling --------------------------------------------------------------------------------------------


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


# --- each kind in particular -----------------------------------------------------------------------------


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


# --- experts ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("registries_as_they_were")
def test_experts_by_name(tictactoe_graph: GameGraph) -> None:
    assert {"first", "uniform"} <= set(expert.names())
    with pytest.raises(PolicyError, match=r"^no expert is called 'nope'; the experts are: .*first.*uniform") as error:
        expert.make("nope", tictactoe_graph)
    assert "\n" not in str(error.value)
    expert.register("random", lambda _: same(Uniform()))
    assert isinstance(expert.make("random", tictactoe_graph)[0], Uniform)
    with pytest.raises(PolicyError, match="an expert called first is already registered"):
        expert.register("first", lambda _: same(Uniform()))


def test_graph_experts_need_a_graph() -> None:
    with pytest.raises(PolicyError, match="the expert 'first' plays turn-based games"):
        expert.make("first", object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("picture", "first", "uniform"),
    [
        ("xx.\noo.\n...", 2, [2]),  # wins at once, though others win later
        ("xx.\no..\n.o.", 2, [2]),
        ("...\n...\n...", 0, list(range(9))),
        ("x..\n...\n...", 4, [4]),  # only the centre holds the draw
        ("x..\n.o.\n..x", 1, [1, 3, 5, 7]),  # an edge, never a corner
    ],
)
def test_what_the_experts_play(
    tictactoe: Board, tictactoe_graph: GameGraph, picture: str, first: int, uniform: list[int]
) -> None:
    state = position(tictactoe, picture)
    seat = int(tictactoe.acting(state)[0].argmax())
    one = expert.make("first", tictactoe_graph)[seat].probabilities(tictactoe, state, seat)[0]
    mixed = expert.make("uniform", tictactoe_graph)[seat].probabilities(tictactoe, state, seat)[0]
    assert np.flatnonzero(mixed).tolist() == uniform
    np.testing.assert_allclose(mixed[uniform], 1 / len(uniform), rtol=0, atol=1e-15)
    assert one.tolist() == np.eye(9)[first].tolist()


def test_experts_know_their_own_seat_alone(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    first, second = expert.make("first", tictactoe_graph)
    empty = tictactoe_graph.states[:1]
    assert first.probabilities(tictactoe, empty, 0).tolist() == [np.eye(9)[0].tolist()]
    assert not first.probabilities(tictactoe, empty, 1).any()
    with pytest.raises(PolicyError, match="has no row for this position"):
        second.probabilities(tictactoe, empty, 0)
