"""Averages of regret minimisation as experts, and names of experts with a number."""

from __future__ import annotations

import pytest

from agents import expert
from agents.policy import PolicyError, tabulate
from mail.evaluation.gap import table_gap
from tests.games.infosets.test_model import model
from tests.support import graph


@pytest.mark.parametrize("variant", ["cfr+", "dcfr"])
def test_more_iterations_are_nearer_to_equilibrium_and_none_is_one(variant: str) -> None:
    known = model("kuhn")
    gaps = []
    for iterations in (5, 50, 500):
        first, second = expert.make(f"{variant}:{iterations}", known)
        gaps.append(table_gap(known, (tabulate(known, first, 0), tabulate(known, second, 1))).nash_gap)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[2] < 0.01


def test_other_games_are_refused_with_the_reason() -> None:
    with pytest.raises(PolicyError, match=r"'cfr\+' plays games of hidden information .* tictactoe has not"):
        expert.make("cfr+:10", graph("tictactoe"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cfr+", r"write cfr\+:N with the number of iterations, from 1 to 1,000,000, not 'cfr\+'"),
        ("cfr+:0", r"write cfr\+:N"),
        ("dcfr:ten", r"write dcfr:N"),
        ("cfr+:9999999", r"write cfr\+:N"),
        ("mcts:", r"write mcts:N with the number of simulations"),
        ("first:3", "the expert 'first' takes no number; write first"),
        ("cfr:10", "no expert is called 'cfr'"),
    ],
)
def test_names_with_a_number_are_checked(name: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said) as error:
        expert.parse(name)
    assert "\n" not in str(error.value)


def test_experts_are_listed_as_they_are_called() -> None:
    listed = expert.listed()
    assert {"cfr+:N", "dcfr:N", "mcts:N", "first"} <= set(listed)
    assert listed["mcts:N"].endswith("; N simulations")
    assert expert.is_equilibrium("first") and not expert.is_equilibrium("cfr+:3")
