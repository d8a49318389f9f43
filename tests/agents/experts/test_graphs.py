"""The experts ``values`` and ``few``: which moves, of which games, and what clones make of sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mail
from agents import expert, make_expert
from agents.experts.few import Moves
from agents.experts.graphs import EXACT, expert_of
from agents.policy import PolicyError, query
from games import GameGraph
from games.models import model_of
from games.plies.graph import CompactGraph
from games.registry import make
from mail.training.context import game_context
from tests.support import game, graph, reloaded


@pytest.mark.parametrize("name", ["connect4:3x4", "quotient:connect4:3x4"])
@pytest.mark.parametrize("word", EXACT)
def test_experts_of_a_compact_graph_are_those_of_the_graph(name: str, word: str) -> None:
    model = graph(name)
    for seat, (one, other) in enumerate(
        zip(expert_of(CompactGraph(game(name)), word), make_expert(word, model), strict=True)
    ):
        found = query(one, model.game, model.states, seat)
        assert np.array_equal(found, query(other, model.game, model.states, seat))
        assert np.array_equal(found, query(reloaded(one), model.game, model.states, seat))


@pytest.mark.parametrize("word", ["values", "few"])
def test_the_experts_cannot_be_exploited(word: str, tictactoe_graph: GameGraph) -> None:
    for model in (tictactoe_graph, graph("connect4:4x4")):
        gap = mail.nash_gap(model, make_expert(word, model))
        assert gap.exploitability == (0.0, 0.0)


def test_values_are_wider_than_the_best_moves_and_few_is_one_that_suffices() -> None:
    model = graph("connect4:4x4")
    rows = {
        word: np.sum(
            [query(policy, model.game, model.states, seat) for seat, policy in enumerate(make_expert(word, model))], 0
        )
        for word in EXACT
    }
    assert (rows["values"][rows["uniform"] > 0] > 0).all()
    assert ((rows["values"] > 0).sum(1) > (rows["uniform"] > 0).sum(1)).any()
    assert set(np.unique(rows["few"])) == {0.0, 1.0}
    for seat in (0, 1):
        mine = np.flatnonzero(model.seat == seat)
        assert Moves(model, mine).suffice(seat)[rows["few"][mine] > 0].all()


def test_other_games_are_refused_in_one_line() -> None:
    markov = make("gridworld:3x3")
    for word in ("values", "few"):
        with pytest.raises(PolicyError, match=f"^the expert '{word}' plays turn-based games that are enumerated"):
            make_expert(word, model_of(markov) or markov)


def test_a_label_of_values_is_a_set() -> None:
    assert [name for name in ("first", "uniform", "values", "few") if expert.labels_are_sets(name)] == ["values"]
    context = game_context("connect4:3x3:3", symmetry=False)
    for word in ("values", "few"):
        assert context.options(mail.Config("connect4:3x3:3", expert=word)).ntuple.sets == (word == "values")


@pytest.mark.parametrize("word", ["values", "few"])
def test_clones_of_them_cannot_be_exploited(word: str, tmp_path: Path) -> None:
    result = mail.train(
        "connect4:3x3:3", out=tmp_path / "run", learners=("mail-ntuple",), explorer="mistakes", expert=word
    )
    assert result["learners"]["mail-ntuple"]["greedy_nash_gap"] == 0.0
