"""The learner ``mail-walk`` on boards that are known exactly: gaps, budgets, workers, openings, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from agents import expert
from agents.ntuple import NtuplePolicy
from agents.policy import greedy_rows, tabulate
from agents.tactics import Tactics
from games import NashmailError
from games.base import Rng
from mail.clone.dataset import Demonstrations, Fit
from mail.clone.ntuple import NtupleTrainer
from mail.data.drops import canonical
from mail.evaluation.gap import exploitability
from mail.learners.base import LEARNERS, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options
from mail.learners.journal import NullJournal
from mail.learners.walk import layers
from mail.learners.walk.judge import Judge, check_board, value_of
from mail.learners.walk.learner import MailWalk, WalkConfig
from mail.parallel.pool import Local
from mail.parallel.ray import RayPool
from tests.mail.learners.test_learners import Backwards, Kept
from tests.support import game, graph

OPENING = WalkConfig(opening=4, small=0, width=40)
"""As on large boards: an opening of single moves, and layers that are thinned until walks grow wide."""

PLENTY = Budget(10**5)


@cache
def experts(name: str) -> Any:
    return expert.make("uniform", graph(name))


def learn(
    name: str, config: WalkConfig | None = None, *, seed: int = 0, budget: Budget = PLENTY, **parts: Any
) -> Learned:
    learner = MailWalk(Options(seed=seed), config=config)
    given = {"pool": Local(), "journal": NullJournal(), **parts}
    return learner.learn(game(name), experts(name), budget, **given)


@cache
def learned(name: str, config: WalkConfig | None = None) -> Learned:
    return learn(name, config)


def greedy_gaps(name: str, found: Learned) -> list[float]:
    tables = [greedy_rows(tabulate(graph(name), found.policies[seat], seat)) for seat in (0, 1)]
    return [exploitability(graph(name), tables[seat], seat) for seat in (0, 1)]


def bits(name: str, found: Learned) -> list[bytes]:
    tables = [tabulate(graph(name), policy, seat).tobytes() for seat, policy in enumerate(found.policies)]
    return tables + [array.tobytes() for part in found.decisions for array in part.arrays().values()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "config"),
    [("connect4:3x3:3", None), ("connect4:4x4", None), ("connect4:3x3:3", OPENING), ("connect4:4x4", OPENING)],
)
def test_no_opponent_beats_either_greedy_seat(name: str, config: WalkConfig | None) -> None:
    found = learned(name, config)
    assert greedy_gaps(name, found) == [0.0, 0.0]
    assert all(isinstance(policy, Tactics) for policy in found.policies)
    assert found.labels == found.distinct_labels, "no position is asked about twice"
    assert found.games == sum(found.labels)


def test_what_few_mistakes_are_left_becomes_exceptions() -> None:
    """A walk that may query all of its mistakes is the last: its answers are played, and without them clones err."""
    found, without = learned("connect4:4x4"), learned("connect4:4x4", WalkConfig(finish=0.0))
    bare = []
    for seat, policy in enumerate(found.policies):
        assert isinstance(policy, Tactics) and isinstance(policy.policy, NtuplePolicy)
        clone = policy.policy
        asked = found.decisions[seat].state
        assert 0 < len(clone.exceptions) < len(asked) / 2
        assert np.isin(clone.exceptions, canonical(check_board(game("connect4:4x4"), ""), asked).sum(1)).all()
        none = clone.excepting(clone.exceptions[:0], clone.answers[:0])
        bare.append(
            exploitability(
                graph("connect4:4x4"), greedy_rows(tabulate(graph("connect4:4x4"), Tactics(none), seat)), seat
            )
        )
    assert max(bare) > 0.0
    assert greedy_gaps("connect4:4x4", without) == [0.0, 0.0]
    assert not any(len(policy.policy.exceptions) for policy in without.policies)  # type: ignore[attr-defined]


def test_a_clone_that_has_not_learned_its_answers_is_trained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a while training does nothing: walks then find mistakes that have answers already, and no others."""
    trained, calls = NtupleTrainer.train, []

    def train(self: NtupleTrainer, labels: Demonstrations, *, rng: Rng, strictness: float = 1.0) -> Fit:
        calls.append(strictness)
        return Fit(self.policy(), 0, 1.0, 1.0) if strictness < 8 else trained(self, labels, rng=rng)

    monkeypatch.setattr(NtupleTrainer, "train", train)
    kept = Kept()
    found = learn("connect4:3x3:3", journal=kept)
    assert greedy_gaps("connect4:3x3:3", found) == [0.0, 0.0] and 8.0 in calls
    assert bits("connect4:3x3:3", learn("connect4:3x3:3", journal=kept)) == bits("connect4:3x3:3", found)


def test_a_clone_that_cannot_learn_its_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(self: NtupleTrainer, labels: Demonstrations, *, rng: Rng, strictness: float = 1.0) -> Fit:
        return Fit(self.policy(), 0, 1.0, 1.0)

    monkeypatch.setattr(NtupleTrainer, "train", train)
    assert max(greedy_gaps("connect4:3x3:3", learn("connect4:3x3:3"))) > 0


def test_a_board_that_one_seat_wins() -> None:
    """3x4 with three in a row is the first seat's: the second has nothing to lose, and gets a clone all the same."""
    name = "connect4:3x4:3"
    assert value_of(game(name)) == 1.0
    found = learned(name)
    assert greedy_gaps(name, found) == [0.0, 0.0] and found.labels[1] == 1


@pytest.mark.equal_results
@pytest.mark.parametrize("config", [None, OPENING])
def test_the_same_from_small_shards_in_any_order(config: WalkConfig | None, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "connect4:3x3:3"
    wanted = bits(name, learned(name, config))
    for size in ("SHARD", "SLOW_SHARD", "WAVE"):
        monkeypatch.setattr(layers, size, 3)
    assert bits(name, learn(name, config, pool=Backwards())) == wanted


@pytest.mark.slow
@pytest.mark.equal_results
def test_the_same_from_two_workers() -> None:
    name = "connect4:4x4"
    with RayPool(2) as workers:
        assert bits(name, learn(name, pool=workers)) == bits(name, learned(name))


@pytest.mark.equal_results
def test_the_same_after_a_stop_between_rounds() -> None:
    name, journal = "connect4:3x3:3", Kept()
    learn(name, OPENING, journal=journal)
    kept = list(journal.rounds.items())
    for many in range(len(kept)):
        again = Kept(dict(kept[:many]), values=journal.values)
        assert bits(name, learn(name, OPENING, journal=again)) == bits(name, learned(name, OPENING))
        assert again.told == journal.told


@pytest.mark.parametrize("config", [None, OPENING])
@pytest.mark.parametrize("labels", [1, 20])
def test_a_budget_is_kept(labels: int, config: WalkConfig | None) -> None:
    name = "connect4:3x3:3" if labels == 1 else "connect4:4x4"
    for budget in (Budget(labels), Budget(labels=(labels, labels))):
        assert learn(name, config, budget=budget).labels == (labels, labels)


def test_every_round_is_logged_with_what_its_walk_found() -> None:
    journal = Kept()
    learn("connect4:3x3:3", journal=journal)
    for _, _, values in journal.told:
        assert values["walked"] >= values["mistakes"] and values["thinned"] == 0.0
        assert values["mistakes"] == sum(many for name, many in values.items() if name.startswith("mistakes/"))


@pytest.mark.parametrize("name", ["tictactoe", "kuhn", "gridworld", "connect4:6x8"])
def test_other_games_are_refused_in_one_line(name: str) -> None:
    learner = make_learner("mail-walk", Options())
    with pytest.raises(NashmailError, match=r"board on which discs fall|at most 54 bits") as error:
        learner.check(game(name), (None, None))  # type: ignore[attr-defined]
    assert "\n" not in str(error.value)


def test_what_it_may_know() -> None:
    assert LEARNERS.about("mail-walk").knows == {"labels", "rules", "reward"}


@pytest.mark.parametrize("name", ["connect4:4x4", "connect4:3x3:3", "connect4:3x4:3"])
def test_mistakes_are_those_of_the_exact_values(name: str) -> None:
    exact, board = graph(name), check_board(game(name), name)
    value = exact.solve()[0].value
    assert value_of(board) == value
    for seat in (0, 1):
        sign = 1.0 - 2.0 * seat
        best = exact.solve()[seat]
        kept = np.where(exact.legal(seat), best.action_values, -np.inf) >= sign * value
        can = np.flatnonzero(kept.any(1))
        row, action = np.nonzero(exact.legal(seat)[can])
        order = np.argsort(np.bitwise_count(exact.states[can[row], 1]), kind="stable")
        row, action = can[row[order]], action[order]
        if sign * value >= 0:
            held = Judge(board, seat, sign * value).holds(exact.states[row], action)
            assert np.array_equal(held, kept[row, action])
