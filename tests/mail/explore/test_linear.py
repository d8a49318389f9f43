"""Linear exploration and its tabular twin: the algebra against direct computations, and where exploring leads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agents import expert
from agents.policy import Uniform, query
from games.base import NashmailError
from games.markov.dynamics import Dynamics
from games.markov.game import Linear as Features
from games.markov.game import MarkovGame, Views
from games.markov.model import MarkovModel
from mail import explore
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.evaluation.gap import nash_gap
from mail.explore import ExplorerContext
from mail.explore.linear import REFERENCE, Gram, LinearConfig, LinearExplorer
from mail.explore.process import SeatTransitions
from mail.explore.tabular import TabularConfig, TimeAwareTabular, optimistic_values
from mail.learners.base import make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Learned, Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from mail.parallel.streams import stream
from tests.mail.markov_cases import experts, ring, turns
from tests.support import graph as board_graph


def linear(model: MarkovModel, seat: int, config: LinearConfig | None = None) -> LinearExplorer:
    context = ExplorerContext(model.game, seat, experts(model))
    return LinearExplorer(context, config or LinearConfig(), rng=stream(0, "test"))


def watched(model: MarkovModel, seat: int, episodes: int, seed: int = 0) -> Decisions:
    """Uniform play of one seat against the other's expert."""
    pair = experts(model)
    seats = (Uniform(), pair[1]) if seat == 0 else (pair[0], Uniform())
    return play(model.game, seats, episodes, rng=stream(seed, "test/play"))


def rotation(d: int, seed: int = 0) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def recoded(model: MarkovModel, turn: np.ndarray) -> MarkovModel:
    """The same game with features M phi."""
    game = model.game
    assert game.linear is not None
    first, second = (phi @ turn.T for phi in game.linear.features)
    dynamics = Dynamics(
        game.rewards, game.transitions, game.initial, game.spec.discount, horizon=game.horizon, episode=game.episode
    )
    return MarkovModel(MarkovGame("test-recoded", dynamics, Views(linear=Features((first, second)))))


# --- Lambda ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ridge", [1e-4, 0.1, 3.0])
@pytest.mark.parametrize("block", [1, 7])
def test_updates_of_the_inverse_agree_with_inverting(ridge: float, block: int) -> None:
    phi = torch.from_numpy(np.random.default_rng(0).normal(size=(70, 9)))
    gram = Gram(9, ridge)
    for start in range(0, 70, block):
        gram.add(phi[start : start + block])
    gram.add(phi[:0])
    direct = ridge * torch.eye(9, dtype=torch.float64) + phi.T @ phi
    np.testing.assert_allclose(gram.inverse, torch.linalg.inv(direct), rtol=1e-7, atol=1e-10)
    assert gram.log_det == pytest.approx(float(torch.logdet(direct)), abs=1e-7)


def test_the_norm_of_one_hot_features_counts() -> None:
    """1 / sqrt(lambda + n), all of them in one product."""
    counts = np.array([0, 1, 2, 5, 40])
    gram = Gram(5, 0.3)
    gram.add(torch.eye(5, dtype=torch.float64)[torch.from_numpy(np.repeat(np.arange(5), counts))])
    np.testing.assert_allclose(gram.norm(torch.eye(5, dtype=torch.float64)), 1 / np.sqrt(0.3 + counts), rtol=1e-10)


@pytest.mark.parametrize("ridge", [1.0, 2.5])
def test_the_elliptical_potential_is_bounded_by_the_determinant(ridge: float) -> None:
    """sum of min(1, |phi|^2) <= 2 log(det Lambda / det lambda I)."""
    gram, total = Gram(6, ridge), 0.0
    for row in torch.from_numpy(np.random.default_rng(1).normal(size=(200, 6))):
        total += min(1.0, float(gram.norm(row[None])[0]) ** 2)
        gram.add(row[None])
    grown = gram.log_det - 6 * np.log(ridge)
    assert total <= 2 * grown
    assert total > 0.5 * grown, "the bound is not vacuous"


@pytest.mark.parametrize("ridge", [0.0, -1.0, float("nan")])
def test_without_a_ridge_the_first_regression_is_singular(ridge: float) -> None:
    with pytest.raises(NashmailError, match=r"the regression is singular; give a ridge above 0$") as error:
        linear(ring(), 0, LinearConfig(ridge=ridge))
    assert "\n" not in str(error.value)


# --- the backups -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [None, 5])
@pytest.mark.parametrize("seat", [0, 1])
def test_backups_agree_with_a_plain_computation(seat: int, horizon: int | None) -> None:
    """The recursion of the module's docstring, one try at a time, Lambda inverted directly; tries of step h only
    where positions carry the step."""
    model = ring(horizon=horizon)
    game, decisions = model.game, watched(model, seat, 12)
    config = LinearConfig(ridge=0.5, beta=1.5)
    explorer = linear(model, seat, config)
    explorer.update(decisions, rng=stream(0, "test"))
    assert game.linear is not None
    phi, steps = game.linear.features[seat], game.episode
    own = decisions.take(decisions.seat == seat)
    tries = [
        (int(s), int(t), int(a), int(own.state[after, 0]) if after >= 0 else None)
        for (s, t), a, after in zip(own.state, own.played, own.next, strict=True)
        if after >= 0 or horizon is not None
    ]
    values = np.zeros(game.states)
    for step in reversed(range(steps)):
        used = [entry for entry in tries if horizon is None or entry[1] == step]
        gram = 0.5 * np.eye(phi.shape[2]) + sum(np.outer(phi[s, a], phi[s, a]) for s, _, a, _ in used)
        inverse = np.linalg.inv(gram)
        right = sum(
            (phi[s, a] * (values[after] if after is not None else 0.0) for s, _, a, after in used), np.zeros(len(gram))
        )
        bonus = np.minimum(1.5 * np.sqrt(np.einsum("sad,de,sae->sa", phi, inverse, phi)), steps)
        q = np.minimum(np.maximum(phi @ (inverse @ right), 0.0) + bonus / steps + bonus, steps - step)
        found = explorer.behavior_policy().values(torch.from_numpy(phi), step)  # type: ignore[attr-defined]
        np.testing.assert_allclose(found, q, rtol=1e-9, atol=1e-9)
        values = q.max(1)


def test_one_hot_weights_are_shrunk_means() -> None:
    """w = n / (n + lambda) times the mean of what followed; at the step before the last, V is the last bonus."""
    model = ring()
    explorer = linear(model, 0, LinearConfig(ridge=2.0, beta=0.7))
    decisions = watched(model, 0, 30)
    explorer.update(decisions, rng=stream(0, "test"))
    own = decisions.take(decisions.seat == 0)
    tried = own.take(own.next >= 0)
    cell = tried.state[:, 0] * 2 + tried.played
    count = np.bincount(cell, minlength=12)
    last = np.minimum(0.7 / np.sqrt(2.0 + count) * (1 + 1 / 8), 1.0).reshape(6, 2).max(1)
    total = np.bincount(cell, weights=last[own.state[own.next[own.next >= 0], 0]], minlength=12)
    mean = np.divide(total, count, out=np.zeros(12), where=count > 0)
    weights = explorer.behavior_policy().weights[6].numpy()  # type: ignore[attr-defined]
    np.testing.assert_allclose(weights, count / (count + 2.0) * mean, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("horizon", [None, 5])
def test_an_orthogonal_recoding_changes_nothing(horizon: int | None) -> None:
    model = ring(horizon=horizon)
    assert model.game.linear is not None
    turn = rotation(12)
    phi = torch.from_numpy(model.game.linear.features[0])
    plain, moved = linear(model, 0), linear(recoded(model, turn), 0)
    for explorer in (plain, moved):
        explorer.update(watched(model, 0, 15), rng=stream(0, "test"))
    for step in range(model.game.episode):
        q = plain.behavior_policy().values(phi, step)  # type: ignore[attr-defined]
        again = moved.behavior_policy().values(phi @ torch.from_numpy(turn.T), step)  # type: ignore[attr-defined]
        np.testing.assert_allclose(again, q, rtol=0, atol=1e-6)


def test_one_hot_linear_exploration_is_tabular_exploration() -> None:
    """With a ridge that shrinks next to nothing, and the tabular bonus as the linear one has it."""
    model = ring()
    decisions = watched(model, 1, 20)
    explorer = linear(model, 1, LinearConfig(ridge=1e-7, beta=0.2))
    explorer.update(decisions, rng=stream(0, "test"))
    table = TimeAwareTabular(ExplorerContext(model.game, 1, experts(model)), TabularConfig(beta=0.2 * (1 + 1 / 8)))
    table.update(decisions, rng=stream(0, "test"))
    q, tries = optimistic_values(table.seen.legal, *table.seen.edges, 8, table.config)
    assert (tries > 0).all(), "all of it was tried"
    assert model.game.linear is not None
    order = table.seen.keys[:, 0].astype(int)
    phi = torch.from_numpy(model.game.linear.features[1][order])
    for step in range(8):
        found = explorer.behavior_policy().values(phi, step)  # type: ignore[attr-defined]
        np.testing.assert_allclose(found, q[step], rtol=1e-4, atol=1e-5)


# --- tries -----------------------------------------------------------------------------------------------


def test_a_decision_after_which_play_is_cut_is_no_try() -> None:
    """In a discounted game the last decision's outcome is not seen; with a horizon the game is over, which is."""
    for horizon, expected in ((None, 7), (8, 8)):
        model = ring(horizon=horizon)
        tried = SeatTransitions.of(model.game, watched(model, 0, 3), 0)
        assert len(tried.rows) == 3 * expected
        assert (tried.lasted == 1).all()
        assert ((tried.following < 0).sum() == 3) == (horizon is not None)


def test_a_game_that_ends_by_itself_is_over_whatever_the_discount() -> None:
    """One step to the end: the only decision of each game is a try that leads nowhere."""
    kernel = np.zeros((2, 2, 2, 2))
    kernel[..., 1] = 1.0
    legal = np.array([[True, True], [False, False]])
    rewards = np.zeros((2, 2, 2))
    game = MarkovGame(
        "test-once", Dynamics(rewards, kernel, np.array([1.0, 0.0]), discount=0.9, episode=6, legal=(legal, legal))
    )
    tried = SeatTransitions.of(game, play(game, (Uniform(), Uniform()), 4, rng=stream(0, "test")), 1)
    assert tried.following.tolist() == [-1] * 4


def test_where_seats_take_turns_a_try_lasts_until_the_next_own_decision() -> None:
    model = turns()
    decisions = watched(model, 0, 20)
    tried, own = SeatTransitions.of(model.game, decisions, 0), decisions.take(decisions.seat == 0)
    assert tried.lasted.max() > 1
    assert np.array_equal(own.state[tried.rows, 1] + tried.lasted, own.state[tried.following, 1])


def test_optimistic_values_against_numbers_worked_out_by_hand() -> None:
    """Three steps. Position 0: action 0 led to 1 twice, action 1 to nothing seen. Position 1: action 0 back to 0, which
    took two steps, action 1 was never tried."""
    legal = np.array([[True, True], [True, True]])
    edges = np.array([[0, 0, 1, 1], [0, 1, -1, 1], [1, 0, 0, 2]])
    q, tries = optimistic_values(legal, edges, np.array([2, 1, 1]), 3, TabularConfig(beta=0.5))
    twice, once = 0.5 / np.sqrt(2), 0.5
    assert tries.tolist() == [[2, 1], [1, 0]]
    np.testing.assert_allclose(q[2], [[twice, once], [once, 1.0]])
    np.testing.assert_allclose(q[1], [[twice + 1.0, once], [once, 2.0]])
    np.testing.assert_allclose(q[0], [[twice + 2.0, once], [once + once, 3.0]])


# --- behavior -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", explore.names())
@pytest.mark.parametrize("case", ["ring", "horizon", "turns"])
def test_explorers_play_markov_games(name: str, case: str) -> None:
    """Chance, simultaneous moves, seats that rest: legal play before and after learning, and a step further on."""
    model = {"ring": ring(), "horizon": ring(horizon=5), "turns": turns()}[case]
    if name in ("refute", "respond", "mistakes", "doubt", "deep-respond", "deep-unsure"):
        with pytest.raises(NashmailError, match=r"needs the exact model|no board"):
            explore.make(name, ExplorerContext(model.game, 0, experts(model)), rng=stream(0, "test"))
        return
    for seat in (0, 1):
        explorer = explore.make(name, ExplorerContext(model.game, seat, experts(model)), rng=stream(0, "test"))
        for number in range(3):
            pair = explorer.behavior_policy(), explorer.opponent_policy()
            seats = (pair[0], pair[1]) if seat == 0 else (pair[1], pair[0])
            decisions = play(model.game, seats, 2, rng=stream(0, "test/play", round_=number))
            explorer.update(decisions, rng=stream(0, "test/update", round_=number))
            for step in (0, model.game.episode - 1):
                states = np.stack([np.arange(model.game.states), np.full(model.game.states, step)], axis=1)
                query(explorer.behavior_policy(), model.game, states, seat)


def explored(name: str, model: MarkovModel, seat: int, episodes: int) -> Decisions:
    collector = Collector("mail", model.game, 0)
    learner = Mail(Options(seed=0, explorer=name))
    return learner.explore(collector, experts(model), Budget(episodes, patience_games=10**9), seat).decisions


def corridor() -> MarkovModel:
    """Seat 0 walks twelve cells; one of its two actions goes back to the start, which one differs from cell to cell."""
    cells, forward = 12, np.random.default_rng(4).integers(0, 2, 12)
    kernel = np.zeros((cells, 2, 1, cells))
    for s in range(cells):
        kernel[s, forward[s], 0, min(s + 1, cells - 1)] = 1.0
        kernel[s, 1 - forward[s], 0, 0] = 1.0
    phi = np.eye(2 * cells).reshape(cells, 2, -1)
    linear_map = Features((phi, phi))
    start = np.eye(cells)[0]
    return MarkovModel(
        MarkovGame(
            "test-corridor",
            Dynamics(np.zeros((cells, 2, 1)), kernel, start, discount=0.9, episode=14),
            Views(linear=linear_map),
        )
    )


def test_directed_exploration_walks_a_corridor_that_random_play_does_not() -> None:
    model = corridor()
    seen = {
        name: len(np.unique(explored(name, model, 1, 24).key[:, 0]))
        for name in ("linear", "tabular", "uniform", "linear-reference")
    }
    assert seen["linear"] == seen["tabular"] == 12
    assert seen["uniform"] < 12
    assert seen["linear-reference"] < 12, "its constants make exploration uniform"


def test_the_reference_constants_leave_nearly_every_value_at_its_cap() -> None:
    model = ring()
    explorer = linear(model, 0, REFERENCE)
    decisions = watched(model, 0, 10)
    explorer.update(decisions, rng=stream(0, "test"))
    assert model.game.linear is not None
    q = explorer.behavior_policy().values(torch.from_numpy(model.game.linear.features[0]), 0)  # type: ignore[attr-defined]
    assert (q == model.game.episode).all()


def test_nothing_of_the_size_of_the_state_space_is_touched() -> None:
    """The features of visited positions alone are asked for."""
    model = turns(states=400)
    asked: list[int] = []
    plain = MarkovGame.features

    def counted(self: MarkovGame, states: np.ndarray, seat: int) -> np.ndarray:
        asked.append(len(states))
        return plain(self, states, seat)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MarkovGame, "features", counted)
        explored("linear", model, 0, 5)
    assert max(asked) <= model.game.episode


# --- learners --------------------------------------------------------------------------------------------


def learn(name: str, model: MarkovModel, budget: Budget, **options: object) -> Learned:
    learner = make_learner(name, Options(**options))  # type: ignore[arg-type]
    return learner.learn(model.game, experts(model), budget, pool=Local(), journal=NullJournal())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tolerance"), [("mail-tabular", 1e-6), ("mail-linear", 1e-3)])
def test_mail_reaches_the_equilibrium_of_a_game_with_chance(name: str, tolerance: float) -> None:
    model = ring()
    learned = learn(name, model, Budget(30))
    assert learned.cloner == name.partition("-")[2]
    assert nash_gap(model, learned.policies).nash_gap <= tolerance


@pytest.mark.parametrize("name", ["bc-linear", "bc-tabular"])
def test_bc_spends_its_labels_and_is_exploitable_where_experts_do_not_go(name: str) -> None:
    model = corridor()
    learned = learn(name, model, Budget(40, labels=(50, 50)))
    assert [part.take(part.seat == seat).labels() for seat, part in enumerate(learned.decisions)] == [50, 50]


def test_an_answer_may_be_one_drawn_action() -> None:
    learned = learn("mail-tabular", ring(), Budget(3), sample_labels=True)
    for seat, part in enumerate(learned.decisions):
        rows = part.label[part.queried & (part.seat == seat)]
        assert ((rows == 0) | (rows == 1)).all()
        assert (rows.sum(1) == 1).all()


def test_drawn_answers_need_the_expert_to_play_what_it_is_asked() -> None:
    model = board_graph("tictactoe")
    learner = make_learner("mail", Options(explorer="refute", sample_labels=True, model=model))
    with pytest.raises(NashmailError, match="lets a clone play, so labels cannot be sampled by play"):
        learner.learn(model.game, expert.make("first", model), Budget(3), pool=Local(), journal=NullJournal())
