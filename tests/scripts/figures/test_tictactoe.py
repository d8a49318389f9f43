"""The measures of the Tic-Tac-Toe figure: the reference's proxy, and the wait for coverage."""

from __future__ import annotations

import numpy as np
import pytest

from agents import expert
from agents.policy import Policy, uniform_rows
from agents.tabular import from_model
from figures import tictactoe
from games import Game, GameGraph
from games.base import Floats, States
from mail.data.rollout import play
from mail.evaluation.coverage import CoverageBounds
from mail.evaluation.gap import exploitability
from mail.parallel.streams import stream
from mail.training.context import GameContext
from tests.scripts.figures.labelled import explored
from tests.support import graph, random_profile


class Noisy:
    """The reference's opponent, from its description: an expert who, where it cannot win at once, one time in
    ten plays 0.6 expert + 0.4 uniform."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        expert = self.policy.probabilities(game, states, seat)
        legal = game.legal(states, seat)
        wins = np.zeros(len(states), dtype=np.bool_)
        for action in range(legal.shape[1]):
            rows = np.flatnonzero(legal[:, action])
            moves = np.full((len(rows), 2), -1)
            moves[:, seat] = action
            _, reward, done = game.step(states[rows], moves, rng=np.random.default_rng(0))
            wins[rows] |= done & (reward == 1 - 2 * seat)
        noisy = 0.9 * expert + 0.1 * (0.6 * expert + 0.4 * uniform_rows(legal))
        return np.where(wins[:, None], expert, noisy)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("seat", [0, 1])
def test_the_proxy_is_the_loss_rate_against_the_noisy_expert(seat: int, seed: int, tictactoe_graph: GameGraph) -> None:
    """Exact here, sampled there: 20,000 games of a policy close to the expert, within three standard errors."""
    games = 20_000
    experts = expert.make("first", tictactoe_graph)
    table = experts[seat].probabilities(tictactoe_graph.game, tictactoe_graph.states, seat)
    table = 0.7 * table + 0.3 * random_profile(tictactoe_graph, seed)[seat]
    rate = tictactoe.proxy(tictactoe_graph, table, seat)
    policy, noisy = from_model(tictactoe_graph, seat, table), Noisy(experts[1 - seat])
    seats: tuple[Policy, Policy] = (policy, noisy) if seat == 0 else (noisy, policy)
    decisions = play(tictactoe_graph.game, seats, games, rng=stream(seed, "test/proxy"))
    lost = (decisions.reward[(decisions.seat == seat) & decisions.ended] < 0).sum()
    assert 0.05 < rate < 0.95
    assert abs(lost / games - rate) < 3 * np.sqrt(rate * (1 - rate) / games)


@pytest.mark.parametrize("seat", [0, 1])
def test_an_expert_loses_nothing_by_the_proxy(seat: int, tictactoe_graph: GameGraph) -> None:
    table = expert.make("first", tictactoe_graph)[seat].probabilities(
        tictactoe_graph.game, tictactoe_graph.states, seat
    )
    assert tictactoe.proxy(tictactoe_graph, table, seat) == 0.0


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("name", "seat", "reachable", "games"),
    [
        ("tictactoe:3x3:2", 0, 9, 60),
        ("tictactoe:2x3", 1, 39, 90),
        ("connect4:3x3:3", 0, 30, 60),
        ("connect4:3x3:3", 1, 49, 5),
    ],
)
def test_coverage_against_a_plain_count(
    name: str,
    seat: int,
    reachable: int,
    games: int,
    seed: int,
) -> None:
    """Game by game and ask by ask: until everything reachable was asked, and until the labels so far, played
    uniformly elsewhere, cannot be exploited."""
    model = graph(name)
    decisions = explored(model, seat, games, seed)
    known = GameContext(model.game, model, model.game, model)
    line = tictactoe.Line("uniform", "uniform", "first", seat)
    found = tictactoe.covering(known, line, CoverageBounds(reachable, None), decisions)
    expected: dict[str, int | None] = dict.fromkeys(
        ["games_to_cover", "asks_to_cover", "games_to_zero", "asks_to_zero"]
    )
    table, seen, asks = uniform_rows(model.legal(seat)), set(), 0
    for episode in range(games):
        for row in np.flatnonzero((decisions.episode == episode) & (decisions.seat == seat)):
            asks += 1
            seen.add(decisions.key[row].tobytes())
            table[model.index(decisions.state[row : row + 1])] = decisions.label[row]
            zero = expected["asks_to_zero"] is None and exploitability(model, table, seat) == 0.0
            cover = expected["asks_to_cover"] is None and len(seen) == reachable
            if zero:
                expected |= {"games_to_zero": episode + 1, "asks_to_zero": asks}
            if cover:
                expected |= {"games_to_cover": episode + 1, "asks_to_cover": asks}
    assert found == expected
    assert len(seen) <= reachable
