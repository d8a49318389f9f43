"""The least that any interactive learner can get by with: how many labels exist, and how few games see them all.

Against a deterministic expert, exploration can reach a fixed set of the expert's decisions. A game is one
path through them, and paths may share decisions, so the least number of games is a minimum path cover of
the reachability order (Dilworth: the largest set of decisions no two of which can occur in one game).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from agents.policy import uniform_rows
from games.base import Table
from games.graph import GameGraph


@dataclass(frozen=True)
class Least:
    """The bounds for one seat's expert."""

    labels: int
    """Decisions of the expert that some opponent can lead it to."""
    games: int | None
    """Fewest games that come through all of them; None for an expert that draws lots (no game is sure then)."""


def least(graph: GameGraph, expert: Table, seat: int) -> Least:
    """The bounds for the expert table [S, A] of this seat, whatever the other seat does."""
    profile = [uniform_rows(graph.legal(0)), uniform_rows(graph.legal(1))]
    profile[seat] = expert
    reached = graph.reach((profile[0], profile[1])) > 0
    decisions = np.flatnonzero(reached & (graph.seat == seat))
    if (expert[decisions].max(1) < 1.0).any():
        return Least(len(decisions), None)
    return Least(len(decisions), len(decisions) - _matching(graph, profile[0] + profile[1], decisions))


def imitation_limit(graph: GameGraph, experts: tuple[Table, Table], seat: int) -> Table:
    """[S, A] what behavioural cloning of a seat has in the limit of infinite data: the expert wherever two
    experts lead each other, uniform play everywhere else (ALGORITHMS.md §2). Its exploitability does not fall.
    """
    seen = (graph.reach(experts) > 0)[:, None]
    return np.where(seen, experts[seat], uniform_rows(graph.legal(seat)))


def _matching(graph: GameGraph, support: Table, decisions: np.ndarray) -> int:
    """Size of the largest matching of each decision with one that can come later in the same game."""
    place = np.full(len(graph), -1, dtype=np.int64)
    place[decisions] = np.arange(len(decisions))
    later = np.zeros((len(graph) + 1, len(decisions)), dtype=np.bool_)  # [S + 1, D] reachable decisions
    for block in reversed(graph.blocks):
        rows = np.arange(block.rows.start, block.rows.stop)
        for action in range(support.shape[1]):
            child = np.where(support[rows, action] > 0, graph.child[rows, action], -1)
            later[rows] |= later[child]
            ours = np.flatnonzero((child >= 0) & (place[child] >= 0))
            later[rows[ours], place[child[ours]]] = True
    matched = maximum_bipartite_matching(csr_array(later[decisions]), perm_type="column")
    return int((matched >= 0).sum())
