"""Values, best responses and equilibria of games of hidden information, beside OpenSpiel and beside plain recursion."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy import Uniform, uniform_rows
from games import GameError, InfosetModel, Spec, Successors
from games.base import Bools, Floats, Ints, Keys, Model, Rng, States, Table
from games.cost import Meter, TooLarge
from games.infosets import program
from games.models import has_model, model_of
from mail.data.rollout import play
from mail.evaluation.gap import nash_gap, table_gap
from tests.games.cards.hands import RULES, openspiel_hands
from tests.support import Profile, game

VALUES = {"kuhn": -1 / 18, "leduc": -0.085606424078}
UNIFORM = {"kuhn": 11 / 12, "leduc": 4.7472222222222}


@cache
def model(name: str) -> InfosetModel:
    """The model of ``game(name)``, built once."""
    return InfosetModel(game(name))


def random_profile(known: InfosetModel, seed: int, *, zeros: float = 0.0) -> Profile:
    """Random play; a share of the actions is never taken, where another one is left."""
    rng = np.random.default_rng(seed)
    tables = []
    for seat in (0, 1):
        legal = known.legal(seat)
        weights = rng.exponential(size=legal.shape) * legal
        kept = weights * (rng.random(legal.shape) >= zeros)
        weights = np.where(kept.any(1, keepdims=True), kept, weights)
        total = weights.sum(1, keepdims=True)
        tables.append(np.divide(weights, total, out=np.zeros_like(weights), where=total > 0))
    return tables[0], tables[1]


def first_legal(known: InfosetModel, seat: int) -> Table:
    legal = known.legal(seat)
    return np.asarray((legal.cumsum(1) == 1) & legal, dtype=np.float64)


# --- cited values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kuhn", "leduc"])
def test_the_value_of_the_game_and_the_gaps_of_plain_play_are_the_cited_ones(name: str) -> None:
    known = model(name)
    assert known.solve()[0].value == pytest.approx(VALUES[name], abs=1e-9)
    assert nash_gap(known, (Uniform(), Uniform())).nash_gap == pytest.approx(UNIFORM[name], abs=1e-9)
    assert table_gap(known, (first_legal(known, 0), first_legal(known, 1))).nash_gap == pytest.approx(2.0, abs=1e-9)


def test_information_states_are_counted_by_what_seats_tell_apart() -> None:
    assert (len(model("kuhn")), model("kuhn").histories) == (12, 24)
    assert len(model("leduc")) == 288
    assert [len(seat) for seat in model("leduc").seats] == [337, 337]


@pytest.mark.parametrize("name", ["kuhn", "leduc", "kuhn:5", "leduc:4"])
def test_the_linear_program_gives_an_equilibrium(name: str) -> None:
    known = model(name)
    first, second = known.solve()
    assert table_gap(known, (first.policy, second.policy)).nash_gap < 1e-9
    assert first.value == second.value == pytest.approx(known.value((first.policy, second.policy)), abs=1e-12)


@pytest.mark.parametrize("name", ["kuhn", "leduc", "leduc:4"])
def test_large_programs_are_as_exact(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By interior points, once for both seats: the same value, and an equilibrium to the last digits."""
    small = model(name)
    monkeypatch.setattr(program, "SMALL", 0)
    known = InfosetModel(game(name))
    first, second = known.solve()
    assert table_gap(known, (first.policy, second.policy)).nash_gap < 1e-9
    assert first.value == pytest.approx(small.solve()[0].value, abs=1e-9)


# --- beside OpenSpiel ------------------------------------------------------------------------------------


def openspiel_nash_conv(name: str, known: InfosetModel, profile: Profile) -> float:
    """OpenSpiel's measure of the same play, told to it information state by information state."""
    policy = pytest.importorskip("open_spiel.python.policy")
    exploitability = pytest.importorskip("open_spiel.python.algorithms.exploitability")
    rules = pytest.importorskip("pyspiel").load_game(RULES[name][0])
    told = policy.TabularPolicy(rules)
    for theirs, ours, _ in openspiel_hands(name):
        if not theirs.is_terminal():
            row = profile[theirs.current_player()][known.index(ours)[0]]
            told.policy_for_key(theirs.information_state_string())[:] = row
    return float(exploitability.nash_conv(rules, told))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.4, 0.9]))
def test_the_gap_of_random_play_in_kuhn_poker_is_openspiels(seed: int, zeros: float) -> None:
    profile = random_profile(model("kuhn"), seed, zeros=zeros)
    theirs = openspiel_nash_conv("kuhn", model("kuhn"), profile)
    assert table_gap(model("kuhn"), profile).nash_gap == pytest.approx(theirs, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "zeros"), [(0, 0.0), (1, 0.5)])
def test_the_gap_of_random_play_in_leduc_poker_is_openspiels(seed: int, zeros: float) -> None:
    profile = random_profile(model("leduc"), seed, zeros=zeros)
    theirs = openspiel_nash_conv("leduc", model("leduc"), profile)
    assert table_gap(model("leduc"), profile).nash_gap == pytest.approx(theirs, abs=1e-9)


# --- beside plain recursion ------------------------------------------------------------------------------


def plain_value(rules: Any, known: Model, profile: Profile) -> float:
    """Seat 0's expected reward, history by history."""

    def worth(state: States) -> float:
        acting = rules.acting(state)[0]
        row = known.index(state)[0]
        seat, total = int(acting.argmax()), 0.0
        for action in np.flatnonzero(rules.legal(state, seat)[0]):
            actions = np.full((1, 2), -1)
            actions[0, seat] = action
            found = rules.successors(state, actions)
            for after, reward, done, odds in zip(
                found.states, found.rewards, found.done, found.probability, strict=True
            ):
                later = 0.0 if done else worth(after[None])
                total += profile[seat][row, action] * odds * (reward + later)
        return total

    return sum(odds * worth(state[None]) for state, odds in zip(rules.starts(), rules.start_probability(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_best_responses_beat_every_pure_strategy_and_one_of_them_is_as_good(seed: int) -> None:
    known = model("kuhn")
    profile = random_profile(known, seed, zeros=0.3)
    for seat in (0, 1):
        found = known.respond(seat, profile[1 - seat])
        rows = np.flatnonzero(known.legal(seat).any(1))
        worths = []
        for choice in product((0, 1), repeat=len(rows)):
            table = np.zeros(known.legal(seat).shape)
            table[rows, choice] = 1.0
            both = (table, profile[1]) if seat == 0 else (profile[0], table)
            worths.append(known.value(both))
        best = max(worths) if seat == 0 else min(worths)
        assert found.value == pytest.approx(best, abs=1e-12)
        own = (found.policy, profile[1]) if seat == 0 else (profile[0], found.policy)
        assert plain_value(game("kuhn"), known, own) == pytest.approx(best, abs=1e-12)


class Rows:
    """A profile as a policy of both seats, looked up in the model."""

    def __init__(self, known: InfosetModel, profile: Profile) -> None:
        self.known, self.profile = known, profile

    def probabilities(self, game: Any, states: States, seat: int) -> Floats:
        return self.profile[seat][self.known.index(states)]


@pytest.mark.parametrize("name", ["kuhn", "leduc"])
def test_value_and_reach_are_those_of_games_that_are_played(name: str) -> None:
    known = model(name)
    profile = random_profile(known, 4)
    assert known.value(profile) == pytest.approx(plain_value(game(name), known, profile), abs=1e-12)
    games = 20_000
    rows = Rows(known, profile)
    played = play(game(name), (rows, rows), games, rng=np.random.default_rng(0))
    counted = np.bincount(known.index(played.state), minlength=len(known)) / games
    assert np.allclose(counted, known.reach(profile), atol=0.015)


def test_values_are_what_follows_given_that_one_is_there() -> None:
    """Kuhn poker, uniform play against uniform play, seat 0 holds the king and has been bet into: a call wins 2."""
    known = model("kuhn")
    uniform = uniform_rows(known.legal(0)), uniform_rows(known.legal(1))
    bet_into = np.array([[2, 0, -1, 0]])
    for action in (0, 1):
        bet_into = game("kuhn").successors(bet_into, np.array([[action, action]])).states
    row = known.index(bet_into)[0]
    for found in (known.respond(0, uniform[1]), known.as_responses(uniform)[0]):
        assert found.action_values[row].tolist() == pytest.approx([-1.0, 2.0])
    assert known.respond(0, uniform[1]).values[row] == pytest.approx(2.0)
    assert known.as_responses(uniform)[0].values[row] == pytest.approx(0.5)
    assert known.as_responses(uniform)[0].value == pytest.approx(known.value(uniform))


@pytest.mark.parametrize("seat", [0, 1])
def test_a_responses_values_fit_together(seat: int) -> None:
    """Where both come, a row's value is that of its best action; and following the response is worth its value."""
    known = model("leduc")
    profile = random_profile(known, 6)
    found = known.respond(seat, profile[1 - seat])
    rows = known.rows(seat)
    assert np.allclose(found.values[rows], (1 - 2 * seat) * found.action_values[rows].max(1))
    both = (found.policy, profile[1]) if seat == 0 else (profile[0], found.policy)
    assert known.value(both) == pytest.approx(found.value, abs=1e-12)
    assert np.allclose(found.values, known.as_responses(both)[0].values)


# --- refusals --------------------------------------------------------------------------------------------


class Guess:
    """Seat 0 says a number, says one again, and then seat 1 guesses the first: paid 1 for a wrong guess.

    States are the three numbers said, -1 before. ``forgets``: seat 0's second decision has one key whatever it said
    first, so that it can't know what it has done.
    """

    def __init__(self, *, forgets: bool = False, discount: float = 1.0) -> None:
        self.spec = Spec("guess", 2, (3,), 3, discount=discount)
        self.forgets = forgets

    def start(self, n: int, *, rng: Rng) -> States:
        return np.full((n, 3), -1, dtype=np.int64)

    def starts(self) -> States:
        return np.full((1, 3), -1, dtype=np.int64)

    def start_probability(self) -> Floats:
        return np.ones(1)

    def acting(self, states: States) -> Bools:
        said = (states >= 0).sum(1)
        return np.stack([said < 2, said == 2], axis=1)

    def legal(self, states: States, seat: int) -> Bools:
        return np.repeat(self.acting(states)[:, [seat]], 2, axis=1)

    def observe(self, states: States, seat: int) -> Any:
        return self._seen(states, seat).astype(np.float32)

    def _seen(self, states: States, seat: int | None) -> Any:
        seen = states.copy()
        if seat == 1:
            seen[:, :2] = np.where(seen[:, :2] >= 0, 2, -1)
        if seat == 0 and self.forgets:
            seen[:, 0] = np.where(seen[:, 0] >= 0, 2, -1)
        return seen

    def key(self, states: States, seat: int | None = None) -> Keys:
        words = (self._seen(states, seat) + 1) @ [16, 4, 1]
        return np.stack([words, np.zeros_like(words)], axis=1).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        found = self.successors(states, actions)
        return found.states, found.rewards, found.done

    def successors(self, states: States, actions: Ints) -> Successors:
        after = states.copy()
        rows = np.arange(len(states))
        after[rows, (states >= 0).sum(1)] = actions.max(1)
        done = np.asarray((after >= 0).all(1))
        rewards = np.where(done & (after[:, 0] != after[:, 2]), 1.0, 0.0)
        return Successors(rows, after, rewards, done, np.ones(len(states)))

    def render(self, state: States) -> str:
        return f"said: {[int(word) for word in state if word >= 0]}"


def test_a_game_with_nothing_dealt_but_something_hidden_is_solved() -> None:
    known = InfosetModel(Guess())
    assert (len(known.seats[0]), len(known.seats[1])) == (7, 3)
    assert known.solve()[0].value == pytest.approx(0.5)


def test_imperfect_recall_is_refused() -> None:
    with pytest.raises(GameError, match=r"imperfect recall: seat 0 cannot tell .* said: "):
        InfosetModel(Guess(forgets=True))


def test_discounted_games_are_refused() -> None:
    with pytest.raises(GameError, match="discounts"):
        InfosetModel(Guess(discount=0.9))


def test_games_too_large_are_refused_with_an_estimate() -> None:
    leduc: Any = game("leduc:40")
    with pytest.raises(TooLarge, match=r"an estimate of .* positions"):
        InfosetModel(leduc, meter=Meter(leduc, moves=10_000))


def test_games_with_too_many_sequences_for_the_program_are_refused_while_they_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program, "MOST", 400)
    with pytest.raises(TooLarge, match=r"leduc is too large to solve: .* more than 400 sequences .*; choose a smaller"):
        model_of(game("leduc"))


def test_positions_that_are_none_are_refused() -> None:
    over = np.array([[0, 1, -1, int(np.flatnonzero(game("kuhn").bets.actor < 0)[0])]])
    with pytest.raises(GameError, match="not a position of kuhn with a move to make: cards: seat 0 J, seat 1 Q"):
        model("kuhn").index(over)


def test_models_are_found_by_name() -> None:
    assert has_model(game("leduc"))
    assert isinstance(model_of(game("leduc")), InfosetModel)
