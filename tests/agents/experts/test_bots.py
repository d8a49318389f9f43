"""Bots of OpenSpiel as experts: tree search, and bots of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyspiel
import pytest

from agents import expert
from agents.experts.bots import BotPolicy
from agents.policy import PolicyError, query
from mail.data.rollout import play
from tests.support import game, position, reloaded

SMALL = "openspiel:breakthrough(rows=6,columns=5)"


def test_an_answer_depends_on_the_position_alone() -> None:
    """Not on the order of questions, on the batch, or on the process."""
    rules = game(SMALL)
    first, second = expert.make("mcts:20", rules)
    seen = play(rules, (first, second), 2, rng=np.random.default_rng(0))
    states = seen.state[seen.seat == 0]
    answers = query(first, rules, states, 0)
    assert np.array_equal(answers.max(1), np.ones(len(states)))
    other = reloaded(expert.make("mcts:20", rules)[0])
    backwards = [query(other, rules, state[None], 0)[0] for state in states[::-1]]
    assert np.array_equal(np.array(backwards)[::-1], answers)


@pytest.mark.parametrize("name", ["tictactoe", "openspiel:tic_tac_toe", "connect4"])
def test_enough_simulations_find_a_win_at_once(name: str) -> None:
    rules = game(name)
    pictures = {"connect4": "\n".join(["......."] * 5 + ["xxx.ooo"])}
    if name.startswith("openspiel"):
        states = np.full((1, 9), -1, dtype=np.int64)
        states[0, :4] = [0, 3, 1, 4]  # xx. oo. ...
        wins = 2
    else:
        states, wins = position(rules, pictures.get(name, "xx.\noo.\n...")), 3 if name == "connect4" else 2
    assert expert.make("mcts:200", rules)[0].probabilities(rules, states, 0)[0].argmax() == wins


def test_chance_is_searched_too() -> None:
    rules = game("openspiel:pig(diceoutcomes=2,horizon=6,winscore=4)")
    first, second = expert.make("mcts:10", rules)
    assert len(play(rules, (first, second), 2, rng=np.random.default_rng(0))) > 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kuhn", "which has no game like kuhn"),
        ("openspiel:kuhn_poker", "sees the whole position, which a seat of openspiel:kuhn_poker does not"),
        ("rps", "which has no game like rps"),
    ],
)
def test_where_a_bot_would_see_too_much_or_cannot_play_it_is_refused(name: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        expert.make("mcts:10", game(name))


class Last(pyspiel.Bot):
    """The last legal action, or one that is not legal."""

    def __init__(self, wrong: bool) -> None:
        pyspiel.Bot.__init__(self)
        self.wrong = wrong

    def restart_at(self, state: Any) -> None: ...

    def step(self, state: Any) -> int:
        return -1 if self.wrong else int(state.legal_actions()[-1])


def last(rules: Any, seat: int, seed: int) -> Last:
    return Last(wrong=False)


def wrong(rules: Any, seat: int, seed: int) -> Last:
    return Last(wrong=True)


def test_any_bot_is_a_policy() -> None:
    rules = game(SMALL)
    start = rules.start(1, rng=np.random.default_rng(0))
    assert query(BotPolicy(last), rules, start, 0)[0].argmax() == np.flatnonzero(rules.legal(start, 0)[0])[-1]
    with pytest.raises(PolicyError, match=r"a bot plays action -1 .* not legal"):
        query(BotPolicy(wrong), rules, start, 0)
