"""Small Markov games that the tests of linear learners share, built by hand."""

from __future__ import annotations

from functools import cache

import numpy as np

from agents.policy import Seats
from agents.tabular import from_model
from games.base import Floats
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.model import MarkovModel


def one_hot(states: int, actions: int) -> Floats:
    """[S, A, S * A]"""
    return np.eye(states * actions).reshape(states, actions, -1)


@cache
def ring(*, horizon: int | None = None, states: int = 6) -> MarkovModel:
    """Both seats move at once around a ring, by 0 or 1 each, with a slip now and then; seat 0 earns at state 3, pays at
    state 5, and more if the actions match in state 1."""
    kernel = np.zeros((states, 2, 2, states))
    rewards = np.zeros((states, 2, 2))
    for s in range(states):
        for a in range(2):
            for b in range(2):
                kernel[s, a, b, (s + a + b) % states] += 0.9
                kernel[s, a, b, s] += 0.1
                rewards[s, a, b] = (s == 3) - (s == 5) + (s == 1) * (a == b)
    start = np.zeros(states)
    start[0] = 1.0
    phi = one_hot(states, 2)
    game = MarkovGame(
        "test-ring",
        Dynamics(rewards, kernel, start, discount=1.0 if horizon else 0.9, horizon=horizon, episode=8),
        Views(linear=Linear((phi, phi), name="onehot")),
    )
    return MarkovModel(game)


@cache
def turns(states: int = 40, dimension: int = 4, seed: int = 0) -> MarkovModel:
    """One seat moves at a time, and both rewards and transitions are exactly linear in phi(s, a): simplex features,
    anchor distributions, so that equilibrium play is the argmax of a linear function of phi."""
    rng = np.random.default_rng(seed)
    phi = rng.dirichlet(np.full(dimension, 0.5), size=(states, 3))
    anchors = rng.dirichlet(np.full(states, 0.3), size=dimension)
    worth = rng.uniform(-1, 1, dimension)
    first = rng.random(states) < 0.5
    legal = np.tile(first[:, None], (1, 3)), np.tile(~first[:, None], (1, 3))
    joint = np.where(first[:, None, None, None], phi[:, :, None], phi[:, None, :])  # [S, A, B, d]: who moves decides
    game = MarkovGame(
        "test-turns",
        Dynamics(joint @ worth, np.asarray(joint @ anchors), np.full(states, 1.0 / states), discount=0.9, legal=legal),
        Views(linear=Linear((phi, phi), name="simplex")),
    )
    return MarkovModel(game)


def experts(model: MarkovModel, ties: str = "first") -> Seats:
    """Equilibrium play of both seats."""
    first, second = model.equilibrium(ties)
    return from_model(model, 0, first), from_model(model, 1, second)
