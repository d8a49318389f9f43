"""What an explorer queries until its clone is good enough: counts, the search, and the measures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents import expert
from agents.policy import Uniform, tabulate, uniform_rows
from agents.tabular import from_model
from figures.asking import cells, counting, measures, runs
from games import GameGraph, make
from games.base import as_enumerable
from games.plies.graph import CompactGraph
from mail.evaluation.gap import exploitability
from mail.learners.budget import Budget
from mail.learners.collect import Options
from mail.learners.journal import NullJournal
from mail.learners.walk.learner import MailWalk
from mail.parallel.pool import Local
from mail.training.context import GameContext
from tests.scripts.figures.labelled import explored


def test_asks_are_counted_game_by_game(tictactoe_graph: GameGraph) -> None:
    """Against a plain count over rounds, some of whose games have no ask at all."""
    rounds = [explored(tictactoe_graph, 0, games, seed) for seed, games in enumerate((3, 1, 4))]
    rounds[1] = replace(rounds[1], label=np.full_like(rounds[1].label, np.nan))
    everything = frozenset({row.tobytes() for part in rounds for row in part.key} | {b"elsewhere"})
    counted = counting.Queries(0, everything)
    for part in rounds:
        counted.update(part)
    seen: list[bytes] = []
    spent: list[dict[str, int]] = []
    games = 0
    for part in rounds:
        for episode in range(part.games):
            games += 1
            for row in np.flatnonzero(part.queried & (part.episode == episode)):
                seen.append(part.key[row].tobytes())
                spent.append({"distinct": len(set(seen)), "asks": len(seen), "games": games})
    assert [counted.spent(number) for number in range(1, len(seen))] == spent[:-1]
    assert counted.spent(len(seen)) == {**spent[-1], "games": 8}
    assert counted.first == [at for at, key in enumerate(seen) if key not in seen[:at]]
    labels = counted.labels(5)
    assert [key.tobytes() for key in labels.key] == [seen[at] for at in counted.first[:5]]
    assert counted.missing == everything - set(seen)


@pytest.mark.slow
@pytest.mark.pages
@pytest.mark.parametrize("needed", [(30, 45), (61, 61), (9, 200), (1, 1), (150, 1000)])
def test_the_search_finds_the_fewest_labels(
    needed: tuple[int, int], tictactoe_graph: GameGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a clone that reaches its targets at so many distinct labels, to within 2 %."""
    targets = dict(zip(measures.TARGETS, needed, strict=True))

    def losses(search: Any, distinct: int) -> dict[str, float]:
        return {name: float(distinct < need) for name, need in targets.items()}

    monkeypatch.setattr(counting.Search, "_losses", losses)
    counted = counting.Queries(1, frozenset())
    at = GameContext(tictactoe_graph.game, tictactoe_graph, tictactoe_graph.game, tictactoe_graph)
    search = counting.Search(cells.Cell("tictactoe", False, "uniform", 1, 0), at, counted)
    for seed in range(40):
        counted.update(explored(tictactoe_graph, 1, 5, seed))
        search.look()
    search.look(last=True)
    there = len(counted.first)
    assert 200 < there < 1000
    assert search.over == (max(needed) <= there)
    for name, found in search.found().items():
        if targets[name] > there:
            assert found is None
        else:
            assert found is not None and targets[name] <= found["distinct"] <= max(targets[name] * 1.02 + 1, 8)
            assert found == counted.spent(counted.first[int(found["distinct"]) - 1] + 1)


def test_the_keys_to_be_covered_are_those_that_are_counted() -> None:
    for symmetry in (False, True):
        for seat in (0, 1):
            assert (
                len(measures.reachable("tictactoe", symmetry, seat))
                == measures.bounds_of("tictactoe", symmetry)[seat].labels
            )


def test_measures_are_exact_where_it_matters(tictactoe_graph: GameGraph) -> None:
    at = GameContext(tictactoe_graph.game, tictactoe_graph, tictactoe_graph.game, tictactoe_graph)
    table = expert.make("first", tictactoe_graph)[0].probabilities(tictactoe_graph.game, tictactoe_graph.states, 0)
    for noise in (0.0, 1e-3, 0.3):
        noisy = from_model(tictactoe_graph, 0, (1 - noise) * table + noise * uniform_rows(tictactoe_graph.legal(0)))
        found = measures.measure(at, noisy, 0)
        exact = exploitability(tictactoe_graph, (1 - noise) * table + noise * uniform_rows(tictactoe_graph.legal(0)), 0)
        assert found["greedy"] == 0.0
        if exact <= measures.SOFT:
            assert found["soft"] == pytest.approx(exact, abs=1e-12)
        else:
            assert measures.SOFT < found["soft"] <= exact


def test_without_tables_the_greedy_clone_is_measured_exactly_and_the_other_bounded() -> None:
    """Connect Four 3x3 with 3 in a row is drawn; a clone that errs nowhere, and one that moves at random."""
    board = as_enumerable(make("connect4:3x3:3"))
    compact, graph = CompactGraph(board), GameGraph(board)
    at = GameContext(board, graph, board, graph)
    for seat in (0, 1):
        table = graph.equilibrium("first")[0]
        for noise in (0.0, 1e-4, 3e-2):
            noisy = from_model(graph, seat, (1 - noise) * table + noise * uniform_rows(graph.legal(seat)))
            found = measures.measure_by_plies(compact, noisy, seat)
            exact = exploitability(graph, tabulate(graph, noisy, seat), seat)
            assert found is not None and found["greedy"] == 0.0 == measures.measure(at, noisy, seat)["greedy"]
            assert exact - 1e-12 <= found["soft"]
            assert found["soft"] <= exact + 1e-3 or exact > measures.SOFT
        assert measures.measure_by_plies(compact, Uniform(), seat) is None


@pytest.mark.slow
@pytest.mark.parametrize("explorer", cells.NTUPLES)
def test_learners_with_clones_of_their_own_are_measured_as_they_learn(explorer: str) -> None:
    """On 3x3, where each of them ends at exploitability 0; what is spent grows, and time with it."""
    found, notes = runs.traced(cells.Cell("connect4:3x3:3", False, explorer, 1, 0))
    assert found["own_clone"] and found["greedy"]["distinct"] <= found["soft"]["distinct"]
    assert notes[-1]["greedy"] == 0.0 and notes[-1]["soft"] <= measures.SOFT
    assert notes[-1]["asks"] <= found["spent"]["asks"]
    for unit in ("asks", "games", "seconds"):
        assert [note[unit] for note in notes] == sorted(note[unit] for note in notes)
    assert found["greedy"].keys() == {"distinct", "asks", "games", "seconds"}


def test_a_seat_that_walks_alone_learns_what_it_learns_beside_the_other() -> None:
    context = measures.known("connect4:3x3:3", False)
    learner, experts = MailWalk(Options(seed=3)), context.experts("first")
    both = learner.learn(context.game, experts, Budget(1000), pool=Local(), journal=NullJournal())
    for seat in (0, 1):
        cell = cells.Cell("connect4:3x3:3", True, cells.WALK, seat, 3)
        assert runs.run(cell)["spent"]["asks"] == both.labels[seat]
