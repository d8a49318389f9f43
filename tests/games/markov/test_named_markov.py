"""The Markov games that have names: their rules written a second time, their closed forms, their features."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import games
from games import GameError
from games.markov.game import MarkovGame
from games.markov.gridworld import FEATURES, Grid
from games.markov.model import MarkovModel
from tests.games.test_conformance import CHECKS
from tests.support import draw

NAMES = [
    "gridworld",
    "gridworld:2x4",
    "gridworld:3x3:relational",
    "chain:5",
    "unseen:2",
    "rps",
    "linear:20,4",
    "linear:12,3,7",
    "linear-joint:12,3",
    "shifted:6,4,0.3",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_game(name: str, check: object) -> None:
    check(games.make(name))  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
def test_their_equilibria_leave_nothing_to_gain(name: str) -> None:
    assert MarkovModel(markov(name)).duality_gap() == pytest.approx(0.0, abs=1e-9)


def markov(name: str) -> MarkovGame:
    game = games.make(name)
    assert isinstance(game, MarkovGame)
    return game


def gap(model: MarkovModel, profile: tuple[np.ndarray, np.ndarray]) -> float:
    return model.respond(0, profile[1]).value - model.respond(1, profile[0]).value


def even(model: MarkovModel) -> tuple[np.ndarray, np.ndarray]:
    sides = [model.legal(seat) / np.maximum(model.legal(seat).sum(1, keepdims=True), 1) for seat in (0, 1)]
    return sides[0], sides[1]


# --- the grid ----------------------------------------------------------------------------------------------


def plain_move(rows: int, columns: int, at: tuple[int, int], action: int) -> tuple[int, int]:
    if at == (0, columns - 1):
        return at
    down, right = [(0, -1), (0, 1), (-1, 0), (1, 0)][action]
    to = at[0] + down, at[1] + right
    return to if 0 <= to[0] < rows and 0 <= to[1] < columns else at


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (2, 4)])
def test_the_grid_follows_its_rules(rows: int, columns: int) -> None:
    """Every state and joint action against rules on pairs of coordinates."""
    game, grid, goal = markov(f"gridworld:{rows}x{columns}"), Grid(rows, columns), (0, columns - 1)
    places = [tuple(divmod(int(cell), columns) for cell in pair) for pair in grid.places()]
    assert len(places) == len(set(places)) == game.states == rows * columns * (rows * columns - 1)
    number = {pair: state for state, pair in enumerate(places)}
    for state, (mine, others) in enumerate(places):
        for a in range(4):
            for b in range(4):
                to = plain_move(rows, columns, mine, a), plain_move(rows, columns, others, b)
                if to[0] == to[1] or to == (others, mine):
                    to = mine, others
                _, following, probability = game.transitions.outcomes(*(np.array([n]) for n in (state, a, b)))
                assert (following.tolist(), probability.tolist()) == ([number[to]], [1.0])
                assert game.rewards[state, a, b] == (1 if to[0] == goal else -1 if to[1] == goal else 0)


def test_the_grid_is_the_papers() -> None:
    game = markov("gridworld:3x3")
    assert (game.states, game.spec.actions, game.spec.discount, game.episode) == (72, 4, 0.9, 10)
    assert game.render(game.starts()[0]) == draw("""
        . . *
        0 . .
        . 1 .
        """)
    model = MarkovModel(game)
    assert model.solve()[0].value == 0.0, "the two halves of the board are mirror images"
    values = np.unique(model.solve()[0].values.round(9) + 0.0)
    assert values.tolist() == [-10, -9, -8.1, 0, 8.1, 9, 10]


def test_players_see_themselves_first() -> None:
    game = markov("gridworld")
    start = game.starts()
    mine, others = game.observe(start, 0)[0], game.observe(start, 1)[0]
    assert mine.shape == (3, 3, 3)
    assert [tuple(np.argwhere(plane)[0]) for plane in mine] == [(1, 0), (2, 1), (0, 2)]
    np.testing.assert_array_equal(mine[[1, 0, 2]], others)


def test_each_feature_map_is_what_it_says() -> None:
    grid = Grid(3, 3)
    for name, wide in {"onehot": 288, "positions": 72, "relational": 80, "compass": 80}.items():
        for features in FEATURES[name](grid).features:
            assert features.shape == (72, 4, wide)
            blocks = features.any(0)  # [A, d] an action has columns of its own
            assert (blocks.sum(0) <= 1).all()
    places = grid.places()
    own = FEATURES["positions"](grid).features[0].reshape(72, 4, 4, 18)[np.arange(72)[:, None], range(4), range(4)]
    assert (own.argmax(2) == places[:, :1]).all()
    state = int(grid.state(np.array([3, 1])))  # at (1, 0), the other at (0, 1): north-east
    for name, other in (("compass", 1), ("relational", 2)):
        concepts = FEATURES[name](grid).features[0][state, 0, :20]
        # one row and two columns to the goal: north-east too; the other is next to it, the goal is not
        assert np.flatnonzero(concepts).tolist() == [other, 8 + other, 16]


@pytest.mark.slow
@pytest.mark.parametrize(("features", "holds"), [("onehot", True), ("positions", True), ("relational", False)])
@pytest.mark.parametrize("ties", ["first", "vertex"])
def test_which_features_can_say_what_the_expert_does(features: str, holds: bool, ties: str) -> None:
    """Whether some w makes phi(s, a) . w largest at the expert's action in all 72 states, by a linear program."""
    from scipy.optimize import linprog

    game = markov(f"gridworld:3x3:{features}")
    for seat, expert in enumerate(MarkovModel(game).equilibrium(ties)):
        best = expert.argmax(1)
        phi = game.linear.features[seat]  # type: ignore[union-attr]
        apart = (phi[np.arange(72), best][:, None] - phi)[np.arange(4) != best[:, None]]
        program = linprog(np.zeros(phi.shape[2]), A_ub=-apart, b_ub=-np.ones(len(apart)), bounds=(None, None))
        assert (program.status == 0) == holds


# --- the small ones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("states", "loss"), [(4, 16.2), (8, 10.6288), (16, 4.5754)])
def test_the_chain_loses_what_the_closed_form_says(states: int, loss: float) -> None:
    model = MarkovModel(markov(f"chain:{states}"))
    expert = model.equilibrium("first")
    assert expert[0][-1].tolist() == [1, 0]
    assert (expert[1][0].tolist(), model.solve()[0].value) == ([1, 0], 0.0)
    assert np.flatnonzero(model.reach(expert)).tolist() == [0, 1], "experts never enter the chain"
    for p in (0.0, 0.1, 0.5):
        clone = expert[0].copy()
        clone[-1] = p, 1 - p
        expected = max(0.0, 0.9 ** (states - 2) * (2 - 12 * p) / 0.1)
        assert -model.respond(1, clone).value == pytest.approx(expected, abs=1e-9)
        if p == 0:
            assert expected == pytest.approx(loss, abs=5e-5)
    assert markov(f"chain:{states}").spec.unlabelled == 1


@pytest.mark.parametrize("right", range(3))
def test_guessing_in_the_unseen_state_loses_the_whole_horizon(right: int) -> None:
    model = MarkovModel(markov(f"unseen:{right}"))
    expert = model.equilibrium("first")
    assert np.flatnonzero(model.reach(expert)).tolist() == [0, 1]
    assert expert[0][2].argmax() == right
    assert gap(model, (even(model)[0], expert[1])) == pytest.approx(12.0)
    assert gap(model, (even(model)[0], expert[1])) >= 1 / (1 - 0.9)


def test_rock_paper_scissors_mixes_in_every_state() -> None:
    model = MarkovModel(markov("rps"))
    first, second = model.equilibrium("first")
    assert model.solve()[0].value == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-9)
    assert first.min() > 0.1
    np.testing.assert_allclose(first[0], 1 / 3, rtol=0, atol=1e-9)
    assert abs(first[1] - 1 / 3).max() > 0.05, "a charged hand changes what to play"
    assert markov("rps").rewards[1:].max() == 2


@pytest.mark.parametrize("share", ["0", "0.3", "1"])
def test_the_shifted_game_forks_at_no_cost(share: str) -> None:
    """Player 1's choices are worth the same, experts stay on one side, and one direction answers on both."""
    game = markov(f"shifted:20,4,{share}")
    model = MarkovModel(game)
    first, second = model.equilibrium("first")
    values = model.solve()[1].action_values[0, :2]
    assert values[0] == pytest.approx(values[1], abs=1e-9)
    assert second[0].tolist() == [1, 0, 0]
    assert (model.reach((first, second)) > 0).tolist() == [True] * 21 + [False] * 20
    phi = game.linear.features[0]  # type: ignore[union-attr]
    np.testing.assert_allclose(phi[1:].sum(2), 1.0)
    theta, *_ = np.linalg.lstsq(phi[1:].reshape(-1, 4), game.rewards[1:, :, 0].ravel(), rcond=None)
    np.testing.assert_array_equal((phi[1:] @ theta).argmax(1), first[1:].argmax(1))


# --- linear games ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 3])
def test_one_seat_moves_and_one_direction_is_the_expert(seed: int) -> None:
    game = markov(f"linear:60,4,{seed}" if seed else "linear:60,4")
    model = MarkovModel(game)
    acting = game.acting(model.states)
    assert (acting.sum(1) == 1).all()
    anchors = game.transitions.anchors  # type: ignore[attr-defined]
    phi = game.linear.features  # type: ignore[union-attr]
    rows = np.concatenate([phi[seat][acting[:, seat]].reshape(-1, 4) for seat in (0, 1)])
    assert (np.abs(rows.sum(1) - 1) < 1e-12).all() and (rows >= 0).all()
    assert len(np.unique(rows.round(9), axis=0)) == len(rows), "states of a kind are not the same"
    rewards = np.concatenate([game.rewards[acting[:, 0], :, 0].ravel(), game.rewards[acting[:, 1], 0].ravel()])
    theta, *_ = np.linalg.lstsq(rows, rewards, rcond=None)
    w = theta + game.spec.discount * anchors @ model.solve()[0].values
    for seat, expert in enumerate(model.equilibrium("first")):
        mine = acting[:, seat]
        choice = (1 - 2 * seat) * phi[seat][mine] @ w
        np.testing.assert_array_equal(expert[mine].argmax(1), choice.argmax(1))


def test_a_large_linear_game_is_solved_without_a_table() -> None:
    tracemalloc.start()
    game = markov("linear:20000,10")
    model = MarkovModel(game)
    assert model.duality_gap() == pytest.approx(0.0, abs=1e-9)
    assert gap(model, even(model)) > 1.0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250e6, "S x S numbers would be 3.2e9 bytes"
    small = MarkovModel(markov("linear:2000,10"))
    assert model.solve()[0].value == pytest.approx(small.solve()[0].value, abs=0.3), "the same kinds, the same game"


def test_seeds_make_games_and_names_say_them() -> None:
    one, two, again = markov("linear:20,4"), markov("linear:20,4,1"), markov("linear:20,4")
    np.testing.assert_array_equal(one.rewards, again.rewards)
    assert abs(one.rewards - two.rewards).max() > 0.1
    assert [game.spec.name for game in (one, two)] == ["linear:20,4", "linear:20,4,1"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gridworld:1x5", "at least 2 rows"),
        ("gridworld:99x99", "at most 225 cells"),
        ("gridworld:3x3:pictures", "no features 'pictures'"),
        ("gridworld:9x9:onehot", "choose positions"),
        ("gridworld:big", "write gridworld:ROWSxCOLUMNS"),
        ("chain:3", "4 to 256 states"),
        ("chain:x", "write chain:N"),
        ("unseen:3", "numbered 0 to 2"),
        ("unseen:x", "write unseen:0"),
        ("rps:3", "takes no parameters"),
        ("linear:5,4", "S from 2 d"),
        ("linear:100", "write linear:S,d"),
        ("linear-joint:10,1", "d from 2"),
        ("linear-joint:100,5:odd", "no features 'odd'"),
        ("shifted:10,3,0.5", "an even d"),
        ("shifted:10,4,1.5", "a share from 0 to 1"),
        ("shifted:10,4", "write shifted:N,d,SHARE"),
        ("shifted:10.5,4,0.5", "only the share has a point"),
    ],
)
def test_names_that_are_no_games_are_refused_in_one_line(name: str, says: str) -> None:
    with pytest.raises(GameError, match=says) as error:
        games.make(name)
    assert "\n" not in str(error.value)
