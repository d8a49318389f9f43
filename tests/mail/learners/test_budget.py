"""When a learner has seen enough: games, labels, and how long it waits for something new."""

from __future__ import annotations

import pytest

from agents.policy import Policy, Uniform
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.learners.budget import Budget, BudgetTracker
from mail.parallel.streams import stream
from tests.mail.learners.test_learners import experts
from tests.support import graph


def batch(games: int, seed: int, *, policy: Policy | None = None) -> Decisions:
    """Games of seat 0's first expert, asked, against uniform play (or the expert itself, always the same)."""
    model = graph("tictactoe")
    pair = experts(model)
    rng = stream(seed, "test/watch")
    return play(model.game, (pair[0], policy or pair[1]), games, labels=(pair[0], None), rng=rng)


def test_a_watch_counts_and_stops_at_the_episodes() -> None:
    watch = BudgetTracker(Budget(episodes=10), 0)
    assert not watch.done
    seen = [batch(4, 0, policy=Uniform()), batch(5, 1, policy=Uniform())]
    for part in seen:
        watch.update(part)
        assert not watch.done
    keys = {key.tobytes() for part in seen for key in part.key[part.queried]}
    labels = sum(part.labels() for part in seen)
    assert watch.progress() == {"games": 9, "labels": labels, "distinct_labels": len(keys)}
    watch.update(batch(1, 2))
    assert watch.done


@pytest.mark.parametrize(
    ("patience", "patience_games", "first", "wait"),
    [
        (0.25, 32, 1, 32),  # a quarter of one game is less than the least wait
        (0.25, 32, 128, 32),
        (0.25, 32, 200, 50),  # a quarter of the 200 games that brought the last label
        (0.25, 1, 40, 10),
        (1.0, 3, 20, 20),
    ],
)
def test_a_watch_stops_when_nothing_new_comes(patience: float, patience_games: int, first: int, wait: int) -> None:
    watch = BudgetTracker(Budget(10_000, patience=patience, patience_games=patience_games), 0)
    watch.update(batch(first, 0))
    for _ in range(wait - 1):
        assert not watch.done
        watch.update(batch(1, 0))
    assert not watch.done
    watch.update(batch(1, 0))
    assert watch.done


def test_a_new_label_starts_the_wait_anew() -> None:
    watch = BudgetTracker(Budget(patience=0.0, patience_games=5), 0)
    watch.update(batch(1, 0))
    for _ in range(4):
        watch.update(batch(1, 0))
    assert not watch.done
    watch.update(batch(1, 3, policy=Uniform()))
    for _ in range(4):
        watch.update(batch(1, 0))
    assert not watch.done
    watch.update(batch(1, 0))
    assert watch.done


def test_a_watch_with_a_label_budget_stops_there_and_nowhere_else() -> None:
    """Neither patience nor the number of games stops it; what is over the budget is cut off."""
    watch = BudgetTracker(Budget(episodes=3, labels=(23, 0), patience=0.0, patience_games=1), 0)
    parts = [batch(4, 0), batch(1, 0)]
    watch.update(parts[0])
    assert not watch.done
    watch.update(parts[1])
    assert watch.done
    assert watch.labels == 25
    cut = watch.within(batch(5, 0))
    assert (cut.labels(), cut.games) == (23, 5)
    assert BudgetTracker(Budget(), 0).within(parts[0]) is parts[0]


def test_a_watch_follows_its_own_seat() -> None:
    watch = BudgetTracker(Budget(), 1)
    watch.update(batch(3, 0))
    assert watch.progress() == {"games": 3, "labels": 0, "distinct_labels": 0}
