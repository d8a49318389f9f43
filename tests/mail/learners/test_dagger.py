"""DAgger: its schedule, what each opponent leads it to, and that labels are the expert's, not what was played."""

from __future__ import annotations

import numpy as np
import pytest

from agents import expert
from agents.network import Architecture
from agents.policy import Uniform, tabulate, uniform_rows
from games import NashmailError
from mail.clone.network import CloneConfig
from mail.evaluation.exact import profile_measures
from mail.evaluation.gap import exploitability
from mail.learners.base import make_learner
from mail.learners.budget import Budget
from mail.learners.collect import Learned, Options, cloned
from mail.learners.dagger import Dagger, exponential, linear
from mail.learners.journal import NullJournal
from mail.parallel.pool import Local
from tests.support import graph

QUICK = CloneConfig(architecture=Architecture(channels=4, convolutions=1, hidden=16), max_steps=30)


def learned(name: str, budget: Budget, game: str = "tictactoe", seed: int = 0) -> Learned:
    model = graph(game)
    learner = make_learner(name, Options(seed=seed, explorer="counts", model=model))
    return learner.learn(model.game, expert.make("first", model), budget, pool=Local(), journal=NullJournal())


def test_schedules() -> None:
    assert [linear(round_, 15) for round_ in (0, 3, 15, 20)] == [1.0, 0.8, 0.0, 0.0]
    assert [exponential(round_, 0.5) for round_ in (0, 1, 2)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(("ties", "counts"), [("first", (99, 447)), ("uniform", (2091, 1141))])
def test_positions_that_an_opponent_with_full_support_leads_to(ties: str, counts: tuple[int, int]) -> None:
    """Of experts that take any optimal move, whenever it wins: the lowest, or all of them alike."""
    model = graph("tictactoe")
    for seat in (0, 1):
        values = model.solve()[seat].action_values
        best = np.isfinite(values) & (values == values.max(1, keepdims=True))
        if ties == "first":
            best &= best.cumsum(1) == 1
        own, other = uniform_rows(best), tabulate(model, Uniform(), 1 - seat)
        reach = model.reach((own, other) if seat == 0 else (other, own))
        assert int((reach[model.legal(seat).any(1)] > 0).sum()) == counts[seat]


def test_a_table_is_not_fitted_again_where_no_new_position_came(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []
    monkeypatch.setattr(
        "mail.learners.dagger.cloned", lambda *given, **more: (fits.append(given[3]), cloned(*given, **more))[1]
    )
    result = learned("dagger-uniform", Budget(3000, (2000, 2000)), "tictactoe:2x3")
    assert max(fits.count(0), fits.count(1)) < result.games / 16 / 4, "a quarter of the rounds"
    known = result.decisions[0].take(result.decisions[0].queried)
    rows = result.policies[0].probabilities(graph("tictactoe:2x3").game, known.state, 0)
    assert np.allclose(rows, known.label)


def test_dagger_with_a_uniform_opponent_comes_to_all_of_them() -> None:
    """X, playing its expert, on a small board: as many labelled positions as can be reached, and nothing to exploit."""
    model = graph("tictactoe:2x3")
    result = learned("dagger-uniform", Budget(3000, (2000, 2000)), "tictactoe:2x3")
    experts = model.equilibrium("first")
    for seat in (0, 1):
        other = tabulate(model, Uniform(), 1 - seat)
        reach = model.reach((experts[0], other) if seat == 0 else (other, experts[1]))
        reachable = model.legal(seat).any(1) & (reach > 0)
        table = tabulate(model, result.policies[seat], seat)
        assert np.array_equal(table[reachable], experts[seat][reachable])
        assert exploitability(model, table, seat) == 0.0
        assert result.distinct_labels[seat] >= reachable.sum()


def test_against_the_expert_it_learns_what_bc_learns() -> None:
    """A deterministic pair of experts shows nine positions, whoever makes mistakes: the clone makes none there."""
    result = learned("dagger", Budget(labels=(300, 300)))
    assert result.distinct_labels == (5, 4)
    assert profile_measures(graph("tictactoe"), result.policies)["nash_gap"] == pytest.approx(1.8043, abs=5e-5)


def test_labels_are_the_experts_where_the_clone_played_something_else() -> None:
    result = learned("dagger-uniform", Budget(labels=(900, 900)))
    for seat, part in enumerate(result.decisions):
        mine = part.take(part.seat == seat)
        own = mine.label[np.arange(len(mine)), mine.played]
        assert mine.queried.all()
        assert (own == 0).any(), "it played what its expert never does, and learned what the expert does"


@pytest.mark.slow
def test_tictactoe_is_learned_with_the_best_response_opposite() -> None:
    result = learned("dagger-best", Budget(9000, (6000, 6000)))
    assert profile_measures(graph("tictactoe"), result.policies)["nash_gap"] <= 0.02


def test_settings_that_make_no_learner_are_refused() -> None:
    model = graph("tictactoe")
    with pytest.raises(NashmailError, match="opponent of dagger is one of expert"):
        Dagger(Options(), opponent="nobody")
    with pytest.raises(NashmailError, match="schedule of dagger is one of"):
        Dagger(Options(), schedule="square")
    with pytest.raises(NashmailError, match="cannot be sampled"):
        Dagger(Options(sample_labels=True)).check(model.game, expert.make("first", model))


def test_other_cloners_serve() -> None:
    model = graph("tictactoe:2x2:2")
    learner = Dagger(Options(seed=1, model=model, clone=QUICK), cloner="network", games_per_round=4)
    result = learner.learn(model.game, expert.make("first", model), Budget(4), pool=Local(), journal=NullJournal())
    assert result.cloner == "network"
