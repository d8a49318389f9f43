"""Poker in the terminal: a human sees the own cards and the public record, and the others' when the hand is over."""

from __future__ import annotations

import re

import numpy as np
import pytest

from agents import make_expert
from agents.policy import Uniform
from games.base import Concealing, sees_move
from mail.terminal.advice import Advice
from mail.terminal.analysis import ModelOracle
from mail.terminal.boards import Canvas
from mail.terminal.full.panel import narrowest
from mail.terminal.game.contest import Contest, GameOptions
from mail.terminal.game.players import HUMAN, Player
from mail.terminal.moves import MIXED, analysis
from tests.games.infosets.test_model import model
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
        own = re.findall(r"seat \d (\w+)", last)[human]
        assert set(before) == {f"your card: {own}"}
        seen.add(last)
    assert len(seen) > 1  # deals come from the seed


def test_the_public_card_and_the_bets_are_shown_to_both() -> None:
    _, said = sit("leduc", Preferring(1), "2", "2", "2", "2")
    assert "bets: check, check; pot 2" in said
    assert any("; public: " in line for line in hands(said)[:-1])


def test_two_humans_see_the_cards_of_who_is_to_move() -> None:
    _, said = recorded(
        game("kuhn"), (HUMAN, HUMAN), iter([PASS, BET, PASS]), seed=0, options=GameOptions(unicode=False)
    )
    *before, last = hands(said)
    first, second = re.findall(r"seat \d (\w+)", last)
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


def test_actions_are_called_what_they_are_at_the_position() -> None:
    """In Kuhn poker the same two actions are check and bet, or fold and call, and are typed in any case."""
    reward, said = sit("kuhn", Preferring(1), "check", "CALL", seed=2)
    assert reward is not None
    assert "Your move (check bet, ? for help)" in said and "Your move (fold call, ? for help)" in said
    assert "The opponent plays bet." in said
    _, said = sit("openspiel:leduc_poker", Preferring(1), "fold", "call", "quit", seed=1)
    assert "Your move (Call Raise, ? for help): fold\n'fold' is not the number of a move" in said


def test_analysis_says_the_mixes_and_the_regret_of_each_action() -> None:
    rules = game("kuhn")
    known = model("kuhn")
    options = GameOptions(make_expert("first", known), lambda: ModelOracle(known), analysis=True, unicode=False)
    players = (HUMAN, Player("the expert", make_expert("first", known)[1]))
    _, said = recorded(rules, players, iter(["hint", "bet", "quit"]), seed=4, options=options)
    rows = [line.split() for line in said.splitlines() if line.split()[:1] in (["check"], ["bet"])]
    assert "policy             value   equilibrium  regret" in said
    regrets = [float(row[-1]) for row in rows[:2]]
    assert min(regrets) == 0.0 and max(regrets) >= 0.0
    shares = [row[-2] for row in rows[:2]]
    assert {row[1] for row in rows[:2]} == set(shares)  # the expert is the equilibrium
    assert "The expert plays" in said
    assert not any("The expert plays" in line and "best move" in line for line in said.splitlines())  # that would tell


def test_the_table_of_mixes_fits_where_the_panel_has_room() -> None:
    """Beside cards and a long record of bets it leaves the bars out, and no column is cut."""
    rules, known = game("leduc"), model("leduc")
    contest = Contest(rules, (HUMAN, Player("other", Uniform())), seed=0, options=GameOptions())
    seats = make_expert("first", known)
    moves = Advice(rules, contest.view, seats, lambda: ModelOracle(known)).analyse(contest.current.states, 0)
    for width in (30, 40, MIXED, 80):
        said = analysis(contest.view, moves, Canvas(False, width, 24)).plain.splitlines()
        heading = "equilibrium  regret" if width >= MIXED else "equil.  regret"
        assert said[0].endswith(heading) and {len(line) for line in said} == {len(said[0])} and len(said[0]) <= width
        assert any("#" in line for line in said) == (width == 80)
    assert narrowest(moves) == MIXED and narrowest(None) < MIXED


def test_a_move_that_cannot_be_seen_is_not_told() -> None:
    """Dark Hex: stones of the other are found by trying, and shown when the game is over."""
    rules = game("openspiel:dark_hex(num_rows=2,num_cols=2)")
    start = rules.start(1, rng=np.random.default_rng(0))
    assert not sees_move(rules, start, 0, 0, 1) and sees_move(rules, start, 0, 0, 0)
    _, said = sit("openspiel:dark_hex(num_rows=2,num_cols=2)", Preferring(3, 1, 2), "a1", "b2", "a2", "b1", seed=3)
    assert "The opponent has moved; you cannot see how." in said
    *before, last = said.split("Your move")
    assert not any("b2." in part.partition("):")[2] for part in before)
    assert "moves: a1, b2" in last
    poker = game("kuhn")
    assert sees_move(poker, poker.starts()[:1], 0, 1, 1)  # bets are public


def test_the_panel_lists_no_moves_while_something_is_concealed() -> None:
    players = (HUMAN, Player("other", Uniform()))
    for name, shown in (("kuhn", ""), ("tictactoe", "1")):
        contest = Contest(game(name), players, seed=0, options=GameOptions())
        contest.play({0: 0})
        assert contest.public_moves == shown
