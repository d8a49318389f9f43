"""Layers of a walk: however they are cut, the same positions, led to by the same moves, as plain loops find."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from agents import Uniform
from agents.policy import Policy
from games import GameError
from games.base import Floats, Game, States
from mail.data.drops import SLACK
from mail.evaluation.certificate import layers
from mail.evaluation.certificate.layers import Expansion, Shared, expand, expand_layer, first_layer, first_of_each
from mail.parallel.pool import Local
from tests.support import PENNIES, game, move


class Near:
    """Mostly one move, sometimes two that rounding could exchange; by the position alone."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        mixed = (states.sum(1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
        order = (np.arange(legal.shape[1]) + mixed[:, None].astype(np.int64)) % legal.shape[1]
        rows = np.where(legal, 1.0 + order, 0.0)
        top = np.sort(rows, axis=1)
        tied = (mixed % np.uint64(3) == 0)[:, None] & (rows == top[:, -2:-1]) & legal
        rows = np.where(tied, top[:, -1:] * (1 - 1e-7), rows)
        return rows / np.maximum(rows.sum(1, keepdims=True), 1.0)


def walked(shared: Shared) -> list[Expansion]:
    """Every layer's, from the start on."""
    found, layer = [], first_layer(shared.game.starts())
    while len(layer.states):
        found.append(expand_layer(Local(), shared, layer))
        layer = found[-1].after
    return found


def plain(shared: Shared, before: dict[tuple[int, ...], bool]) -> tuple[dict[Any, Any], set[Any]]:
    """One layer's positions with what led there, and the moves that fall short, position by position."""
    rules = shared.game
    kept: dict[Any, Any] = {}
    short: set[Any] = set()
    for row, (state, strict) in enumerate(sorted(before.items())):
        states = np.array([state], dtype=np.uint64)
        mover = int(rules.acting(states)[0, 1])
        chances = shared.policy.probabilities(rules, states, shared.seat)[0]
        for action in np.flatnonzero(rules.legal(states, mover)[0]):
            own = mover == shared.seat
            if own and chances[action] < chances.max() * np.exp(-SLACK):
                continue
            still = strict and not (own and action != chances.argmax())
            found = rules.successors(states, move(mover, int(action)))
            if found.done[0]:
                if (1 - 2 * shared.seat) * found.rewards[0] < shared.enough:
                    short.add((row, int(action), still))
                continue
            key = tuple(int(word) for word in found.states[0])
            led = (not still, row, int(action))
            kept[key] = min(kept.get(key, led), led)
    return kept, short


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["connect4:3x4", "quotient:connect4:3x4", "quotient:tictactoe"])
def test_layers_are_those_of_plain_loops_however_they_are_cut(
    name: str, seat: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Shared(Near(), game(name), seat, 0.0, keep_moves=True)
    whole = walked(shared)
    monkeypatch.setattr(layers, "QUERIED", 7)
    monkeypatch.setattr(layers, "EXPANDED", 5)
    monkeypatch.setattr(layers, "WAVE", 3)
    before = {tuple(int(word) for word in game(name).starts()[0]): True}
    roundings = 0
    for found, cut in zip(whole, walked(shared), strict=True):
        for one, other in zip(astuple(found), astuple(cut), strict=True):
            np.testing.assert_equal(one, other)
        kept, short = plain(shared, before)
        assert [tuple(row) for row in found.after.states.tolist()] == sorted(kept)
        led = found.after.origin
        rows = zip((~led.strict).tolist(), led.row.tolist(), led.action.tolist(), strict=True)
        assert list(rows) == [kept[key] for key in sorted(kept)]
        ends = found.short
        assert set(zip(ends.row.tolist(), ends.action.tolist(), ends.strict.tolist(), strict=True)) == short
        before = {key: not kept[key][0] for key in kept}
        roundings += int((~led.strict).sum())
    assert roundings and sum(len(found.short.row) for found in whole)


def test_the_policys_moves_are_returned_on_request() -> None:
    for policy, many in ((Near(), 2), (Uniform(), 4)):
        kept, quiet = (
            [found.moves for found in walked(Shared(policy, game("connect4:3x4"), 1, 0.0, keep_moves=keep))]
            for keep in (True, False)
        )
        assert not any(len(moves.row) for moves in (*quiet, *kept[::2]))
        assert all(1 <= np.bincount(moves.row).max() <= many for moves in kept[1::2])
        assert all(len(np.unique(moves.row)) == moves.row.max() + 1 for moves in kept[1::2])


@pytest.mark.parametrize("bits", [(3, 2), (58, 6), (64, 1), (64, 64)])
def test_the_first_of_each_is_what_a_plain_loop_finds(bits: tuple[int, int], rng: np.random.Generator) -> None:
    """Many equal keys; the last two kinds fit no single word."""
    few = [rng.integers(0, 2**word - 1, size=40, dtype=np.uint64, endpoint=True) for word in bits]
    keys = np.column_stack([rng.choice(words, size=3000) for words in few])
    preferred = rng.random(len(keys)) < 0.5
    first: dict[tuple[int, int], tuple[bool, int]] = {}
    for row, key in enumerate(map(tuple, keys.tolist())):
        first[key] = min(first.get(key, (True, len(keys))), (not preferred[row], row))
    assert first_of_each(keys, preferred).tolist() == [first[key][1] for key in sorted(first)]
    assert (layers._in_one_word(keys) is None) == (sum(bits) > 64)
    assert first_of_each(keys[:0], preferred[:0]).tolist() == []
    assert first_of_each(keys[:1], preferred[:1]).tolist() == [0]


def test_who_moves_is_the_same_all_over_a_layer() -> None:
    board, policy = game("tictactoe"), Uniform()
    mixed = np.concatenate([board.starts(), board.successors(board.starts(), move(0, 4)).states])
    for rules, states in ((board, mixed), (PENNIES, PENNIES.starts())):
        shared: Shared = Shared(policy, rules, 0, 0.0, keep_moves=False)
        with pytest.raises(GameError, match="not strictly turn-based"):
            expand(shared, (states, np.ones(len(states), dtype=np.bool_)))


def test_policies_are_checked() -> None:
    class Wild:
        def probabilities(self, game: Game, states: States, seat: int) -> Floats:
            return np.full((len(states), game.spec.actions), 0.5)

    wild: Policy = Wild()
    with pytest.raises(ValueError, match="sum to 1"):
        expand_layer(
            Local(), Shared(wild, game("tictactoe"), 0, 0.0, keep_moves=False), first_layer(game("tictactoe").starts())
        )
