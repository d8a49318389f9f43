"""Softmax-linear policies and the features they use: the game's own, or blocks of the observation."""

from __future__ import annotations

import numpy as np
import pytest

from agents.linear import SoftmaxLinear
from agents.policy import Policy, PolicyError, Uniform, query
from games.base import GameError
from games.features import features
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from tests.support import game, reloaded, visited


def small(*, dimension: int = 3, given: bool = True) -> MarkovGame:
    """Four states, seat 0 with two actions and seat 1 with three, moves at random."""
    rng = np.random.default_rng(3)
    phi = rng.normal(size=(4, 3, dimension)), rng.normal(size=(4, 3, dimension))
    kernel = rng.dirichlet(np.ones(4), size=(4, 2, 3))
    rewards = rng.uniform(-1, 1, (4, 2, 3))
    return MarkovGame(
        "test-small",
        Dynamics(rewards, kernel, np.full(4, 0.25), discount=0.9),
        Views(linear=Linear(phi) if given else None),
    )


def test_probabilities_are_the_softmax_of_the_features() -> None:
    made = small()
    theta = np.array([1.0, -2.0, 0.5])
    states = np.array([[2, 0], [0, 7]])
    assert made.linear is not None
    for seat in (0, 1):
        rows = SoftmaxLinear(theta).probabilities(made, states, seat)
        for row, state in zip(rows, states[:, 0], strict=True):
            legal = 2 if seat == 0 else 3
            weights = [np.exp(made.linear.features[seat][state, a] @ theta) for a in range(legal)]
            np.testing.assert_allclose(row[:legal], np.array(weights) / sum(weights), rtol=1e-12)
            assert (row[legal:] == 0).all(), "an illegal action has probability 0"


def test_large_weights_play_one_action() -> None:
    made = small()
    rows = SoftmaxLinear(1e4 * np.array([1.0, -2.0, 0.5])).probabilities(made, np.array([[2, 0]]), 0)
    assert rows.max() == pytest.approx(1.0)


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe", "quotient:tictactoe", "connect4:3x4"])
def test_other_games_have_a_block_of_the_observation_for_each_action(name: str, seat: int) -> None:
    board = game(name)
    states = visited(board)
    phi = features(board, states, seat)
    seen = board.observe(states, seat).reshape(len(states), -1)
    blocks = phi.reshape(len(states), board.spec.actions, board.spec.actions, -1)
    for action in range(board.spec.actions):
        assert np.array_equal(blocks[:, action, action, :-1], seen)
        assert (blocks[:, action, action, -1] == 1).all()
        assert (np.delete(blocks[:, action], action, axis=1) == 0).all()
    policy = SoftmaxLinear(np.random.default_rng(1).normal(size=phi.shape[2:]))
    assert isinstance(policy, Policy)
    rows = query(policy, board, states, seat)
    assert np.array_equal(query(reloaded(policy), board, states, seat), rows)
    uniform = query(SoftmaxLinear(np.zeros(phi.shape[2])), board, states, seat)
    np.testing.assert_allclose(uniform, Uniform().probabilities(board, states, seat), rtol=1e-12)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    board = game("tictactoe")
    states = visited(board)
    policy = SoftmaxLinear(np.random.default_rng(2).normal(size=features(board, states[:1], 0).shape[2:]))
    together = policy.probabilities(board, states, 0)
    alone = np.concatenate([policy.probabilities(board, states[row : row + 1], 0) for row in range(len(states))])
    assert np.array_equal(together, alone)


def test_wrong_weights_and_games_are_refused_in_one_line() -> None:
    with pytest.raises(PolicyError, match="one finite weight per feature"):
        SoftmaxLinear(np.array([1.0, np.nan]))
    with pytest.raises(PolicyError, match="one finite weight per feature"):
        SoftmaxLinear(np.zeros((2, 2)))
    with pytest.raises(PolicyError, match=r"^test-small has 3 features, this policy 4 weights$"):
        SoftmaxLinear(np.zeros(4)).probabilities(small(), np.array([[0, 0]]), 0)
    with pytest.raises(GameError, match="has no features"):
        features(small(given=False), np.array([[0, 0]]), 0)
