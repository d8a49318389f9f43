"""The Nash gap: cited and hand-computed numbers, what always holds, and games whose value is not zero."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from agents import expert
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, PolicyError, Uniform, greedy_rows, tabulate
from agents.tabular import from_model
from games import Game, GameGraph
from games.base import Bools, Response, Table
from games.graph import LIMIT
from games.models import enumerable, has_plies
from mail.commands.games import facts
from mail.evaluation.coverage import imitation_limit
from mail.evaluation.gap import Gap, GapError, exploitability, greedy, nash_gap, table_gap
from mail.terminal.moves import worth
from mail.terminal.tables import learner_table
from tests.support import PlainBoard, backward, game, graph, optimal_profile, random_profile, uniform_profile

UNIFORM = (Uniform(), Uniform())

# --- numbers ---------------------------------------------------------------------------------------------


def test_uniform_play_of_tictactoe(tictactoe_graph: GameGraph) -> None:
    """OpenSpiel's nash_conv, and each seat's part of it (docs/algorithms.md, "Exploitability and the Nash gap")."""
    gap = nash_gap(tictactoe_graph, UNIFORM)
    assert gap.nash_gap == pytest.approx(1.9196593915343916, abs=1e-12)
    assert gap.exploitability == pytest.approx((0.924868, 0.994792), abs=5e-7)
    played = 0.584921 - 0.288095  # seat 0 wins and loses
    assert gap.nash_gap_max == pytest.approx(max(0.994792 - played, played + 0.924868), abs=2e-6)


def test_uniform_play_of_a_small_connect_four(connect4_small_graph: GameGraph) -> None:
    assert nash_gap(connect4_small_graph, UNIFORM).nash_gap == pytest.approx(1.9133481626157407, abs=1e-12)


@pytest.mark.slow
@pytest.mark.equal_results
def test_networks_are_asked_once_for_every_position_of_their_seat(connect4_small_graph: GameGraph) -> None:
    """Of 4x4, all 134,289 positions between the two seats; each seat's part is what its table alone loses."""
    asked: list[int] = []

    class Counted(NetworkPolicy):
        def logits(self, observations: np.ndarray) -> np.ndarray:
            asked.append(len(observations))
            return super().logits(observations)

    spec = connect4_small_graph.game.spec
    nets = [
        Counted(PolicyNet(spec.observation, spec.actions, Architecture(), rng=np.random.default_rng(seat)))
        for seat in (0, 1)
    ]
    tables = tabulate(connect4_small_graph, nets[0], 0), tabulate(connect4_small_graph, nets[1], 1)
    gap = table_gap(connect4_small_graph, tables)
    assert sum(asked) == len(connect4_small_graph) == 134_289
    assert 0 < min(gap.exploitability) < 1
    few = np.random.default_rng(3).choice(np.flatnonzero(connect4_small_graph.seat == 0), 100)
    alone = nets[0].probabilities(connect4_small_graph.game, connect4_small_graph.states[few], 0)
    np.testing.assert_allclose(tables[0][few], alone, rtol=0, atol=1e-12)
    assert np.array_equal(greedy_rows(tables[0][few]), greedy_rows(alone))


@pytest.mark.parametrize("name", ["tictactoe:3x3:2", "tictactoe:2x3:2", "connect4:3x3:3", "tictactoe:2x3"])
def test_uniform_play_against_plain_recursion(name: str) -> None:
    """Each seat's own loss, relative to the game's value, from a second implementation of rules and recursion."""
    plain = PlainBoard.like(game(name))

    def value(who: str) -> float:
        """``who[seat]``: b plays its best, u uniformly."""

        def combine(picture: str, moves: dict[int, float]) -> float:
            seat = plain.mover(picture)
            if who[seat] == "u":
                return sum(moves.values()) / len(moves)
            return max(moves.values()) if seat == 0 else min(moves.values())

        return backward(plain, combine)[plain.empty]

    gap = nash_gap(graph(name), UNIFORM)
    assert gap.exploitability[0] == pytest.approx(value("bb") - value("ub"), abs=1e-12)
    assert gap.exploitability[1] == pytest.approx(value("bu") - value("bb"), abs=1e-12)
    assert gap.nash_gap == pytest.approx(value("bu") - value("ub"), abs=1e-12)
    larger = max(value("bu") - value("uu"), value("uu") - value("ub"))
    assert gap.nash_gap_max == pytest.approx(larger, abs=1e-12)


def test_a_game_that_the_first_seat_wins() -> None:
    """Two in a row on 3 x 3: the value is 1, so the second seat loses nothing by playing badly, and the first
    seat's loss is counted from 1, not from 0."""
    model = graph("tictactoe:3x3:2")
    assert model.solve()[0].value == 1.0
    gap = nash_gap(model, UNIFORM)
    assert gap.exploitability[1] == 0.0
    assert gap.exploitability[0] == gap.nash_gap > 1.0
    best = optimal_profile(model, ties="first")
    first_wrong = table_gap(model, (uniform_profile(model)[0], best[1]))
    assert first_wrong.exploitability == gap.exploitability
    assert table_gap(model, (best[0], uniform_profile(model)[1])) == Gap((0.0, 0.0), 0.0, 0.0)


@pytest.mark.parametrize("ties", ["first", "uniform"])
@pytest.mark.parametrize(
    "name", ["tictactoe", "quotient:tictactoe", "tictactoe:3x3:2", "tictactoe:2x2:2", "connect4:4x4", "connect4:3x3:3"]
)
def test_minimax_pairs_have_no_gap_at_all(name: str, ties: str) -> None:
    model = graph(name)
    nothing = Gap((0.0, 0.0), 0.0, 0.0)
    assert table_gap(model, optimal_profile(model, ties="first")) == nothing
    assert nash_gap(model, greedy(expert.make(ties, model))) == nothing
    mixed = nash_gap(model, expert.make(ties, model))
    assert np.abs([*mixed.exploitability, mixed.nash_gap, mixed.nash_gap_max]).max() < 1e-12


@pytest.mark.parametrize(("ties", "expected"), [("first", (0.8095, 0.9948)), ("uniform", (0.8042, 0.7813))])
def test_cloning_two_experts_without_end(ties: str, expected: tuple[float, float], tictactoe_graph: GameGraph) -> None:
    """What behavioral cloning keeps however much data it has (docs/algorithms.md, "Exploitability and the Nash
    gap").
    """
    experts = tictactoe_graph.equilibrium(ties)
    limits = [imitation_limit(tictactoe_graph, experts, seat) for seat in (0, 1)]
    found = [exploitability(tictactoe_graph, table, seat) for seat, table in enumerate(limits)]
    assert found == pytest.approx(expected, abs=5e-5)


# --- what always holds -----------------------------------------------------------------------------------

SMALL = ["tictactoe:2x2:2", "tictactoe:2x3:3", "tictactoe:3x3:2", "connect4:3x3:3"]


@given(name=st.sampled_from(SMALL), seed=st.integers(0, 2**32), sparse=st.booleans())
def test_what_holds_of_every_gap(name: str, seed: int, sparse: bool) -> None:
    """No seat gains by being exploited; the sum form lies between the max form and twice it; seats are apart."""
    model = graph(name)
    profile, other = random_profile(model, seed, sparse=sparse), random_profile(model, seed + 1)
    gap = table_gap(model, profile)
    assert min(gap.exploitability) >= -1e-12
    assert gap.nash_gap == pytest.approx(sum(gap.exploitability), abs=1e-12)
    assert gap.nash_gap_max <= gap.nash_gap + 1e-12
    assert gap.nash_gap <= 2 * gap.nash_gap_max + 1e-12
    for seat in (0, 1):
        assert exploitability(model, profile[seat], seat) == pytest.approx(gap.exploitability[seat], abs=1e-12)
    assert table_gap(model, (profile[0], other[1])).exploitability[0] == gap.exploitability[0]
    assert table_gap(model, (other[0], profile[1])).exploitability[1] == gap.exploitability[1]


@given(name=st.sampled_from(SMALL), seed=st.integers(0, 2**32))
def test_no_opponent_takes_more_than_the_gap_says(name: str, seed: int) -> None:
    """Random opponents stay within it, the best response reaches it."""
    model = graph(name)
    profile, value = random_profile(model, seed), model.solve()[0].value
    gap = table_gap(model, profile)
    for number in range(3):
        other = random_profile(model, seed + 1 + number, sparse=True)
        assert value - model.value((profile[0], other[1])) <= gap.exploitability[0] + 1e-12
        assert model.value((other[0], profile[1])) - value <= gap.exploitability[1] + 1e-12
    responses = model.respond(0, profile[1]).policy, model.respond(1, profile[0]).policy
    assert value - model.value((profile[0], responses[1])) == pytest.approx(gap.exploitability[0], abs=1e-12)
    assert model.value((responses[0], profile[1])) - value == pytest.approx(gap.exploitability[1], abs=1e-12)


@given(seed=st.integers(0, 2**32))
def test_policies_are_measured_as_their_tables(seed: int) -> None:
    model = graph("connect4:3x3:3")
    profile = random_profile(model, seed, sparse=True)
    policies = from_model(model, 0, profile[0]), from_model(model, 1, profile[1])
    assert nash_gap(model, policies) == table_gap(model, profile)
    hard = greedy(policies)
    assert isinstance(hard[0], Greedy)
    tables = tabulate(model, hard[0], 0), tabulate(model, hard[1], 1)
    assert nash_gap(model, hard) == table_gap(model, tables)
    assert set(np.unique(tables[0])) == {0.0, 1.0}


def test_what_is_no_policy_is_not_measured(tictactoe_graph: GameGraph) -> None:
    class Nothing:
        def probabilities(self, game: Game, states: np.ndarray, seat: int) -> np.ndarray:
            return np.zeros((len(states), 9))

    with pytest.raises(PolicyError, match="Nothing gives probabilities that do not sum to 1"):
        nash_gap(tictactoe_graph, (Nothing(), Uniform()))


def test_what_is_no_pair_is_told_what_is_right(tictactoe_graph: GameGraph) -> None:
    """One policy, three, tables for policies and the other way round, a game for its model."""
    model, tables = tictactoe_graph, random_profile(tictactoe_graph, 1)
    one = "needs a pair of policies, .* not one Uniform; .*: nash_gap\\(model, \\(policy, policy\\)\\)"
    wrong: list[tuple[Callable[..., Gap], object, object, str]] = [
        (nash_gap, model, Uniform(), one),
        (nash_gap, model, (Uniform(),) * 3, "needs a pair of policies, .* not 3 of them"),
        (nash_gap, model, tables, "seat 0 has an object of type ndarray .*measured by mail.evaluation.gap.table_gap"),
        (nash_gap, model, (Uniform(), "expert"), "seat 1 has an object of type str"),
        (nash_gap, model.game, UNIFORM, "needs a game's model first, not Board: games.GameGraph"),
        (nash_gap, "tictactoe", UNIFORM, "needs a game's model first, not str"),
        (
            table_gap,
            model,
            tables[0],
            "needs a pair of tables, .* not one ndarray; .*table_gap\\(model, \\(table, table",
        ),
        (table_gap, model, UNIFORM, "table of seat 0 must be float64 .*here \\[4520, 9\\], not Uniform"),
        (table_gap, model, (tables[0][:9], tables[1]), "table of seat 0 must be float64 .* not float64 \\[9, 9\\]"),
        (table_gap, model, (tables[0], tables[1].T), "table of seat 1 must be float64 .* not float64 \\[9, 4520\\]"),
        (table_gap, model, (tables[0], tables[1] > 0), "table of seat 1 must be float64 .* not bool"),
        (table_gap, model, tables[::-1], "table of seat 0 sums to 0 in row 0, .* are the seats swapped"),
        (table_gap, model, (tables[0] * np.nan, tables[1]), "table of seat 0 sums to nan"),
        (table_gap, model, (tables[0], np.roll(tables[1], 1, 1)), "table of seat 1 has a negative .* illegal action"),
    ]
    for measure, first, second, says in wrong:
        with pytest.raises(PolicyError, match=says) as error:
            measure(first, second)
        assert "\n" not in str(error.value)


def test_rows_of_the_other_seat_do_not_count(tictactoe_graph: GameGraph) -> None:
    """One table may hold both seats' play."""
    first, second = random_profile(tictactoe_graph, 1)
    both = first + second
    assert table_gap(tictactoe_graph, (both, both)) == table_gap(tictactoe_graph, (first, second))


# --- where it can be measured ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "gap", "minimax"),
    [
        ("connect4:4x4", True, True),
        ("connect4:5x4", True, True),
        ("connect4:4x5", True, True),
        ("tictactoe:4x4:4", True, True),
        ("connect4:5x5", False, True),
        ("connect4:7x4", False, False),
        ("connect4", False, False),
    ],
)
def test_the_list_of_games_says_where(name: str, gap: bool, minimax: bool) -> None:
    """Tables of policies need memory; larger boards are measured ply by ply."""
    row = facts(name)
    assert (row["exact_gap"], row["enumerable"], row["minimax"]) == (gap or has_plies(game(name)), gap, minimax)
    assert has_plies(game(name)) == (name == "connect4:5x5")
    assert enumerable(game(name)) == gap
    assert not minimax or row["positions_at_most"] * row["actions"] <= LIMIT


# --- rounding, and what cannot be ------------------------------------------------------------------------


class Shifted:
    """A model whose best responses are off by some amount."""

    scale = 1.0

    def __init__(self, model: GameGraph, off: float) -> None:
        self.game, self.model, self.off = model.game, model, off

    def legal(self, seat: int) -> Bools:
        return self.model.legal(seat)

    def value(self, profile: tuple[Table, Table]) -> float:
        return self.model.value(profile)

    def solve(self) -> tuple[Response, Response]:
        return self.model.solve()

    def respond(self, seat: int, against: Table) -> Response:
        found = self.model.solve()[seat]
        return Response(seat, found.value - (1 - 2 * seat) * self.off, found.values, found.action_values)


@pytest.mark.parametrize("off", [0.0, 1e-17, 9e-10])
def test_rounding_below_zero_is_zero(off: float, tictactoe_graph: GameGraph) -> None:
    model: Any = Shifted(tictactoe_graph, off)
    profile = optimal_profile(tictactoe_graph, ties="first")
    gap = table_gap(model, profile)
    found = [
        *gap.exploitability,
        gap.nash_gap,
        gap.nash_gap_max,
        *(exploitability(model, profile[s], s) for s in (0, 1)),
    ]
    assert [repr(value) for value in found] == ["0.0"] * 6


def test_an_exploitability_below_zero_is_an_error(tictactoe_graph: GameGraph) -> None:
    model: Any = Shifted(tictactoe_graph, 1e-6)
    profile = optimal_profile(tictactoe_graph, ties="first")
    with pytest.raises(GapError, match="internal error: a best response in tictactoe is worth -1e-06"):
        table_gap(model, profile)
    with pytest.raises(GapError, match="internal error"):
        exploitability(model, profile[0], 0)
    with pytest.raises(GapError, match="internal error"):
        table_gap(Shifted(tictactoe_graph, float("nan")), profile)  # type: ignore[arg-type]


def test_no_table_shows_a_negative_zero() -> None:
    """Runs of earlier versions hold exploitabilities a little below 0."""
    measured = {"exploitability": [-1e-17, -0.0], "nash_gap": -4e-5, "greedy_nash_gap": -0.0}
    file = StringIO()
    Console(file=file, width=100).print(learner_table("old", {"mail": {"games": 1, **measured}}))
    assert "0.0000" in file.getvalue() and "-0" not in file.getvalue()
    assert worth(-1e-17, plain=False) == "+0.000"
