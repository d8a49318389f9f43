"""One suite over every game: what the contract in ``games.base`` promises, whatever the game is.

To add a game, add a line to ``GAMES``. To add a promise, write a function of a game and list it in ``CHECKS``.
Checks speak of the contract alone: seats may act in turn or at once, chance may move, rewards may come at any
time. What holds for boards only is in ``BOARD_CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import games
from games import Board, Enumerable, Game, Quotient, Symmetric
from tests.support import PENNIES, game, random_actions, random_play, reloaded, visited

BOARDS = [
    "tictactoe",
    "tictactoe:4x4:3",
    "tictactoe:3x4:3",
    "connect4",
    "connect4:4x5",
    "connect4:5x4",
    "connect4:3x4",
    "quotient:tictactoe",
    "quotient:tictactoe:3x4:3",
    "quotient:connect4",
    "quotient:connect4:4x4",
]
WRAPPED = [  # other libraries' games: boards of ours and others; in mancala seats do not strictly alternate
    "openspiel:tic_tac_toe",
    "openspiel:connect_four(rows=4,columns=5)",
    "openspiel:mnk(m=4,n=3,k=3)",
    "openspiel:hex(board_size=3)",
    "openspiel:nim(pile_sizes=1;2;3)",
    "openspiel:mancala",
    "pettingzoo:tictactoe",
    "pettingzoo:connect_four",
]
GAMES: dict[str, Callable[[], Game]] = {
    **{name: (lambda name=name: game(name)) for name in [*BOARDS, *WRAPPED]},
    "pennies (simultaneous, with chance)": lambda: PENNIES,
}


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


# --- what every game promises ----------------------------------------------------------------------------


def spec_holds_the_fixed_facts(game: Game) -> None:
    spec = game.spec
    assert isinstance(game, Game)
    assert spec.actions >= 1
    assert spec.longest >= 1
    assert 0 < spec.discount <= 1
    assert all(isinstance(size, int) and size > 0 for size in spec.observation)


def start_gives_as_many_positions_as_asked(game: Game) -> None:
    for n in (0, 1, 5):
        states = game.start(n, rng=rng())
        assert states.shape[0] == n
        assert states.ndim == 2
        assert np.issubdtype(states.dtype, np.integer)
    assert game.acting(game.start(5, rng=rng())).any(1).all(), "nobody to move at the start"
    assert np.array_equal(game.start(5, rng=rng()), game.start(5, rng=rng())), "the draw is not rng's alone"


def shapes_and_types_are_the_contracts(game: Game) -> None:
    states = visited(game)
    for some in (states, states[:1], states[:0]):
        n = len(some)
        _is_array(game.acting(some), (n, 2), np.bool_)
        _is_array(game.key(some), (n, 2), np.uint64)
        for seat in (0, 1):
            _is_array(game.legal(some, seat), (n, game.spec.actions), np.bool_)
            _is_array(game.observe(some, seat), (n, *game.spec.observation), np.float32)
            _is_array(game.key(some, seat), (n, 2), np.uint64)
        running = some[game.acting(some).any(1)]
        after, rewards, done = game.step(running, random_actions(game, running, rng()), rng=rng())
        _is_array(after, running.shape, running.dtype)
        _is_array(rewards, (len(running),), np.float64)
        _is_array(done, (len(running),), np.bool_)
    assert all(isinstance(game.render(state), str) and game.render(state) for state in states)


def seats_act_exactly_where_they_have_legal_actions(game: Game) -> None:
    states = visited(game)
    for seat in (0, 1):
        assert np.array_equal(game.legal(states, seat).any(1), game.acting(states)[:, seat])


def a_game_is_over_when_and_only_when_nobody_acts(game: Game) -> None:
    for _, _, after, _, done in random_play(game, 12, rng()):
        assert np.array_equal(game.acting(after).any(1), ~done)
        assert not game.legal(after[done], 0).any()
        assert not game.legal(after[done], 1).any()
        assert np.isfinite(game.observe(after, 0)).all()


def games_end_within_their_longest_length(game: Game) -> None:
    plies = list(random_play(game, 40, rng()))
    assert len(plies) <= game.spec.longest
    assert plies[-1][-1].all(), "a game went on for longer than spec.longest"


def equal_keys_are_equal_positions(game: Game) -> None:
    states = visited(game)
    key, twice = game.key(states), game.key(np.concatenate([states, states]))
    assert np.array_equal(twice, np.concatenate([key, key]))
    pictures = [f"{game.render(state)} {acting}" for state, acting in zip(states, game.acting(states), strict=True)]
    assert len({row.tobytes() for row in key}) == len(set(pictures))
    for seat in (0, 1):
        known: dict[bytes, tuple[bytes, bytes]] = {}
        views = zip(game.key(states, seat), game.legal(states, seat), game.observe(states, seat), strict=True)
        for own_key, legal, seen in views:
            view = legal.tobytes(), seen.tobytes()
            assert known.setdefault(own_key.tobytes(), view) == view, "one key, two views of the position"


def questions_leave_the_states_as_they_are(game: Game) -> None:
    states = visited(game)
    before = states.copy()
    states.flags.writeable = False
    game.acting(states), game.key(states)
    for seat in (0, 1):
        game.legal(states, seat), game.observe(states, seat), game.key(states, seat)
    running = states[game.acting(states).any(1)]
    game.step(running, random_actions(game, running, rng()), rng=rng())
    assert np.array_equal(states, before)


def a_batch_is_its_rows(game: Game) -> None:
    states = visited(game, episodes=4)
    order = rng().permutation(len(states))
    questions: list[Callable[[np.ndarray], np.ndarray]] = [game.acting, game.key]
    for seat in (0, 1):
        questions += [
            lambda some, seat=seat: game.legal(some, seat),
            lambda some, seat=seat: game.observe(some, seat),
            lambda some, seat=seat: game.key(some, seat),
        ]
    for question in questions:
        whole = question(states)
        assert np.array_equal(whole, np.concatenate([question(states[i : i + 1]) for i in range(len(states))]))
        assert np.array_equal(whole[order], question(states[order]))


def step_draws_from_rng_alone(game: Game) -> None:
    states = visited(game)
    running = states[game.acting(states).any(1)]
    actions = random_actions(game, running, rng())
    once, again = (game.step(running, actions, rng=rng()) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))


def step_leads_to_a_listed_successor(game: Game) -> None:
    if not isinstance(game, Enumerable):
        return
    states = visited(game)
    states = states[game.acting(states).any(1)]
    actions = random_actions(game, states, rng())
    found = game.successors(states, actions)
    assert np.array_equal(np.unique(found.rows), np.arange(len(states)))
    assert (found.probability > 0).all()
    np.testing.assert_allclose(np.bincount(found.rows, found.probability), 1.0, rtol=0, atol=1e-12)
    after, rewards, done = game.step(states, actions, rng=rng())
    for row in range(len(states)):
        at = np.flatnonzero((found.rows == row) & (found.states == after[row]).all(1))
        assert len(at) == 1
        assert (found.rewards[at[0]], found.done[at[0]]) == (rewards[row], done[row])
    certain = np.bincount(found.rows) == 1
    single = [game.step(states[i : i + 1], actions[i : i + 1], rng=rng())[0] for i in np.flatnonzero(certain)]
    assert np.array_equal(after[certain], np.concatenate([after[:0], *single]))


def starts_list_where_games_start(game: Game) -> None:
    if not isinstance(game, Enumerable):
        return
    listed = {row.tobytes() for row in game.key(game.starts())}
    drawn = {row.tobytes() for row in game.key(game.start(50, rng=rng()))}
    assert drawn <= listed


def symmetries_are_a_group_of_relabelings(game: Game) -> None:
    if not isinstance(game, Symmetric):
        return
    permutations = game.spec.symmetries
    actions = tuple(range(game.spec.actions))
    assert permutations[0] == actions, "the identity comes first"
    assert all(tuple(sorted(permutation)) == actions for permutation in permutations)
    assert len(set(permutations)) == len(permutations)
    for first in permutations:
        for second in permutations:
            assert tuple(second[action] for action in first) in permutations


def images_of_successors_are_successors_of_images(game: Game) -> None:
    if not isinstance(game, Symmetric):
        return
    states = visited(game)
    states = states[game.acting(states).any(1)]
    actions = random_actions(game, states, rng())
    after, rewards, done = game.step(states, actions, rng=rng())
    before_images, after_images = game.images(states), game.images(after)
    assert before_images.shape == (len(game.spec.symmetries), *states.shape)
    assert before_images.dtype == states.dtype
    assert np.array_equal(before_images[0], states)
    for g, permutation in enumerate(np.array(game.spec.symmetries)):
        image = before_images[g]
        assert np.array_equal(game.acting(image), game.acting(states))
        for seat in (0, 1):
            assert np.array_equal(game.legal(image, seat)[:, permutation], game.legal(states, seat))
        moved = np.where(actions >= 0, permutation[actions], -1)
        image_after, image_rewards, image_done = game.step(image, moved, rng=rng())
        assert np.array_equal(image_after, after_images[g])
        assert np.array_equal(image_rewards, rewards)
        assert np.array_equal(image_done, done)


def pickled_it_is_the_same_game(game: Game) -> None:
    other = reloaded(game)
    assert other.spec == game.spec
    plies, others = list(random_play(game, 6, rng())), list(random_play(other, 6, rng()))
    assert len(plies) == len(others)
    for mine, theirs in zip(plies, others, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))
        assert np.array_equal(game.observe(mine[0], 1), other.observe(theirs[0], 1))


def its_name_leads_back_to_it(game: Game) -> None:
    if game.spec.name.startswith("test-"):
        return
    assert games.make(game.spec.name).spec == game.spec


CHECKS = [
    spec_holds_the_fixed_facts,
    start_gives_as_many_positions_as_asked,
    shapes_and_types_are_the_contracts,
    seats_act_exactly_where_they_have_legal_actions,
    a_game_is_over_when_and_only_when_nobody_acts,
    games_end_within_their_longest_length,
    equal_keys_are_equal_positions,
    questions_leave_the_states_as_they_are,
    a_batch_is_its_rows,
    step_draws_from_rng_alone,
    step_leads_to_a_listed_successor,
    starts_list_where_games_start,
    symmetries_are_a_group_of_relabelings,
    images_of_successors_are_successors_of_images,
    pickled_it_is_the_same_game,
    its_name_leads_back_to_it,
]

# --- what boards promise beyond that ---------------------------------------------------------------------


def seats_take_turns(game: Game) -> None:
    for ply, (states, *_) in enumerate(random_play(game, 12, rng())):
        assert np.array_equal(game.acting(states), np.tile([ply % 2 == 0, ply % 2 == 1], (len(states), 1)))


def the_last_mover_wins_or_nobody(game: Game) -> None:
    """Rewards come with the last move, +1 if seat 0 made it and -1 if seat 1 did, or 0 on a full board."""
    results = set()
    for ply, (_, _, _, rewards, done) in enumerate(random_play(game, 300, rng())):
        assert (rewards[~done] == 0).all()
        assert set(rewards[done]) <= {1.0 - 2.0 * (ply % 2), 0.0}
        if (rewards[done] == 0).any():
            assert ply + 1 == game.spec.longest
        results |= set(rewards[done])
    assert {1.0, -1.0} <= results


def each_seat_sees_its_own_stones_first(game: Game) -> None:
    for ply, (states, *_) in enumerate(random_play(game, 6, rng())):
        first, second = game.observe(states, 0), game.observe(states, 1)
        assert np.array_equal(first, second[:, ::-1])
        assert (first[:, 0].sum((1, 2)) == (ply + 1) // 2).all()
        assert (first[:, 1].sum((1, 2)) == ply // 2).all()
        assert set(np.unique(first)) <= {0.0, 1.0}
        assert (first.sum(1) <= 1).all(), "two stones on one cell"


def both_seats_know_the_whole_board(game: Game) -> None:
    states = visited(game)
    assert np.array_equal(game.key(states, 0), game.key(states))
    assert np.array_equal(game.key(states, 1), game.key(states))


def images_share_a_key_only_in_the_quotient(game: Game) -> None:
    states = visited(game)
    base = game.base if isinstance(game, Quotient) else game
    assert isinstance(base, Board)
    images = base.images(states)
    for image in images:
        same = (game.key(image) == game.key(states)).all(1)
        expected = np.ones(len(states), bool) if isinstance(game, Quotient) else (image == states).all(1)
        assert np.array_equal(same, expected)
    if isinstance(game, Quotient):
        canonical, which = game.canonical(states)
        assert np.array_equal(canonical, states), "the quotient plays on canonical positions"
        assert (which == 0).all()


BOARD_CHECKS = [
    seats_take_turns,
    the_last_mover_wins_or_nobody,
    each_seat_sees_its_own_stones_first,
    both_seats_know_the_whole_board,
    images_share_a_key_only_in_the_quotient,
]


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_game(name: str, check: Callable[[Game], None]) -> None:
    check(GAMES[name]())


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("check", BOARD_CHECKS, ids=lambda check: check.__name__)
def test_board(name: str, check: Callable[[Game], None]) -> None:
    check(GAMES[name]())


def _is_array(array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
