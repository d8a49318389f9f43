"""Experts of games with a graph."""

from __future__ import annotations

import numpy as np
import pytest

from agents import expert
from agents.policy import (
    PolicyError,
    Uniform,
)
from games import Board, GameGraph
from tests.agents.pairs import same
from tests.hidden_game import HiddenCoin
from tests.support import position


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
        expert.make("first", HiddenCoin())


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
