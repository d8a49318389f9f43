"""What games show: visits of either kind, what followed, and what is not known because play was cut there."""

from __future__ import annotations

import numpy as np

import games
from agents import expert
from agents.policy import Uniform
from games import Model
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.learners.inverse.deep.seen import Estimate, Seen, batch_of
from tests.mail.learners.inverse.processes import expert_rows, facing, model


def seen_of(exact: Model, decisions: Decisions, seat: int, *own: Decisions) -> Estimate:
    seen = Seen(exact.game, seat)
    seen.add(decisions, expert=True)
    for part in own:
        seen.add(part, expert=False)
    return seen.estimate()


def test_games_of_two_first_experts() -> None:
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    shown = play(exact.game, experts, 3, labels=experts, rng=np.random.default_rng(0))
    for seat, moves in ((0, 5), (1, 4)):
        found = seen_of(exact, shown, seat)
        assert len(found) == moves and found.own.sum() == 0.0
        assert np.isclose(found.expert.sum(), 1.0) and np.allclose(found.expert.sum(1), 1 / moves)
        assert np.array_equal(found.known, found.expert > 0)
        assert found.kernel.sum() == moves - 1 and found.kernel.max() == 1.0
        assert np.allclose(found.visited, 1 / moves)


def test_own_games_show_the_process_that_the_seat_faces() -> None:
    """Their visits come to those of the exact process, and what follows is the reply of the other seat's expert."""
    exact, seat = model("tictactoe"), 0
    experts = expert.make("first", exact)
    rng = np.random.default_rng(0)
    seen = Seen(exact.game, seat)
    seen.add(play(exact.game, experts, 10, labels=experts, rng=rng), expert=True)
    seen.add(play(exact.game, (Uniform(), experts[1]), 1000, rng=rng), expert=False)
    found, process = seen.estimate(), facing("tictactoe", "first", seat)
    place = {tuple(key): row for row, key in enumerate(process.keys.tolist())}
    rows = np.array([place[tuple(key)] for key in seen.key.tolist()])
    wanted = process.visits(process.uniform)
    assert np.abs(found.own - wanted[rows] / wanted.sum()).max() < 0.01
    came = found.expert.sum(1) > 0
    labels = expert_rows("tictactoe", "first", seat)[rows]
    assert np.allclose(found.expert[came] / found.expert[came].sum(1, keepdims=True), labels[came])
    kernel = process.kernel.toarray().reshape(*process.legal.shape, len(process))[rows][:, :, rows]
    assert np.allclose(found.kernel.toarray().reshape(kernel.shape)[found.known], kernel[found.known])
    assert seen.games == 1000


def test_what_follows_a_cut_is_not_known_and_later_visits_count_less() -> None:
    exact = model("rps")
    experts = expert.make("uniform", exact)
    shown = play(exact.game, experts, 5, labels=experts, rng=np.random.default_rng(0))
    found, discount = seen_of(exact, shown, 0), exact.game.spec.discount
    assert np.isclose(found.expert.sum(), 1.0)
    assert found.kernel.max() <= discount + 1e-12
    one = play(exact.game, experts, 1, labels=experts, rng=np.random.default_rng(0))
    short = one.take(one.state[:, exact.game.spec.clock or 0] < 1) if exact.game.spec.clock is not None else one
    assert not seen_of(exact, short, 0).known.any(), "its only decision is the last that was played"


def test_labels_that_are_cut_off_end_no_game() -> None:
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    shown = play(exact.game, experts, 1, labels=experts, rng=np.random.default_rng(0))
    found = seen_of(exact, shown.first_labels(0, 3), 0)
    assert len(found) == 3 and found.known.any(1).tolist() == [True, True, False]


def test_batches_follow_positions() -> None:
    exact = model("tictactoe")
    experts = expert.make("uniform", exact)
    shown = play(exact.game, experts, 200, labels=experts, rng=np.random.default_rng(0))
    found = seen_of(exact, shown, 0)
    rows = np.array([0, 3, 3, 7])
    batch = batch_of(found, rows, np.full(4, 2.0))
    values = np.random.default_rng(1).normal(size=len(found)).astype(np.float32)
    place = [np.flatnonzero((found.observation == one).all((1, 2, 3)))[0] for one in batch.observation.numpy()]
    assert place[:4] == rows.tolist()
    wanted = (found.kernel @ values).reshape(found.legal.shape)[rows]
    assert np.allclose(batch.next(batch.expert.new_tensor(values[place])), wanted, atol=1e-6)
    assert np.allclose(batch.expert, found.expert[rows] / 2.0)
    assert np.array_equal(batch.known.numpy(), found.known[rows])
    assert games.make("tictactoe").spec.actions == batch.legal.shape[1]
