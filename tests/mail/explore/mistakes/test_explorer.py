"""Queries at mistakes: few, never twice, never where the rules answer, until nothing can be gained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.ntuple import NtuplePolicy
from agents.policy import greedy_rows, tabulate
from agents.tactics import forced
from games import GameGraph, NashmailError, make
from games.models import model_of
from games.symmetry import up_to_symmetry
from mail import explore
from mail.clone.dataset import demonstrations
from mail.data.decisions import Decisions, merge
from mail.evaluation.gap import exploitability
from mail.explore import ExplorerContext
from mail.explore.mistakes.explorer import Mistakes, MistakesConfig, sharpest
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case
from tests.support import graph


def explored(model: GameGraph, seat: int, config: MistakesConfig) -> tuple[Mistakes, Decisions]:
    """The explorer when it is done, and the decisions with a label."""
    case = Case("mistakes", 1 - seat, model)
    context = ExplorerContext(case.game, 1 - seat, case.experts(), model=model, cloner="ntuple")
    explorer = Mistakes(context, config, rng=stream(0, "test/explorer"))
    rounds: list[Decisions] = []
    while not explorer.done and len(rounds) < 300:
        rounds.append(case.round(explorer, len(rounds)))
        assert rounds[-1].labels() == 1
        explorer.update(rounds[-1], rng=stream(0, "test/update", round_=len(rounds)))
    assert explorer.done
    decisions = merge(rounds)
    return explorer, decisions.take(decisions.queried)


@pytest.mark.slow
@pytest.mark.parametrize("tactics", [True, False])
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x4:3"])
def test_neither_clone_can_be_exploited_in_the_end(name: str, seat: int, tactics: bool) -> None:
    model, config = graph(name), MistakesConfig(tactics=tactics)
    explorer, labelled = explored(model, seat, config)
    fit = explorer.clone()
    assert fit is not None and isinstance(fit.policy, NtuplePolicy)
    table = tabulate(model, fit.policy, seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) <= config.tolerance
    assert (labelled.seat == seat).all()
    images = up_to_symmetry(model.game).key(labelled.state, seat)
    assert len(np.unique(images, axis=0)) == len(labelled), "an image of a labelled position was asked"
    if tactics and (answered := forced(model.game, labelled.state, seat).any(1)).any():
        assert len(labelled) == 1, "a clone that makes no mistake has one label all the same"
        assert answered.all()


def test_an_expert_that_errs_itself_ends_the_queries() -> None:
    """Its mistakes are learned, labelled, and never asked twice."""
    model = graph("connect4:3x3:3")
    case = Case("mistakes", 0, model)
    worst = model.legal(1) / np.maximum(model.legal(1).sum(1, keepdims=True), 1)
    config = MistakesConfig(tactics=False, strictest=4.0)
    context = ExplorerContext(case.game, 0, case.experts(), model=model, cloner="ntuple")
    explorer = Mistakes(context, config, rng=stream(0, "test/explorer"))
    for number in range(400):
        if explorer.done:
            break
        decisions = case.round(explorer, number)
        label = decisions.label.copy()
        label[decisions.queried] = greedy_rows(worst[model.index(decisions.state[decisions.queried])])
        changed = Decisions(**{**decisions.arrays(), "label": label})
        explorer.update(changed, rng=stream(0, "test/update", round_=number))
    assert explorer.done


def test_labels_of_one_action_sharpen_and_mixed_ones_do_not() -> None:
    model = graph("tictactoe")
    explorer, labelled = explored(model, 0, MistakesConfig())
    assert isinstance(explorer.fit.policy, NtuplePolicy)
    policy = explorer.fit.policy.sharpened(1.0 / 64.0)
    shown = demonstrations(labelled, 0)
    sharp = sharpest(policy, explorer.context, shown, 0, (1.0, 4.0, 16.0))
    assert np.array_equal(sharp.weights, policy.sharpened(16.0).weights)
    mixed = replace(shown, total=shown.legal.astype(np.float64))
    flat = sharpest(policy, explorer.context, mixed, 0, (1.0, 4.0, 16.0))
    assert np.array_equal(flat.weights, policy.weights)


def test_games_that_it_cannot_walk_are_refused() -> None:
    context = Case("mistakes", 0, graph("tictactoe"))
    with pytest.raises(NashmailError, match="needs the exact model"):
        explore.check("mistakes", ExplorerContext(context.game, 0, context.experts()))
    game = make("gridworld")
    with pytest.raises(NashmailError, match="choose respond"):
        explore.check("mistakes", ExplorerContext(game, 0, context.experts(), model=model_of(game)))
