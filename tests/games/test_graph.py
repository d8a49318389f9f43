"""Exact knowledge of games: counts, values and gaps that are known from elsewhere, or recomputed by recursion.

The numbers of Tic-Tac-Toe are the well-known ones (5,478 positions, 255,168 games); the numbers of positions
of small Connect Four boards are J. Tromp's. Gaps are NashConv, the sum of what both seats could gain.
"""

from __future__ import annotations

from itertools import product
from math import factorial

import numpy as np
import pyspiel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_spiel.python import policy as openspiel_policy
from open_spiel.python.algorithms import exploitability
from scipy.optimize import linprog
from scipy.sparse import csr_array

from agents import expert
from agents.policy import Lifted, tabulate
from agents.tabular import from_model
from games import Board, GameError, GameGraph, Quotient
from games.base import Table, pack
from mail.evaluation.coverage import coverage_bounds
from tests.support import (
    PENNIES,
    PlainBoard,
    Profile,
    Stuck,
    backward,
    gap,
    graph,
    optimal_profile,
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
        values = backward(plain, lambda picture, moves, seat=seat: against(seat, picture, moves))
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
    table = expert.optimal_table(model, ties=ties)
    profile = np.where(model.legal(0), table, 0.0), np.where(model.legal(1), table, 0.0)
    assert gap(model, profile) == 0.0
    best = model.optimal()
    assert (table[~best] == 0).all()
    np.testing.assert_allclose(table.sum(1), 1.0, rtol=0, atol=1e-12)
    assert np.array_equal(table > 0, best if ties == "uniform" else best & (best.cumsum(1) == 1))


# --- what imitation of an expert can see -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("ties", "seen", "exploitability_"),
    [
        ("first", [5, 4], [0.8095, 0.9948]),
        ("uniform", [417, 451], [0.8042, 0.7813]),
    ],
)
def test_cloning_with_infinite_data(
    tictactoe_graph: GameGraph, ties: str, seen: list[int], exploitability_: list[float]
) -> None:
    """The clone knows what two minimax players show each other and plays uniformly elsewhere: gap 1.8043 or 1.5855.

    Here the expert keeps the value and is in no hurry.
    """
    model = tictactoe_graph
    experts, uniform = optimal_profile(model, ties=ties), uniform_profile(model)
    assert gap(model, experts) == 0.0
    known = model.reach(experts) > 0
    assert [(known & (model.seat == seat)).sum() for seat in (0, 1)] == seen
    first, second = (np.where(known[:, None], experts[seat], uniform[seat]) for seat in (0, 1))
    ours = [-model.respond(1, first).value, model.respond(0, second).value]
    np.testing.assert_allclose(ours, exploitability_, rtol=0, atol=5e-5)
    wanted = {"first": 1.8043, "uniform": 1.5855}[ties]
    assert gap(model, (first, second)) == pytest.approx(wanted, abs=5e-5)
    assert model.value((first, second)) == pytest.approx(0.0, abs=1e-12), "between themselves the clones are perfect"


@pytest.mark.parametrize(
    ("kind", "ties", "labels", "games"),
    [
        ("fastest", "first", (81, 426), (63, 282)),
        ("unhurried", "first", (99, 447), (71, 274)),
        ("unhurried", "uniform", (2091, 1141), (None, None)),
    ],
)
def test_what_exploration_can_reach(
    tictactoe_graph: GameGraph,
    kind: str,
    ties: str,
    labels: tuple[int, int],
    games: tuple[int | None, int | None],
) -> None:
    """The expert's decisions that some opponent can lead it to, and the fewest games that see them all."""
    profile = _fastest(tictactoe_graph) if kind == "fastest" else optimal_profile(tictactoe_graph, ties=ties)
    found = [coverage_bounds(tictactoe_graph, profile[seat], seat) for seat in (0, 1)]
    assert tuple(bound.labels for bound in found) == labels
    assert tuple(bound.games for bound in found) == games
    if games[0] is not None:
        assert tuple(_least_flow(tictactoe_graph, profile[seat], seat) for seat in (0, 1)) == games


def test_what_exploration_can_reach_in_the_quotient_is_less(quotient_graph: GameGraph) -> None:
    profile = _fastest(quotient_graph)
    for seat, full in ((0, 81), (1, 426)):
        bound = coverage_bounds(quotient_graph, profile[seat], seat)
        assert bound.labels < full
        assert bound.games == _least_flow(quotient_graph, profile[seat], seat)


@pytest.mark.parametrize("seat", [0, 1])
def test_least_on_a_larger_board(connect4_small_graph: GameGraph, seat: int) -> None:
    table = _fastest(connect4_small_graph)[seat]
    bound = coverage_bounds(connect4_small_graph, table, seat)
    assert (bound.labels, bound.games) == ((766, 321), (1728, 650))[seat]
    assert bound.games == _least_flow(connect4_small_graph, table, seat)


def _fastest(model: GameGraph) -> Profile:
    table = expert.optimal_table(model, ties="first")
    return np.where(model.legal(0), table, 0.0), np.where(model.legal(1), table, 0.0)


def _least_flow(model: GameGraph, table: Table, seat: int) -> int:
    """Fewest games through all of the expert's decisions, as a least flow from the start with at least one game
    through each decision (a linear program whose corners are whole numbers).
    """
    support = np.where(model.seat[:, None] == seat, table > 0, model.legal_mask)
    profile = uniform_profile(model)
    reached = model.reach((table, profile[1]) if seat == 0 else (profile[0], table)) > 0
    row, action = np.nonzero(support & reached[:, None])
    child = model.successor[row, action]
    edges = np.arange(len(row))
    out = csr_array((np.ones(len(row)), (row, edges)), shape=(len(model), len(row)))
    inner = child >= 0
    into = csr_array((np.ones(inner.sum()), (child[inner], edges[inner])), shape=out.shape)
    nodes = np.flatnonzero(reached)
    balanced = nodes[nodes >= len(model.roots)]
    decisions = np.flatnonzero(reached & (model.seat == seat))
    flow = linprog(
        np.isin(row, model.roots).astype(float),
        A_eq=(out - into)[balanced],
        b_eq=np.zeros(len(balanced)),
        A_ub=-out[decisions],
        b_ub=-np.ones(len(decisions)),
        method="highs",
    )
    assert flow.success
    return round(flow.fun)


# --- OpenSpiel as a referee of gaps ----------------------------------------------------------------------


class _ByBoard(openspiel_policy.Policy):
    """Our tables as OpenSpiel's policy: looked up by the board, which both draw alike."""

    def __init__(self, game: pyspiel.Game, model: GameGraph, profile: Profile) -> None:
        super().__init__(game, [0, 1])
        self.rows = rows_by_picture(model)
        self.profile = profile

    def action_probabilities(self, state: pyspiel.State, player_id: int | None = None) -> dict[int, float]:
        seat = state.current_player()
        row = self.profile[seat][self.rows[str(state).strip()]]
        return {action: float(row[action]) for action in state.legal_actions()}


def _openspiel_gains(game: pyspiel.Game, model: GameGraph, profile: Profile) -> tuple[float, list[float]]:
    found = exploitability.nash_conv(
        game, _ByBoard(game, model, profile), return_only_nash_conv=False, use_cpp_br=False
    )
    return float(found.nash_conv), [float(gain) for gain in found.player_improvements]


def _our_gains(model: GameGraph, profile: Profile) -> tuple[float, list[float]]:
    value = model.value(profile)
    gains = [model.respond(0, profile[1]).value - value, value - model.respond(1, profile[0]).value]
    return gap(model, profile), gains


@pytest.mark.parametrize(
    ("name", "spiel"),
    [
        ("connect4:3x3:3", "connect_four(rows=3,columns=3,x_in_row=3)"),
        ("tictactoe:2x3:3", "mnk(m=3,n=2,k=3)"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_openspiel_finds_the_same_gap(name: str, spiel: str, seed: int) -> None:
    model, game = graph(name), pyspiel.load_game(spiel)
    profile = random_profile(model, seed, sparse=seed == 2)
    (ours, gains), (theirs, their_gains) = _our_gains(model, profile), _openspiel_gains(game, model, profile)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert gains == pytest.approx(their_gains, abs=1e-12)


@pytest.mark.slow
def test_openspiel_finds_the_same_gap_in_tictactoe(tictactoe_graph: GameGraph) -> None:
    profile = random_profile(tictactoe_graph, 3)
    game = pyspiel.load_game("tic_tac_toe")
    theirs, their_gains = _openspiel_gains(game, tictactoe_graph, profile)
    ours, gains = _our_gains(tictactoe_graph, profile)
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert gains == pytest.approx(their_gains, abs=1e-12)


@pytest.mark.parametrize("packs", [True, False])
def test_a_position_that_goes_on_without_a_move_is_an_error_that_names_it(packs: bool) -> None:
    with pytest.raises(GameError, match=r"test-stuck goes on without a move to make at: o\. / x\."):
        GameGraph(Stuck(packs=packs))
