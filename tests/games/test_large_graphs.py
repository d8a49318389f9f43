"""Graphs at scale: numbers of positions that J. Tromp and others have published, values and gaps of whole boards, and
that the quick way to build a graph, from words, builds what the plain way builds from the rules' own successors.

5x5 (69,763,700 positions) is counted by ``scripts/bench.py scaling --big``, not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import games.graph
import games.layers
from agents.policy import uniform_rows
from games import Board, Enumerable, GameError, GameGraph, Quotient, Successors
from games.base import Floats, Ints, States, pack
from tests.games.small_boards import BOARDS
from tests.support import Profile, game, graph, random_profile

PARTS = ("seat", "legal_mask", "successor", "reward")


class Plain(Board):
    """A board whose graph is built from its successors, position by position: words are for ``Board`` itself."""


@cache
def plain(name: str) -> GameGraph:
    """The same graph, the plain way."""
    base = game(name.removeprefix("quotient:"))
    board = Plain(base.rows, base.columns, base.k, gravity=base.gravity, name=base.spec.name)
    assert not board.packable
    return GameGraph(Quotient(board) if name.startswith("quotient:") else board)


def uniform(model: GameGraph) -> Profile:
    return uniform_rows(model.legal(0)), uniform_rows(model.legal(1))


# --- the quick way and the plain way ---------------------------------------------------------------------


@pytest.mark.parametrize("name", [*BOARDS, "quotient:tictactoe", "quotient:tictactoe:2x4:3"])
def test_words_build_the_graph_that_successors_build(name: str) -> None:
    quick, slow = graph(name), plain(name)
    assert isinstance(quick.game, games.layers.Packed) and quick.game.packable
    assert quick.layer_sizes == slow.layer_sizes
    assert quick.blocks == slow.blocks
    assert np.array_equal(quick.states, slow.states)
    for part in PARTS:
        one, other = getattr(quick, part), getattr(slow, part)
        assert one.dtype == other.dtype, part
        assert np.array_equal(one, other), part
    assert [response.values.dtype for response in quick.solve()] == [np.int8, np.int8]
    assert np.array_equal(quick.solve()[0].values, slow.solve()[0].values)


def test_a_step_of_words_is_the_rules_step() -> None:
    """At every running position of 4x4 and every action: legal, won, going on, and the position after it."""
    model = graph("connect4:4x4")
    board = model.game
    assert isinstance(board, Board)
    words = board.pack(model.states)
    assert np.array_equal(board.unpack(words), model.states)
    for action in range(board.spec.actions):
        legal, after, won, going = board.make_move(words, action)
        assert np.array_equal(legal, model.legal_mask[:, action])
        assert not won[~legal].any() and not going[~legal].any()
        moves = np.where(board.acting(model.states[legal]), action, -1)
        found = board.successors(model.states[legal], moves)
        assert np.array_equal(won[legal], found.rewards != 0)
        assert np.array_equal(going[legal], ~found.done)
        assert np.array_equal(board.unpack(after[legal]), found.states)


@pytest.mark.parametrize("name", ["connect4:3x4", "quotient:connect4:3x4"])
def test_chunks_make_no_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = graph(name)
    profile = random_profile(whole, 5)
    monkeypatch.setattr(games.layers, "_CHUNK", 37)
    parts = GameGraph(game(name))
    assert all(np.array_equal(getattr(parts, part), getattr(whole, part)) for part in PARTS)
    assert parts.value(profile) == whole.value(profile)
    assert np.array_equal(parts.reach(profile), whole.reach(profile))
    assert np.array_equal(parts.optimal(), whole.optimal())
    for seat in (0, 1):
        one, other = parts.respond(seat, profile[1 - seat]), whole.respond(seat, profile[1 - seat])
        assert np.array_equal(one.values, other.values)
        assert np.array_equal(one.action_values, other.action_values)
        assert np.array_equal(parts.solve()[seat].action_values, whole.solve()[seat].action_values)


@pytest.mark.parametrize("name", ["connect4:4x4", "tictactoe:3x4:3"])
def test_the_mirror_halves_the_graph_and_keeps_its_values(name: str) -> None:
    whole, half = graph(name), graph(f"quotient:{name}")
    rows = half.index(whole.states)
    assert set(rows.tolist()) == set(range(len(half)))
    assert np.array_equal(half.solve()[0].values[rows], whole.solve()[0].values)
    assert np.array_equal(whole.optimal().sum(1), half.optimal().sum(1)[rows])
    for seat in (0, 1):
        full, mirrored = whole.respond(seat, uniform(whole)[1 - seat]), half.respond(seat, uniform(half)[1 - seat])
        np.testing.assert_allclose(full.values, mirrored.values[rows], rtol=0, atol=1e-12)


class Tolled(Board):
    """Connect Four in which seat 0 gains 1 and seat 1 half a point at each stone in the leftmost column."""

    def successors(self, states: States, actions: Ints) -> Successors:
        found = super().successors(states, actions)
        toll: Floats = np.where(actions[:, 0] == 0, 1.0, 0.0) - np.where(actions[:, 1] == 0, 0.5, 0.0)
        return Successors(found.rows, found.states, found.rewards + toll, found.done, found.probability)


def test_rewards_along_the_way_add_up() -> None:
    """The rules of a subclass are asked, its rewards kept, and minimax is the recursion over them."""
    model = GameGraph(Tolled(3, 3, 3, gravity=True, name="tolled"))
    assert model.reward.dtype == np.float64
    values = np.zeros(len(model) + 1)
    for row in reversed(range(len(model))):
        after = [
            model.reward[row, action] + values[model.successor[row, action]]
            for action in np.flatnonzero(model.legal_mask[row])
        ]
        values[row] = min(after) if model.seat[row] else max(after)
    assert np.array_equal(model.solve()[0].values, values[:-1])
    assert len(set(values.tolist())) > 5


# --- whole boards ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["connect4:5x4", "connect4:4x5"])
def large(request: pytest.FixtureRequest) -> Iterator[GameGraph]:
    """A larger board's graph, held no longer than it is needed."""
    yield GameGraph(game(request.param))


def finished(model: GameGraph) -> int:
    """How many finished positions the moves lead to, each counted once."""
    row, action = np.nonzero(model.legal_mask & (model.successor < 0))
    moves = np.full((len(row), 2), -1)
    moves[np.arange(len(row)), model.seat[row]] = action
    after = model.game.successors(model.states[row], moves)
    assert after.done.all()
    assert np.array_equal(after.rewards, model.reward[row, action])
    return len(np.unique(pack(model.game.key(after.states))))


KNOWN = {  # positions with a move to make, and all; the gap of uniform play
    "connect4:5x4": (1_348_441, 1_706_255, 1.988855411649895),
    "connect4:4x5": (3_100_379, 3_945_711, 1.996210927283951),
}


@pytest.mark.slow
def test_a_large_board_is_known_exactly(large: GameGraph) -> None:
    """Positions, value (drawn) and NashConv of uniform play; and what a graph keeps is as narrow as it says."""
    running, everything, gap = KNOWN[large.game.spec.name]
    assert len(large) == running
    assert len(large) + finished(large) == everything
    assert large.solve()[0].value == large.solve()[1].value == 0.0
    profile = uniform(large)
    assert large.respond(0, profile[1]).value - large.respond(1, profile[0]).value == pytest.approx(gap, abs=1e-12)
    kept = large.successor.nbytes + large.legal_mask.nbytes + large.reward.nbytes
    assert kept == 6 * len(large) * large.game.spec.actions
    assert large.solve()[0].values.dtype == np.int8


@pytest.mark.slow
def test_what_an_expert_can_be_led_to(large: GameGraph) -> None:
    """Decisions of an expert that wins soonest and takes the lowest of equals."""
    known = {"connect4:5x4": (2711, 6962), "connect4:4x5": (10_690, 18_423)}[large.game.spec.name]
    table = large.equilibrium("first")[0]
    for seat, decisions in enumerate(known):
        others = uniform_rows(large.legal(1 - seat))
        reach = large.reach((table, others) if seat == 0 else (others, table))
        assert ((reach > 0) & (large.seat == seat)).sum() == decisions


def test_the_known_numbers_of_positions_of_6x7() -> None:
    """By ply, finished games included."""
    board = game("connect4")
    states, counts = board.starts(), [1]
    for ply in range(8):
        legal = board.legal(states, ply % 2)
        row, action = np.nonzero(legal)
        moves = np.full((len(row), 2), -1)
        moves[:, ply % 2] = action
        found = board.successors(states[row], moves)
        after, at = np.unique(found.states, axis=0, return_index=True)
        counts.append(len(after))
        states = after[~found.done[at]]
    assert counts == [1, 7, 49, 238, 1120, 4263, 16_422, 54_859, 184_275]


# --- what is too large -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["connect4", "quotient:connect4", "connect4:7x7", "tictactoe:6x6:5"])
def test_boards_of_more_bits_than_a_word_are_refused_at_once(name: str) -> None:
    with pytest.raises(GameError, match="too large to enumerate") as error:
        GameGraph(game(name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("build", [graph, plain])
def test_the_limit_counts_moves(build: object, monkeypatch: pytest.MonkeyPatch) -> None:
    board: Enumerable = game("connect4:3x3:3") if build is graph else plain("connect4:3x3:3").game
    size = len(graph("connect4:3x3:3"))
    monkeypatch.setattr(games.graph, "LIMIT", 3 * size)
    assert len(GameGraph(board)) == size
    monkeypatch.setattr(games.graph, "LIMIT", 3 * size - 1)
    with pytest.raises(GameError, match=f"has more than {size - 1} positions; it is too large to enumerate"):
        GameGraph(board)
