"""Compiled loops give what the array code gives, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy import PolicyError, choose, query, sample, uniform_rows
from games import Board, GameError
from games.base import States
from games.compiled import loading, play
from tests.support import visited

BOARDS = st.builds(
    lambda rows, columns, k, gravity: Board(rows, columns, min(k, max(rows, columns)), gravity=gravity, name="board"),
    st.integers(1, 7),
    st.integers(2, 7),
    st.integers(2, 5),
    st.booleans(),
)


def both(work: Callable[[], Any]) -> tuple[Any, Any]:
    """What the array code gives, and what compiled loops give."""
    found = []
    for loaded in (None, play):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loading, "_loaded", loaded)
            patch.setattr(loading, "LOADING", float("inf"))
            found.append(work())
    return found[0], found[1]


def _of_seat(method: Callable[[States, int], Any], seat: int, states: States) -> Any:
    return method(states, seat)


def assert_same(one: Any, other: Any) -> None:
    assert one.dtype == other.dtype and one.shape == other.shape
    assert np.array_equal(one, other)


@settings(max_examples=30, deadline=None)
@given(board=BOARDS, seed=st.integers(0, 2**32 - 1))
def test_the_rules_are_the_same(board: Board, seed: int) -> None:
    states = visited(board, episodes=4, seed=seed)  # finished ones, too
    questions = [board.acting, board.images] + [
        partial(_of_seat, method, seat) for method in (board.legal, board.observe) for seat in (0, 1)
    ]
    for question in questions:
        assert_same(*both(partial(question, states)))
    running = states[board.acting(states).any(1)]
    actions = np.stack([board.legal(running, seat).argmax(1) for seat in (0, 1)], axis=1)
    rng = np.random.default_rng(0)
    for one, other in zip(*both(lambda: board.step(running, actions, rng=rng)), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("action", [-1, 3, 0])
@pytest.mark.parametrize("gravity", [True, False])
def test_illegal_moves_are_refused_in_the_same_words(action: int, gravity: bool) -> None:
    board = Board(1, 3, 2, gravity=gravity, name="row")
    states = np.array([[0, 1]], dtype=np.uint64) << np.uint64(0)
    assert not board.legal(states, 1)[0, 0]

    def refused() -> str:
        with pytest.raises(GameError) as error:
            board.step(states, np.array([[-1, action]]), rng=np.random.default_rng(0))
        return str(error.value)

    one, other = both(refused)
    assert one == other


def test_arrays_of_any_kind_are_taken() -> None:
    """Read-only, strided and of another type of integers."""
    board = Board(4, 4, 4, gravity=True, name="board")
    states = visited(board)
    wide: States = np.repeat(states, 2, axis=1)[:, ::2]
    frozen = states.copy()
    frozen.flags.writeable = False
    for given_ in (wide, frozen, states.astype(np.int64)):
        one, other = both(partial(board.acting, given_))
        assert_same(one, other)
        assert np.array_equal(one, board.acting(states))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 50), actions=st.integers(1, 9))
def test_moves_are_drawn_alike(seed: int, rows: int, actions: int) -> None:
    """From any distributions, certain moves and zero rows among them."""
    rng = np.random.default_rng(seed)
    weights = rng.random((rows, actions)) * (rng.random((rows, actions)) < 0.5)
    total = weights.sum(1, keepdims=True)
    tables = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    assert_same(*both(lambda: sample(tables, rng=np.random.default_rng(seed))))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 50), actions=st.integers(1, 9))
def test_legal_moves_are_chosen_alike(seed: int, rows: int, actions: int) -> None:
    """As ``sample`` draws from rows of ones, and as fractions of one; rows without a legal move among them."""
    legal = np.random.default_rng(seed).random((rows, actions)) < 0.5
    one, other = both(lambda: choose(legal, rng=np.random.default_rng(seed)))
    assert_same(one, other)
    assert_same(one, sample(legal.astype(np.float64), rng=np.random.default_rng(seed)))
    one, other = both(lambda: uniform_rows(legal))
    assert_same(one, other)
    share = legal / np.maximum(legal.sum(1, keepdims=True), 1)
    assert np.array_equal(one, share)


class Drawn:
    """Draws numbers as close to 1 as there are."""

    def random(self, shape: Any) -> Any:
        return np.full(shape, np.nextafter(1.0, 0.0))


def test_the_largest_number_chooses_the_last_legal_move() -> None:
    legal = np.tril(np.ones((9, 9), dtype=np.bool_))
    one, other = both(lambda: choose(legal, rng=Drawn()))  # type: ignore[arg-type]
    assert_same(one, other)
    assert np.array_equal(one, np.arange(9))


def test_numbers_at_the_ends_draw_legal_moves() -> None:
    """Sums of probabilities that rounding has left below or above 1, and numbers close to 1."""
    rows = np.array([[0.0, 1.0, 0.0], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1], [1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]])
    one, other = both(lambda: sample(rows, rng=Drawn()))  # type: ignore[arg-type]
    assert_same(one, other)
    assert (rows[np.arange(len(rows)), one] > 0).all()


ROWS = {
    "right": [0.25, 0.75, 0.0],
    "nothing": [0.0, 0.0, 0.0],
    "negative": [-0.5, 1.5, 0.0],
    "not finite": [np.nan, 1.0, 0.0],
    "infinite": [np.inf, 0.0, 0.0],
    "illegal": [0.5, 0.25, 0.25],
    "too little": [0.25, 0.75 - 2e-6, 0.0],
    "rounded": [0.25, 0.75 + 9e-7, 0.0],
}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_answers_are_checked_alike(name: str) -> None:
    board = Board(2, 3, 2, gravity=True, name="board")
    over, full = [0b1_000_010, 0b1_001_011], [0b1_000_000, 0b11_000_000]  # a line of the other's; the last column
    states = np.array([[0, 0], over, full], dtype=np.uint64)
    rows = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0], ROWS[name]])

    class Given:
        def probabilities(self, *_: object) -> Any:
            return rows

    def said() -> str:
        try:
            return str(query(Given(), board, states, 0).tolist())
        except PolicyError as error:
            return str(error)

    one, other = both(said)
    assert one == other
    assert (one[0] == "[") == (name in ("right", "rounded"))


def test_loops_are_loaded_once_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_loaded", None)
    monkeypatch.setattr(loading, "_spent", 0.0)
    calls = int(loading.LOADING / loading.CALL)
    assert loading.kernels(0) is None
    assert loading.kernels(10 * calls) is None or loading.CALL < loading.ROW
    for _ in range(calls + 1):
        loading.kernels(0)
    assert loading.kernels(0) is play
