"""Tables by key: what is known is found, whether keys fit one word or, as on 6x7, need two."""

from __future__ import annotations

import numpy as np
import pytest

from agents.policy import PolicyError, tabulate, uniform_rows
from agents.tabular import SeatRows, Tabular
from games import InfosetModel
from games.base import Model
from tests.support import game, graph, visited


@pytest.mark.parametrize("name", ["tictactoe", "connect4:4x5", "connect4", "quotient:connect4"])
def test_every_known_position_is_found_and_no_other(name: str) -> None:
    """Half of the positions of some games are in a table of marked rows; the other half plays uniformly."""
    board = game(name)
    states = visited(board, episodes=40)
    states = states[board.acting(states)[:, 0]]
    states = states[np.unique(board.key(states), axis=0, return_index=True)[1]]
    states = states[np.random.default_rng(1).permutation(len(states))]
    half = len(states) // 2
    legal = board.legal(states, 0)
    first = (legal & (legal.cumsum(1) == 1)).astype(np.float64)
    table = Tabular(board.key(states[:half]), first[:half])
    known, row = table.find(board.key(states))
    assert np.array_equal(known, np.arange(len(states)) < half)
    assert np.array_equal(table.keys[row[known]], board.key(states[:half]))
    rows = table.probabilities(board, states, 0)
    assert np.array_equal(rows[:half], first[:half])
    assert np.array_equal(rows[half:], uniform_rows(legal[half:]))


def test_keys_of_different_widths_do_not_meet() -> None:
    """A table of short keys is asked for long ones, and the other way round, with equal lower halves."""
    short = np.array([[1, 2], [3, 4]], dtype=np.uint64)
    long = short + np.uint64(1 << 40)
    rows = np.eye(2)
    for keys, others in ((short, long), (long, short)):
        table = Tabular(keys, rows)
        assert table.find(np.concatenate([others, keys]))[0].tolist() == [False, False, True, True]
    assert Tabular(np.concatenate([long, short]), np.eye(4)).find(short)[0].all()


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("known", [graph("tictactoe:2x3:3"), InfosetModel(game("leduc:2"))], ids=["board", "cards"])
def test_rows_of_a_seat_make_tables_of_policies_as_queries_do(known: Model, seat: int) -> None:
    rows = SeatRows(known, seat)
    table = uniform_rows(known.legal(seat) & (known.legal(seat).cumsum(1) == 1))
    whole = rows.policy(table)
    assert np.array_equal(rows.tabulate(whole), table)
    some = Tabular(whole.keys[::3], whole.table[::3])
    assert np.array_equal(rows.tabulate(some), tabulate(known, some, seat))
    assert not np.array_equal(rows.tabulate(some), table)


def test_a_position_named_twice_is_refused() -> None:
    for big in (0, 1 << 40):
        keys = np.array([[1, 2], [3, big], [1, 2]], dtype=np.uint64)
        with pytest.raises(PolicyError, match="has two rows for one position"):
            Tabular(keys, np.eye(3))
