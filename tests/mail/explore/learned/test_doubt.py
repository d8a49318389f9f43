"""Queries in doubt: never twice, where play leads, until no line of play leads the clone to anything unknown."""

from __future__ import annotations

import numpy as np
import pytest

from agents.ntuple import NtuplePolicy
from agents.policy import Uniform, greedy_rows, tabulate, uniform_rows
from games import GameGraph, NashmailError, make
from mail import explore
from mail.data.decisions import Decisions, merge
from mail.data.rollout import play
from mail.evaluation.gap import exploitability
from mail.explore import ExplorerContext
from mail.explore.learned.doubt import Doubt, DoubtConfig
from mail.explore.learned.seen import UNSEEN, SeenMoves
from mail.parallel.streams import stream
from tests.mail.explore.cases import Case, first_experts
from tests.support import graph


def explored(model: GameGraph, seat: int) -> tuple[Doubt, Decisions]:
    """The explorer when it is done, and all decisions."""
    case = Case("doubt", 1 - seat, model)
    explorer = Doubt(ExplorerContext(case.game, 1 - seat, case.experts()), DoubtConfig(), rng=stream(0, "test/doubt"))
    rounds: list[Decisions] = []
    while not explorer.done and len(rounds) < 500:
        rounds.append(case.round(explorer, len(rounds)))
        explorer.update(rounds[-1], rng=stream(0, "test/update", round_=len(rounds)))
    assert explorer.done
    return explorer, merge(rounds)


@pytest.mark.slow
@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("name", ["tictactoe:2x3", "connect4:3x3:3", "quotient:connect4:3x3:3"])
def test_in_the_end_the_greedy_clone_cannot_be_exploited(name: str, seat: int) -> None:
    model = graph(name)
    explorer, decisions = explored(model, seat)
    queried = decisions.take(decisions.queried)
    assert (queried.seat == seat).all() and queried.labels() == queried.distinct_labels()
    assert np.array_equal(queried.played, queried.label.argmax(1)), "answers are played"
    fit = explorer.clone()
    assert fit is not None and isinstance(fit.policy, NtuplePolicy)
    table = tabulate(model, fit.policy, seat)
    assert exploitability(model, greedy_rows(table), seat) == 0.0
    assert exploitability(model, table, seat) < 0.02


@pytest.mark.parametrize("seat", [0, 1])
def test_when_it_is_done_it_has_seen_all_that_the_clone_can_be_led_to(seat: int) -> None:
    """Against the model: the positions that any opponent can reach while labels, else the clone, answer."""
    model = graph("connect4:3x3:3")
    explorer, _ = explored(model, seat)
    profile = [uniform_rows(model.legal(0)), uniform_rows(model.legal(1))]
    profile[seat] = tabulate(model, explorer.opponent_policy(), seat)
    there = np.flatnonzero(model.reach((profile[0], profile[1])) > 0)
    moves, seen = explorer._walk()
    assert {tuple(state) for state in model.states[there]} == {tuple(state) for state in explorer.seen.states[seen]}
    assert not (moves & (explorer.seen.successor == UNSEEN))[seen].any()
    unknown = seen & (explorer.seen.seat == seat) & ~explorer.learned.table.find(explorer.seen.keys)[0]
    doubts = explorer.learned.posterior.answers(explorer.seen.states[unknown]).doubt
    assert (doubts * max(explorer.config.cautions) <= 1.0).all()


@pytest.mark.parametrize("seat", [0, 1])
def test_it_queries_at_the_earliest_doubt_once_all_moves_before_it_were_played(seat: int) -> None:
    model = graph("connect4:3x3:3")
    case = Case("doubt", 1 - seat, model)
    explorer = Doubt(ExplorerContext(case.game, 1 - seat, case.experts()), DoubtConfig(), rng=stream(0, "test/doubt"))
    batches, levels = 0, [0]
    while not explorer.done:
        before = set(explorer.targets.tolist())
        explorer.update(case.round(explorer, batches), rng=stream(0, "test/update"))
        batches += 1
        levels.append(explorer.level)
        aimed = explorer.targets
        if not len(aimed) or set(aimed.tolist()) <= before:
            continue
        moves, reachable = explorer._walk()
        assert not (moves & (explorer.seen.successor == UNSEEN))[reachable].any()
        assert not explorer.learned.table.find(explorer.seen.keys[aimed])[0].any() and reachable[aimed].all()
        rest = np.setdiff1d(explorer.in_doubt, aimed)
        assert explorer.seen.ply[aimed].max() <= explorer.seen.ply[rest].min(initial=99)
        assert not moves[explorer.in_doubt].any(), "no answer in doubt is followed"
    assert levels == sorted(levels) and levels[-1] == len(explorer.config.cautions) - 1


def test_seen_moves_are_those_of_the_game() -> None:
    model = graph("tictactoe:2x3")
    seen = SeenMoves(model.game)
    experts = first_experts(model)
    for number in range(5):
        seen.add(play(model.game, experts if number == 2 else (Uniform(), Uniform()), 7, rng=stream(number, "test")))
    rows = model.index(seen.states)
    assert len(np.unique(rows)) == len(seen)
    assert np.array_equal(seen.seat, model.seat[rows]) and np.array_equal(seen.legal, model.legal_mask[rows])
    known = seen.successor != UNSEEN
    assert known.any(1).all()
    after = np.append(rows, -1)[np.where(known, seen.successor, -1)]
    assert np.array_equal(after[known], model.successor[rows][known])
    own_view = np.where(model.seat[rows] == 0, 1.0, -1.0)[:, None] * model.reward[rows]
    assert np.array_equal(seen.payoff[known], own_view[known]) and not seen.payoff[~known].any()


def test_games_that_are_no_boards_are_refused() -> None:
    game = make("kuhn")
    with pytest.raises(NashmailError, match="is no board"):
        explore.check("doubt", ExplorerContext(game, 0, first_experts(graph("tictactoe:2x3"))))


def test_a_walk_follows_the_clones_moves_and_asks_for_those_alone_to_which_they_lead() -> None:
    model = graph("tictactoe:2x3")
    seen = SeenMoves(model.game)
    for number in range(40):
        seen.add(play(model.game, (Uniform(), Uniform()), 8, rng=stream(number, "test")))
    asked: list[np.ndarray] = []

    def first(rows: np.ndarray) -> np.ndarray:
        """The lowest legal move; none at positions of ply 3."""
        asked.append(rows)
        moves = np.zeros((len(rows), model.game.spec.actions), dtype=np.bool_)
        moves[np.arange(len(rows)), seen.legal[rows].argmax(1)] = seen.ply[rows] < 3
        return moves

    moves, reachable = seen.walk(1, first)
    assert np.array_equal(np.sort(np.concatenate(asked)), np.flatnonzero(reachable & (seen.seat == 1)))
    assert np.array_equal(moves[seen.seat == 0], seen.legal[seen.seat == 0])
    assert set(seen.ply[reachable]) == {0, 1, 2, 3}
    assert (reachable & (seen.ply == 2)).sum() == len(np.unique(seen.successor[moves & (seen.ply == 1)[:, None]]))
