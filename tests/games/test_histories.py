"""Trees of histories: as large as plain recursion says, with the values of the graph they come from."""

from __future__ import annotations

import numpy as np
import pytest

from games import GameError, GameGraph
from games.histories import Histories, HistoryTree, count_histories, has_tree
from tests.support import PlainBoard, game, graph, random_profile

NAMES = [
    "connect4:3x3:3",
    "tictactoe:2x3:3",
    "openspiel:nim(pile_sizes=1;2;3)",
    "openspiel:dots_and_boxes(num_rows=1,num_cols=1)",
]


def running(plain: PlainBoard, picture: str) -> int:
    """Histories from here on that end at a position with a move to make, this one included."""
    moves = plain.moves(picture)
    return bool(moves) + sum(running(plain, plain.after(picture, move)) for move in moves)


@pytest.mark.parametrize("name", ["connect4:3x3:3", "tictactoe:2x3:3"])
def test_histories_are_counted_as_plain_recursion_counts_them(name: str) -> None:
    plain = PlainBoard.like(game(name))
    assert len(HistoryTree(graph(name))) == count_histories(graph(name)) == running(plain, plain.empty)


def test_tictactoe_has_its_known_number_of_histories() -> None:
    """549,946 nodes of the game tree, of which 255,168 are finished games."""
    assert count_histories(graph("tictactoe")) == 549_946 - 255_168


@pytest.mark.parametrize("name", NAMES)
def test_policies_of_positions_are_worth_the_same_in_the_tree(name: str) -> None:
    model = graph(name)
    tree = HistoryTree(model)
    profile = random_profile(model, 3)
    unfolded = profile[0][tree.position], profile[1][tree.position]
    assert tree.value(unfolded) == pytest.approx(model.value(profile), abs=1e-12)
    assert tree.solve()[0].value == model.solve()[0].value
    for seat in (0, 1):
        response = tree.respond(seat, unfolded[1 - seat])
        assert response.value == pytest.approx(model.respond(seat, profile[1 - seat]).value, abs=1e-12)
        assert np.array_equal(tree.legal(seat), model.legal(seat)[tree.position])


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_the_moves_that_lead_to_their_positions(name: str) -> None:
    model = graph(name)
    tree = HistoryTree(model)
    game = tree.game
    assert isinstance(game, Histories)
    assert np.array_equal(game.key(tree.states), model.game.key(model.states[tree.position]))
    assert np.array_equal(tree.index(tree.states), np.arange(len(tree)))
    for seat in (0, 1):
        assert np.array_equal(game.legal(tree.states, seat), tree.legal(seat))
    assert len(GameGraph(game)) == len(model), "by keys, the histories merge again"
    with pytest.raises(GameError, match="not a history of"):
        tree.index(np.full((1, tree.states.shape[1]), 99))


def test_no_tree_of_images_or_of_too_many_histories() -> None:
    assert not has_tree(graph("quotient:tictactoe"))
    assert not has_tree(graph("connect4:4x4"))
    with pytest.raises(GameError, match=r"connect4:4x4 has no tree of histories, or one of more than 8,000,000 moves"):
        HistoryTree(graph("connect4:4x4"))
