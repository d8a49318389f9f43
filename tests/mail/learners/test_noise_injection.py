"""Noise injection: who is asked where, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents import expert
from agents.policy import query
from games.base import NashmailError
from games.graph import GameGraph
from mail.data.decisions import Decisions, merge
from mail.data.rollout import UnseenOnly
from mail.learners import noise_injection
from mail.learners.base import make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options, both_cloned
from mail.learners.journal import NullJournal
from mail.learners.noise_injection import answers
from mail.parallel.pool import Local
from tests.mail.learners.test_learners import QUICK


class Kept(NullJournal):
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
    monkeypatch.setattr(noise_injection, "ROUND", 64)


def test_no_position_is_asked_twice(one_shard: None, tictactoe_graph: GameGraph) -> None:
    rounds = learn(tictactoe_graph, Budget(640))
    for seat in (0, 1):
        asked = [part.key[part.queried & (part.seat == seat)] for part in rounds]
        keys = np.concatenate(asked)
        assert len(keys) == len(np.unique(keys, axis=0)) > 100


@pytest.mark.slow
def test_noise_comes_as_listed_and_who_plays_at_random_is_not_queried(tictactoe_graph: GameGraph) -> None:
    """A round of each pair: how often a seat plays a move that its expert never would."""
    first = len(noise_injection.NOISE_SCHEDULE)
    rounds = learn(tictactoe_graph, Budget(2 * first * noise_injection.ROUND, patience_games=10**6))[:first]
    table = tictactoe_graph.equilibrium("uniform")[0]
    for decisions, hands in zip(rounds, noise_injection.NOISE_SCHEDULE, strict=True):
        rows = tictactoe_graph.index(decisions.state)
        wrong = table[rows, decisions.played] == 0
        random = (tictactoe_graph.legal_mask[rows] & (table[rows] == 0)).sum(1) / tictactoe_graph.legal_mask[rows].sum(
            1
        )
        for seat in (0, 1):
            mine = decisions.seat == seat
            expected, tries = hands[seat].random * random[mine], mine.sum()
            spread = 4 * np.sqrt((expected * (1 - expected)).sum()) + 1e-9
            assert abs(wrong[mine].sum() - expected.sum()) <= spread, (hands, seat, tries)
            if hands[seat].random == 1 and hands[1 - seat].random < 1:
                assert not decisions.queried[mine].any()


@pytest.mark.slow
def test_clones_play_once_half_of_the_budget_is_spent(one_shard: None, tictactoe_graph: GameGraph) -> None:
    """After the turn the hand CLONE plays what a clone of the answers before it would, drawn from its own stream."""
    options = Options(seed=3, clone=replace(QUICK, max_steps=200))
    journal = Kept()
    experts = expert.make("uniform", tictactoe_graph)
    make_learner("mail-tremble", options).learn(
        tictactoe_graph.game, experts, Budget(64 * 24, patience_games=10**6), pool=Local(), journal=journal
    )
    assert len(journal.rounds) == 24
    before = merge(journal.rounds[:12])
    brief = replace(options, clone=replace(options.clone, max_steps=100))
    fits = both_cloned("turn", Collector("mail-tremble", tictactoe_graph.game, 3), (before, before), brief)
    for index, hands in enumerate(noise_injection.CLONE_SCHEDULE, start=12):
        decisions = journal.rounds[index]
        for seat in (0, 1):
            mine = decisions.take(decisions.seat == seat)
            chance = hands[seat](experts[seat], fits[seat].policy).probabilities(tictactoe_graph.game, mine.state, seat)
            # What is played is as likely as draws from the mixture are; other players' moves would not be.
            rows = np.log(np.maximum(chance, 1e-12))
            mean = (chance * rows).sum(1)
            spread = np.sqrt((chance * (rows - mean[:, None]) ** 2).sum()) / len(mine) + 1e-9
            assert abs(rows[np.arange(len(mine)), mine.played].mean() - mean.mean()) < 4 * spread, (hands, seat)
    assert all(part.queried.any() for part in journal.rounds[12:14])


def test_a_run_that_goes_on_from_its_rounds_ends_alike(one_shard: None, tictactoe_graph: GameGraph) -> None:
    """Whenever it was killed: before the clones play, or after."""

    class Resumed(Kept):
        def __init__(self, completed: list[Decisions]) -> None:
            super().__init__()
            self.completed = completed

        def load(self, learner: str, seat: int, round_: int) -> Decisions | None:
            return self.completed[round_] if round_ < len(self.completed) else None

    def learned(journal: Kept) -> list[Decisions]:
        learner = make_learner("mail-tremble", Options(clone=replace(QUICK, max_steps=4)))
        experts = expert.make("uniform", tictactoe_graph)
        budget = Budget(64 * 8, patience_games=10**6)
        learner.learn(tictactoe_graph.game, experts, budget, pool=Local(), journal=journal)
        return journal.rounds

    whole = learned(Kept())
    assert len(whole) == 8
    for completed in (1, 4, 6):
        rest = learned(Resumed(whole[:completed]))
        for part, other in zip(whole[completed:], rest, strict=True):
            assert np.array_equal(part.played, other.played)
            assert np.array_equal(part.label, other.label, equal_nan=True)


def test_asks_answered_by_one_drawn_action_are_refused() -> None:
    with pytest.raises(NashmailError, match="mail-tremble lets others play in the queried seat"):
        make_learner("mail-tremble", Options(sample_labels=True))


def test_answers_are_what_the_experts_said(tictactoe_graph: GameGraph) -> None:
    rounds = learn(tictactoe_graph, Budget(300))
    table = tictactoe_graph.equilibrium("uniform")[0]
    for seat in (0, 1):
        known = answers(tictactoe_graph.game, rounds, seat)
        mine = np.concatenate([part.state[part.queried & (part.seat == seat)] for part in rounds])
        rows = known.probabilities(tictactoe_graph.game, mine, seat)
        assert np.allclose(rows, table[tictactoe_graph.index(mine)], atol=1e-7)
        assert not UnseenOnly(known)(tictactoe_graph.game, mine, seat).any()
    assert len(answers(tictactoe_graph.game, [], 0).keys) == 0


def test_a_budget_of_labels_is_spent_exactly(tictactoe_graph: GameGraph) -> None:
    learner = make_learner("mail-tremble", Options(clone=replace(QUICK, max_steps=2)))
    experts = expert.make("first", tictactoe_graph)
    learned = learner.learn(
        tictactoe_graph.game, experts, Budget(10**5, (150, 170)), pool=Local(), journal=NullJournal()
    )
    for seat, wanted in ((0, 150), (1, 170)):
        decisions = learned.decisions[seat]
        assert decisions.take(decisions.seat == seat).labels() == wanted


def test_its_older_name_gives_the_same_results(tictactoe_graph: GameGraph) -> None:
    found = [
        make_learner(name, Options(seed=2, clone=replace(QUICK, max_steps=5))).learn(
            tictactoe_graph.game,
            expert.make("first", tictactoe_graph),
            Budget(300),
            pool=Local(),
            journal=NullJournal(),
        )
        for name in ("mail-noise", "mail-tremble")
    ]
    for new, old in zip(found[0].decisions, found[1].decisions, strict=True):
        assert np.array_equal(new.played, old.played)
        assert np.array_equal(new.label, old.label, equal_nan=True)
    rows = [query(each.policies[0], tictactoe_graph.game, tictactoe_graph.states[:1], 0) for each in found]
    assert np.array_equal(rows[0], rows[1])
