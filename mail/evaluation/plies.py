"""Exact measures where tables of all positions would not fit: one ply after the other (``games.plies``).

Every policy is queried once at every position of its seat; where it answers mirror images alike, at one of both. Six
values are backed up together from the last ply to the first: each seat's policy, as it is and greedy, against its best
opponent, and both pairs against each other. Only the values of two plies are held. Source: docs/algorithms.md,
"Exploitability and the Nash gap".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from agents.ntuple import NtuplePolicy
from agents.policy import Lifted, Policy, Seats, greedy_rows, query
from games.base import Floats, States
from games.plies.graph import BEST, CompactGraph
from mail.evaluation.exact import as_measures, without_rounding
from mail.evaluation.gap import gap_between
from mail.evaluation.tabulate import TabulateTask, evaluate_shard
from mail.parallel.pool import Local, Pool

WAVE = 16
"""Most batches whose answers are held at once."""
_PLAIN, _GREEDY, _EXPERT = 0, 1, 2  # policies of a seat


def symmetric(policy: Policy) -> bool:
    """Whether a policy is known to answer mirror images of a board alike.

    Args:
        policy: any policy.
    """
    return isinstance(policy, Lifted) or (isinstance(policy, NtuplePolicy) and policy.tied)


def ply_measures(
    graph: CompactGraph, profile: Seats, *, experts: Seats | None = None, pool: Pool | None = None
) -> dict[str, Any]:
    """What ``mail.evaluation.exact.profile_measures`` says, of a graph without tables.

    Args:
        graph: The board's graph.
        profile: Both policies; of positions, not of histories.
        experts: Both experts, which answer for little: adds ``value_gap`` (``mail.evaluation.exact.value_gap``).
        pool: Queries the policies; by default this process.

    Raises:
        PolicyError: A policy does not return distributions over legal actions.
        GameError: The memory does not suffice.
    """
    game = graph.game

    def ask(seat: int, batches: Iterator[States]) -> Iterable[Floats]:
        task = TabulateTask(profile[seat], game, seat)
        while wave := list(islice(batches, WAVE)):
            yield from (pool or Local()).map(evaluate_shard, task, wave)

    def derive(seat: int, states: States, answer: Floats) -> Floats:
        players = [answer, greedy_rows(answer)]
        if experts is not None:
            players.append(query(experts[seat], game, states, seat))
        return np.stack(players)

    pairs = [(BEST, player) for player in (_PLAIN, _GREEDY)] + [(player, BEST) for player in (_PLAIN, _GREEDY)]
    pairs += [(player, player) for player in (_PLAIN, _GREEDY)]
    if experts is not None:
        pairs += [(_EXPERT, _EXPERT), (_PLAIN, _EXPERT), (_EXPERT, _PLAIN)]
    mirrored = len(game.spec.symmetries) > 1 and all(map(symmetric, profile))
    found = [float(value) for value in graph.back_up(ask, derive, pairs, mirrored=mirrored)]
    soft, hard = (gap_between(graph, *found[kind:6:2]) for kind in (_PLAIN, _GREEDY))
    measures = as_measures(soft, hard)
    if experts is not None:
        par, first, second = found[6:]
        measures["value_gap"] = list(without_rounding((par - first, second - par), graph.scale))
    return measures
