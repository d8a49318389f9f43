"""The n-tuple cloner: gradients against differences, labels it learns, and learning on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.expert import make as make_expert
from agents.ntuple import Grid, NtuplePolicy
from agents.policy import greedy_rows, tabulate
from games.base import GameError, NashmailError
from games.registry import make
from games.symmetry import Quotient
from mail.clone import registry as cloners
from mail.clone.dataset import Demonstrations
from mail.clone.ntuple import NtupleClone, NtupleTrainer, Rows, clone_ntuple, suitable_length
from mail.evaluation.gap import exploitability
from tests.support import PENNIES, game, graph


def shown(name: str, seat: int, *, share: float = 1.0, ties: str = "first") -> Demonstrations:
    """An expert's labels at some of a seat's positions, drawn."""
    model = graph(name)
    rows = np.flatnonzero(model.legal(seat).any(1))
    rows = np.random.default_rng(1).permutation(rows)[: int(share * len(rows))]
    board, states = model.game, model.states[rows]
    label = make_expert(ties, model)[seat].probabilities(board, states, seat)
    views = states, board.key(states, seat), board.observe(states, seat), board.legal(states, seat)
    return Demonstrations(*views, label, np.ones(len(rows), dtype=np.int64))


def fitted(name: str, seat: int, config: NtupleClone, **settings: object) -> NtuplePolicy:
    data = shown(name, seat, **settings)  # type: ignore[arg-type]
    policy = clone_ntuple(graph(name).game, data, config, rng=np.random.default_rng(3)).policy
    assert isinstance(policy, NtuplePolicy)
    return policy


def same(one: NtuplePolicy, other: NtuplePolicy) -> bool:
    return all(np.array_equal(array, other.arrays()[name]) for name, array in one.arrays().items())


@pytest.mark.parametrize("seat", [0, 1])
def test_it_learns_what_it_is_shown_and_more(seat: int) -> None:
    """Half of the labels of Tic-Tac-Toe make a clone that cannot be exploited."""
    model = graph("tictactoe")
    table = tabulate(model, fitted("tictactoe", seat, NtupleClone(), share=0.5), seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) < 0.02


@pytest.mark.equal_results
def test_the_same_seed_gives_the_same_bits() -> None:
    config = NtupleClone(tuples=10)
    assert same(fitted("tictactoe", 0, config, share=0.2), fitted("tictactoe", 0, config, share=0.2))


@pytest.mark.parametrize("sets", [False, True])
def test_the_gradient_is_the_difference_quotient(sets: bool) -> None:
    from agents.ntuple_kernels import needs_update, softmax

    rng = np.random.default_rng(0)
    logits, legal = rng.normal(size=5), np.array([True, True, False, True, True])
    label = np.array([0.7, 0.0, 0.0, 0.3, 0.0], dtype=np.float32)
    probability, gradient = np.empty(5), np.empty(5)

    def loss(at: np.ndarray) -> float:
        softmax(at, legal, probability)
        inside = label > 0
        return float(
            -np.log(probability[inside].sum()) if sets else -(label[inside] * np.log(probability[inside])).sum()
        )

    for action in range(5):
        step = 1e-6 * np.eye(5)[action]
        expected = (loss(logits + step) - loss(logits - step)) / 2e-6
        softmax(logits, legal, probability)
        needs_update(probability, label, 0.01, 0.1, sets, gradient)
        assert abs(gradient[action] - expected) < 1e-6


def test_rows_teach_while_they_are_far_from_their_label() -> None:
    from agents.ntuple_kernels import needs_update

    label, scratch = np.array([0.5, 0.5, 0.0], dtype=np.float32), np.empty(3)
    inside = np.array([0.9, 0.1, 0.0])
    assert needs_update(inside, label, 0.01, 0.1, False, scratch)
    assert not needs_update(inside, label, 0.01, 0.5, False, scratch)
    assert not needs_update(inside, label, 0.01, 0.1, True, scratch)
    assert needs_update(np.array([0.5, 0.4, 0.1]), label, 0.01, 0.5, True, scratch)


def test_sets_are_learned_as_sets_and_distributions_as_distributions() -> None:
    model, seat = graph("tictactoe"), 0
    data = shown("tictactoe", seat, share=0.3, ties="uniform")
    for sets in (True, False):
        fit = clone_ntuple(model.game, data, NtupleClone(sets=sets), rng=np.random.default_rng(0))
        rows = fit.policy.probabilities(model.game, data.state, seat)
        assert np.where(data.distribution > 0, rows, 0.0).sum(1).min() > 0.98
        far = 0.5 * np.abs(rows - data.distribution).sum(1)
        assert (far.max() < 0.11) is not sets, "a distribution is met everywhere, within a set anything goes"


def test_images_are_one_row_with_the_mean_of_their_labels() -> None:
    board, grid = game("connect4:4x4"), Grid.of(game("connect4:4x4"))
    start = board.start(1, rng=np.random.default_rng(0))
    left = board.step(start, np.array([[0, -1]]), rng=np.random.default_rng(0))[0]
    right = board.step(start, np.array([[3, -1]]), rng=np.random.default_rng(0))[0]
    states = np.concatenate([left, right])
    views = states, board.key(states, 1), board.observe(states, 1), board.legal(states, 1)
    count = np.ones(2, dtype=np.int64)
    rows = Rows.of(Demonstrations(*views, np.eye(4)[[0, 0]], count), grid)
    assert len(rows.label) == 1
    assert sorted(rows.label[0].tolist()) == [0.0, 0.0, 0.5, 0.5]
    views = start, board.key(start, 0), board.observe(start, 0), board.legal(start, 0)
    rows = Rows.of(Demonstrations(*views, np.eye(4)[[1]], count[:1]), grid)
    assert rows.label.tolist() == [[0.0, 0.5, 0.5, 0.0]], "the empty board is its own image"
    alone = Grid.of(board, tied=False)
    assert Rows.of(Demonstrations(*views, np.eye(4)[[1]], count[:1]), alone).label.tolist() == [[0.0, 1.0, 0.0, 0.0]]


def test_what_was_learned_is_learned_on() -> None:
    model, seat = graph("tictactoe"), 1
    few, more = shown("tictactoe", seat, share=0.1), shown("tictactoe", seat, share=0.6)
    rng = np.random.default_rng(0)
    trainer = NtupleTrainer(model.game, NtupleClone(sets=True), rng=rng)
    first = trainer.train(few, rng=rng)
    assert isinstance(first.policy, NtuplePolicy)
    before = first.policy.weights.copy()
    second = trainer.train(more, rng=rng)
    assert isinstance(second.policy, NtuplePolicy) and len(second.policy.codes) > len(first.policy.codes)
    assert second.worst < 0.02
    assert np.array_equal(first.policy.weights, before), "a frozen policy stays as it is"
    assert trainer.train(more, rng=rng).steps == 1, "nothing is left to learn"


def test_it_learns_up_to_symmetry_and_on_boards_of_others() -> None:
    quotient = Quotient(game("tictactoe"))
    data = shown("quotient:tictactoe", 0, share=0.3)
    fit = clone_ntuple(quotient, data, NtupleClone(), rng=np.random.default_rng(0))
    rows = fit.policy.probabilities(quotient, data.state, 0)
    assert fit.worst < 0.02
    assert np.where(data.distribution > 0, rows, 0.0).sum(1).min() > 0.2, "images of a move share its probability"
    assert Grid.of(make("openspiel:tic_tac_toe")) == Grid.of(game("tictactoe"))


def bad(change: str) -> Demonstrations:
    data = shown("tictactoe", 0, share=0.01)
    total = data.total.copy()
    if change == "empty":
        total[3] = 0.0
    elif change == "not legal":
        total[2] = ~data.legal[2]
    else:
        total[0] = np.nan
    return replace(data, total=total)


@pytest.mark.parametrize(
    ("change", "says"),
    [("empty", "label 3 is empty"), ("not legal", "label 2 takes action . which is not legal"), ("nan", "not finite")],
)
def test_labels_that_are_none_are_refused(change: str, says: str) -> None:
    with pytest.raises(NashmailError, match=says.replace(". w", "., w")):
        clone_ntuple(game("tictactoe"), bad(change), NtupleClone(), rng=np.random.default_rng(0))


@pytest.mark.parametrize("values", [{"rate": 0.0}, {"passes": 0}, {"tolerance": float("nan")}, {"length": -1}])
def test_numbers_that_train_nothing_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(NashmailError, match="n-tuple clones need"):
        NtupleTrainer(game("tictactoe"), NtupleClone(**values), rng=np.random.default_rng(0))  # type: ignore[arg-type]


def test_games_without_cells_are_refused() -> None:
    with pytest.raises((NashmailError, GameError), match="is no board"):
        cloners.check("ntuple", PENNIES)
    cloners.check("ntuple", game("tictactoe"))


def test_tuples_have_a_third_of_the_cells() -> None:
    sizes = {
        name: suitable_length(Grid.of(make(name)))
        for name in ("tictactoe:2x2:2", "tictactoe", "connect4:4x4", "connect4")
    }
    assert list(sizes.values()) == [4, 5, 6, 10]
