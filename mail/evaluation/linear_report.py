"""What is reported beside the exact gap of a Markov game: how linear it is, and two certified bounds
(docs/algorithms.md, "Concentrability and bounds").

The residual is the distance of each seat's decision process from linearity in the features of the linear learners. The
bounds are what theory alone guarantees for the same pair of policies.
"""

from __future__ import annotations

import math
from typing import Any

from games.base import Table
from games.markov.bounds import interactive_bound, offline_bound
from games.markov.model import MarkovModel
from games.markov.structure import residual
from mail.parallel.streams import stream

_LISTED = 2_000
"""Most states for which the offline bound is reported: its coefficient solves one decision process per state."""


def structure(model: MarkovModel, experts: tuple[Table, Table], *, seed: int) -> dict[str, Any]:
    """The game's features and, per seat, the distance of rewards and transitions from their span.

    Args:
        model: The game's exact model.
        experts: [S, A] tables of seat 0 and seat 1.
        seed: Of the sample of states, where the residual is estimated.

    Returns:
        Values for the report; {} without features.
    """
    linear = model.game.linear
    if linear is None:
        return {}
    residuals = [residual(model, experts[1 - seat], seat, rng=stream(seed, "residual", seat=seat)) for seat in (0, 1)]
    return {
        "features": linear.name,
        "oracle": linear.oracle,
        "dimension": [int(features.shape[2]) for features in linear.features],
        "rank": [part.rank for part in residuals],
        "reward_residual": [part.rewards for part in residuals],
        "transition_residual": [part.transitions for part in residuals],
        "sampled": not residuals[0].exact,
    }


def bounds(model: MarkovModel, learned: tuple[Table, Table], experts: tuple[Table, Table]) -> dict[str, float | None]:
    """Two upper bounds on the Nash gap of ``learned``; None where a bound is infinite or omitted.

    ``bound_offline`` multiplies the errors where the experts play by the worst ratio of visits of any deviation.
    ``bound_interactive`` uses the errors where best opponents play, without a coefficient.

    Args:
        model: The game's exact model.
        learned: [S, A] tables of seat 0 and seat 1.
        experts: [S, A] tables of the experts they imitate.
    """
    offline = offline_bound(model, learned, experts) if len(model) <= _LISTED else math.inf
    return {
        "bound_offline": offline if math.isfinite(offline) else None,
        "bound_interactive": interactive_bound(model, learned, experts),
    }
