"""Exploration by counts: optimistic values, and how soon it has seen all of an expert."""

from __future__ import annotations

import numpy as np
import pytest

from mail.data.decisions import Decisions
from mail.explore.counts import optimistic_values
from mail.explore.memory import Transitions
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case, first_experts
from tests.support import graph


def process(legal: list[list[int]], depth: list[int], edges: list[tuple[int, int, int, int]]) -> Transitions:
    """A hand-made process: legal actions, depths, and (position, action, following, count)."""
    position, action, following, count = (np.array(column) for column in zip(*edges, strict=True))
    m = len(legal)
    return Transitions(
        observation=np.zeros((m, 1), np.float32),
        key=np.arange(2 * m, dtype=np.uint64).reshape(m, 2),
        legal=np.array(legal, dtype=np.bool_),
        depth=np.array(depth),
        position=position,
        action=action,
        following=following,
        count=count,
    )


def test_optimistic_values_against_numbers_worked_out_by_hand() -> None:
    """Three positions, three own decisions at most.

    0 --a--> 1 (three times) or 2 (once);  0 --b--> over (once)
    1 --a--> over (once);                  b untried, so worth every decision still to come: 2
    2 --a--> over (four times);            b illegal
    """
    seen = process(
        [[1, 1], [1, 1], [1, 0]], [0, 1, 1], [(0, 0, 1, 3), (0, 1, -1, 1), (0, 0, 2, 1), (1, 0, -1, 1), (2, 0, -1, 4)]
    )
    values = optimistic_values(seen, horizon=3)
    second, third = 2.0, 1 / 5
    first = 1 / 5 + 3 / 4 * second + 1 / 4 * third
    expected = [[first, 1 / 2], [1 / 2, 2.0], [third, -np.inf]]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


def test_optimistic_values_are_capped_by_the_decisions_to_come() -> None:
    """0 leads to 1, where something is untried, surely: 1/2 + 2 stays under 3 decisions, but not under 2."""
    edges = [(0, 0, 1, 1), (1, 0, -1, 1)]
    legal = [[1, 0], [1, 1]]
    assert optimistic_values(process(legal, [0, 1], edges), horizon=3)[0, 0] == 2.5
    assert optimistic_values(process(legal, [0, 0], edges), horizon=2)[0, 0] == 2.0
    assert optimistic_values(process(legal, [0, 1], edges), horizon=1)[1, 1] == 1.0, "a decision is worth 1 at least"


def test_optimistic_values_reach_the_end_of_a_chain() -> None:
    """1/2 for each of four decisions, whichever order the positions were seen in."""
    edges = [(3, 0, 2, 1), (2, 0, 1, 1), (1, 0, 0, 1), (0, 0, -1, 1)]
    values = optimistic_values(process([[1]] * 4, [3, 2, 1, 0], edges), horizon=4)
    assert values[:, 0].tolist() == [0.5, 1.0, 1.5, 2.0]


def test_counts_tries_what_is_untried_and_mixes_what_is_alike() -> None:
    case = Case("counts", 0, graph("tictactoe"))
    explorer = case.build()
    empty = case.model.states[:1]
    assert np.allclose(explorer.behavior_policy().probabilities(case.game, empty, 0), 1 / 9)
    tried: set[int] = set()
    for number in range(9):
        decisions = case.round(explorer, number)
        mine = decisions.take(decisions.seat == 0)
        tried.add(int(mine.played[0]))
        metrics = explorer.update(decisions, rng=stream(0, "test"))
        row = explorer.behavior_policy().probabilities(case.game, empty, 0)[0]
        assert len(tried) == number + 1, "an action was tried again before all had been"
        if number < 8:
            assert set(np.flatnonzero(row)) == set(range(9)) - tried
            np.testing.assert_allclose(row[row > 0], 1 / (8 - number), rtol=1e-12)
        assert metrics["new_transitions"] >= 1


def explored(name: str, seat: int, seed: int, budget: Budget) -> Decisions:
    """What ``mail`` sees of this seat's first expert on Tic-Tac-Toe."""
    model = graph("tictactoe")
    collector = Collector("mail", model.game, seed)
    learner = Mail(Options(seed=seed, explorer=name, model=model))
    return learner.explore(collector, first_experts(model), budget, seat).decisions


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("seat", "decisions", "games"), [(0, 81, 63), (1, 426, 282)])
def test_counts_sees_all_of_an_expert_in_half_as_many_games_again_as_the_least(
    seat: int, decisions: int, games: int, seed: int
) -> None:
    budget = Budget(episodes=games * 3 // 2, patience_games=10**9)
    found = explored("counts", seat, seed, budget)
    assert found.games <= budget.episodes
    assert found.distinct_labels() == decisions


def test_uniform_exploration_does_not_see_all_of_it_in_as_many_games() -> None:
    """The comparison that makes the test above one of exploration."""
    assert explored("uniform", 0, 0, Budget(episodes=94, patience_games=10**9)).distinct_labels() < 81
