"""Poker in the terminal: a human sees the own cards and the public record, and the others' when the hand is over."""

from __future__ import annotations

import pytest

from agents.policy import Uniform
from games.base import Concealing
from mail.terminal.game.contest import Setting
from mail.terminal.game.players import HUMAN
from tests.mail.terminal.sitting import Preferring, recorded, sit
from tests.support import game

PASS, BET = "1", "2"


def hands(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(("your card", "cards:"))]


@pytest.mark.parametrize("human", [0, 1])
def test_the_other_card_is_shown_when_the_hand_is_over_and_not_before(human: int) -> None:
    seen = set()
    for seed in range(6):
        reward, said = sit("kuhn", Preferring(0, 1), PASS, PASS, human=human, seed=seed)
        assert reward in (-1.0, 1.0)
        *before, last = hands(said)
        assert before and all(line.startswith("your card: ") for line in before)
        own = last.removeprefix("cards: ").split(" and ")[human]
        assert set(before) == {f"your card: {own}"}
        seen.add(last)
    assert len(seen) > 1  # deals come from the seed


def test_the_public_card_and_the_bets_are_shown_to_both() -> None:
    _, said = sit("leduc", Preferring(1), "2", "2", "2", "2")
    assert "bets: check, check; pot 2" in said
    assert any("; public: " in line for line in hands(said)[:-1])


def test_two_humans_see_the_cards_of_who_is_to_move() -> None:
    _, said = recorded(game("kuhn"), (HUMAN, HUMAN), iter([PASS, BET, PASS]), seed=0, setting=Setting(unicode=False))
    *before, last = hands(said)
    first, second = last.removeprefix("cards: ").split(" and ")
    assert set(before) == {f"your card: {first}", f"your card: {second}"}


def test_openspiel_says_what_a_seat_knows() -> None:
    rules = game("openspiel:leduc_poker")
    assert isinstance(rules, Concealing)
    reward, said = sit("openspiel:leduc_poker", Uniform(), "2", "1", "2", "1", "2", "1", "2", "1", seed=1)
    assert reward is not None
    shown = said.rpartition("Observer: 0")[0]
    assert "Observer: 1" not in shown and "Cards (public" not in shown
    assert "Cards (public" in said


def test_boards_conceal_nothing() -> None:
    assert not isinstance(game("tictactoe"), Concealing)
