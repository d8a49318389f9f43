"""The explorer that asks where its clones disagree: what it asks, what it plays, what it never pays twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents import expert
from agents.network import Architecture
from agents.ntuple import NtuplePolicy
from agents.tabular import Tabular
from games import GameGraph
from games.base import Floats, Game, States
from mail.clone.network import CloneConfig
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.explore import ExplorerContext
from mail.explore.unsure import Ensemble, UncertaintyRule, Unsure, UnsureConfig
from mail.parallel.streams import stream
from tests.support import graph, reloaded

QUICK = UnsureConfig(members=2, clone=CloneConfig(Architecture(channels=4, convolutions=1, hidden=16), max_steps=25))


class Says:
    """A clone that puts a given probability on the lowest legal action and the rest on the highest."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        legal = game.legal(states, seat)
        rows = np.zeros(legal.shape)
        for row, actions in enumerate(legal):
            open_ = np.flatnonzero(actions)
            rows[row, open_[0]] += self.probability
            rows[row, open_[-1]] += 1.0 - self.probability
        return rows


def ensemble(model: GameGraph, rows: list[int], members: list[float], doubt: float = 0.1) -> Ensemble:
    """Labels of seat 0's first expert at these rows, and clones that say so much."""
    experts = expert.make("first", model)
    table = experts[0].probabilities(model.game, model.states[rows], 0)
    labels = Tabular(model.game.key(model.states[rows]), table)
    clones: Any = tuple(Says(member) for member in members)
    return Ensemble(labels, clones, doubt)


@pytest.mark.parametrize(
    ("members", "asks"),
    [([1.0, 1.0], False), ([0.0, 0.0], False), ([1.0, 0.0], True), ([0.95, 0.95], False), ([0.95, 0.7], True)],
)
def test_it_asks_where_members_together_are_in_doubt(members: list[float], asks: bool) -> None:
    """The tolerated doubt is 0.1; two members who are sure of different actions are in doubt together."""
    model = graph("tictactoe:2x3")
    mine = model.states[model.seat == 0]
    several = model.game.legal(mine, 0).sum(1) > 1
    wanted = UncertaintyRule(ensemble(model, [], members))(model.game, mine, 0)
    assert (wanted == (several & asks)).all(), "a forced move is never in doubt"


def test_a_label_is_played_and_never_wanted_again() -> None:
    model = graph("tictactoe:2x3")
    rows = np.flatnonzero((model.seat == 0) & (model.legal_mask.sum(1) > 1))
    known, other = rows[::2], rows[1::2]
    several = ensemble(model, known.tolist(), [1.0, 0.0, 1.0])
    answers = expert.make("first", model)[0].probabilities(model.game, model.states[known], 0)
    assert not UncertaintyRule(several)(model.game, model.states[known], 0).any()
    assert UncertaintyRule(several)(model.game, model.states[other], 0).all()
    assert np.array_equal(several.probabilities(model.game, model.states[known], 0), answers)
    guesses = several.probabilities(model.game, model.states[other], 0)
    assert np.array_equal(guesses.argmax(1), model.legal_mask[other].argmax(1)), "two of three say the lowest action"


def test_one_position_in_many_games_is_asked_once() -> None:
    model = graph("tictactoe:2x3")
    rows = np.flatnonzero((model.seat == 0) & (model.legal_mask.sum(1) > 1))[[0, 1, 0, 2, 1, 0]]
    wanted = UncertaintyRule(ensemble(model, [], [1.0, 0.0]))(model.game, model.states[rows], 0)
    assert wanted.sum() == 3
    assert set(rows[wanted]) == set(rows)


def explored(seat: int, rounds: int, seed: int = 0) -> tuple[Unsure, list[Decisions], list[float]]:
    """Rounds of play on a small board while this seat's expert is asked, and the doubt tolerated in each."""
    model = graph("tictactoe:2x3")
    experts = expert.make("first", model)
    explorer = Unsure(ExplorerContext(model.game, 1 - seat, experts), QUICK, rng=stream(seed, "test/unsure"))
    played, doubts = [], []
    for number in range(rounds):
        doubts.append(explorer.doubt)
        pair, asked = (explorer.opponent_policy(), explorer.behavior_policy()), explorer.labels()
        seats = pair if seat == 0 else (pair[1], pair[0])
        labels = (asked, None) if seat == 0 else (None, asked)
        there, players, asked_there = reloaded((model.game, seats, labels))  # as a worker would get them
        rng = stream(seed, "test/play", round_=number)
        played.append(play(there, players, explorer.games_per_round, labels=asked_there, rng=rng))
        explorer.update(played[-1], rng=stream(seed, "test/update", round_=number))
    return explorer, played, doubts


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("seat", [0, 1])
def test_no_label_is_paid_twice_and_every_answer_is_played(seat: int) -> None:
    _, rounds, doubts = explored(seat, 25)
    asked = merge([part.take(part.queried) for part in rounds])
    assert (asked.seat == seat).all()
    assert asked.labels() == asked.distinct_labels() > 10
    assert np.array_equal(asked.played, asked.label.argmax(1))
    for part, before, after in zip(rounds[:-1], doubts[:-1], doubts[1:], strict=True):
        tightened = before if part.queried.any() else before * QUICK.tighten
        assert after == tightened
    assert doubts[-1] < doubts[0]


@pytest.mark.slow
def test_it_plays_its_own_guess_where_it_does_not_ask() -> None:
    """Seat 0's moves, replayed: the label where there is one by then, else the members' best action."""
    _, rounds, _ = explored(0, 12)
    last = rounds[-1]
    again, _, _ = explored(0, 11)
    free = last.take((last.seat == 0) & ~last.queried)
    assert len(free) > 0
    rows = again.ensemble.probabilities(graph("tictactoe:2x3").game, free.state, 0)
    assert (rows[np.arange(len(free)), free.played] > 0).all()


def test_members_see_shares_of_the_labels_and_every_label_is_seen() -> None:
    explorer, rounds, _ = explored(0, 20)
    asked = sum(part.labels() for part in rounds)
    assert explorer.sampled.shape == (asked, QUICK.members)
    assert explorer.sampled.any(1).all()
    assert not explorer.sampled.all()
    model = graph("tictactoe:2x3")
    keys = {key.tobytes() for part in rounds for key in model.game.key(part.take(part.queried).state)}
    labelled = model.states[explorer.ensemble.labelled(model.game, model.states, 1 - explorer.seat)]
    assert {key.tobytes() for key in model.game.key(labelled)} == keys


def test_it_trains_the_learners_cloner() -> None:
    model = graph("tictactoe:2x3")
    context = ExplorerContext(model.game, 1, expert.make("first", model), cloner="ntuple")
    explorer = Unsure(context, UnsureConfig(members=2), rng=stream(0, "test/explorer"))
    for number in range(4):
        seats = explorer.opponent_policy(), explorer.behavior_policy()
        rng = stream(0, "test/play", round_=number)
        decisions = play(model.game, seats, 4, labels=(explorer.labels(), None), rng=rng)
        explorer.update(decisions, rng=stream(0, "test/update", round_=number))
    first, second = explorer.ensemble.members
    assert isinstance(first, NtuplePolicy) and isinstance(second, NtuplePolicy)
    assert not np.array_equal(first.cells, second.cells), "members differ in their tuples"
