"""Compact graphs are the graphs of the same boards, row by row."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from agents.policy import greedy_rows
from games import GameError, GameGraph
from games.base import Floats, States
from games.compiled import loading, play
from games.plies.graph import BEST, CompactGraph
from games.plies.listing import memory
from games.plies.rules import rules_of
from tests.games.small_boards import BOARDS
from tests.support import Profile, game, graph, random_profile


@pytest.mark.parametrize("name", BOARDS)
def test_rows_are_those_of_the_graph(name: str) -> None:
    compact, whole = CompactGraph(game(name)), graph(name)
    assert len(compact) == len(whole)
    assert compact.layer_sizes == whole.layer_sizes
    for part in ("states", "seat", "legal_mask", "successor", "reward"):
        found, wanted = getattr(compact, part)[:], getattr(whole, part)
        assert found.dtype == wanted.dtype and np.array_equal(found, wanted), part
    rows = np.random.default_rng(0).permutation(len(whole))
    assert np.array_equal(compact.index(whole.states[rows]), rows)
    assert np.array_equal(compact.states[rows], whole.states[rows])
    assert compact.reward[3].tolist() == whole.reward[3].tolist()
    for one, other in zip(compact.solve(), whole.solve(), strict=True):
        assert one.value == other.value
        assert one.values.dtype == other.values.dtype and np.array_equal(one.values, other.values)
    for seat in (0, 1):
        assert np.array_equal(compact.best_moves(seat, rows), whole.best_moves(seat, rows))


@pytest.mark.parametrize("name", ["connect4:4x4", "quotient:connect4:4x4", "tictactoe:3x4:3", "connect4:15x2:2"])
def test_compiled_loops_build_the_graph_that_array_code_builds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LOADING", float("inf"))
    monkeypatch.setattr(loading, "_loaded", None)
    slow = GameGraph(game(name))
    monkeypatch.setattr(loading, "_loaded", play)
    quick = GameGraph(game(name))
    assert quick.layer_sizes == slow.layer_sizes and quick.blocks == slow.blocks
    for part in ("states", "seat", "legal_mask", "successor", "reward"):
        one, other = getattr(quick, part), getattr(slow, part)
        assert one.dtype == other.dtype and np.array_equal(one, other), part


@pytest.mark.parametrize("mirrored", [False, True])
def test_values_are_those_of_tables(mirrored: bool) -> None:
    """Of random policies, as they are and greedy, against best responses and each other."""
    whole = graph("connect4:4x4")
    compact = CompactGraph(whole.game)
    tables = random_profile(whole, 3)
    if mirrored:
        images = whole.index(whole.game.images(whole.states)[1])  # type: ignore[attr-defined]
        tables = (tables[0] + tables[0][images, ::-1]) / 2, (tables[1] + tables[1][images, ::-1]) / 2
    asked = []

    def ask(seat: int, batches: object) -> object:
        for states in batches:  # type: ignore[attr-defined]
            rows = whole.index(states)
            asked.append(rows)
            yield tables[seat][rows]

    def derive(seat: int, states: States, answer: Floats) -> Floats:
        assert np.allclose(answer, tables[seat][whole.index(states)], atol=1e-15)
        return np.stack([answer, greedy_rows(answer)])

    pairs = [(BEST, 0), (BEST, 1), (0, BEST), (1, BEST), (0, 0), (1, 1), (0, 1)]
    found = compact.back_up(ask, derive, pairs, mirrored=mirrored)  # type: ignore[arg-type]
    hard: Profile = greedy_rows(tables[0]), greedy_rows(tables[1])
    players = [(tables[0], tables[1]), hard]
    wanted = [
        *(whole.respond(0, player[1]).value for player in players),
        *(whole.respond(1, player[0]).value for player in players),
        *(whole.value(player) for player in players),
        whole.value((tables[0], hard[1])),
    ]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
    rows = np.concatenate(asked)
    assert len(np.unique(rows)) == len(rows)
    assert len(rows) < 0.6 * len(whole) if mirrored else len(rows) == len(whole)


def test_a_graph_is_sent_as_its_bits() -> None:
    one = CompactGraph(game("connect4:3x4"))
    other = pickle.loads(pickle.dumps(one))  # noqa: S301
    assert np.array_equal(one.successor[:], other.successor[:])
    assert np.array_equal(one.plies_to_end, other.plies_to_end)


def test_other_positions_and_games_are_refused() -> None:
    compact = CompactGraph(game("connect4:3x4"))
    for state in ([0, 3], [1, 0], [0, 1 << 31], [0, 2]):  # no turns, no stones, no cell, no ground
        with pytest.raises(GameError, match="not a reachable position of connect4:3x4"):
            compact.index(np.array([state], dtype=np.uint64))
    with pytest.raises(IndexError):
        compact.seat[len(compact)]
    for name in ("connect4", "quotient:tictactoe"):
        with pytest.raises(GameError, match="no board of at most 32 bits"):
            CompactGraph(game(name))


def test_too_little_memory_is_said_before_anything_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(game("connect4:5x5"))
    assert rules is not None
    assert 50_000_000 < memory(rules) < 500_000_000
    monkeypatch.setattr("games.cost.available_memory", lambda: 1_000_000)
    monkeypatch.setattr("games.plies.graph.listed", lambda rules: pytest.fail("begun"))
    with pytest.raises(GameError, match=r"connect4:5x5 needs about \d+ MB of memory, 1.0 MB is available"):
        CompactGraph(game("connect4:5x5"))
