"""Deep responses: their rewards by enumeration, their values against the exact model, and where they end."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from agents.ntuple import NtuplePolicy
from agents.policy import Greedy, Uniform, greedy_rows, sample, tabulate
from games import GameGraph, NashmailError, make
from mail import explore
from mail.clone.posterior import Answers
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.evaluation.gap import exploitability
from mail.explore import ExplorerContext
from mail.explore.learned.deep import DeepRespond, DeepResponse, DeepResponseConfig, DeepUnsure, squared_error
from mail.explore.learned.seen import UNSEEN, SeenMoves
from mail.explore.learned.values import Critic, CriticConfig, worth
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case, first_experts
from tests.support import graph

EXPLORERS = {"deep-unsure": DeepUnsure, "deep-respond": DeepRespond}


def explored(name: str, model: GameGraph, seat: int, seed: int = 0) -> tuple[DeepResponse, Decisions]:
    """The explorer when it is done, and all decisions."""
    case = Case(name, 1 - seat, model)
    context = ExplorerContext(case.game, 1 - seat, case.experts())
    explorer = EXPLORERS[name](context, DeepResponseConfig(), rng=stream(seed, "test/deep"))
    rounds: list[Decisions] = []
    while not explorer.done and len(rounds) < 1000:
        rounds.append(case.round(explorer, len(rounds), seed))
        explorer.update(rounds[-1], rng=stream(seed, "test/update", round_=len(rounds)))
    assert explorer.done
    return explorer, merge(rounds)


@cache
def all_seen(model: GameGraph, seat: int) -> tuple[SeenMoves, np.ndarray]:
    """All moves of a game, and a deterministic policy [P] of one seat at the positions seen."""
    seen = SeenMoves(model.game)
    number = 0
    while not len(seen) or (seen.successor == UNSEEN)[seen.legal].any():
        seen.add(play(model.game, (Uniform(), Uniform()), 200, rng=stream(number, "test/all")))
        number += 1
    return seen, sample(seen.legal.astype(np.float64), rng=stream(seat, "test/answers"))


# --- rewards and values ----------------------------------------------------------------------------------


def test_the_reward_is_the_mean_squared_distance_over_an_ensemble_of_draws() -> None:
    """Of two actions exactly, of more an upper bound; 0 where the clone is sure or has no choice."""
    values = np.array([[0.6, 0.1, -np.inf], [0.1, 0.6, 0.4], [0.0, 0.0, 0.0], [-np.inf, 0.2, -np.inf]])
    deviation = np.array([0.5, 0.3, 1.0, 1.0])
    noise = stream(0, "test/draws").standard_normal((40_000, *values.shape))
    best = (values + deviation[:, None] * noise).argmax(2)
    means = 2.0 * (best != values.argmax(1)).mean(0)  # |mu_E - mu|^2 of two unit vectors is 2 where they differ
    found = squared_error(Answers(values, deviation))
    assert abs(found[0] - means[0]) < 0.02
    assert (found >= means - 0.02).all() and found[1] < means[1] + 0.2
    assert found[3] == 0.0 and (found <= 2.0).all()
    assert (squared_error(Answers(values[:2], np.zeros(2))) == 0.0).all()


@pytest.mark.parametrize("seat", [0, 1])
def test_values_of_seen_moves_are_those_of_the_exact_best_response(seat: int) -> None:
    model = graph("tictactoe:2x3")
    seen, answers = all_seen(model, seat)
    policy = np.zeros((len(model.states), model.game.spec.actions))
    policy[model.index(seen.states), answers] = 1.0
    response = model.respond(1 - seat, policy)
    own_view = np.where((seen.seat == 1 - seat)[:, None], seen.payoff, -seen.payoff)
    moves, none = seen.moves(seat, answers), np.zeros(len(seen))
    found = worth(seen, moves, none, own_view, np.full(moves.shape, np.nan))
    assert found.positions[0] == (1 - 2 * (1 - seat)) * response.value
    own = seen.seat == 1 - seat
    sign = 1 - 2 * (1 - seat)
    assert np.array_equal(found.positions[own], sign * response.values[model.index(seen.states[own])])


def test_rewards_are_summed_along_the_best_line() -> None:
    """By enumeration: the largest sum of rewards over all lines of play against fixed answers."""
    model, seat = graph("tictactoe:2x3"), 0
    seen, answers = all_seen(model, seat)
    rewards = np.where(seen.seat == seat, stream(0, "test/rewards").random(len(seen)), 0.0)
    moves = seen.moves(seat, answers)
    found = worth(seen, moves, rewards, np.zeros(moves.shape), np.full(moves.shape, np.nan))

    def most(place: int) -> float:
        after = seen.successor[place][moves[place]]
        return float(rewards[place]) + max(most(int(one)) if one >= 0 else 0.0 for one in after)

    assert found.positions[0] == pytest.approx(most(0), abs=1e-12)


def test_moves_never_played_are_worth_the_guess() -> None:
    model = graph("tictactoe:2x3")
    seen = SeenMoves(model.game)
    seen.add(play(model.game, first_experts(model), 1, rng=stream(0, "test")))
    moves = seen.moves(1, np.maximum(seen.successor, 0).argmax(1))
    guesses = stream(1, "test").random(moves.shape)
    found = worth(seen, moves, np.zeros(len(seen)), np.zeros(moves.shape), guesses)
    unseen = moves & (seen.successor == UNSEEN)
    assert unseen.any() and np.array_equal(found.moves[unseen], guesses[unseen])
    assert np.isneginf(found.moves[~moves]).all()


def test_the_network_learns_the_values() -> None:
    model = graph("tictactoe:2x3")
    seen = SeenMoves(model.game)
    seen.add(play(model.game, (Uniform(), Uniform()), 20, rng=stream(0, "test")))
    critic = Critic(model.game, CriticConfig(steps=200, batch=64, learning_rate=3e-3), rng=stream(0, "test/critic"))
    assert critic.stale(seen)
    target = np.where(seen.successor != UNSEEN, np.where(seen.seat[:, None] == 1, 0.7, -0.7), -np.inf)
    played = np.isfinite(target)
    before = np.abs(critic.guesses(seen) - target)[played].mean()
    critic.fit(seen, target, rng=stream(0, "test/fit"))
    assert np.abs(critic.guesses(seen) - target)[played].mean() < 0.5 * before
    assert not critic.stale(seen)


# --- exploration -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("game", ["tictactoe:2x3", "connect4:3x3:3", "quotient:connect4:3x3:3"])
@pytest.mark.parametrize("name", sorted(EXPLORERS))
def test_in_the_end_the_clone_cannot_be_exploited(name: str, game: str, seat: int) -> None:
    model = graph(game)
    explorer, decisions = explored(name, model, seat)
    queried = decisions.take(decisions.queried)
    assert (queried.seat == seat).all() and queried.labels() == queried.distinct_labels()
    assert np.array_equal(queried.played, queried.label.argmax(1)), "answers are played"
    fit = explorer.clone()
    assert isinstance(fit.policy, NtuplePolicy)
    table = tabulate(model, fit.policy, seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) < 0.02


@pytest.mark.parametrize("seat", [0, 1])
def test_the_responder_ends_with_what_the_exact_best_response_gets(seat: int) -> None:
    """Also with less than the labels of all lines: those on which the clone loses nothing are not queried."""
    model = graph("connect4:3x3:3")
    explorer, decisions = explored("deep-respond", model, seat)
    played = tabulate(model, explorer.opponent_policy(), seat)
    moves = explorer.seen.moves(seat, explorer.answers)
    nothing = np.full(moves.shape, -np.inf)
    own_view = np.where((explorer.seen.seat == 1 - seat)[:, None], explorer.seen.payoff, -explorer.seen.payoff)
    learned = worth(explorer.seen, moves, np.zeros(len(explorer.seen)), own_view, nothing).positions[0]
    assert learned == (2 * seat - 1) * model.respond(1 - seat, played).value
    assert 0 < decisions.labels() < (model.seat == seat).sum()


def test_the_same_seed_gives_the_same_queries() -> None:
    model = graph("tictactoe:2x3")
    one, other = (explored("deep-unsure", model, 0)[1] for _ in range(2))
    assert np.array_equal(one.key, other.key) and np.array_equal(one.queried, other.queried)


@pytest.mark.parametrize("name", ["doubt", *sorted(EXPLORERS)])
def test_boards_whose_positions_need_two_words(name: str) -> None:
    game, expert = make("connect4"), Greedy(Uniform())
    explorer = explore.make(name, ExplorerContext(game, 1, (expert, expert)), rng=stream(0, "test"))
    explorer.games_per_round, rounds = 4, []
    for number in range(6):
        seats = explorer.opponent_policy(), explorer.behavior_policy()
        games, rng = explorer.games_per_round, stream(0, "test/play", round_=number)
        rounds.append(play(game, seats, games, labels=(explorer.labels(), None), rng=rng))
        explorer.update(rounds[-1], rng=stream(0, "test/update", round_=number))
    decisions = merge(rounds)
    assert decisions.labels() == decisions.distinct_labels() > 1


@pytest.mark.parametrize("name", sorted(EXPLORERS))
def test_games_that_are_no_boards_are_refused(name: str) -> None:
    with pytest.raises(NashmailError, match="is no board"):
        explore.check(name, ExplorerContext(make("kuhn"), 0, first_experts(graph("tictactoe:2x3"))))
