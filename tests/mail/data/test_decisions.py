"""Decisions as data: taken, merged, written down, and checked where they are built."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import expert
from agents.policy import tabulate
from games import GameGraph
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.parallel.streams import stream
from tests.mail.data.some_decisions import UNIFORM, same, some_decisions
from tests.support import reloaded

DECISIONS = some_decisions(episodes=8)
masks = st.lists(st.booleans(), min_size=len(DECISIONS), max_size=len(DECISIONS)).map(np.array)


@given(mask=masks)
def test_take_keeps_rows_and_the_links_between_them(mask: np.ndarray) -> None:
    rows = np.flatnonzero(mask)
    taken = DECISIONS.take(mask)
    assert len(taken) == len(rows)
    assert same(taken, DECISIONS.take(rows))
    for field in fields(Decisions):
        if field.name != "next":
            assert np.array_equal(getattr(taken, field.name), getattr(DECISIONS, field.name)[rows])
    place = {row: at for at, row in enumerate(rows.tolist())}
    assert taken.next.tolist() == [place.get(row, -1) for row in DECISIONS.next[rows].tolist()]


@given(first=masks, second=masks)
def test_take_twice_is_take_once(first: np.ndarray, second: np.ndarray) -> None:
    """Where a row is left out its link is cut, whichever of the two leaves it out."""
    assert same(DECISIONS.take(first).take(second[first]), DECISIONS.take(first & second))


@given(order=st.permutations(range(len(DECISIONS))))
def test_take_in_another_order_keeps_every_link(order: list[int]) -> None:
    taken = DECISIONS.take(np.array(order))
    linked = taken.next >= 0
    assert linked.sum() == (DECISIONS.next >= 0).sum()
    assert np.array_equal(taken.state[taken.next[linked]], DECISIONS.state[DECISIONS.next[np.array(order)[linked]]])
    assert same(taken.take(np.argsort(order)), DECISIONS)


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_merge_puts_batches_one_after_the_other(sizes: list[int], seed: int) -> None:
    parts = [some_decisions("connect4:3x4", size, seed + at) for at, size in enumerate(sizes)]
    whole = merge(parts)
    assert len(whole) == sum(len(part) for part in parts)
    assert whole.games == sum(sizes)
    start = games = 0
    for part in parts:
        rows = slice(start, start + len(part))
        for field in fields(Decisions):
            merged, own = getattr(whole, field.name)[rows], getattr(part, field.name)
            if field.name == "next":
                own = np.where(own >= 0, own + start, -1)
            if field.name == "episode":
                own = own + games
            assert np.array_equal(merged, own)
            assert merged.dtype == own.dtype
        assert same(replace(whole.take(np.arange(start, start + len(part))), episode=part.episode), part)
        start, games = start + len(part), games + part.games
    assert whole.labels() == sum(part.labels() for part in parts)
    assert whole.distinct_labels() <= sum(part.distinct_labels() for part in parts)
    assert merge([whole]).distinct_labels() == merge([whole, whole]).distinct_labels() == whole.distinct_labels()


@given(sizes=st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_merge_is_associative(sizes: list[int]) -> None:
    a, b, c = (some_decisions("tictactoe", size, seed) for seed, size in enumerate(sizes))
    assert same(merge([merge([a, b]), c]), merge([a, b, c]))
    assert same(merge([a, merge([b, c])]), merge([a, b, c]))
    assert same(merge([a]), a)


def test_merging_with_nothing() -> None:
    nothing = DECISIONS.take(np.zeros(len(DECISIONS), dtype=bool))
    assert (len(nothing), nothing.games, nothing.labels(), nothing.distinct_labels()) == (0, 0, 0, 0)
    assert same(merge([nothing, DECISIONS, nothing]), DECISIONS)
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])


def test_arrays_are_the_way_out_and_back() -> None:
    assert list(DECISIONS.arrays()) == [field.name for field in fields(Decisions)]
    assert same(Decisions(**DECISIONS.arrays()), DECISIONS)
    assert same(reloaded(DECISIONS), DECISIONS)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seat": DECISIONS.seat[1:]}, "seat has"),
        ({"next": DECISIONS.next[:-1]}, "next has"),
        ({"label": DECISIONS.label.astype(np.float64)}, "label must be float32"),
        ({"label": DECISIONS.label[:, 1:]}, "label must be float32"),
        ({"played": np.roll(DECISIONS.played, 1)}, "illegal action"),
        ({"next": np.where(DECISIONS.next < 0, len(DECISIONS), DECISIONS.next)}, "refers to rows that do not exist"),
        ({"next": np.where(DECISIONS.next < 0, -2, DECISIONS.next)}, "refers to rows that do not exist"),
    ],
)
def test_decisions_are_checked_where_they_are_built(changes: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Decisions(**(DECISIONS.arrays() | changes))


def test_tables_tell_who_was_asked_what(tictactoe_graph: GameGraph) -> None:
    """Labels collected over a graph's every position are the expert's table."""
    table = tabulate(tictactoe_graph, expert.make("first", tictactoe_graph)[0], 0)
    experts = expert.make("first", tictactoe_graph)
    decisions = play(tictactoe_graph.game, UNIFORM, 400, labels=(experts[0], None), rng=stream(9, "test"))
    mine = decisions.take(decisions.seat == 0)
    assert np.array_equal(mine.label, table[tictactoe_graph.index(mine.state)].astype(np.float32))
