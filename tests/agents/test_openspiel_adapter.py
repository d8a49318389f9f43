"""Policies across the OpenSpiel adapter: exported, OpenSpiel measures and plays them as we do; imported, so do we."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyspiel
import pytest
from open_spiel.python import policy as openspiel_policy
from open_spiel.python.algorithms.exploitability import nash_conv

from agents.openspiel import from_openspiel_policy, rules_of, stone_order, to_openspiel_bot, to_openspiel_policy
from agents.policy import Greedy, HistoryWarning, Lifted, Mixture, PolicyError, Uniform, by_history, query
from agents.tabular import from_model
from games import GameGraph
from mail.evaluation.exact import profile_measures
from mail.evaluation.gap import nash_gap
from tests.support import PENNIES, Profile, draw, game, gap, graph, position, random_play, random_profile

# --- out -------------------------------------------------------------------------------------------------


def seats(model: GameGraph, profile: Profile) -> Any:
    return from_model(model, 0, profile[0]), from_model(model, 1, profile[1])


@pytest.mark.parametrize(
    "name",
    [
        "connect4:3x3:3",
        "tictactoe:2x3:3",
        "openspiel:nim(pile_sizes=1;2;3)",
        "openspiel:connect_four(rows=2,columns=3,x_in_row=2)",
        "openspiel:dots_and_boxes(num_rows=1,num_cols=1)",
    ],
)
def test_openspiels_nash_conv_of_an_exported_profile_is_our_nash_gap(name: str) -> None:
    model = graph(name)
    profile = random_profile(model, 3, sparse=True)
    exported = to_openspiel_policy(seats(model, profile), model.game)
    assert nash_conv(exported.game, exported) == pytest.approx(gap(model, profile), abs=1e-6)


def test_the_exported_policy_answers_for_the_player_to_move() -> None:
    board = game("tictactoe")
    exported = to_openspiel_policy((Uniform(), Greedy(Uniform())), board)
    state = exported.game.new_initial_state()
    assert exported.action_probabilities(state) == pytest.approx(dict.fromkeys(range(9), 1 / 9))
    assert exported.action_probabilities(state, 1) == {}
    state.apply_action(0)
    assert exported.action_probabilities(state, 1) == {1: 1.0, **dict.fromkeys(range(2, 9), 0.0)}
    for action in (1, 3, 2, 6):
        state.apply_action(action)
    assert state.is_terminal()
    assert exported.action_probabilities(state) == {}


@pytest.mark.parametrize("name", ["tictactoe", "connect4:4x5", "connect4", "openspiel:mancala", "pettingzoo:tictactoe"])
def test_two_exported_bots_play_whole_games(name: str) -> None:
    """Through OpenSpiel's own loop, which stops at an illegal action."""
    ours, rng = game(name), np.random.default_rng(4)
    rules = rules_of(ours)
    results = set()
    for seed in range(12):
        bots = [to_openspiel_bot((Uniform(), Uniform()), ours, seat, rng=rng) for seat in (0, 1)]
        returns = pyspiel.evaluate_bots(rules.new_initial_state(), bots, seed)
        assert sum(returns) == 0
        results.add(returns[0])
    assert len(results) > 1, "twelve games and only one result"


def test_a_bot_plays_action_0_where_nothing_else_is_left() -> None:
    """OpenSpiel's own PolicyBot answers that there is no action."""
    board = game("tictactoe")
    bot = to_openspiel_bot((Uniform(), Uniform()), board, 0, rng=np.random.default_rng(0))
    state = rules_of(board).new_initial_state()
    for action in (1, 2, 4, 7, 5, 3, 6, 8):
        state.apply_action(action)
    assert str(state) == draw(".xo\noxx\nxoo")
    assert bot.step(state) == 0
    assert bot.step_with_policy(state) == ([(0, 1.0)], 0)
    assert bot.provides_policy()
    other = to_openspiel_bot((Uniform(), Uniform()), board, 1, rng=np.random.default_rng(0))
    assert other.step(state) == pyspiel.INVALID_ACTION


def test_bots_draw_from_their_generator_alone() -> None:
    board = game("connect4")
    state = rules_of(board).new_initial_state()
    moves = [
        [to_openspiel_bot((Uniform(), Uniform()), board, 0, rng=rng).step(state) for _ in range(20)]
        for rng in (np.random.default_rng(1), np.random.default_rng(1), np.random.default_rng(2))
    ]
    assert moves[0] == moves[1] != moves[2]


def test_games_without_a_twin_are_refused() -> None:
    with pytest.raises(PolicyError, match=r"test-pennies .* is no game of OpenSpiel's"):
        to_openspiel_policy((Uniform(), Uniform()), PENNIES)
    with pytest.raises(PolicyError, match=r"lift the policies to the board \(Lifted\)"):
        to_openspiel_policy((Uniform(), Uniform()), game("quotient:tictactoe"))


# --- in --------------------------------------------------------------------------------------------------


def scattered(rules: Any, seed: int) -> openspiel_policy.TabularPolicy:
    """A random OpenSpiel table, by history as its tables are."""
    table = openspiel_policy.TabularPolicy(rules)
    weights = np.random.default_rng(seed).random(table.action_probability_array.shape) * table.legal_actions_mask
    table.action_probability_array[:] = weights / weights.sum(1, keepdims=True)
    return table


@pytest.mark.parametrize(
    "name", ["connect4:3x3:3", "tictactoe:2x3:3", "openspiel:connect_four(rows=3,columns=3,x_in_row=3)"]
)
def test_an_imported_table_is_a_policy_of_the_board(name: str) -> None:
    """Asked by the position, it gives equal positions equal answers: the table's at one way of getting there."""
    model = graph(name)
    table = scattered(rules_of(model.game), 5)
    imported = from_openspiel_policy(table, model.game)
    rng = np.random.default_rng(0)
    with pytest.warns(HistoryWarning):
        query(imported, model.game, model.states, 0)
    for states, *_ in random_play(model.game, 30, rng):
        for seat in (0, 1):
            rows = query(imported, model.game, states, seat)
            keys = [key.tobytes() for key in model.game.key(states)]
            assert len({(key, row.tobytes()) for key, row in zip(keys, rows, strict=True)}) == len(set(keys))
    first = table.action_probabilities(rules_of(model.game).new_initial_state())
    assert dict(enumerate(query(imported, model.game, model.game.starts(), 0)[0])) == pytest.approx(first)


def test_what_goes_out_comes_back_the_same() -> None:
    model = graph("connect4:4x4")
    profile = random_profile(model, 8)
    back = from_openspiel_policy(to_openspiel_policy(seats(model, profile), model.game), model.game)
    some = np.random.default_rng(1).choice(len(model), 300, replace=False)
    for seat in (0, 1):
        assert np.array_equal(back.probabilities(model.game, model.states[some], seat), profile[seat][some])


@pytest.mark.slow
def test_an_imported_policy_serves_every_backend_and_the_quotient() -> None:
    rules = rules_of(game("tictactoe"))
    policy = from_openspiel_policy(pyspiel.UniformRandomPolicy(rules), game("tictactoe"))
    for name in ("tictactoe", "openspiel:tic_tac_toe", "pettingzoo:tictactoe", "quotient:tictactoe"):
        ours = game(name)
        for states, *_ in random_play(ours, 5, np.random.default_rng(2)):
            for seat in (0, 1):
                expected = Uniform().probabilities(ours, states, seat)
                np.testing.assert_allclose(query(policy, ours, states, seat), expected, rtol=0, atol=1e-12)
    lifted = Lifted(policy, game("quotient:tictactoe"))
    assert nash_gap(graph("tictactoe"), (lifted, lifted)).nash_gap == pytest.approx(1.9196593915343916, abs=1e-9)


def test_a_policy_of_other_rules_is_refused() -> None:
    policy = openspiel_policy.UniformRandomPolicy(pyspiel.load_game("connect_four"))
    with pytest.raises(PolicyError, match=r"for OpenSpiel's connect_four\(\), not for connect_four\(columns=5,rows=4"):
        from_openspiel_policy(policy, game("connect4:4x5"))
    with pytest.raises(PolicyError, match=r"test-pennies .* is no game of OpenSpiel's"):
        from_openspiel_policy(policy, PENNIES)


@pytest.mark.parametrize("name", ["connect4", "tictactoe:4x4:3"])
def test_the_order_of_stones_leads_to_the_position(name: str) -> None:
    board, rng = game(name), np.random.default_rng(3)
    for ply, (states, *_) in enumerate(random_play(board, 10, rng)):
        for state in states:
            stones = board.observe(state[None], 0)[0] > 0
            moves = stone_order(stones[0], stones[1], gravity=board.gravity)
            assert len(moves) == ply
            replayed = rules_of(board).new_initial_state()
            for action in moves:
                replayed.apply_action(action)
            assert str(replayed).strip() == board.render(state)


def test_the_order_of_stones_is_the_least_and_turns_back_where_it_has_to() -> None:
    board = game("connect4:3x4")
    stones = board.observe(position(board, "o...\nx...\nxox."), 0)[0] > 0
    assert stone_order(stones[0], stones[1], gravity=True) == [0, 1, 0, 0, 2]
    with pytest.raises(PolicyError, match="not reachable"):
        stone_order(stones[1], stones[0], gravity=True)


# --- policies that depend on the history ---------------------------------------------------------------------


SMALL = [
    "connect4:3x3:3",
    "tictactoe:2x3:3",
    "openspiel:connect_four(rows=3,columns=3,x_in_row=3)",
    "openspiel:nim(pile_sizes=1;2;3)",
    "openspiel:dots_and_boxes(num_rows=1,num_cols=1)",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_policy_by_histories_has_the_gap_that_openspiel_computes(name: str) -> None:
    """Random tables by history, which no policy of positions equals; as they are and greedy."""
    model = graph(name)
    rules = rules_of(model.game)
    table = scattered(rules, 4)
    policy = from_openspiel_policy(table, model.game)
    measured = profile_measures(model, (policy, policy))
    assert nash_gap(model, (policy, policy)).nash_gap == pytest.approx(nash_conv(rules, table), abs=1e-9)
    assert measured["nash_gap"] == pytest.approx(nash_conv(rules, table), abs=1e-9)
    rows = table.action_probability_array
    rows[:] = rows == rows.max(1, keepdims=True)
    hard = Greedy(from_openspiel_policy(scattered(rules, 4), model.game))
    assert nash_gap(model, (hard, hard)).nash_gap == pytest.approx(nash_conv(rules, table), abs=1e-9)
    assert measured["greedy_nash_gap"] == pytest.approx(nash_conv(rules, table), abs=1e-9)


@pytest.mark.parametrize("seat", [0, 1])
def test_one_seat_by_histories_and_one_by_positions(seat: int) -> None:
    model = graph("connect4:3x3:3")
    rules = rules_of(model.game)
    table = scattered(rules, 6)
    profile = random_profile(model, 2)
    by_position = to_openspiel_policy(seats(model, profile), model.game)
    for row, state in enumerate(table.states):
        if state.current_player() != seat:
            for action, probability in by_position.action_probabilities(state).items():
                table.action_probability_array[row, action] = probability
    pair = list(seats(model, profile))
    pair[seat] = from_openspiel_policy(table, model.game)
    assert nash_gap(model, (pair[0], pair[1])).nash_gap == pytest.approx(nash_conv(rules, table), abs=1e-9)
    pair[seat] = Mixture([pair[seat], Uniform()], [0.5, 0.5])
    mixed = nash_gap(model, (pair[0], pair[1])).nash_gap
    table.action_probability_array[:] = [
        (row + legal / legal.sum()) / 2 if state.current_player() == seat else row
        for row, legal, state in zip(
            table.action_probability_array, table.legal_actions_mask, table.states, strict=True
        )
    ]
    assert mixed == pytest.approx(nash_conv(rules, table), abs=1e-9)


def test_where_histories_are_too_many_a_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    model = graph("connect4:3x3:3")
    policy = from_openspiel_policy(scattered(rules_of(model.game), 4), model.game)
    monkeypatch.setattr("games.histories.LIMIT", 1000)
    with pytest.warns(HistoryWarning) as told:
        nash_gap(model, (policy, policy))
    assert "ImportedPolicy may depend on the history of a game, but is asked at one history of each" in str(
        told[0].message
    )


def test_a_policy_by_histories_that_is_asked_by_the_board_says_so_once() -> None:
    board = game("connect4:4x4")
    policy = from_openspiel_policy(ByHash(rules_of(board)), board)
    some = graph("connect4:4x4").states[2000:2100]
    with pytest.warns(
        HistoryWarning, match=r"after the moves [0-9 ]+ and [0-9 ]+, which lead to one position, it plays"
    ):
        for state in some:
            policy.probabilities(board, state[None], int(board.acting(state[None])[0, 1]))
    policy.probabilities(board, some, 0)


def test_no_warning_where_histories_do_not_matter() -> None:
    """Neither for a policy that does not look at them, nor for one of ours that went out and comes back."""
    model = graph("connect4:4x4")
    exported = to_openspiel_policy(seats(model, random_profile(model, 1)), model.game)
    for theirs in (exported, openspiel_policy.UniformRandomPolicy(exported.game)):
        policy = from_openspiel_policy(theirs, model.game)
        query(policy, model.game, model.states[::500], 0)
    assert not by_history(from_openspiel_policy(exported, model.game))


class ByHash(openspiel_policy.Policy):
    """A policy by the moves so far, of a game whose table would be large."""

    def __init__(self, rules: Any) -> None:
        super().__init__(rules, [0, 1])

    def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
        legal = state.legal_actions()
        chosen = legal[sum((i + 1) * move for i, move in enumerate(state.history())) % len(legal)]
        return {action: float(action == chosen) for action in legal}
