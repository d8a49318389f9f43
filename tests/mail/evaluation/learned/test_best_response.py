"""Learned best responses: their equations by hand, their figures against exact ones, and the same bits by any pool."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mail.evaluation.learned.best_response
import mail.evaluation.learned.learner
from agents import expert
from agents.network import Architecture, NetworkPolicy, PolicyNet
from agents.policy import Greedy, Policy, Uniform, tabulate
from agents.q_network import QSoftmaxPolicy
from agents.tabular import from_model
from games import Quotient
from games.base import Floats, Game, NashmailError, States
from mail.commands import exploit
from mail.commands.cli import main
from mail.commands.line import verdicts
from mail.data.decisions import Decisions
from mail.evaluation.coverage import imitation_limit
from mail.evaluation.gap import exploitability
from mail.evaluation.intervals import interval
from mail.evaluation.learned.best_response import Bound, bound, learned, payoff_range, payoffs
from mail.evaluation.learned.learner import Experience, Responder, ResponseConfig
from mail.parallel.pool import Local
from mail.parallel.ray import RayPool
from mail.training.folder import Config, Run
from tests.mail.markov_cases import ring
from tests.support import PENNIES, game, graph, reloaded

SEATS = (0, 1)
QUICK = ResponseConfig(steps=4, batch=64, smallest_round=16, evaluated=50)


# --- what was seen ---------------------------------------------------------------------------------------


def decisions(rows: Sequence[tuple[int, int, float, int]]) -> Decisions:
    """Rows (position, action, reward, next row) of seat 0 in one game of ``PENNIES``' shape; action 1 of position 9 is
    illegal.
    """
    position, played, reward, following = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    legal = np.ones((n, 2), np.bool_)
    legal[position == 9, 1] = False
    return Decisions(
        seat=np.zeros(n, np.int64),
        episode=np.arange(n),
        state=np.stack([position, position], 1),
        key=np.stack([position, 2**40 + position], 1).astype(np.uint64),
        observation=np.stack([position, -position], 1).astype(np.float32),
        legal=legal,
        played=played,
        label=np.full((n, 2), np.nan, np.float32),
        reward=reward.astype(np.float64),
        next=following,
        ended=following < 0,
    )


TRIES = (  # position 7 leads to 9 twice by action 0, and once ends with -1; 9 has one legal action, tried twice
    (7, 0, 0.25, 1),
    (9, 0, 1.0, -1),
    (7, 0, 0.25, 3),
    (9, 0, 0.0, -1),
    (7, 0, -1.0, -1),
)


@pytest.fixture
def seen() -> Experience:
    experience = Experience(PENNIES)  # discount 1/2
    experience.add(decisions(TRIES))
    return experience


def test_the_equations_by_hand(seen: Experience) -> None:
    guess = np.array([[0.5, -0.2], [0.8, 100.0]])  # the 100 is of the illegal action
    found = seen.estimate(guess, 2.0)
    at_nine = (1.0 + 0.0 + 2 * 0.8) / (2 + 2)
    total = (0.25 + at_nine / 2) + (0.25 + at_nine / 2) - 1.0
    assert found.visits.tolist() == [[3, 0], [2, 0]]
    assert found.values[0] == pytest.approx([(total + 2 * 0.5) / (3 + 2), -0.2])
    assert found.values[1, 0] == pytest.approx(at_nine)
    assert found.means == pytest.approx(np.array([[total / 3, 0.0], [0.5, 0.0]]))


def test_a_position_is_worth_its_best_action_even_one_that_was_never_tried(seen: Experience) -> None:
    found = seen.estimate(np.array([[0.0, 0.0], [-1.0, 0.0]]), 1e-9)
    assert found.values[1, 0] == pytest.approx(0.5)
    ahead = Experience(PENNIES)
    ahead.add(decisions([(5, 1, 0.0, 1), (7, 0, -1.0, -1)]))
    assert ahead.estimate(np.array([[0.0, 0.0], [0.0, 0.6]]), 1e-9).values[0, 1] == pytest.approx(0.5 * 0.6)


def test_a_cycle_settles() -> None:
    """Position 3 leads to itself with reward 1 and discount 1/2: worth 2."""
    round_ = Experience(PENNIES)
    round_.add(decisions([(3, 0, 1.0, 1), (3, 0, 1.0, 0)]))
    assert round_.estimate(np.zeros((1, 2)), 1e-9).values[0, 0] == pytest.approx(2.0, abs=1e-6)


def test_parts_add_up(seen: Experience) -> None:
    parts = Experience(PENNIES)
    for rows in (TRIES[:2], [(7, 0, 0.25, 1), (9, 0, 0.0, -1)], TRIES[4:]):
        parts.add(decisions(rows))
    assert np.array_equal(parts.key, seen.key) and np.array_equal(parts.observation, seen.observation)
    guess = np.array([[0.1, 0.2], [0.3, 0.0]])
    one, other = seen.estimate(guess, 1.0), parts.estimate(guess, 1.0)
    assert np.array_equal(one.values, other.values) and np.array_equal(one.means, other.means)
    assert seen.scale == 1.0 and len(seen) == 2


def test_nothing_seen_is_nothing_known() -> None:
    empty = Experience(PENNIES)
    assert empty.estimate(np.zeros((0, 2)), 1.0).values.shape == (0, 2) and empty.scale == 0.0


# --- games solved by hand --------------------------------------------------------------------------------


class Always:
    """The first action, always."""

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        return np.eye(game.spec.actions)[np.zeros(len(states), np.int64)] * game.legal(states, seat)[:, :1]


@pytest.mark.slow
@pytest.mark.parametrize("seat", SEATS)
def test_pennies_against_who_always_shows_the_same_side(seat: int) -> None:
    """Both rounds are won, whatever chance does in between: 1 + 1/2."""
    response = learned(PENNIES, Always(), seat, 96, seed=0, config=QUICK)
    assert payoffs(PENNIES, Always(), seat, response, 40, seed=0) == pytest.approx(np.full(40, 1.5))


@pytest.mark.parametrize("seat", SEATS)
def test_nobody_takes_anything_from_the_expert(seat: int) -> None:
    best = expert.make("uniform", graph("tictactoe"))[seat]
    found = bound(game("tictactoe"), best, seat, 256, seed=0, game_value=0.0, config=QUICK)
    assert found.value <= 0.0 and found.at_least == 0.0


# --- against exact values --------------------------------------------------------------------------------


def infinite_bc(name: str, seat: int) -> Policy:
    """Behavioural cloning of a first expert with infinite data: uniform play where the experts never go."""
    model = graph(name)
    table = model.equilibrium("first")[0]
    return from_model(model, seat, imitation_limit(model, (table, table), seat))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "seat", "games", "short"),
    [("uniform", 1, 1024, 0.25), ("bc", 0, 1024, 0.1), pytest.param("uniform", 0, 8192, 0.1, marks=pytest.mark.slow)],
)
def test_the_response_takes_nearly_what_there_is_and_no_more_is_claimed(
    who: str, seat: int, games: int, short: float
) -> None:
    model = graph("tictactoe")
    policy = Uniform() if who == "uniform" else infinite_bc("tictactoe", seat)
    table = tabulate(model, policy, seat)
    exact = exploitability(model, table, seat)
    response = learned(model.game, policy, seat, games, seed=0, config=ResponseConfig(steps=15))
    answer = tabulate(model, response, 1 - seat)
    true = (2 * seat - 1) * model.value((table, answer) if seat == 0 else (answer, table))
    assert exact - short <= true <= exact + 1e-12
    paid = payoffs(model.game, policy, seat, response, 2000, seed=0)
    low, high = interval(paid, (-1.0, 1.0), 0.975)
    assert low <= true <= high and low <= interval(paid, (-1.0, 1.0), 0.95)[0] <= exact


@pytest.mark.slow
@pytest.mark.parametrize("seat", SEATS)
def test_a_game_of_simultaneous_moves_and_rewards_on_the_way(seat: int) -> None:
    model = ring(horizon=4)
    table = tabulate(model, Uniform(), seat)
    exact = (2 * seat - 1) * model.respond(1 - seat, table).value
    response = learned(model.game, Uniform(), seat, 512, seed=0, config=ResponseConfig(steps=15))
    answer = tabulate(model, response, 1 - seat)
    true = (2 * seat - 1) * model.value((table, answer) if seat == 0 else (answer, table))
    assert true == pytest.approx(exact, abs=0.05 * max(1.0, abs(exact))) and true <= exact + 1e-12
    low, high = interval(payoffs(model.game, Uniform(), seat, response, 1000, seed=0), None, 0.999)
    assert low <= true <= high


def test_a_bound_is_of_the_response_on_fresh_games() -> None:
    tictactoe, policy = game("tictactoe"), infinite_bc("tictactoe", 1)
    found = bound(tictactoe, policy, 1, 64, seed=5, game_value=0.0, config=QUICK)
    response = learned(tictactoe, policy, 1, 64, seed=5, config=QUICK)
    fresh = payoffs(tictactoe, policy, 1, response, 50, seed=5)
    assert (found.games, found.evaluated, found.exact) == (64, 50, True)
    assert found.gain == found.value == fresh.mean()
    assert found.interval == interval(fresh, (-1.0, 1.0), 0.975)
    assert found.lower == found.at_least == interval(fresh, (-1.0, 1.0), 0.95)[0] > found.interval[0]
    assert bound(tictactoe, policy, 1, 200, seed=5, config=QUICK).evaluated == 100


# --- numbers of games ------------------------------------------------------------------------------------


def test_ranges_of_payoffs() -> None:
    assert payoff_range(game("connect4")) == payoff_range(Quotient(game("connect4"))) == (-1.0, 1.0)
    assert payoff_range(PENNIES) is None


def test_a_bound_is_no_bound_without_the_games_value() -> None:
    found = Bound(0, 0.5, (0.4, 0.6), 0.42, None, 10, 20, True)
    assert found.at_least is None and found.gain is None
    assert Bound(0, 0.5, (0.4, 0.6), 0.42, 1.0, 10, 20, True).at_least == pytest.approx(1.42)
    assert Bound(1, 0.5, (0.4, 0.6), 0.42, -1.0, 10, 20, True).at_least == 0.0


# --- games, rounds and bits ------------------------------------------------------------------------------


@pytest.mark.parametrize("games", [1, 2, 100])
def test_no_more_games_than_asked_for(games: int) -> None:
    said: list[int] = []
    learned(
        game("tictactoe"), Uniform(), 1, games, seed=0, config=QUICK, on_round=lambda games, mean: said.append(games)
    )
    assert said[-1] == games and np.diff([0, *said]).max() <= 16


def test_rounds_grow_with_what_is_known() -> None:
    responder = Responder(game("tictactoe"), 0, ResponseConfig(), seed=0)
    sizes = []
    while responder.games < 20_000:
        sizes.append(responder.next_round)
        responder.games += sizes[-1]
    assert sizes[:8] == [64] * 8 and max(sizes) == 1024 and sizes == sorted(sizes)


def test_there_is_at_least_one_game() -> None:
    with pytest.raises(NashmailError, match="at least 1 game, not 0"):
        learned(game("tictactoe"), Uniform(), 0, 0, seed=0)


class Elsewhere(Local):
    """Shards in reverse order, each with what a process of its own would receive."""

    def map(self, task: Any, shared: Any, shards: Sequence[Any], *, on_result: Any = None) -> list[Any]:
        results = [task(reloaded(shared), reloaded(shard)) for shard in reversed(shards)]
        return list(reversed(results))


def found(name: str, pool: Any, *, seed: int = 0) -> tuple[bytes, bytes]:
    """What came of it, to the last bit."""
    policy = network(name)
    response = learned(game(name), policy, 0, 40, seed=seed, config=QUICK, pool=pool)
    assert isinstance(response, Greedy) and isinstance(response.policy, QSoftmaxPolicy)
    paid = payoffs(game(name), policy, 0, response, 40, seed=seed, pool=pool)
    weights = [weight.detach().numpy().tobytes() for weight in response.policy.net.parameters()]
    return b"".join([response.policy.known.table.tobytes(), *weights]), paid.tobytes()


def network(name: str) -> NetworkPolicy:
    spec = game(name).spec
    rng = np.random.default_rng(3)
    return NetworkPolicy(PolicyNet(spec.observation, spec.actions, Architecture(4, 1, 16), rng=rng))


@pytest.mark.slow
@pytest.mark.equal_results
def test_the_same_bits_by_any_pool(ray_pool: RayPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail.evaluation.learned.learner, "SHARD", 8)
    here = found("connect4", Local())
    assert found("connect4", Elsewhere()) == here == found("connect4", ray_pool)
    assert found("connect4", Local(), seed=1) != here


# --- the command -----------------------------------------------------------------------------------------


def saved(folder: Path, name: str) -> str:
    """A run of this game in which both seats play uniformly."""
    run = Run.create(folder, Config(game=name, learners=("mail",)))
    run.save_policies("mail", (Uniform(), Uniform()), game(name))
    run.finish({"learners": {}}, b"", seconds=0.0, workers=1)
    return str(folder)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Responses that learn little, and so quickly."""
    monkeypatch.setattr(mail.evaluation.learned.best_response, "ResponseConfig", lambda: QUICK)


@pytest.mark.slow
def test_json_puts_the_bound_beside_the_exact_value(small: None, tmp_path: Path, capsys: Any) -> None:
    run = saved(tmp_path / "run", "tictactoe")
    assert main(["exploit", run, "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main(["exploit", run, "--learned", "200", "--json"]) == 0
    out, err = capsys.readouterr()
    seats = json.loads(out)["seats"]
    assert err == "" and out.count("\n") == 1
    for seat, verdict in enumerate(seats):
        said = verdict.pop("learned")
        expected = bound(game("tictactoe"), Uniform(), seat, 200, seed=0, game_value=0.0, config=QUICK)
        assert said == json.loads(json.dumps(expected.as_dict()))
        assert said["games"] == 200 and said["evaluated"] == 100 and said["finite_sample"] is True
        assert 0.0 <= said["at_least"] <= verdict["exploitability"]
    assert seats == plain["seats"]
    assert main(["exploit", run, "--learned", "200", "--seed", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seats"][0]["learned"] != seats[0]


def test_words_for_the_bound(small: None, tmp_path: Path, capsys: Any) -> None:
    assert main(["exploit", saved(tmp_path / "run", "tictactoe"), "--learned", "64", "--workers", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[1:])) <= 80
    out = " ".join(lines)
    for seat in SEATS:
        assert f"Seat {seat}, stochastic: a response learned from 64 games gets" in out
        found = bound(game("tictactoe"), Uniform(), seat, 64, seed=0, game_value=0.0, config=QUICK)
        assert f"gets {found.value:.4f} [{found.interval[0]:.4f}, {found.interval[1]:.4f}] over 50 fresh ones." in out
    assert out.count("The game is worth 0 to it, so the seat's exploitability is at least") == 2
    assert out.count("(95 % confidence)") == 2


def test_the_report_never_claims_more_than_the_bound() -> None:
    said = verdicts.bounded(Bound(0, 0.5, (0.4, 0.6), 0.12349, 1.0, 10_000, 5_000, True))
    text = " ".join(said)
    assert text.endswith(" at least 1.1234 (95 % confidence).") and "10,000 games" in text and "worth -1 to it" in text
    unknown = verdicts.bounded(Bound(1, 0.5, (0.4, 0.6), 0.42, None, 10, 20, True))
    assert "unknown" in unknown[-1] and not any("at least" in line for line in unknown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [("connect4", 1.0), ("connect4:6x6", None), ("gridworld:3x3", None), ("chain:4", None)],
)
def test_the_value_of_the_game_is_named_where_it_is_known(
    name: str, value: float | None, small: None, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.solver.installed", lambda: False)
    assert main(["exploit", saved(tmp_path / "run", name), "--learned", "32", "--json"]) == 0
    for seat, said in enumerate(json.loads(capsys.readouterr().out)["seats"]):
        learned = said["learned"]
        assert learned["game_value"] == (None if value is None else (1 - 2 * seat) * value)
        assert (learned["at_least"] is None) == (value is None)
        assert learned["finite_sample"] == name.startswith("connect4")


def test_a_markov_game_with_a_horizon_is_played_to_its_end() -> None:
    assert exploit._values(None) == exploit._values(ring()) == (None, None)
    value = ring(horizon=4).solve()[0].value
    assert exploit._values(ring(horizon=4)) == (value, -value)


def test_progress_is_told_on_standard_error(
    small: None, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exploit, "FIRST", 32)
    assert main(["exploit", saved(tmp_path / "run", "tictactoe"), "--learned", "130", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and err.count("\n") == 6
    assert err.startswith("seat 0: 32 of 130 games, the response gets ")


def test_bad_numbers_are_one_line(tmp_path: Path, capsys: Any) -> None:
    run = saved(tmp_path / "run", "tictactoe")
    cases = {
        ("--learned", "0"): "--learned must be at least 1 game, not 0",
        ("--learned", "-4"): "--learned must be at least 1 game, not -4",
        ("--seed", "3"): "--seed is for the games of --learned; name both",
        ("--learned", "3", "--seed", "-1"): "--seed must be 0 or more, not -1",
        ("--learned", "3", "--workers", "0"): "--workers must be at least 1, not 0",
    }
    for words, says in cases.items():
        assert main(["exploit", run, *words]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and says in err
    with pytest.raises(SystemExit):
        main(["exploit", run, "--learned", "many"])
    assert "invalid int value: 'many'" in capsys.readouterr().err
