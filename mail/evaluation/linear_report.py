"""What is told beside the exact gap of a Markov game: how linear it is, and two certified bounds (docs/algorithms.md,
"Concentrability and bounds").

The residual says how far each seat's process is from linear in the features that linear learners were given; the
bounds say what theory alone would have promised of the same pair of policies.
"""

from __future__ import annotations

import math
from typing import Any

from games.base import Table
from games.markov.concentrability import interactive_bound, offline_bound
from games.markov.model import MarkovModel
from games.markov.structure import residual
from mail.parallel.streams import stream

_LISTED = 2_000
"""States up to which the offline bound is told: its coefficient solves one decision process for every state."""


def structure(model: MarkovModel, experts: tuple[Table, Table], *, seed: int) -> dict[str, Any]:
    """The game's features and, per seat, how far rewards and transitions are from their span; {} without features.

    ``experts``: tables [S, A], seat 0's and seat 1's.
    """
    linear = model.game.linear
    if linear is None:
        return {}
    found = [residual(model, experts[1 - seat], seat, rng=stream(seed, "residual", seat=seat)) for seat in (0, 1)]
    return {
        "features": linear.name,
        "oracle": linear.oracle,
        "dimension": [int(features.shape[2]) for features in linear.features],
        "rank": [part.rank for part in found],
        "reward_residual": [part.rewards for part in found],
        "transition_residual": [part.transitions for part in found],
        "sampled": not found[0].exact,
    }


def bounds(model: MarkovModel, learned: tuple[Table, Table], experts: tuple[Table, Table]) -> dict[str, float | None]:
    """Two numbers that the Nash gap of ``learned`` cannot exceed; None where a bound is infinite or was left out.

    ``bound_offline`` pays for what is wrong where experts go with the worst ratio of visits that any deviation has;
    ``bound_interactive`` pays for what is wrong where best opponents go, with no coefficient.

    ``learned`` and ``experts``: tables [S, A], seat 0's and seat 1's.
    """
    offline = offline_bound(model, learned, experts) if len(model) <= _LISTED else math.inf
    return {
        "bound_offline": offline if math.isfinite(offline) else None,
        "bound_interactive": interactive_bound(model, learned, experts),
    }
