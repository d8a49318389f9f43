"""The explorer ``respond``: it asks until nothing can be gained from the labels, and for no more than it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.expert import make as make_expert
from agents.policy import tabulate
from games import InfosetModel, MarkovModel
from games.base import Model, NashmailError
from mail import explore
from mail.data.rollout import play
from mail.evaluation.gap import exploitability
from mail.explore.base import ExplorerContext
from mail.explore.respond import Respond, RespondConfig
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from tests.support import game, graph

MODELS: dict[str, Any] = {
    "kuhn": lambda: InfosetModel(game("kuhn")),
    "leduc": lambda: InfosetModel(game("leduc")),
    "tictactoe:2x3:3": lambda: graph("tictactoe:2x3:3"),
    "rps": lambda: MarkovModel(game("rps")),
}


def explored(model: Model, seat: int, rounds: int, seed: int = 0, expert: str = "first") -> tuple[Respond, int]:
    """The explorer in ``seat`` after it is done, and the distinct positions asked about, round by round."""
    context = ExplorerContext(model.game, seat, make_expert(expert, model), model=model)
    explorer, rng, queries = Respond(context, RespondConfig()), np.random.default_rng(seed), 0
    for _ in range(rounds):
        behaves, other = explorer.behavior_policy(), explorer.opponent_policy()
        seats = (behaves, other) if seat == 0 else (other, behaves)
        labels = (None, explorer.labels()) if seat == 0 else (explorer.labels(), None)
        played = play(model.game, seats, explorer.games_per_round, labels=labels, rng=rng)
        queries += played.distinct_labels()
        explorer.update(played, rng=rng)
        if explorer.done:
            break
    return explorer, queries


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["kuhn", "leduc", "tictactoe:2x3:3", "rps"])
def test_it_ends_with_a_clone_from_which_nothing_can_be_gained(name: str, seat: int) -> None:
    model = MODELS[name]()
    explorer, queries = explored(model, seat, rounds=2000)
    assert explorer.done
    clone = explorer.clone()
    assert clone is not None
    assert exploitability(model, tabulate(model, clone.policy, 1 - seat), 1 - seat) <= 1e-6
    assert queries <= int(model.legal(1 - seat).any(1).sum())


@pytest.mark.parametrize("seat", [0, 1])
def test_it_ends_although_its_expert_is_no_equilibrium(seat: int) -> None:
    """With a clone that loses as much as the expert: the rest is the expert's."""
    model = MODELS["kuhn"]()
    explorer, _ = explored(model, seat, rounds=500, expert="cfr+:20")
    assert explorer.done
    clone, asked = explorer.clone(), 1 - seat
    assert clone is not None
    own = exploitability(model, tabulate(model, make_expert("cfr+:20", model)[asked], asked), asked)
    assert exploitability(model, tabulate(model, clone.policy, asked), asked) == pytest.approx(own, abs=1e-6)
    assert own > 1e-4


def test_positions_that_no_best_response_comes_to_are_not_asked_about() -> None:
    model = MODELS["leduc"]()
    assert sum(explored(model, seat, rounds=2000)[1] for seat in (0, 1)) < len(model)


def test_a_long_wait_for_a_label_does_not_end_it() -> None:
    model = MODELS["leduc"]()
    learner = Mail(Options(seed=0, explorer="respond", model=model))
    budget = Budget(episodes=3000, patience=0.0, patience_games=1)
    found = learner.explore(Collector("mail", model.game, 0), make_expert("first", model), budget, 0)
    assert found.clone is not None
    assert exploitability(model, tabulate(model, found.clone.policy, 0), 0) <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("cloner", ["network", "tabular"])
def test_refute_trains_a_clone_of_hidden_cards_until_little_can_be_gained_from_it(cloner: str) -> None:
    """Both seats of Kuhn poker; a network is the learner's own clone, a table needs none."""
    model = MODELS["kuhn"]()
    learner = Mail(Options(seed=0, model=model), explorer="refute", cloner=cloner)
    budget = Budget(episodes=1000, patience=3.0, patience_games=500)
    found = learner.learn(model.game, make_expert("first", model), budget, pool=Local(), journal=NullJournal())
    for seat in (0, 1):
        assert exploitability(model, tabulate(model, found.policies[seat], seat), seat) <= 0.01
    assert found.labels == found.distinct_labels and sum(found.labels) <= 12


def test_refute_stops_where_an_expert_itself_can_be_exploited() -> None:
    model = MODELS["kuhn"]()
    experts = make_expert("cfr+:5", model)
    learner = Mail(Options(seed=0, model=model), explorer="refute", cloner="tabular")
    found = learner.learn(model.game, experts, Budget(episodes=1000), pool=Local(), journal=NullJournal())
    own = sum(exploitability(model, tabulate(model, experts[seat], seat), seat) for seat in (0, 1))
    assert own > 0.01 and found.games < 2000


def test_it_needs_the_exact_model() -> None:
    experts = make_expert("first", MODELS["kuhn"]())
    with pytest.raises(NashmailError, match="respond needs the exact model"):
        explore.check("respond", ExplorerContext(game("kuhn"), 0, experts))
