"""The decision process that a seat faces: the model's own values and visits, and the laws of its sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from agents import expert
from agents.tabular import Tabular
from games import GameError, NashmailError
from mail.data.rollout import play
from mail.learners.collect import Options
from mail.learners.inverse.gail import Gail
from mail.learners.inverse.process import Process, demonstrated, of_policy, process_of, softmax
from tests.mail.learners.inverse.processes import (
    expert_rows,
    facing,
    from_kernel,
    model,
    on_path,
    random_policy,
    random_process,
    random_reward,
    tree,
)

GAMES = ["tictactoe", "gridworld:3x3", "chain:8", "rps", "unseen"]


@pytest.mark.parametrize("ties", ["first", "uniform"])
@pytest.mark.parametrize("name", GAMES)
def test_visits_are_the_models_reach(name: str, ties: str) -> None:
    exact = model(name)
    for seat in (0, 1):
        process, rows = facing(name, ties, seat), random_policy(facing(name, ties, seat), 1)
        table = Tabular(process.keys, rows).probabilities(exact.game, exact.states, seat)
        other = exact.equilibrium(ties)[1 - seat]
        reach = exact.reach((table, other) if seat == 0 else (other, table))
        own = np.flatnonzero(exact.legal(seat).any(1) & (reach > 0))
        got = dict(zip(map(tuple, process.keys.tolist()), process.visits(rows).sum(1), strict=True))
        keys = exact.game.key(exact.states[own], seat).tolist()
        assert np.allclose([got[tuple(key)] for key in keys], reach[own], atol=1e-12)
        assert len(own) == len(process), "a policy that plays everything comes everywhere in the process"


def test_sizes_of_tictactoe() -> None:
    """Against an expert that plays first moves: the decisions of the other seat that it can be led to."""
    assert [
        (len(facing("tictactoe", "first", seat)), facing("tictactoe", "first", seat).queried) for seat in (0, 1)
    ] == [
        (168, 426),
        (18, 81),
    ]
    assert [facing("tictactoe", "first", seat).depth for seat in (0, 1)] == [5, 4]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_laws_of_the_sweeps(seed: int) -> None:
    for process in (random_process(seed), tree(3, 3, chance=0.3)):
        policy, reward = random_policy(process, seed), random_reward(process, seed)
        visits = process.visits(policy)
        assert np.allclose(visits.sum(1), process.start + process.flow(visits)), "mass flows"
        values = process.values(policy, reward)
        assert np.isclose(process.start @ values, (visits * reward).sum()), "forward and backward agree"
        actions, soft = process.soft(reward)
        played = softmax(actions, 1.0)
        assert np.allclose(played.sum(1), 1.0) and (played[~process.legal] == 0).all()
        entropy = -np.where(played > 0, played * np.log(np.where(played > 0, played, 1.0)), 0.0)
        total = process.values(played, reward) + process.values(
            played, np.where(process.legal, entropy.sum(1, keepdims=True), 0.0)
        )
        assert np.allclose(total, soft), "soft values are rewards plus causal entropy"


@pytest.mark.parametrize("seed", range(3))
def test_temperature_0_is_ordinary_value_iteration(seed: int) -> None:
    process = random_process(seed)
    reward = random_reward(process, seed)
    actions, values = process.soft(reward, 0.0)
    best = softmax(actions, 0.0)
    assert np.allclose(process.values(best, reward), values)
    others = [process.values(random_policy(process, other), reward) for other in range(20)]
    assert (values >= np.max(others, axis=0) - 1e-9).all()
    assert np.abs(process.soft(reward, 1e-3)[1] - values).max() < 0.02


def test_positions_that_come_again_are_seen() -> None:
    loop = np.zeros((2, 1, 2))
    loop[0, 0, 1] = loop[1, 0, 0] = 0.5
    assert process_of(model("rps"), 0, model("rps").equilibrium("uniform")[1]).endless
    assert not facing("tictactoe", "uniform", 0).endless
    assert np.allclose(from_kernel(loop, np.eye(2)[0], endless=True).visits(np.ones((2, 1))).sum(), 2.0)


def test_sampled_steps_follow_the_kernel() -> None:
    process = random_process(4)
    rng = np.random.default_rng(0)
    row, action = 2, int(np.flatnonzero(process.legal[2])[-1])
    drawn = process.sample(np.full(40_000, row), np.full(40_000, action), rng=rng)
    share = np.bincount(drawn[drawn >= 0], minlength=len(process)) / len(drawn)
    wanted = process.kernel.toarray()[row * process.legal.shape[1] + action]
    assert np.abs(share - wanted).max() < 0.01


def test_demonstrations_give_the_visits_of_the_expert() -> None:
    """One game of two deterministic experts shows all that they ever do."""
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    games = play(exact.game, experts, 3, labels=experts, rng=np.random.default_rng(0))
    for seat in (0, 1):
        shown = demonstrated(facing("tictactoe", "first", seat), games, seat)
        assert np.array_equal(shown.visits, on_path("tictactoe", "first", seat).visits)
        assert shown.known.sum() == (5, 4)[seat] == shown.visits.sum()


def test_what_is_not_demonstrated_is_lost_from_sight() -> None:
    process, rows = facing("tictactoe", "uniform", 0), expert_rows("tictactoe", "uniform", 0)
    seen = process.visits(rows).sum(1) > 0.01
    part = of_policy(process, np.where(seen[:, None], rows, 0.0))
    whole = process.visits(rows)
    assert (part.visits <= whole + 1e-12).all() and 0 < part.visits.sum() < whole.sum()
    assert (part.visits[~part.known] == 0).all()


def test_games_without_such_a_process_are_refused() -> None:
    hidden = model("kuhn")
    with pytest.raises(GameError, match="kuhn hides something from a seat"):
        Gail(Options(model=hidden)).check(hidden.game, expert.make("first", hidden))
    exact = model("tictactoe")
    with pytest.raises(NashmailError, match=r"^gail needs the exact model"):
        Gail(Options()).check(exact.game, expert.make("first", exact))


def test_games_of_one_decision_end_after_it() -> None:
    """A kernel without an entry: every sampled game is over."""
    legal = np.ones((1, 3), dtype=np.bool_)
    alone = Process(np.zeros((1, 2), dtype=np.uint64), legal, csr_array((3, 1)), np.ones(1), endless=False)
    rows, actions = np.zeros(5, dtype=np.int64), np.arange(5) % 3
    assert alone.sample(rows, actions, rng=np.random.default_rng(0)).tolist() == [-1] * 5
