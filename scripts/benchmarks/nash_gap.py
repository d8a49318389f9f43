"""Seconds for the exact Nash gap (NashConv) of random policies, ours and OpenSpiel's: ``bench.py nash-gap``.

The policies are of Tic-Tac-Toe, depend on the board, and are the same for all. Ours: two best responses over a
``GameGraph``. Peers: OpenSpiel's ``nash_conv`` in Python (``openspiel-python``) and its C++ one called from Python
(``openspiel-c++``), both on tables with one row per information state, OpenSpiel's key: one per history. ``gap`` is one
evaluation; ``setup`` is what precedes the first one and serves later ones: building the graph, or listing the
information states and filling their table. The translation of our table to theirs is not counted. ``same_result``: all
values agree to 1e-9. One new policy per repeat; each peer evaluates it once, ours is the median of about a second of
evaluations; figures are medians over policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

import games
from benchmarks.clocks import median_timed, timed
from benchmarks.results import SECONDS, Result, Settings, note
from games.base import Enumerable, Floats, Ints, Model, Rng, Table, as_enumerable
from mail.parallel.streams import stream

TOLERANCE = 1e-9


def run(settings: Settings, *, ours: str = "tictactoe", theirs: str = "tic_tac_toe") -> Result:
    """The exact Nash gap of the same random policies by us and by OpenSpiel. ``theirs``: OpenSpiel's
    name of the game.
    """
    import pyspiel
    from open_spiel.python.algorithms import exploitability
    from open_spiel.python.policy import TabularPolicy

    repeats = settings.repeats or 2
    game, peer_game = _enumerable(ours), pyspiel.load_game(theirs)
    build_seconds, graph = median_timed(settings.seconds, games.GameGraph, game)
    note(f"graph of {len(graph):,} positions: {build_seconds:.3g} s")
    list_seconds, tabular = timed(TabularPolicy, peer_game)
    note(f"OpenSpiel's {len(tabular.states):,} information states: {list_seconds:.3g} s")
    rows = _rows(graph, [state.history() for state in tabular.states])  # [information states]

    evaluate_ours, evaluate_python, evaluate_c, fill_python, fill_c, same = [], [], [], [], [], True
    for shard in range(repeats):
        tables = _random_tables(graph, rng=stream(settings.seed, "bench/nash-gap", shard=shard))
        probabilities = (tables[0] + tables[1])[rows]  # one seat moves at a time: the other table's row is zero

        seconds, gap = median_timed(settings.seconds, nash_conv, graph, tables)
        evaluate_ours.append(seconds)
        note(f"policy {shard}: {gap:.12f} ours, {seconds:.3g} s")

        seconds, _ = timed(np.copyto, tabular.action_probability_array, probabilities)
        fill_python.append(seconds)
        seconds, python_gap = timed(exploitability.nash_conv, peer_game, tabular)
        evaluate_python.append(seconds)
        note(f"policy {shard}: {python_gap:.12f} OpenSpiel in Python, {seconds:.3g} s")

        seconds, c_policy = timed(lambda: pyspiel.TabularPolicy(_legal_rows(tabular)))
        fill_c.append(fill_python[-1] + seconds)
        seconds, c_gap = timed(pyspiel.nash_conv, peer_game, c_policy)
        evaluate_c.append(seconds)
        note(f"policy {shard}: {c_gap:.12f} OpenSpiel in C++, {seconds:.3g} s")
        same = same and max(abs(gap - python_gap), abs(gap - c_gap)) <= TOLERANCE

    return Result(
        ours={"setup": build_seconds, "gap": median(evaluate_ours)},
        peers={
            "openspiel-python": {"setup": list_seconds + median(fill_python), "gap": median(evaluate_python)},
            "openspiel-c++": {"setup": list_seconds + median(fill_c), "gap": median(evaluate_c)},
        },
        units={"setup": SECONDS, "gap": SECONDS},
        repeats=repeats,
        same_result=bool(same),
    )


def _enumerable(name: str) -> Enumerable:
    return as_enumerable(games.make(name))


def nash_conv(model: Model, tables: tuple[Table, Table]) -> float:
    """NashConv: the sum of both seats' gains by best responses (values are seat 0's)."""
    return model.respond(0, tables[1]).value - model.respond(1, tables[0]).value


def _random_tables(graph: games.GameGraph, *, rng: Rng) -> tuple[Table, Table]:
    """A policy for each seat [S, A], uniform on the simplex over the legal actions of every position."""
    weights = rng.exponential(size=graph.legal_mask.shape)

    def table(seat: int) -> Floats:
        masked = weights * graph.legal(seat)
        total = masked.sum(1, keepdims=True)
        return np.asarray(np.divide(masked, total, out=np.zeros_like(masked), where=total > 0))

    return table(0), table(1)


def _rows(graph: games.GameGraph, histories: Sequence[Sequence[int]]) -> Ints:
    """The graph's row of the position after each history, by a batched replay."""
    rng = np.random.default_rng(0)  # not used by boards
    moves = np.full((len(histories), graph.game.spec.longest), -1, dtype=np.int64)  # [N, longest]
    for row, history in enumerate(histories):
        moves[row, : len(history)] = history
    states = graph.game.start(len(histories), rng=rng)
    for ply, column in enumerate(moves.T):
        going = np.flatnonzero(column >= 0)
        actions = np.full((len(going), 2), -1, dtype=np.int64)
        actions[:, ply % 2] = column[going]
        states[going] = graph.game.step(states[going], actions, rng=rng)[0]
    return graph.index(states)


def _legal_rows(tabular: Any) -> dict[str, list[tuple[int, float]]]:
    """OpenSpiel's Python table in the form of the C++ one: legal actions with their probabilities."""
    lists = tabular.action_probability_array.tolist()
    masks = tabular.legal_actions_mask.tolist()
    return {
        key: [(action, p) for action, (p, legal) in enumerate(zip(lists[row], masks[row], strict=True)) if legal]
        for key, row in tabular.state_lookup.items()
    }
