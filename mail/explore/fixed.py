"""Explorers that play one policy and learn nothing: uniform play, and the expert of the explorer's own seat."""

from __future__ import annotations

from agents.policy import Policy, Uniform
from games.base import Rng
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics


class Fixed(Base):
    """An explorer that plays one policy and learns nothing."""

    games_per_round = 16

    def __init__(self, setting: ExplorerContext, policy: Policy) -> None:
        super().__init__(setting)
        self.policy = policy

    def behavior_policy(self) -> Policy:
        return self.policy

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        return {}


def uniform(setting: ExplorerContext, rng: Rng) -> Fixed:
    """Uniform play."""
    return Fixed(setting, Uniform())


def expert(setting: ExplorerContext, rng: Rng) -> Fixed:
    """Play of the expert of the explorer's own seat."""
    return Fixed(setting, setting.experts[setting.seat])
