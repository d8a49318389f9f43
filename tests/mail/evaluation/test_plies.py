"""Measures ply by ply are those of tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.expert import make as make_expert
from agents.experts.graphs import expert_of
from agents.ntuple import Grid, NtuplePolicy
from agents.policy import Lifted, Policy, Tempered, Uniform
from games import Quotient
from games.base import Floats, Game, States
from games.plies.graph import CompactGraph
from mail.evaluation.exact import profile_measures, value_gap
from mail.evaluation.plies import ply_measures
from mail.evaluation.tabulate import profile_tables
from tests.support import game, graph

BOARD = "connect4:4x4"


class Counted:
    """A policy that counts the positions it is queried at; stated to be symmetric if it is ``Lifted``."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.positions = policy, 0

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        self.positions += len(states)
        return self.policy.probabilities(game, states, seat)


def ntuple(*, tied: bool) -> NtuplePolicy:
    """Random weights of a few patterns, so that it plays uniformly in many positions."""
    rng = np.random.default_rng(5)
    grid = Grid.of(game(BOARD), tied=tied)
    cells = grid.draw_tuples(6, 5, rng=rng)
    counts = np.full(6, 200)
    codes = np.concatenate([np.sort(rng.choice(4**5, 200, replace=False)) for _ in counts]).astype(np.uint64)
    weights = rng.normal(size=(len(codes), grid.actions)).astype(np.float32)
    return NtuplePolicy(cells, counts, codes, weights, tied=tied)


def players() -> dict[str, tuple[Policy, Policy]]:
    expert = make_expert("uniform", graph(BOARD))
    quotient = Quotient(game(BOARD))
    return {
        "uniform": (Uniform(), Uniform()),
        "n-tuples": (ntuple(tied=True), Tempered(ntuple(tied=True), 0.5)),
        "tied n-tuples": (ntuple(tied=True), ntuple(tied=True)),
        "lifted": (Lifted(Uniform(), quotient), Lifted(ntuple(tied=False), quotient)),
        "expert": expert,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(players()))
def test_measures_are_those_of_tables(name: str) -> None:
    profile, model = players()[name], graph(BOARD)
    counted = Counted(profile[0]), profile[1]
    experts = expert_of(CompactGraph(game(BOARD)), "first")
    found = ply_measures(CompactGraph(game(BOARD)), profile, experts=experts)
    wanted: dict[str, Any] = profile_measures(model, profile)
    tables = profile_tables(model, profile)[1]
    wanted["value_gap"] = list(value_gap(model, tables, profile_tables(model, make_expert("first", model))[1]))
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        np.testing.assert_allclose(found[key], value, rtol=0, atol=1e-12, err_msg=key)
    ply_measures(CompactGraph(game(BOARD)), counted)
    assert counted[0].positions == (model.seat == 0).sum()
