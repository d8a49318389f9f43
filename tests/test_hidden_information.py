"""Policies, labels and rules of whom to query go by what a seat can tell apart, not by the position."""

from __future__ import annotations

import numpy as np
import pytest

from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Uniform
from agents.tabular import Tabular, from_model
from games import GameGraph, check
from games.base import pack
from mail.clone.dataset import demonstrations
from mail.clone.tabular import TabularClone, clone_tabular
from mail.data.decisions import Decisions
from mail.data.rollout import UnseenOnly, first_occurrences, labelled_table, play
from mail.evaluation.blunders import canonical_keys
from mail.explore import make as make_explorer
from mail.explore.base import ExplorerContext
from mail.explore.refute import AtKeys
from mail.explore.unsure import Ensemble, UncertaintyRule
from tests.hidden_game import GUESSES, HiddenCoin

GAME = HiddenCoin()
LEFT = np.array([[0.9, 0.1]])


def told() -> Tabular:
    """Seat 1's answer at the one thing it can see when it guesses."""
    return Tabular(GAME.key(GUESSES[:1], 1), LEFT, complete=True)


def ensemble(labels: Tabular) -> Ensemble:
    net = PolicyNet((3,), 2, Architecture(convolutions=0), rng=np.random.default_rng(0))
    return Ensemble(labels, (NetworkPolicy(net),), 0.0)


def played(episodes: int = 30) -> Decisions:
    """Uniform play in which seat 1 is asked what it does; both coins are laid."""
    answers = told()
    return play(GAME, (Uniform(), answers), episodes, labels=(None, answers), rng=np.random.default_rng(1))


def test_the_game_keeps_the_contract() -> None:
    check(GAME)
    assert len(np.unique(GAME.key(GUESSES), axis=0)) == 2 and len(np.unique(GAME.key(GUESSES, 1), axis=0)) == 1


def test_a_table_answers_where_the_seat_sees_the_same() -> None:
    assert np.array_equal(told().probabilities(GAME, GUESSES, 1), np.repeat(LEFT, 2, axis=0))


def test_a_model_s_table_is_a_policy_of_what_the_seat_sees() -> None:
    graph = GameGraph(GAME)
    table = np.zeros((len(graph), 2))
    table[graph.seat == 1] = LEFT
    policy = from_model(graph, 1, table)
    assert len(policy.keys) == 1
    assert np.array_equal(policy.probabilities(GAME, GUESSES, 1), np.repeat(LEFT, 2, axis=0))
    assert len(from_model(graph, 0, table).keys) == 1


def test_one_of_the_positions_that_look_alike_is_asked() -> None:
    assert first_occurrences(GAME, GUESSES, 1).tolist() == [True, False]
    assert UnseenOnly(Tabular(np.zeros((0, 2), np.uint64), np.zeros((0, 2))))(GAME, GUESSES, 1).tolist() == [
        True,
        False,
    ]
    assert not UnseenOnly(told())(GAME, GUESSES, 1).any()
    assert AtKeys(pack(told().keys))(GAME, GUESSES, 1).all()


def test_one_label_serves_all_positions_that_look_alike() -> None:
    decisions = played()
    assert {tuple(row) for row in decisions.state[decisions.seat == 1].tolist()} == {(1, 0), (1, 1)}
    answers = labelled_table(GAME, [decisions.take(decisions.queried)])
    assert len(answers.keys) == 1
    assert len(demonstrations(decisions, 1)) == 1
    clone = clone_tabular(GAME, decisions, 1, TabularClone()).policy
    for policy in (answers, clone):
        np.testing.assert_allclose(policy.probabilities(GAME, GUESSES, 1), np.repeat(LEFT, 2, axis=0), atol=1e-7)


def test_an_ensemble_is_sure_wherever_a_position_looks_labelled() -> None:
    sure = ensemble(told())
    assert sure.labelled(GAME, GUESSES, 1).all()
    assert not sure.doubts(GAME, GUESSES, 1).any()
    assert not UncertaintyRule(sure)(GAME, GUESSES, 1).any()
    unsure = ensemble(Tabular(np.zeros((0, 2), np.uint64), np.zeros((0, 2))))
    assert UncertaintyRule(unsure)(GAME, GUESSES, 1).tolist() == [True, False]


def test_blunders_are_held_out_by_what_the_seat_sees() -> None:
    assert len(np.unique(canonical_keys(GAME, GUESSES, 1), axis=0)) == 1
    assert len(np.unique(canonical_keys(GAME, GUESSES, 0), axis=0)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
def test_refutation_queries_by_what_the_asked_seat_sees(seat: int) -> None:
    """Its line is played, and its queries are chosen, by the keys of the seat that plays or is asked."""
    graph = GameGraph(GAME)
    context = ExplorerContext(GAME, 1 - seat, (Uniform(), Uniform()), "cpu", graph)
    explorer = make_explorer("refute", context, rng=np.random.default_rng(0))
    for player, policy in ((1 - seat, explorer.behavior_policy()), (seat, explorer.opponent_policy())):
        at = graph.states[graph.seat == player]
        assert (policy.probabilities(GAME, at, player).max(1) == 1.0).all()
    wanted = explorer.labels().wants(GAME, graph.states[graph.seat == seat], seat)  # type: ignore[union-attr]
    assert wanted.all()
