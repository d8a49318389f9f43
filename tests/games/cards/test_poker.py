"""Kuhn's and Leduc poker: hands told as a player would, and every hand of OpenSpiel's games beside ours."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import games
from games import GameError, Hidden
from games.cards.poker import Poker
from tests.games.cards.hands import openspiel_hands
from tests.support import game, move

J, Q, K = 0, 1, 2
PASS, BET = 0, 1
FOLD, CALL, RAISE = 0, 1, 2


def hand(poker: Poker, cards: tuple[int, int], moves: list[int], public: int | None = None) -> tuple[Any, float, bool]:
    """The state, what seat 0 has won and whether the game is over after these moves; ``public`` replaces the draw."""
    state, won, over = np.array([[*cards, -1, 0]]), 0.0, False
    for action in moves:
        assert not over
        seat = int(poker.acting(state)[0].argmax())
        found = poker.successors(state, move(seat, action))
        row = 0 if public is None or len(found.states) == 1 else found.states[:, 2].tolist().index(public)
        state, won, over = found.states[[row]], float(found.rewards[row]), bool(found.done[row])
    return state, won, over


@pytest.mark.parametrize(
    ("cards", "moves", "won"),
    [
        ((J, K), [PASS, PASS], -1),
        ((K, J), [PASS, BET, PASS], -1),  # the better hand gives up
        ((K, Q), [PASS, BET, BET], 2),
        ((J, Q), [BET, PASS], 1),  # a bluff
        ((J, Q), [BET, BET], -2),
    ],
)
def test_hands_of_kuhn_poker(cards: tuple[int, int], moves: list[int], won: float) -> None:
    assert hand(game("kuhn"), cards, moves)[1:] == (won, True)


@pytest.mark.parametrize(
    ("cards", "moves", "public", "won"),
    [
        ((J, K), [RAISE, FOLD], Q, 1),
        ((J, K), [RAISE, RAISE, FOLD], Q, -3),
        ((J, K), [CALL, CALL, CALL, CALL], J, 1),  # a pair of jacks beats the king
        ((Q, Q), [RAISE, CALL, RAISE, CALL], K, 0),
        ((Q, J), [RAISE, RAISE, CALL, RAISE, RAISE, CALL], K, 13),
        ((Q, J), [RAISE, RAISE, CALL, RAISE, RAISE, FOLD], K, -9),
    ],
)
def test_hands_of_leduc_poker(cards: tuple[int, int], moves: list[int], public: int, won: float) -> None:
    assert hand(game("leduc"), cards, moves, public)[1:] == (won, True)


def test_a_round_of_leduc_takes_two_raises_and_only_a_bet_can_be_folded_to() -> None:
    leduc = game("leduc")
    for moves, legal in (([], [CALL, RAISE]), ([RAISE], [FOLD, CALL, RAISE]), ([RAISE, RAISE], [FOLD, CALL])):
        state = hand(leduc, (J, Q), moves)[0]
        seat = len(moves) % 2
        assert np.flatnonzero(leduc.legal(state, seat)[0]).tolist() == legal
        assert not leduc.legal(state, 1 - seat).any()


def test_a_seat_sees_its_own_card_the_public_one_and_the_bets_alone() -> None:
    leduc = game("leduc")
    first, second = (hand(leduc, (J, other), [CALL, CALL], K)[0] for other in (J, Q))
    assert np.array_equal(leduc.key(first, 0), leduc.key(second, 0))
    assert np.array_equal(leduc.observe(first, 0), leduc.observe(second, 0))
    assert not np.array_equal(leduc.key(first, 1), leduc.key(second, 1))
    assert not np.array_equal(leduc.key(first), leduc.key(second))


def test_a_hand_is_drawn_in_words() -> None:
    leduc = game("leduc")
    state = hand(leduc, (Q, K), [RAISE, RAISE, CALL, CALL], J)[0]
    assert leduc.render(state[0]) == "cards: seat 0 Q, seat 1 K; public: J\nbets: bet, raise, call, check; pot 10"
    assert game("kuhn").render(np.array([J, K, -1, 0])) == "cards: seat 0 J, seat 1 K\nbets: none; pot 2"


@pytest.mark.parametrize("name", ["kuhn", "leduc", "leduc:2", "kuhn:5"])
def test_deals_come_as_often_as_they_should(name: str) -> None:
    poker: Any = game(name)
    assert isinstance(poker, Hidden)
    odds = poker.start_probability()
    assert odds.sum() == pytest.approx(1.0)
    drawn = Counter(map(tuple, poker.start(40_000, rng=np.random.default_rng(3)).tolist()))
    listed = list(map(tuple, poker.starts().tolist()))
    assert set(drawn) == set(listed)
    assert np.allclose([drawn[row] / 40_000 for row in listed], odds, atol=0.01)


def test_the_public_card_comes_as_often_as_it_is_left() -> None:
    leduc = game("leduc")
    state = hand(leduc, (J, J), [CALL])[0].repeat(20_000, axis=0)
    after = leduc.step(state, np.full((20_000, 2), CALL), rng=np.random.default_rng(3))[0]
    found = leduc.successors(state[:1], move(1, CALL))
    assert found.states[:, 2].tolist() == [Q, K] and found.probability.tolist() == [0.5, 0.5]
    assert np.bincount(after[:, 2]) / 20_000 == pytest.approx([0.0, 0.5, 0.5], abs=0.02)


@pytest.mark.parametrize(
    "name", ["kuhn:1", "kuhn:0", "kuhn:x", "kuhn:3:3", "leduc:1", "leduc:-3", "leduc:101", "leduc:³"]
)
def test_what_is_no_deck_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(GameError) as error:
        games.make(name)
    assert "\n" not in str(error.value) and name.partition(":")[0] in str(error.value)


# --- beside OpenSpiel -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ends"), [("kuhn", 30), ("leduc", 5520)])
def test_every_hand_of_openspiel_goes_as_ours(name: str, ends: int) -> None:
    poker, played = game(name), 0
    known: dict[Any, Any] = {}
    for theirs, ours, won in openspiel_hands(name):
        if theirs.is_terminal():
            played += 1
            assert won == theirs.returns()[0]
            assert not poker.acting(ours).any()
            continue
        seat = theirs.current_player()
        assert poker.acting(ours)[0].tolist() == [seat == 0, seat == 1]
        assert np.flatnonzero(poker.legal(ours, seat)[0]).tolist() == theirs.legal_actions()
        key = poker.key(ours, seat).tobytes()
        assert known.setdefault(theirs.information_state_string(seat), key) == key
    assert played == ends
    assert len(set(known.values())) == {"kuhn": 12, "leduc": 288}[name]
    assert len(known) == {"kuhn": 12, "leduc": 936}[name]  # which tells suits apart
