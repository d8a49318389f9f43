"""Lower bounds for interactive learners: how many labels are reachable, and how few games can visit them all.

Against a deterministic expert, exploration can reach a fixed set of the expert's decisions. A game is one path through
them, and paths may share decisions. So the smallest number of games is a minimum path cover of the reachability order
(Dilworth, Annals of Mathematics 51, 1950: it equals the largest set of decisions no two of which can occur in one
game). See docs/algorithms.md, "Interactive imitation (MAIL)".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from agents.policy import uniform_rows
from games.base import Bools, Ints, Model, Table, deals
from games.graph import GameGraph
from games.progress import in_parts, report


@dataclass(frozen=True)
class CoverageBounds:
    """The bounds for one seat's expert."""

    labels: int
    """Decisions of the expert that are reachable under some opponent."""
    games: int | None
    """Smallest number of games that visit all of them; None for an expert that randomises, or where chance deals or
    something is hidden (no number is certain)."""


def coverage_bounds(model: Model, expert: Table, seat: int) -> CoverageBounds:
    """The bounds for one seat's expert, over all opponents.

    Args:
        model: The game, which is no Markov game.
        expert: [S, A] float64, the expert's table.
        seat: The expert's seat.
    """
    profile = []
    for one in (0, 1):
        report(one, 2, "tables", step="tabulate")
        profile.append(expert if one == seat else uniform_rows(model.legal(one)))
    reached = model.reach((profile[0], profile[1])) > 0
    legal, deciding = model.legal(seat), reached.copy()
    for part in in_parts(len(deciding), step="find decisions"):
        deciding[part] &= legal[part].any(1)
    decisions = np.flatnonzero(deciding)
    parts = in_parts(len(decisions), step="find decisions")
    if deals(model.game) or any((expert[decisions[part]].max(1) < 1.0).any() for part in parts):
        return CoverageBounds(len(decisions), None)
    matched = _matching(cast(GameGraph, model), profile, reached, decisions)
    return CoverageBounds(len(decisions), len(decisions) - matched)


def imitation_limit(model: Model, experts: tuple[Table, Table], seat: int) -> Table:
    """[S, A] the limit of behavioral cloning with infinite data (docs/algorithms.md, "Interactive imitation (MAIL)").

    It is the expert at positions reachable when both experts play, and uniform elsewhere. Its exploitability does not
    vanish.

    Args:
        model: The game.
        experts: [S, A] tables of seat 0 and seat 1.
        seat: The seat that is cloned.
    """
    seen, limit = (model.reach(experts) > 0)[:, None], uniform_rows(model.legal(seat))
    for part in in_parts(len(limit), step="copy rows"):
        np.copyto(limit[part], experts[seat][part], where=seen[part])
    return limit


def _matching(graph: GameGraph, profile: Sequence[Table], reached: Bools, decisions: Ints) -> int:
    """Size of the largest matching of each decision with one that can come later in the same game.

    Solved as a maximum flow, which needs no list of all later decisions. One unit may leave each decision for the
    positions after it, follow moves of ``profile``, and end at another decision, which takes one unit.
    """
    report(0, 1, "matchings", step="match decisions")
    rows = np.flatnonzero(reached)
    passing, leaving = len(rows), len(decisions)  # nodes: positions passed, decisions to leave, source, sink
    source, sink = passing + leaving, passing + leaving + 1
    place = np.full(len(graph), -1, dtype=np.int64)
    place[rows] = np.arange(passing)
    start = np.full(len(graph), -1, dtype=np.int64)
    start[decisions] = passing + np.arange(leaving)
    moves = []
    for part in in_parts(passing, step="list moves"):
        successor = graph.successor[rows[part]]
        played = (profile[0][rows[part]] > 0) | (profile[1][rows[part]] > 0)
        at, action = np.nonzero(played & (successor >= 0))
        moves.append((at + part.start, place[successor[at, action]]))
    row, after = (np.concatenate(column) for column in zip(*moves, strict=True))
    own = start[rows[row]]  # the node of the decision to leave, or -1
    ours = own >= 0
    edges = (  # from, to, capacity
        (row, after, leaving),
        (own[ours], after[ours], 1),
        (np.full(leaving, source), start[decisions], 1),
        (place[decisions], np.full(leaving, sink), 1),
    )
    tails = np.concatenate([edge[0] for edge in edges])
    heads = np.concatenate([edge[1] for edge in edges])
    most = np.concatenate([np.full(len(edge[0]), edge[2], dtype=np.int32) for edge in edges])
    network = csr_array((most, (tails, heads)), shape=(sink + 1, sink + 1))
    return int(maximum_flow(network, source, sink).flow_value)
