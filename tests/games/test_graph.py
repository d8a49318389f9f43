"""Exact knowledge of games: counts, values and gaps that are known from elsewhere, or recomputed by recursion.

The numbers of Tic-Tac-Toe are the well-known ones (5,478 positions, 255,168 games); the numbers of positions
of small Connect Four boards are J. Tromp's. Gaps are NashConv, the sum of what both seats could gain.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy import Lifted, tabulate
from agents.tabular import from_model
from games import Board, GameError, GameGraph, Quotient
from games.base import Table, pack
from tests.support import (
    PENNIES,
    PlainBoard,
    Stuck,
    backward,
    gap,
    graph,
    random_profile,
    rows_by_picture,
    uniform_profile,
    visited,
)

seeds = st.integers(0, 2**32 - 1)


# --- how many positions and games there are --------------------------------------------------------------


def test_positions_of_tictactoe(tictactoe_graph: GameGraph) -> None:
    assert len(tictactoe_graph) == 4520
    assert [(tictactoe_graph.seat == seat).sum() for seat in (0, 1)] == [2423, 2097]
    assert len(tictactoe_graph.states) == len(tictactoe_graph.legal_mask) == len(tictactoe_graph.successor) == 4520
    assert tictactoe_graph.layer_sizes == (1, 9, 72, 252, 756, 1140, 1372, 696, 222)


@pytest.mark.parametrize(
    ("name", "running", "all_positions"),
    [
        ("tictactoe", 4520, 5478),
        ("quotient:tictactoe", 627, 765),
        ("connect4:3x4", 11_035, 12_031),
        ("connect4:4x4", 134_289, 161_029),
    ],
)
def test_positions_with_and_without_the_finished_ones(name: str, running: int, all_positions: int) -> None:
    model = graph(name)
    row, action = np.nonzero(model.legal_mask & (model.successor < 0))
    moves = np.full((len(row), 2), -1)
    moves[np.arange(len(row)), model.seat[row]] = action
    finished = model.game.successors(model.states[row], moves)
    assert finished.done.all()
    assert np.array_equal(finished.rewards, model.reward[row, action])
    assert len(model) == running
    assert len(model) + len(np.unique(model.game.key(finished.states), axis=0)) == all_positions


def test_the_finished_games_of_tictactoe(tictactoe_graph: GameGraph) -> None:
    """255,168 games: 131,184 won by the first, 77,904 by the second, 46,080 drawn."""
    ends = tictactoe_graph.legal_mask & (tictactoe_graph.successor < 0)
    games = {}
    for result in (1, -1, 0):
        paths = np.zeros(len(tictactoe_graph) + 1, dtype=np.int64)
        for row in reversed(range(len(tictactoe_graph))):
            here = (ends[row] & (tictactoe_graph.reward[row] == result)).sum()
            paths[row] = here + paths[tictactoe_graph.successor[row]].sum()
        games[result] = int(paths[0])
    assert games == {1: 131_184, -1: 77_904, 0: 46_080}
    assert sum(games.values()) == 255_168


@pytest.mark.parametrize("name", ["tictactoe", "quotient:tictactoe", "connect4:3x4", "connect4:3x3:3"])
def test_rows_are_in_order_of_play_and_children_follow(name: str) -> None:
    model = graph(name)
    game = model.game
    acting = game.acting(model.states)
    assert (acting.sum(1) == 1).all()
    assert np.array_equal(acting[:, 1], model.seat == 1)
    assert [block.rows.start for block in model.blocks[1:]] == [block.rows.stop for block in model.blocks[:-1]]
    assert [(block.ply, block.seat) for block in model.blocks] == sorted((b.ply, b.seat) for b in model.blocks)
    for seat in (0, 1):
        assert np.array_equal(model.legal(seat), game.legal(model.states, seat))
    for action in range(game.spec.actions):
        rows = np.flatnonzero(model.legal_mask[:, action])
        moves = np.full((len(rows), 2), -1)
        moves[np.arange(len(rows)), model.seat[rows]] = action
        found = game.successors(model.states[rows], moves)
        child = model.successor[rows, action]
        assert np.array_equal(child < 0, found.done)
        assert (child[~found.done] > rows[~found.done]).all()
        assert np.array_equal(game.key(model.states[child[~found.done]]), game.key(found.states[~found.done]))
        assert np.array_equal(model.reward[rows, action], found.rewards)
    assert (model.successor[~model.legal_mask] == -1).all()
    assert (model.reward[~model.legal_mask] == 0).all()


def test_index_finds_every_position_and_no_other(tictactoe_graph: GameGraph, quotient_graph: GameGraph) -> None:
    order = np.random.default_rng(0).permutation(4520)
    assert np.array_equal(tictactoe_graph.index(tictactoe_graph.states[order]), order)
    images = quotient_graph.game.base.images(quotient_graph.states)  # type: ignore[attr-defined]
    assert all(np.array_equal(quotient_graph.index(image), np.arange(627)) for image in images)
    over = visited(tictactoe_graph.game)
    over = over[~tictactoe_graph.game.acting(over).any(1)]
    with pytest.raises(GameError, match="not a reachable position of tictactoe with a move to make"):
        tictactoe_graph.index(over[:1])
    two_ahead = np.array([[0, 3]], dtype=np.uint64)
    with pytest.raises(GameError, match="not a reachable position of tictactoe") as error:
        tictactoe_graph.index(two_ahead)
    assert "\n" not in str(error.value)


def test_what_cannot_be_a_graph_is_refused(tictactoe: Board) -> None:
    with pytest.raises(GameError, match="tictactoe has more than 4,519 positions; it is too large to enumerate"):
        GameGraph(tictactoe, limit=4519)
    assert len(GameGraph(tictactoe, limit=4520)) == 4520
    with pytest.raises(GameError, match="test-pennies is not turn-based"):
        GameGraph(PENNIES)


def test_large_keys_cannot_be_packed() -> None:
    assert pack(np.array([[1, 2], [2**32 - 1, 0]], dtype=np.uint64)).tolist() == [2**32 + 2, (2**32 - 1) << 32]
    with pytest.raises(GameError, match="too large to enumerate"):
        pack(np.array([[2**32, 0]], dtype=np.uint64))


# --- values ----------------------------------------------------------------------------------------------


def test_uniform_play_of_tictactoe(tictactoe_graph: GameGraph) -> None:
    """Wins, draws, losses from the lengths of the games; the value, both responses, and the gap."""
    profile = uniform_profile(tictactoe_graph)
    reach = tictactoe_graph.reach(profile)
    ends = tictactoe_graph.legal_mask & (tictactoe_graph.successor < 0)
    flow = reach[:, None] * (profile[0] + profile[1])
    results = [flow[ends & (tictactoe_graph.reward == result)].sum() for result in (1, 0, -1)]
    wins = (1440 * factorial(4) + 47_952 * factorial(2) + 81_792) / factorial(9)  # after 5, 7 and 9 stones
    draws = 46_080 / factorial(9)
    losses = (5328 * factorial(3) + 72_576) / factorial(9)  # after 6 and 8 stones
    np.testing.assert_allclose(results, [wins, draws, losses], rtol=0, atol=1e-12)
    np.testing.assert_allclose([wins, draws, losses], [0.584921, 0.126984, 0.288095], rtol=0, atol=5e-7)
    assert tictactoe_graph.value(profile) == pytest.approx(wins - losses, abs=1e-12)
    assert tictactoe_graph.respond(0, profile[1]).value == pytest.approx(0.994792, abs=5e-7)
    assert tictactoe_graph.respond(1, profile[0]).value == pytest.approx(-0.924868, abs=5e-7)
    assert gap(tictactoe_graph, profile) == pytest.approx(1.9196593915343916, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "value", "uniform_gap"),
    [
        ("tictactoe", 0.0, 1.9196593915343916),
        ("quotient:tictactoe", 0.0, None),
        ("connect4:3x4", 0.0, None),
        ("connect4:4x4", 0.0, 1.9133481626157407),
        ("connect4:3x3:3", 0.0, None),
        ("tictactoe:3x4:3", 1.0, None),
        ("tictactoe:2x2:2", 1.0, 0.0),
    ],
)
def test_minimax_value_and_gap_of_uniform_play(name: str, value: float, uniform_gap: float | None) -> None:
    model = graph(name)
    first, second = model.solve()
    assert (first.seat, second.seat) == (0, 1)
    assert first.value == second.value == value
    profile = first.policy, second.policy
    assert gap(model, profile) == 0.0
    assert model.value(profile) == value
    assert (
        gap(model, (uniform_profile(model)[0], second.policy))
        == value - model.respond(1, uniform_profile(model)[0]).value
    )
    if uniform_gap is not None:
        assert gap(model, uniform_profile(model)) == pytest.approx(uniform_gap, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tictactoe:2x3:3", "tictactoe:1x5:3", "tictactoe:3x3:3", "connect4:3x3:3"])
def test_minimax_is_the_plain_recursion(name: str) -> None:
    model = graph(name)
    plain = PlainBoard.like(model.game)  # type: ignore[arg-type]
    values = backward(plain, lambda picture, moves: (max, min)[plain.mover(picture)](moves.values()))
    at = rows_by_picture(model)
    assert set(at) == {picture for picture in values if not plain.over(picture)}
    for response in model.solve():
        sign = 1.0 - 2.0 * response.seat
        for picture, row in at.items():
            assert response.values[row] == values[picture]
            own = plain.mover(picture) == response.seat
            wanted = {action: sign * values[plain.after(picture, action)] for action in plain.moves(picture) if own}
            finite = np.flatnonzero(np.isfinite(response.action_values[row]))
            assert {int(action): response.action_values[row, action] for action in finite} == wanted


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tictactoe:2x3:3", "tictactoe:1x5:3", "connect4:3x3:3"])
@given(seed=seeds, sparse=st.booleans())
def test_responses_are_the_plain_recursion(name: str, seed: int, sparse: bool) -> None:
    """Value, best responses of both seats, and reach, against recursion over positions drawn as text."""
    model = graph(name)
    plain = PlainBoard.like(model.game)  # type: ignore[arg-type]
    profile = random_profile(model, seed, sparse=sparse)
    at = rows_by_picture(model)

    def average(picture: str, moves: dict[int, float]) -> float:
        weights = profile[plain.mover(picture)][at[picture]]
        return sum(weights[action] * value for action, value in moves.items())

    def against(seat: int, picture: str, moves: dict[int, float]) -> float:
        return (max, min)[seat](moves.values()) if plain.mover(picture) == seat else average(picture, moves)

    assert model.value(profile) == pytest.approx(backward(plain, average)[plain.empty], abs=1e-12)
    for seat in (0, 1):
        response = model.respond(seat, profile[1 - seat])
        values = backward(plain, partial(against, seat))
        assert response.value == pytest.approx(values[plain.empty], abs=1e-12)
        np.testing.assert_allclose(response.values, [values[picture] for picture in at], rtol=0, atol=1e-12)
        assert (response.policy.sum(1) == (model.seat == seat)).all()
        played = (response.policy, profile[1]) if seat == 0 else (profile[0], response.policy)
        assert model.value(played) == pytest.approx(response.value, abs=1e-12)

    reach = dict.fromkeys(backward(plain, average), 0.0) | {plain.empty: 1.0}
    for picture in sorted(reach, key=lambda picture: -picture.count(".")):
        for action in plain.moves(picture):
            reach[plain.after(picture, action)] += reach[picture] * profile[plain.mover(picture)][at[picture], action]
    np.testing.assert_allclose(model.reach(profile), [reach[picture] for picture in at], rtol=0, atol=1e-12)


@given(seed=seeds)
def test_a_best_response_is_the_best_of_all_policies(seed: int) -> None:
    """On a row of four cells, two in a row: all 3^4 deterministic policies of the second seat, one by one."""
    model = graph("tictactoe:1x4:2")
    first, second = random_profile(model, seed)
    choices = [row for row in range(len(model)) if model.seat[row] == 1 and model.legal_mask[row].sum() > 1]
    options = [np.flatnonzero(model.legal_mask[row]) for row in choices]
    assert [len(option) for option in options] == [3, 3, 3, 3]
    values = []
    for actions in product(*options):
        table = np.where(model.legal(1).sum(1, keepdims=True) == 1, model.legal(1), 0.0)
        table[choices, actions] = 1.0
        values.append(model.value((first, table)))
    assert model.respond(1, first).value == pytest.approx(min(values), abs=1e-12)
    assert model.value((first, second)) >= min(values) - 1e-12


@given(seed=seeds, sparse=st.booleans())
def test_reach_adds_up(seed: int, sparse: bool) -> None:
    """Each layer's reach is the share of games that last that long; the ends take all of it."""
    model = graph("tictactoe")
    profile = random_profile(model, seed, sparse=sparse)
    reach = model.reach(profile)
    layers = np.add.reduceat(reach, np.cumsum([0, *model.layer_sizes[:-1]]))
    np.testing.assert_allclose(layers[:5], 1.0, rtol=0, atol=1e-12)
    assert (np.diff(layers) <= 1e-12).all()
    flow = reach[:, None] * (profile[0] + profile[1])
    assert flow[model.legal_mask & (model.successor < 0)].sum() == pytest.approx(1.0, abs=1e-12)
    assert (flow * model.reward).sum() == pytest.approx(model.value(profile), abs=1e-12)


def test_uniform_games_of_tictactoe_have_the_known_mean_length(tictactoe_graph: GameGraph) -> None:
    ends = {5: 1440, 6: 5328, 7: 47_952, 8: 72_576, 9: 127_872}
    mean = sum(length * games * factorial(9 - length) for length, games in ends.items()) / factorial(9)
    assert tictactoe_graph.reach(uniform_profile(tictactoe_graph)).sum() == pytest.approx(mean, abs=1e-9)


@given(seed=seeds)
def test_the_gap_in_the_quotient_is_the_gap_on_the_board(seed: int) -> None:
    board, quotient = graph("tictactoe"), graph("quotient:tictactoe")
    assert isinstance(quotient.game, Quotient)
    profile = random_profile(quotient, seed)
    lifted: list[Table] = [
        tabulate(board, Lifted(from_model(quotient, seat, profile[seat]), quotient.game), seat) for seat in (0, 1)
    ]
    assert board.value((lifted[0], lifted[1])) == pytest.approx(quotient.value(profile), abs=1e-12)
    for seat in (0, 1):
        ours, theirs = quotient.respond(seat, profile[1 - seat]), board.respond(seat, lifted[1 - seat])
        assert theirs.value == pytest.approx(ours.value, abs=1e-12)
        np.testing.assert_allclose(theirs.values, ours.values[quotient.index(board.states)], rtol=0, atol=1e-12)


def test_the_gap_of_uniform_play_is_the_same_in_the_quotient(quotient_graph: GameGraph) -> None:
    """Images of a move stay separate moves, so uniform play of the quotient is uniform play of the board."""
    assert gap(quotient_graph, uniform_profile(quotient_graph)) == pytest.approx(1.9196593915343916, abs=1e-12)


# --- the best, most urgent moves -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tictactoe", "tictactoe:2x3:3", "connect4:3x3:3", "tictactoe:2x2:2"])
def test_optimal_moves_win_soonest_and_lose_latest(name: str) -> None:
    model = graph(name)
    plain = PlainBoard.like(model.game)  # type: ignore[arg-type]
    solved: dict[str, tuple[float, int]] = {}

    def visit(picture: str) -> tuple[float, int]:
        """The mover's value and the plies to the end (0 for a draw, where haste means nothing)."""
        if picture not in solved:
            moves = plain.moves(picture)
            solved[picture] = (
                max((worth(picture, action) for action in moves), key=urgency)
                if moves
                else ((0.0, 0) if plain.winner(picture) is None else (-1.0, 0))
            )
        return solved[picture]

    def worth(picture: str, action: int) -> tuple[float, int]:
        value, plies = visit(plain.after(picture, action))
        return -value, plies + 1 if value else 0

    def urgency(outcome: tuple[float, int]) -> tuple[float, float]:
        value, plies = outcome
        return value, -value * plies

    visit(plain.empty)
    best = model.optimal()
    for picture, row in rows_by_picture(model).items():
        wanted = [action for action in plain.moves(picture) if worth(picture, action) == visit(picture)]
        assert np.flatnonzero(best[row]).tolist() == wanted, picture


@pytest.mark.parametrize("name", ["tictactoe", "quotient:tictactoe", "connect4:4x4"])
@pytest.mark.parametrize("ties", ["first", "uniform"])
def test_experts_have_no_gap(name: str, ties: str) -> None:
    model = graph(name)
    table = model.equilibrium(ties)[0]
    profile = np.where(model.legal(0), table, 0.0), np.where(model.legal(1), table, 0.0)
    assert gap(model, profile) == 0.0
    best = model.optimal()
    assert (table[~best] == 0).all()
    np.testing.assert_allclose(table.sum(1), 1.0, rtol=0, atol=1e-12)
    assert np.array_equal(table > 0, best if ties == "uniform" else best & (best.cumsum(1) == 1))


@pytest.mark.parametrize("packable", [True, False])
def test_a_position_that_goes_on_without_a_move_is_an_error_that_names_it(packable: bool) -> None:
    with pytest.raises(GameError, match=r"test-stuck goes on without a move to make at: o\. / x\."):
        GameGraph(Stuck(packable=packable))
