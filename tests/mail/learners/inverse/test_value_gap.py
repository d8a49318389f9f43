"""What matching is worth on Tic-Tac-Toe: a value gap near 0 against the expert, and about the Nash gap of cloning."""

from __future__ import annotations

import pytest

from agents import expert
from agents.policy import tabulate
from mail.evaluation.exact import table_measures, value_gap
from mail.learners.base import make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from tests.mail.learners.inverse.processes import model

QUICK = ("airl", "gail", "infogail", "iq-learn", "iq-learn-online", "ma-airl", "ma-gail", "max-ent")
LEARNERS = [*QUICK, pytest.param("opt-ail", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", LEARNERS)
def test_visits_of_the_first_expert_are_worth_its_value_and_leave_the_gap_of_cloning(name: str) -> None:
    """Infinite cloning leaves 1.8043. Every seed sees the same game; ``opt-ail`` alone draws beyond it."""
    exact = model("tictactoe")
    experts = expert.make("first", exact)
    learner = make_learner(name, Options(model=exact))
    found = learner.learn(exact.game, experts, Budget(1000), pool=Local(), journal=NullJournal())
    tables = tabulate(exact, found.policies[0], 0), tabulate(exact, found.policies[1], 1)
    assert max(value_gap(exact, tables, exact.equilibrium("first"))) <= 0.02
    assert table_measures(exact, tables)["nash_gap"] == pytest.approx(1.8043, abs=0.03)
