"""Forced wins against exact graphs, distances to the end, and the solver of 6x7 Connect Four."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from games import Board, GameError
from games.base import Bools, Ints, States
from games.deciding import Decider
from games.plies.graph import CompactGraph
from games.progress import listening
from tests.support import game, random_play, visited

NEVER = 99
WHOLE = [
    pytest.param("connect4:4x4", marks=pytest.mark.slow),
    *("connect4:3x3:3", "connect4:4x3:3", "connect4:3x4:3", "connect4:2x5:2", "connect4:3x4:4"),
]


@cache
def exact(name: str) -> CompactGraph:
    return CompactGraph(game(name))


def stones_needed(graph: CompactGraph, attacker: int, rows: Ints) -> tuple[Ints, Ints]:
    """[n] and, after each move, [n, A] stones of the attacker until it has won by force; ``NEVER`` where it does not.

    The second counts the stone of the move. Where a move is illegal, it is ``NEVER``.
    """
    sign = 1 - 2 * attacker
    plies = sign * graph.plies_to_end.astype(np.int64)
    moves = graph.seat[rows] == attacker
    here = np.where(plies[rows] > 0, (plies[rows] + moves) // 2, NEVER)
    legal, successor, reward = graph.moves(rows)
    later = plies[successor]
    after = np.where((successor >= 0) & (later > 0), (later + 1) // 2 + moves[:, None], NEVER)
    return here, np.where(legal & (sign * reward > 0), 1, after)


def decider(name: str, attacker: int) -> Decider:
    return Decider(game(name), attacker, bits=16)


def agree(name: str, rows: Ints) -> None:
    graph = exact(name)
    states = graph.states[rows]
    for attacker in (0, 1):
        asked = decider(name, attacker)
        here, after = stones_needed(graph, attacker, rows)
        assert np.array_equal(asked.wins(states), here < NEVER)
        some = np.random.default_rng(0).permutation(len(rows))[:4000]
        for within in (None, 0, 1, 2, 4):  # what is known without a bound helps with one
            most = NEVER - 1 if within is None else within
            assert np.array_equal(asked.wins(states[some], within), here[some] <= most)
            assert np.array_equal(asked.after(states[some], within), after[some] <= most)


@pytest.mark.parametrize("name", WHOLE)
def test_all_positions_of_small_boards(name: str) -> None:
    agree(name, np.arange(len(exact(name))))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["connect4:5x4", "connect4:4x5"])
def test_positions_of_larger_boards(name: str) -> None:
    agree(name, np.random.default_rng(0).integers(0, len(exact(name)), 2000))


@pytest.mark.parametrize("name", ["connect4:4x4", "connect4:4x3:3", "connect4:3x4:3"])
@pytest.mark.parametrize("attacker", [0, 1])
def test_the_soonest_wins(name: str, attacker: int) -> None:
    graph = exact(name)
    rows = np.flatnonzero(graph.seat[np.arange(len(graph))] == attacker)
    after = stones_needed(graph, attacker, rows)[1]
    wanted = (after == after.min(1, keepdims=True)) & (after != NEVER)
    assert np.array_equal(decider(name, attacker).soonest(graph.states[rows]), wanted)
    assert wanted.any()


def test_one_move_each() -> None:
    graph = exact("connect4:4x4")
    rows = np.random.default_rng(1).integers(0, len(graph), 3000)
    legal = graph.legal_mask[rows]
    actions = np.where(legal[:, 1], 1, legal.argmax(1))
    states, asked = graph.states[rows], decider("connect4:4x4", 0)
    for within in (2, None):
        wanted = asked.after(states, within)[np.arange(len(rows)), actions]
        assert np.array_equal(asked.move(states, actions, within), wanted)
    assert wanted.any() and not wanted.all()


def test_moves_that_keep_a_goal() -> None:
    """Against the values of moves, whichever seat and goal."""
    graph = exact("connect4:4x4")
    rows = np.random.default_rng(2).integers(0, len(graph), 3000)
    values = np.sign(graph.plies_to_end).astype(np.int64)
    legal, successor, reward = graph.moves(rows)
    worth = np.where(successor >= 0, values[successor], reward)
    for seat in (0, 1):
        mine = graph.seat[rows] == seat
        states, worths = graph.states[rows[mine]], worth[mine] * (1 - 2 * seat)
        for goal, attacker in ((1.0, seat), (0.0, 1 - seat), (-1.0, 0), (-1.0, 1)):
            wanted = legal[mine] & (worths >= goal)
            assert np.array_equal(decider("connect4:4x4", attacker).keeps(states, seat, goal), wanted)
        for goal, attacker in ((1.0, 1 - seat), (0.0, seat), (0.5, seat)):
            with pytest.raises(GameError, match="do not tell"):
                decider("connect4:4x4", attacker).keeps(states, seat, goal)
        with pytest.raises(GameError, match="not to move"):
            decider("connect4:4x4", 0).keeps(states, 1 - seat, 1.0)


def test_the_solver_agrees() -> None:
    """On late positions of 6x7, with a table so small that most of it is forgotten."""
    pytest.importorskip("bitbully", reason="the extra `solver` is not installed")
    from agents.solver import Scores

    states = late_states(200, stones=18)
    scores = Scores(None).of(states).astype(np.int64)
    seat = np.bitwise_count(states[:, 1]) & 1
    legal = scores != -128
    for attacker in (0, 1):
        asked = Decider(game("connect4"), attacker, bits=12)
        own = np.where((seat == attacker)[:, None], scores, -scores)
        assert np.array_equal(asked.after(states), legal & (own > 0))
        mine = states[seat == attacker]
        best = own[seat == attacker]
        best = (best == np.where(legal[seat == attacker], best, -99).max(1, keepdims=True)) & (best > 0)
        assert np.array_equal(asked.soonest(mine), best)


def late_states(n: int, *, stones: int) -> States:
    """Positions of 6x7 from random games, with so many stones at least, not over."""
    rng, found = np.random.default_rng(3), np.zeros((0, 2), dtype=np.uint64)
    while len(found) < n:
        for states, *_ in random_play(game("connect4"), 32, rng):
            if np.bitwise_count(states[0, 1]) >= stones:  # all games are at the same ply
                found = np.concatenate([found, states])
    return rng.permutation(found)[:n]


BOARDS = st.builds(
    lambda rows, columns, k: Board(rows, columns, min(k, max(rows, columns)), gravity=True, name="board"),
    st.integers(1, 4),
    st.integers(2, 5),
    st.integers(2, 4),
)


@settings(max_examples=15, deadline=None)
@given(board=BOARDS, seed=st.integers(0, 2**32 - 1), attacker=st.integers(0, 1))
def test_mirror_images_and_moves_say_the_same(board: Board, seed: int, attacker: int) -> None:
    """A position is won if a move of the attacker, or all of the defender's, lead to a win; so is its image."""
    states = visited(board, episodes=4, seed=seed)  # finished ones, too
    image = board.images(states)[-1]
    asked = Decider(board, attacker, bits=8)
    wins, after = asked.wins(states), asked.after(states)
    fresh = Decider(board, attacker, bits=8)
    assert np.array_equal(fresh.wins(image), wins)
    assert np.array_equal(fresh.after(image), after[:, :: -1 if len(board.spec.symmetries) > 1 else 1])
    mine, theirs = board.legal(states, attacker), board.legal(states, 1 - attacker)
    answered = (after & mine).any(1) | (theirs.any(1) & (after | ~theirs).all(1))
    assert np.array_equal(wins, answered)
    over = ~board.acting(states).any(1)
    assert not wins[over].any() and not after[over].any()


def test_what_was_found_changes_no_answer() -> None:
    """A table of two places, and the same questions in reverse order."""
    graph = exact("connect4:4x4")
    states = graph.states[np.random.default_rng(4).integers(0, len(graph), 300)]
    large, small = decider("connect4:4x4", 1), Decider(game("connect4:4x4"), 1, bits=1)
    wanted = large.wins(states)
    assert np.array_equal(small.wins(states[::-1])[::-1], wanted)
    assert np.array_equal(large.wins(states), wanted)
    large.clear()
    assert np.array_equal(large.wins(states), wanted)
    assert small.nbytes == 16 and large.nbytes == 8 << 16


@pytest.mark.parametrize(
    ("board", "attacker", "bits", "words"),
    [
        (Board(7, 7, 4, gravity=True, name="large"), 0, 8, "at most 54 bits .* needs 56"),
        (Board(3, 3, 3, gravity=False, name="grid"), 0, 8, "gravity"),
        (Board(4, 4, 4, gravity=True, name="board"), 2, 8, "seat 0 or 1"),
        (Board(4, 4, 4, gravity=True, name="board"), 0, 0, "1 to 32 bits"),
    ],
)
def test_what_is_refused(board: Board, attacker: int, bits: int, words: str) -> None:
    with pytest.raises(GameError, match=words):
        Decider(board, attacker, bits=bits)


def test_moves_that_are_refused() -> None:
    asked = decider("connect4:4x4", 0)
    empty = game("connect4:4x4").starts()
    full = np.array([[0b0101, 0b1111]], dtype=np.uint64)
    for states, action in ((empty, 4), (empty, -1), (full, 0)):
        with pytest.raises(GameError, match=f"action {action} is not legal"):
            asked.move(states, np.array([action]))
    with pytest.raises(GameError, match="as many actions"):
        asked.move(empty, np.array([0, 1]))
    with pytest.raises(GameError, match="not to move"):
        decider("connect4:4x4", 1).soonest(empty)


@pytest.mark.parametrize("n", [0, 1, 130])
def test_progress_is_reported(n: int) -> None:
    heard: list[tuple[float, Any]] = []

    class Ear:
        def begin(self, phase: Any) -> None: ...
        def end(self, phase: Any) -> None: ...
        def announce(self, fact: object) -> None: ...
        def report(self, done: float, total: float | None, unit: str, step: str) -> None:
            heard.append((done, total))

    states = exact("connect4:4x4").states[np.arange(100_000, 100_000 + n)]
    asked = decider("connect4:4x4", 0)
    with listening(Ear()):
        out: Bools = asked.wins(states)
    assert out.shape == (n,)
    assert heard == [(done, n) for done in range(0, n, 64)]
