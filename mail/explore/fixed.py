"""Explorers that play one policy and learn nothing: uniform play, and the expert of the explorer's own seat."""

from __future__ import annotations

from agents.policy import Policy, Uniform
from games.base import Rng
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics


class Fixed(Base):
    """An explorer that plays one policy and learns nothing.

    Args:
        context: The game, the explorer's seat and the experts.
        policy: What it plays.
    """

    games_per_round = 16

    def __init__(self, context: ExplorerContext, policy: Policy) -> None:
        super().__init__(context)
        self.policy = policy

    def behavior_policy(self) -> Policy:
        return self.policy

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        return {}


def uniform(context: ExplorerContext, rng: Rng) -> Fixed:
    """Uniform play."""
    return Fixed(context, Uniform())


def expert(context: ExplorerContext, rng: Rng) -> Fixed:
    """Play of the expert of the explorer's own seat."""
    return Fixed(context, context.experts[context.seat])
