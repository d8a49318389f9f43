"""Cloning: what the labels say, every position alike, illegal actions out of it, and the same bits every time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from agents import expert
from agents.network import Architecture, NetworkPolicy
from agents.policy import Greedy, Uniform, tabulate, uniform_rows
from games import Board, GameGraph, NashmailError
from mail.clone.dataset import Demonstrations, demonstrations
from mail.clone.network import CloneConfig, _cross_entropy, _most_steps, clone
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.evaluation.gap import exploitability
from mail.parallel.streams import stream
from tests.support import position

SMALL = CloneConfig(architecture=Architecture(channels=8, convolutions=1, hidden=32), max_steps=100)


def reachable(model: GameGraph, seat: int, *, ties: str = "first") -> Decisions:
    """One labelled row for every decision this seat's expert can be led to."""
    table = tabulate(model, expert.make(ties, model)[seat], seat)
    profile = [uniform_rows(model.legal(0)), uniform_rows(model.legal(1))]
    profile[seat] = table
    rows = np.flatnonzero((model.reach((profile[0], profile[1])) > 0) & (model.seat == seat))
    return labelled(model, rows, table[rows], seat)


def labelled(model: GameGraph, rows: np.ndarray, label: np.ndarray, seat: int) -> Decisions:
    """Decisions at these rows of the graph, in games of their own."""
    states, n = model.states[rows], len(rows)
    return Decisions(
        seat=np.full(n, seat),
        episode=np.arange(n),
        state=states,
        key=model.game.key(states, seat),
        observation=model.game.observe(states, seat),
        legal=model.game.legal(states, seat),
        played=label.argmax(1),
        label=label.astype(np.float32),
        reward=np.zeros(n),
        next=np.full(n, -1),
        ended=np.ones(n, dtype=np.bool_),
    )


def bits(policy: object, model: GameGraph, seat: int) -> bytes:
    return tabulate(model, policy, seat).tobytes()  # type: ignore[arg-type]


# --- what is shown ---------------------------------------------------------------------------------------


def test_a_position_is_shown_once_with_its_mean_label(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    """The empty board three times, labelled corner, corner, centre; another position once."""
    rows = tictactoe_graph.index(
        np.concatenate([position(tictactoe, picture) for picture in ("...\n...\n...", "xo.\n...\n...")])
    )
    corner, centre, last = np.eye(9)[[0, 4, 8]]
    decisions = labelled(tictactoe_graph, rows[[0, 1, 0, 0]], np.array([corner, last, centre, corner]), 0)
    shown = demonstrations(decisions, 0)
    assert shown.mean.dtype == np.float32
    assert len(shown) == 2
    empty = int(np.flatnonzero(shown.legal.all(1))[0])
    np.testing.assert_allclose(shown.mean[empty], (2 * corner + centre) / 3, rtol=0, atol=1e-7)
    np.testing.assert_allclose(shown.mean[1 - empty], last, rtol=0, atol=0)
    for at, row in ((empty, rows[0]), (1 - empty, rows[1])):
        assert np.array_equal(shown.observation[at], tictactoe.observe(tictactoe_graph.states[[row]], 0)[0])
        assert np.array_equal(shown.legal[at], tictactoe_graph.legal_mask[row])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"total": np.zeros((1, 2), dtype=np.float32)}, "total of demonstrations is float64 with 1 rows"),
        ({"count": np.ones(2, dtype=np.int64)}, "count of demonstrations is int64 with 1 rows"),
        ({"total": np.zeros((1, 3))}, r"not \[1, 3\], \[1, 2\] and \[1, 2\]"),
    ],
)
def test_demonstrations_are_checked_where_they_are_made(changes: dict[str, Any], words: str) -> None:
    right: dict[str, Any] = {
        "state": np.zeros((1, 4), dtype=np.int64),
        "key": np.zeros((1, 2), dtype=np.uint64),
        "observation": np.zeros((1, 3), dtype=np.float32),
        "legal": np.ones((1, 2), dtype=np.bool_),
        "total": np.ones((1, 2)),
        "count": np.ones(1, dtype=np.int64),
    }
    assert len(Demonstrations(**right)) == 1
    with pytest.raises(NashmailError, match=words):
        Demonstrations(**{**right, **changes})


def test_only_the_seats_own_labelled_decisions_are_shown(tictactoe: Board, tictactoe_graph: GameGraph) -> None:
    experts = expert.make("first", tictactoe_graph)
    decisions = play(tictactoe, (Uniform(), Uniform()), 20, labels=(experts[0], None), rng=stream(0, "test"))
    shown = demonstrations(decisions, 0)
    assert len(shown) == decisions.distinct_labels()
    assert not np.isnan(shown.mean).any()
    for seat, part in (
        (1, decisions),
        (0, decisions.take(decisions.seat == 1)),
        (0, decisions.take(np.array([], int))),
    ):
        with pytest.raises(NashmailError, match=f"^seat {seat} has no labels to clone; raise the budget$"):
            demonstrations(part, seat)
        with pytest.raises(NashmailError, match="no labels to clone"):
            clone(tictactoe, part, seat, config=SMALL, rng=stream(0, "test"))


@pytest.mark.slow
@pytest.mark.equal_results
def test_how_often_a_position_was_seen_does_not_matter(tictactoe_graph: GameGraph) -> None:
    """A position shown 100 times weighs as one that was shown once: the clone is the same, bit for bit."""
    once = reachable(tictactoe_graph, 0)
    often = merge([once, *[once.take(np.array([7]))] * 99, once.take(np.arange(10, 20))])
    assert often.labels() == len(once) + 99 + 10
    clones = [clone(tictactoe_graph.game, part, 0, config=SMALL, rng=stream(1, "test")) for part in (once, often)]
    assert bits(clones[0].policy, tictactoe_graph, 0) == bits(clones[1].policy, tictactoe_graph, 0)


@pytest.mark.equal_results
def test_the_order_of_decisions_does_not_matter(tictactoe_graph: GameGraph) -> None:
    rows = reachable(tictactoe_graph, 0)
    turned = rows.take(np.random.default_rng(0).permutation(len(rows)))
    clones = [clone(tictactoe_graph.game, part, 0, config=SMALL, rng=stream(1, "test")) for part in (rows, turned)]
    assert bits(clones[0].policy, tictactoe_graph, 0) == bits(clones[1].policy, tictactoe_graph, 0)


# --- the loss --------------------------------------------------------------------------------------------


def test_illegal_actions_are_no_part_of_the_loss() -> None:
    """By hand: legal odds 1 : 3, labels on either or both; illegal logits change nothing and get no gradient."""
    legal = torch.tensor([[True, False, True], [True, True, True]])
    label = torch.tensor([[0.0, 0.0, 1.0], [0.5, 0.25, 0.25]])
    expected = (np.log(4 / 3) + np.log(3)) / 2
    for illegal in (0.0, 50.0, -50.0):
        logits = torch.tensor([[0.0, illegal, float(np.log(3.0))], [0.0, 0.0, 0.0]], requires_grad=True)
        loss = _cross_entropy(logits, legal, label)
        assert loss.item() == pytest.approx(expected, abs=1e-6)
        torch.autograd.backward(loss)
        assert logits.grad is not None
        assert logits.grad[0, 1] == 0
        probability = torch.tensor([[0.25, 0.0, 0.75], [1 / 3, 1 / 3, 1 / 3]])
        np.testing.assert_allclose(logits.grad, (probability - label) / 2, rtol=0, atol=1e-6)


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(0)
    legal = torch.from_numpy(rng.random((6, 5)) < 0.6) | (torch.arange(5) == 2)
    weights = torch.from_numpy(rng.random((6, 5))) * legal
    label = weights / weights.sum(1, keepdim=True)
    logits = torch.from_numpy(rng.normal(size=(6, 5))).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: _cross_entropy(values, legal, label), (logits,))


# --- the fit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seat", [0, 1])
def test_deterministic_labels_are_learned_to_tolerance(seat: int, tictactoe_graph: GameGraph) -> None:
    """And what the fit says of itself is what its policy does."""
    shown = reachable(tictactoe_graph, seat).take(np.arange(0, 81, 2))
    config = CloneConfig()
    fit = clone(tictactoe_graph.game, shown, seat, config=config, rng=stream(2, "test"))
    assert fit.steps < config.max_steps
    assert fit.worst <= config.tolerance
    assert fit.mean_tv <= config.mean_tolerance
    rows = fit.policy.probabilities(tictactoe_graph.game, shown.state, seat)
    assert rows[shown.label > 0].min() >= 1 - config.tolerance - 1e-6
    assert 0.5 * np.abs(rows - shown.label).sum(1).mean() == pytest.approx(fit.mean_tv, abs=1e-6)
    assert np.where(shown.label > 0, 0.0, rows).sum(1).max() == pytest.approx(fit.worst, abs=1e-6)


def test_mixed_labels_are_learned_as_mixtures(tictactoe_graph: GameGraph) -> None:
    """The mean of the answers, not the most frequent one."""
    shown = reachable(tictactoe_graph, 0, ties="uniform")
    shown = shown.take(np.argsort(-(shown.label > 0).sum(1), kind="stable")[:30])
    assert ((shown.label > 0).sum(1) > 1).all()
    config = replace(SMALL, architecture=Architecture(), mean_tolerance=0.01, max_steps=2000)
    fit = clone(tictactoe_graph.game, shown, 0, config=config, rng=stream(3, "test"))
    rows = fit.policy.probabilities(tictactoe_graph.game, shown.state, 0)
    assert 0.5 * np.abs(rows - shown.label).sum(1).mean() < 0.02


def test_steps_are_limited(tictactoe_graph: GameGraph) -> None:
    shown = reachable(tictactoe_graph, 1)
    fit = clone(tictactoe_graph.game, shown, 1, config=replace(SMALL, max_steps=7), rng=stream(4, "test"))
    assert fit.steps == 7
    assert fit.worst > SMALL.tolerance


@pytest.mark.parametrize(
    ("rows", "passes", "most"),
    [(100_000, 0, 6000), (100, 0, 6000), (100, 20, 1000), (25_600, 20, 2000), (10**6, 9, 6000)],
)
def test_few_rows_are_not_shown_for_ever(rows: int, passes: int, most: int) -> None:
    assert _most_steps(rows, CloneConfig(batch=256, max_steps=6000, passes=passes)) == most


def test_smoothed_labels_are_learned_and_the_fit_is_measured_against_the_labels(tictactoe_graph: GameGraph) -> None:
    """A tenth of every label over the legal actions: that much is left beside the expert's action, and reported."""
    rows = np.flatnonzero((tictactoe_graph.seat == 0) & (tictactoe_graph.legal(0).sum(1) == 5))[:6]
    best = np.eye(9)[tictactoe_graph.legal(0)[rows].argmax(1)]
    shown = labelled(tictactoe_graph, rows, best, 0)
    config = replace(SMALL, smoothing=0.1, max_steps=100, learning_rate=2e-2)
    found = clone(tictactoe_graph.game, shown, 0, config=config, rng=stream(0, "test"))
    given = found.policy.probabilities(tictactoe_graph.game, shown.state, 0)[best > 0]
    assert np.abs(given - 0.92).max() < 0.02
    assert found.worst == pytest.approx(1.0 - given.min(), abs=1e-6)


def test_averaged_weights_are_those_of_the_steps(tictactoe_graph: GameGraph) -> None:
    """After one step that step's; after two their mean, not the last; with hardly any memory the last."""
    shown = reachable(tictactoe_graph, 0)

    def weights(steps: int, averaging: float) -> list[torch.Tensor]:
        config = replace(SMALL, max_steps=steps, averaging=averaging, learning_rate=1e-3)
        policy = clone(tictactoe_graph.game, shown, 0, config=config, rng=stream(0, "test")).policy
        assert isinstance(policy, NetworkPolicy)
        return [parameter.detach() for parameter in policy.net.parameters()]

    first, second = weights(1, 0.0), weights(2, 0.0)
    for one, average in zip(first, weights(1, 0.9), strict=True):
        assert torch.equal(one, average)
    for one, two, average, newest in zip(first, second, weights(2, 0.9), weights(2, 1e-9), strict=True):
        assert torch.allclose(average, (one + two) / 2, atol=1e-7)
        assert torch.allclose(newest, two, atol=1e-6)


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_options_outside_of_their_range_are_refused(value: float) -> None:
    with pytest.raises(NashmailError, match="smoothing of a clone is 0 or more and less than 1"):
        CloneConfig(smoothing=value)
    with pytest.raises(NashmailError, match="averaging of a clone is 0 or more and less than 1"):
        CloneConfig(averaging=value)


@pytest.mark.slow
def test_batches_are_drawn_where_there_are_more_positions_than_that(tictactoe_graph: GameGraph) -> None:
    """With 32 of 81 rows a step it still learns all of them, and other draws give other clones."""
    shown = reachable(tictactoe_graph, 0)
    config = CloneConfig(batch=32)
    fits = [clone(tictactoe_graph.game, shown, 0, config=config, rng=stream(seed, "test")) for seed in (0, 0, 1)]
    assert max(fit.worst for fit in fits) <= config.tolerance
    tables = [bits(fit.policy, tictactoe_graph, 0) for fit in fits]
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.slow
def test_low_precision_learns_the_same_labels(tictactoe_graph: GameGraph) -> None:
    """To tolerance as measured in single precision, repeatably, and the weights it leaves are as others leave them."""
    shown = reachable(tictactoe_graph, 0)
    config = CloneConfig(precision="bfloat16")
    fits = [clone(tictactoe_graph.game, shown, 0, config=config, rng=stream(0, "test")) for _ in range(2)]
    assert fits[0].worst <= config.tolerance
    tables = [bits(fit.policy, tictactoe_graph, 0) for fit in fits]
    assert tables[0] == tables[1]
    full = clone(tictactoe_graph.game, shown, 0, config=CloneConfig(), rng=stream(0, "test"))
    assert tables[0] != bits(full.policy, tictactoe_graph, 0)
    assert isinstance(fits[0].policy, NetworkPolicy)
    for parameter in fits[0].policy.net.parameters():
        assert parameter.dtype == torch.float32 and parameter.is_contiguous()


@pytest.mark.equal_results
def test_a_clone_follows_from_its_generator_alone(tictactoe_graph: GameGraph) -> None:
    """Neither torch's global generator nor the number of threads matters, and both are left as they were."""
    shown = reachable(tictactoe_graph, 0)
    before = torch.get_num_threads()
    tables: list[bytes] = []
    try:
        for seed, threads in ((0, 1), (0, 2), (1, 1)):
            torch.set_num_threads(threads)
            torch.manual_seed(len(tables))
            state = torch.random.get_rng_state()
            fit = clone(tictactoe_graph.game, shown, 0, config=SMALL, rng=stream(seed, "test"))
            tables.append(bits(fit.policy, tictactoe_graph, 0))
            assert torch.equal(torch.random.get_rng_state(), state)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.slow
@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("seat", [0, 1])
def test_a_clone_of_all_there_is_to_know_cannot_be_beaten(
    seat: int, symmetry: bool, tictactoe_graph: GameGraph, quotient_graph: GameGraph
) -> None:
    """All 81 or 426 decisions, or as many as there are up to symmetry: the greedy clone is exactly minimax."""
    model = quotient_graph if symmetry else tictactoe_graph
    shown = reachable(model, seat)
    assert symmetry or len(shown) == (81, 426)[seat]
    policy = clone(model.game, shown, seat, config=CloneConfig(), rng=stream(5, "test")).policy
    assert 0 <= exploitability(model, tabulate(model, policy, seat), seat) < 0.02
    assert exploitability(model, tabulate(model, Greedy(policy), seat), seat) == 0.0
