"""The exact experts of Markov games, as policies."""

from __future__ import annotations

import numpy as np
import pytest

import games
from agents.expert import model_expert
from agents.policy import PolicyError, tabulate
from games import MarkovGame, MarkovModel


@pytest.mark.parametrize("ties", ["first", "uniform", "vertex"])
@pytest.mark.parametrize("name", ["gridworld:2x3", "rps", "linear:20,4", "unseen"])
def test_experts_play_the_equilibrium_at_every_position(name: str, ties: str) -> None:
    game = games.make(name)
    assert isinstance(game, MarkovGame)
    model = MarkovModel(game)
    pair = model_expert(model, ties)
    for seat, (policy, table) in enumerate(zip(pair, model.equilibrium(ties), strict=True)):
        np.testing.assert_array_equal(tabulate(model, policy, seat), table)
    states = game.start(5, rng=np.random.default_rng(0))
    states[:, 1] = 3  # the step tells nothing where the game is stationary
    np.testing.assert_array_equal(
        pair[1].probabilities(game, states, 1), model.equilibrium(ties)[1][model.index(states)]
    )


def test_an_expert_of_another_game_guesses_nothing() -> None:
    small, large = games.make("chain:4"), games.make("chain:6")
    assert isinstance(small, MarkovGame)
    first, _ = model_expert(MarkovModel(small), "first")
    with pytest.raises(PolicyError, match="has no row for this position"):
        first.probabilities(large, np.array([[5, 0]]), 0)
