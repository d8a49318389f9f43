"""Pairs of policies of a graph, and a position to ask them at."""

from __future__ import annotations

import numpy as np

from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.ntuple import Grid, NtuplePolicy
from agents.policy import (
    Policy,
    Seats,
)
from agents.tabular import Tabular, from_model
from games import Board, GameGraph
from games.base import States
from tests.support import game, position, random_profile


def same(policy: Policy) -> Seats:
    return policy, policy


def random_tables(model: GameGraph) -> Seats:
    """Tables that know every position, with some probabilities 0."""
    profile = random_profile(model, 5, sparse=True)
    return from_model(model, 0, profile[0]), from_model(model, 1, profile[1])


def partial_table(model: GameGraph) -> Seats:
    """One table, shared by the seats, that knows every third position."""
    profile = random_profile(model, 6)
    rows = np.arange(0, len(model), 3)
    return same(Tabular(model.game.key(model.states[rows]), (profile[0] + profile[1])[rows]))


def network(model: GameGraph, seed: int) -> NetworkPolicy:
    """A small network as it was drawn."""
    spec = model.game.spec
    sizes = Architecture(channels=4, convolutions=1, hidden=16)
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, sizes, rng=np.random.default_rng(seed)))


def ntuple(model: GameGraph, seed: int) -> NtuplePolicy:
    """Random weights for every pattern of a few tuples, and for none of another."""
    rng = np.random.default_rng(seed)
    cells = Grid.of(model.game).draw_tuples(5, 3, rng=rng)
    codes = np.tile(np.arange(64, dtype=np.uint64), 4)
    weights = rng.normal(size=(256, model.game.spec.actions)).astype(np.float32)
    return NtuplePolicy(cells, np.array([64, 64, 0, 64, 64]), codes, weights)


def full_column() -> tuple[Board, States]:
    """Connect Four on 3 x 4 with the first column full, seat 0 to move."""
    board = game("connect4:3x4")
    return board, position(board, "o...\nx...\no.x.")
