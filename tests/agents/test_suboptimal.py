"""Solver scores against a plain recursion over drawn boards, and what the temperature does with them."""

from __future__ import annotations

import numpy as np
import pytest

from agents.policy import PolicyError, tabulate, uniform_rows
from agents.suboptimal import scores, suboptimal, suboptimal_table, temperature_of
from games import GameGraph
from tests.support import PlainBoard, backward, game, graph, position, rows_by_picture

GAMES = ["tictactoe", "tictactoe:3x3:2", "tictactoe:2x4:3", "connect4:3x4", "connect4:4x3:3"]
LARGER = ["connect4:4x4", "connect4:4x4:3"]


def unplayed(plain: PlainBoard, picture: str) -> float:
    """Seat 0's score of a finished board, from its stones: 1 and those that the winner still held, 0 for a draw."""
    winner = plain.winner(picture)
    if winner is None:
        return 0.0
    held = (plain.rows * plain.columns + 1 - winner) // 2 - picture.count("xo"[winner])
    return (1.0 - 2.0 * winner) * (1 + held)


def plain_scores(plain: PlainBoard) -> dict[str, dict[int, float]]:
    """Seat 0's score of every move at every position, by recursion."""
    moves_at: dict[str, dict[int, float]] = {}

    def best(picture: str, moves: dict[int, float]) -> float:
        ended = {action: plain.after(picture, action) for action in moves}
        mine = {a: unplayed(plain, after) if plain.over(after) else moves[a] for a, after in ended.items()}
        moves_at[picture] = mine
        return max(mine.values()) if plain.mover(picture) == 0 else min(mine.values())

    backward(plain, best)
    return moves_at


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_scores_are_those_of_a_plain_recursion(name: str) -> None:
    model = graph(name)
    table, wanted = scores(model), plain_scores(PlainBoard.like(game(name)))
    rows = rows_by_picture(model)
    assert set(rows) == set(wanted)
    for picture, moves in wanted.items():
        sign = 1 - 2 * int(model.seat[rows[picture]])
        row = table[rows[picture]]
        assert {int(action): sign * row[action] for action in np.flatnonzero(np.isfinite(row))} == moves, picture


@pytest.mark.parametrize("name", GAMES + LARGER)
def test_signs_are_minimax_values_and_the_best_moves_are_the_experts(name: str) -> None:
    model = graph(name)
    table = scores(model)
    for seat, response in enumerate(model.solve()):
        mine = model.seat == seat
        assert np.array_equal(
            np.sign(table[mine][model.legal_mask[mine]]), response.action_values[mine][model.legal_mask[mine]]
        )
    assert np.array_equal(np.isfinite(table), model.legal_mask)
    assert np.array_equal(table == table.max(1, keepdims=True), model.optimal())


def test_a_win_scores_as_in_connect_four_solvers() -> None:
    """16 // 2 + 1 - n for a win with the n-th own stone on 16 cells; here n is 4."""
    model = graph("connect4:4x4")
    picture = """
        ....
        o...
        oo..
        xxx.
    """
    row = scores(model)[model.index(position(game("connect4:4x4"), picture))][0]
    assert row.argmax() == 3
    assert row[3] == 16 // 2 + 1 - 4


def test_on_an_odd_board_the_last_stone_still_wins() -> None:
    """Seat 0 has five stones on nine cells: winning with the fifth scores 1, not the 0 of a draw."""
    picture = """
        xox
        oxo
        ox.
    """
    model = graph("tictactoe")
    row = scores(model)[model.index(position(game("tictactoe"), picture))][0]
    assert row[np.isfinite(row)].tolist() == [1.0]


# --- the temperature -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAMES)
def test_without_temperature_it_is_the_expert(name: str) -> None:
    model = graph(name)
    assert np.array_equal(suboptimal_table(model, 0), model.equilibrium("first")[0])
    assert np.array_equal(suboptimal_table(model, -0.0), suboptimal_table(model, 0))


def test_low_temperatures_approach_the_best_moves_and_high_ones_all_moves(tictactoe_graph: GameGraph) -> None:
    best, everything = tictactoe_graph.equilibrium("uniform")[0], uniform_rows(tictactoe_graph.legal_mask)
    cold = [np.abs(suboptimal_table(tictactoe_graph, t) - best).max() for t in (1.0, 0.3, 0.1, 0.02)]
    hot = [np.abs(suboptimal_table(tictactoe_graph, t) - everything).max() for t in (1.0, 10.0, 100.0, 1e6)]
    assert cold == sorted(cold, reverse=True) and cold[-1] < 1e-12
    assert hot == sorted(hot, reverse=True) and hot[-1] < 1e-5


def test_odds_are_those_of_a_softmax(tictactoe_graph: GameGraph) -> None:
    table, points = suboptimal_table(tictactoe_graph, 2.0), scores(tictactoe_graph)
    for row in (0, 1, 100, 2000):
        first, *others = np.flatnonzero(tictactoe_graph.legal_mask[row])
        for other in others:
            odds = np.exp((points[row, first] - points[row, other]) / 2.0)
            assert table[row, first] / table[row, other] == pytest.approx(odds, rel=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 5e-324, 1e-300, 0.5, 1.0, 1e300])
def test_it_is_a_policy_of_either_seat(tictactoe_graph: GameGraph, temperature: float) -> None:
    """Checked row by row by ``query``, without a warning at any temperature."""
    whole = suboptimal_table(tictactoe_graph, temperature)
    for seat, policy in enumerate(suboptimal(tictactoe_graph, temperature)):
        mine = (tictactoe_graph.seat == seat)[:, None]
        assert np.array_equal(tabulate(tictactoe_graph, policy, seat), np.where(mine, whole, 0.0))


def test_it_plays_worse_the_hotter_it_is(tictactoe_graph: GameGraph) -> None:
    tables = [suboptimal_table(tictactoe_graph, t) for t in (0, 0.2, 0.5, 1.0, 2.0, 1e6)]
    first = (tictactoe_graph.seat == 0)[:, None]
    lost = [-tictactoe_graph.respond(1, np.where(first, table, 0.0)).value for table in tables]
    assert lost[0] == 0.0
    assert lost == sorted(lost)
    assert lost[-1] == pytest.approx(0.924868, abs=1e-4), "what the best opponent takes from uniform play"


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("suboptimal", "names no temperature"),
        ("suboptimal:", "names no temperature"),
        ("suboptimal:warm", "names no temperature"),
        ("suboptimal:1:2", "names no temperature"),
        ("suboptimal:-0.1", "0 or more and finite, not -0.1"),
        ("suboptimal:nan", "0 or more and finite"),
        ("suboptimal:inf", "0 or more and finite"),
    ],
)
def test_names_without_a_temperature_are_refused(name: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        temperature_of(name)


def test_names_with_one_are_read() -> None:
    assert [temperature_of(f"suboptimal:{text}") for text in ("0", "0.5", "1e-3", "25")] == [0.0, 0.5, 1e-3, 25.0]


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_temperatures_are_checked_without_a_name_too(tictactoe_graph: GameGraph, temperature: float) -> None:
    with pytest.raises(PolicyError, match="0 or more and finite"):
        suboptimal(tictactoe_graph, temperature)


def test_rewards_along_the_way_have_no_score() -> None:
    paying = GameGraph(game("tictactoe:2x2:2"))
    paying.reward = np.where(paying.legal_mask, 1.0, 0.0)
    with pytest.raises(PolicyError, match="rewards along the way"):
        scores(paying)
