"""OpenSpiel's games with chance or hidden information: the same measures as OpenSpiel's, and what is refused."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pyspiel
import pytest
from open_spiel.python import policy as openspiel_policy
from open_spiel.python.algorithms.exploitability import nash_conv

import games
from agents.openspiel import to_openspiel_policy
from agents.tabular import from_model
from games import GameError, Hidden, InfosetModel
from games.adapters.openspiel import OpenSpielGame
from games.cost import TooLarge
from games.models import model_of
from mail.evaluation.gap import table_gap
from tests.games.infosets.test_model import model as native
from tests.games.infosets.test_model import random_profile
from tests.support import game, reloaded

GOOFSPIEL = "turn_based_simultaneous_game(game=goofspiel(imp_info=true,num_cards=3,points_order={}))"
SMALL = [
    "kuhn_poker",
    "liars_dice(numdice=1,dice_sides=2)",
    "dark_hex(num_rows=2,num_cols=2)",
    GOOFSPIEL.format("descending"),
    GOOFSPIEL.format("random"),
]


@cache
def model(name: str) -> InfosetModel:
    found = InfosetModel(game(f"openspiel:{name}"))
    assert isinstance(found.game, Hidden)
    return found


def told(known: InfosetModel, profile: Any) -> Any:
    """The profile as OpenSpiel's own table, found by the information states of a position of each row."""
    rules: Any = known.game
    table = openspiel_policy.TabularPolicy(rules.rules)
    for seat in (0, 1):
        rows = np.flatnonzero(known.legal(seat).any(1))
        for row in rows:
            moves = [int(move) for move in known.states[row] if move >= 0]
            state = rules.rules.new_initial_state()
            for move in moves:
                state.apply_action(move)
            table.policy_for_key(state.information_state_string(seat))[:] = profile[seat][row]
    return table


@pytest.mark.parametrize("zeros", [0.0, 0.5])
@pytest.mark.parametrize("name", SMALL)
def test_the_gap_of_random_play_is_openspiels(name: str, zeros: float) -> None:
    known = model(name)
    for seed in range(3):
        profile = random_profile(known, seed, zeros=zeros)
        theirs = nash_conv(known.game.rules, told(known, profile))  # type: ignore[attr-defined]
        assert table_gap(known, profile).nash_gap == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("name", SMALL)
def test_the_linear_programs_equilibrium_is_one_by_openspiels_measure(name: str) -> None:
    known = model(name)
    first, second = known.solve()
    assert nash_conv(known.game.rules, told(known, (first.policy, second.policy))) < 1e-9  # type: ignore[attr-defined]


@pytest.mark.parametrize(("ours", "theirs"), [("kuhn", "kuhn_poker"), ("leduc", "leduc_poker(suit_isomorphism=true)")])
def test_our_own_poker_is_openspiels_up_to_names(ours: str, theirs: str) -> None:
    known, other = native(ours), model(theirs)
    assert len(known) == len(other) and known.histories == other.histories
    assert known.solve()[0].value == pytest.approx(other.solve()[0].value, abs=1e-9)


def test_leduc_poker_with_suits_has_openspiels_information_states() -> None:
    assert len(model("leduc_poker")) == 936
    assert len(openspiel_policy.TabularPolicy(pyspiel.load_game("leduc_poker")).state_lookup) == 936


def test_policies_go_back_to_openspiel() -> None:
    known = model("kuhn_poker")
    profile = random_profile(known, 5)
    seats = from_model(known, 0, profile[0]), from_model(known, 1, profile[1])
    exported = to_openspiel_policy(seats, known.game)
    assert nash_conv(exported.game, exported) == pytest.approx(table_gap(known, profile).nash_gap, abs=1e-9)


def test_games_of_open_information_with_chance_fit_too() -> None:
    rules = game("openspiel:pig(diceoutcomes=2,horizon=3,winscore=4)")
    assert isinstance(rules, Hidden)
    games.check(rules)
    known = InfosetModel(rules)
    uniform = random_profile(known, 0)
    assert table_gap(known, uniform).nash_gap > 0


def test_a_copy_in_another_process_is_the_same_game() -> None:
    rules = game("openspiel:leduc_poker")
    states = model("leduc_poker").states[::50]
    other = reloaded(rules)
    assert type(other) is type(rules) and other.spec == rules.spec
    for seat in (0, 1):
        assert np.array_equal(other.key(states, seat), rules.key(states, seat))


@pytest.mark.parametrize(
    "name",
    [
        "phantom_ttt",
        pytest.param("backgammon", marks=pytest.mark.slow),
        "dark_hex(num_rows=3,num_cols=3)",
        "bridge(use_double_dummy_result=false)",
    ],
)
def test_what_is_too_large_is_said_at_once_with_an_estimate(name: str) -> None:
    with pytest.raises(GameError, match=r"too large to enumerate: .* (estimate|about)|only games for two fit") as error:
        model_of(game(f"openspiel:{name}"))
    assert "\n" not in str(error.value)


def test_a_first_deal_of_too_many_cards_is_refused() -> None:
    rules: Any = game("openspiel:universal_poker(numRanks=13,numSuits=4,numHoleCards=2)")
    with pytest.raises(TooLarge, match="chance alone can begin in about"):
        rules.starts()


def test_illegal_moves_and_what_is_over_are_refused() -> None:
    rules = game("openspiel:kuhn_poker")
    states = rules.start(2, rng=np.random.default_rng(0))
    for action in (-1, 2, 7):
        with pytest.raises(GameError, match=re.escape(f"action {action} is not legal")):
            rules.step(states, np.full((2, 2), action), rng=np.random.default_rng(0))


@pytest.mark.parametrize("text", ["kuhn_poker", "pig(players=2)", "phantom_ttt"])
def test_the_class_of_open_games_takes_no_others(text: str) -> None:
    """Made directly, it would play positions that hide cards, or chance as a seat's move."""
    with pytest.raises(GameError, match=r"has chance or hidden information; games\.make gives it as another kind"):
        OpenSpielGame(text)
