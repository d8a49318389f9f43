"""Every kind of learner where cards are hidden: queries and clones go by information states, and close the gap."""

from __future__ import annotations

import numpy as np
import pytest

from agents import make_expert, tabulate
from agents.policy import Uniform
from mail.evaluation.gap import exploitability, nash_gap
from mail.learners.base import Learner, make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from tests.games.infosets.test_model import model

EPISODES = 200
EXPLORERS = ("counts", "deep", "unsure", "refute", "respond")
LEARNERS = ("dagger-best", "mail-bro", "murmail", "murmail-exact")
STUCK = ("bc-tabular", "dagger")
"""Those that play against the other expert alone, and never see what it never does."""
CASES = [(game, name) for game in ("kuhn", "leduc:2") for name in (*EXPLORERS, *LEARNERS, *STUCK)]
SLOW = {("kuhn", "deep"), ("kuhn", "unsure")}
"""Those with a network, once."""


def learner_of(name: str, options: Options) -> Learner:
    """The learner of a name; of an explorer, MAIL with tables."""
    return Mail(options, explorer=name, cloner="tabular") if name in EXPLORERS else make_learner(name, options)


@pytest.mark.slow
@pytest.mark.parametrize(("game", "name"), [case for case in CASES if case not in SLOW])
def test_it_learns_poker_as_far_as_its_queries_lead(game: str, name: str) -> None:
    known = model(game)
    experts = make_expert("first", known)
    labels = None if name in EXPLORERS else (512, 512)
    learner = learner_of(name, Options(seed=0, model=known))
    budget = Budget(EPISODES, labels, patience=3.0, patience_games=EPISODES)
    found = learner.learn(known.game, experts, budget, pool=Local(), journal=NullJournal())
    lost = []
    for seat in (0, 1):
        asked = found.decisions[seat]
        asked = asked.take(asked.queried & (asked.seat == seat))
        rows = known.index(asked.state)
        np.testing.assert_allclose(asked.label, tabulate(known, experts[seat], seat)[rows], atol=1e-6)
        assert found.distinct_labels[seat] == len(np.unique(rows))  # one for each information state, whatever is hidden
        lost.append(exploitability(known, tabulate(known, found.policies[seat], seat), seat))
    uniform = nash_gap(known, (Uniform(), Uniform())).nash_gap
    if name in STUCK:
        assert sum(found.distinct_labels) < len(known)
    else:
        assert sum(lost) < 0.25 * uniform
