"""Noise injection: who is asked where, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents import expert
from games.graph import GameGraph
from mail import tremble
from mail.decisions import Decisions
from mail.learners import Budget, Memoryless, Options, make_learner
from mail.pool import Local
from mail.tremble import New, answers
from tests.mail.test_learners import QUICK


class Kept(Memoryless):
    """A journal that keeps the rounds."""

    def __init__(self) -> None:
        self.rounds: list[Decisions] = []

    def store(self, learner: str, seat: int, round_: int, decisions: Decisions) -> None:
        self.rounds.append(decisions)


def learn(graph: GameGraph, budget: Budget, seed: int = 0) -> list[Decisions]:
    journal = Kept()
    learner = make_learner("mail-tremble", Options(seed=seed, clone=replace(QUICK, max_steps=2)))
    learner.learn(graph.game, expert.make("uniform", graph), budget, pool=Local(), journal=journal)
    return journal.rounds


@pytest.fixture
def one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tremble, "ROUND", 64)


def test_no_position_is_asked_twice(one_shard: None, tictactoe_graph: GameGraph) -> None:
    rounds = learn(tictactoe_graph, Budget(640))
    for seat in (0, 1):
        asked = [part.key[part.asked & (part.seat == seat)] for part in rounds]
        keys = np.concatenate(asked)
        assert len(keys) == len(np.unique(keys, axis=0)) > 100


def test_hands_tremble_as_listed_and_who_plays_at_random_is_not_asked(tictactoe_graph: GameGraph) -> None:
    """A round of each pair: how often a seat plays a move that its expert never would."""
    rounds = learn(tictactoe_graph, Budget(len(tremble.TREMBLES) * tremble.ROUND, patience_games=10**6))
    assert len(rounds) == len(tremble.TREMBLES)
    table = expert.optimal_table(tictactoe_graph, ties="uniform")
    for decisions, trembles in zip(rounds, tremble.TREMBLES, strict=True):
        rows = tictactoe_graph.index(decisions.state)
        wrong = table[rows, decisions.played] == 0
        random = (tictactoe_graph.open[rows] & (table[rows] == 0)).sum(1) / tictactoe_graph.open[rows].sum(1)
        for seat in (0, 1):
            mine = decisions.seat == seat
            expected, tries = trembles[seat] * random[mine], mine.sum()
            spread = 4 * np.sqrt((expected * (1 - expected)).sum()) + 1e-9
            assert abs(wrong[mine].sum() - expected.sum()) <= spread, (trembles, seat, tries)
            if trembles[seat] == 1 and trembles[1 - seat] < 1:
                assert not decisions.asked[mine].any()


def test_answers_are_what_the_experts_said(tictactoe_graph: GameGraph) -> None:
    rounds = learn(tictactoe_graph, Budget(300))
    table = expert.optimal_table(tictactoe_graph, ties="uniform")
    for seat in (0, 1):
        known = answers(tictactoe_graph.game, rounds, seat)
        mine = np.concatenate([part.state[part.asked & (part.seat == seat)] for part in rounds])
        rows = known.probabilities(tictactoe_graph.game, mine, seat)
        assert np.allclose(rows, table[tictactoe_graph.index(mine)], atol=1e-7)
        assert not New(known)(tictactoe_graph.game, mine, seat).any()
    assert len(answers(tictactoe_graph.game, [], 0).keys) == 0


def test_a_budget_of_labels_is_spent_exactly(tictactoe_graph: GameGraph) -> None:
    learner = make_learner("mail-tremble", Options(clone=replace(QUICK, max_steps=2)))
    experts = expert.make("first", tictactoe_graph)
    learned = learner.learn(
        tictactoe_graph.game, experts, Budget(10**5, (150, 170)), pool=Local(), journal=Memoryless()
    )
    for seat, wanted in ((0, 150), (1, 170)):
        decisions = learned.decisions[seat]
        assert decisions.take(decisions.seat == seat).labels() == wanted
