"""Exploration by refutation: lines that the clone loses, until there is none."""

from __future__ import annotations

import numpy as np
import pytest

from agents.ntuple import NtuplePolicy
from agents.policy import greedy_rows, tabulate, uniform_rows
from games import GameGraph
from games.base import Floats, Ints
from mail import explore
from mail.data.decisions import Decisions, merge
from mail.evaluation.coverage import coverage_bounds
from mail.evaluation.gap import exploitability
from mail.explore import ExplorerContext
from mail.explore.refute import Reachable, Refute, RefuteConfig
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Options
from mail.learners.interactive import Mail
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case, first_experts
from tests.support import graph, random_profile


def led(model: GameGraph, table: np.ndarray, seat: int, negligible: float) -> Reachable:
    return Reachable.of(model, lambda rows: table[rows], seat, negligible)


@pytest.mark.equal_results
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe", "connect4:3x3:3"])
def test_a_refutation_is_the_best_response_where_nothing_is_negligible(name: str, seat: int, seed: int) -> None:
    """Against the sweep over all positions; what is neglected, or corrected, can only be lost less."""
    model = graph(name)
    table = random_profile(model, seed)[seat]
    exact = exploitability(model, table, seat)
    found = led(model, table, seat, 1e-300).refute()
    assert found.loss == pytest.approx(exact, abs=1e-12)
    losses = [led(model, table, seat, negligible).refute().loss for negligible in (1e-300, 1e-3, 1e-1, 2.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == pytest.approx(0.0, abs=1e-12)
    everywhere = np.ones(len(model), dtype=np.bool_)
    assert led(model, table, seat, 1e-300).refute(everywhere).loss == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("seat", [0, 1])
def test_a_line_is_a_game_that_the_greedy_clone_loses(seat: int) -> None:
    """Played out move by move, against uniform play made greedy: the lowest action everywhere."""
    model = graph("tictactoe")
    table = greedy_rows(uniform_rows(model.legal(seat)))
    found = led(model, table, seat, 0.5).refute()
    assert found.loss == exploitability(model, table, seat) == 1.0
    line = found.line(stream(0, "test"))
    assert line.rows[0] == 0
    for row, move, after in zip(line.rows[:-1], line.moves[:-1], line.rows[1:], strict=True):
        assert model.successor[row, move] == after
    mine = model.seat[line.rows] == seat
    assert (table[line.rows[mine], line.moves[mine]] == 1.0).all()
    assert model.reward[line.rows[-1], line.moves[-1]] == 2 * seat - 1


@pytest.mark.slow
@pytest.mark.equal_results
@pytest.mark.parametrize("seat", [0, 1])
def test_refute_ends_with_a_clone_that_cannot_be_refuted(seat: int) -> None:
    """No label is paid twice, none lies off the expert's ways, and there are fewer than cover them."""
    model = graph("connect4:3x3:3")
    case = Case("refute", 1 - seat, model)
    explorer = case.build()
    rounds: list[Decisions] = []
    while not explorer.done and len(rounds) < 100:
        rounds.append(case.round(explorer, len(rounds)))
        explorer.update(rounds[-1], rng=stream(0, "test/update", round_=len(rounds)))
    assert explorer.done
    fit = explorer.clone()
    assert fit is not None
    table = tabulate(model, fit.policy, seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) <= RefuteConfig().tolerance
    asked = merge(rounds)
    asked = asked.take(asked.queried)
    assert (asked.seat == seat).all()
    assert (
        asked.labels() == asked.distinct_labels() < coverage_bounds(model, model.equilibrium("first")[0], seat).labels
    )
    profile = [uniform_rows(model.legal(0)), uniform_rows(model.legal(1))]
    profile[seat] = model.equilibrium("first")[0]
    assert (model.reach((profile[0], profile[1]))[model.index(asked.state)] > 0).all()


@pytest.mark.parametrize("seat", [0, 1])
def test_refute_trains_the_learners_cloner(seat: int) -> None:
    """N-tuples: the greedy clone is refuted first, and in the end neither can be exploited."""
    model = graph("tictactoe")
    case = Case("refute", 1 - seat, model)
    context = ExplorerContext(case.game, 1 - seat, case.experts(), model=model, cloner="ntuple")
    explorer = explore.make("refute", context, rng=stream(0, "test/explorer"))
    number = 0
    while not explorer.done and number < 200:
        explorer.update(case.round(explorer, number), rng=stream(0, "test/update", round_=number))
        number += 1
    fit = explorer.clone()
    assert explorer.done and fit is not None and isinstance(fit.policy, NtuplePolicy)
    table = tabulate(model, fit.policy, seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) <= RefuteConfig().tolerance


def test_refute_leaves_cloning_to_cloners_that_cannot_be_trained_on() -> None:
    model = graph("tictactoe:2x3")
    case = Case("refute", 1, model)
    context = ExplorerContext(case.game, 1, case.experts(), model=model, cloner="tabular")
    explorer = explore.make("refute", context, rng=stream(0, "test/explorer"))
    explorer.update(case.round(explorer, 0), rng=stream(0, "test/update"))
    assert explorer.clone() is None


def test_lines_are_legal_where_the_clone_cannot_be_led() -> None:
    """A line may go on past moves of negligible probability, where there is no reply to prefer."""
    model = graph("connect4:3x4")

    def uniform(rows: Ints) -> Floats:
        return uniform_rows(model.legal_mask[rows])

    for seed in range(40):
        refutation = Reachable.of(model, uniform, 0, 0.2).refute()
        line = refutation.line(np.random.default_rng(seed))
        assert model.legal_mask[line.rows, line.moves].all()


@pytest.mark.slow
def test_refute_stops_asking_once_the_answer_leaves_the_line() -> None:
    """In each game every ask but the last is answered with the line's own move."""
    case = Case("refute", 1, graph("tictactoe"))
    explorer = case.build()
    assert isinstance(explorer, Refute)
    surprised = 0
    for number in range(6):
        line = explorer.lines[0]
        planned = dict(zip(line.rows.tolist(), line.moves.tolist(), strict=True))
        decisions = case.round(explorer, number)
        asked = decisions.take(decisions.queried)
        answers = asked.label.argmax(1)
        own = [planned[row] for row in case.model.index(asked.state).tolist()]
        assert (answers[:-1] == own[:-1]).all()
        surprised += bool(answers[-1] != own[-1])
        explorer.update(decisions, rng=stream(0, "test/update", round_=number))
    assert surprised >= 3


@pytest.mark.parametrize("seat", [0, 1])
def test_refute_asks_once_even_where_nothing_can_be_lost(seat: int) -> None:
    """Two in a row on 2 x 2: whoever moves first wins, whatever is played."""
    model = graph("tictactoe:2x2:2")
    collector = Collector("mail", model.game, 0)
    learner = Mail(Options(explorer="refute", model=model))
    found = learner.explore(collector, first_experts(model), Budget(episodes=5), seat)
    assert found.decisions.games == 1 and 1 <= found.decisions.labels() <= 2  # a line has two decisions of seat 0
    assert found.clone is not None
    assert exploitability(model, tabulate(model, found.clone.policy, seat), seat) == pytest.approx(0.0, abs=1e-12)
