"""An explorer on one seat of a game, as tests of several explorers take it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from agents import expert
from agents.policy import Policy, Seats, query
from games import Game, GameGraph
from games.base import States
from mail import explore
from mail.data.decisions import Decisions
from mail.data.rollout import play
from mail.explore import Explorer, ExplorerContext
from mail.parallel.streams import stream
from tests.support import visited


@cache
def first_experts(model: GameGraph) -> Seats:
    """Tables do not change, so a test may share them."""
    return expert.make("first", model)


@dataclass(frozen=True)
class Case:
    """An explorer's name, its seat, and where it explores."""

    name: str
    seat: int
    model: GameGraph
    cloner: str = "network"
    """Of explorers that train a clone."""

    @property
    def game(self) -> Game:
        return self.model.game

    def experts(self) -> Seats:
        return first_experts(self.model)

    def build(self, seed: int = 0) -> Explorer:
        context = ExplorerContext(self.game, self.seat, self.experts(), model=self.model, cloner=self.cloner)
        return explore.make(self.name, context, rng=stream(seed, "test/explorer"))

    def round(self, explorer: Explorer, number: int, seed: int = 0) -> Decisions:
        """One round of play of the explorer, the asked seat's decisions labelled as the explorer wants them."""
        pair = explorer.behavior_policy(), explorer.opponent_policy()
        asked = explorer.labels()
        rng = stream(seed, "test/play", round_=number)
        seats = (pair[0], pair[1]) if self.seat == 0 else (pair[1], pair[0])
        labels = (None, asked) if self.seat == 0 else (asked, None)
        return play(self.game, seats, explorer.games_per_round, labels=labels, rng=rng)

    def learn(self, explorer: Explorer, rounds: int, seed: int = 0) -> list[dict[str, float]]:
        """Some rounds of play and learning; the metrics of each."""
        metrics = []
        for number in range(rounds):
            decisions = self.round(explorer, number, seed)
            metrics.append(explorer.update(decisions, rng=stream(seed, "test/update", round_=number)))
        return metrics

    def positions(self) -> States:
        """Positions from all over the game, seen or not, and those of some games to the end."""
        return np.concatenate([self.model.states[::7], visited(self.game, episodes=20)])

    def query(self, policy: Policy) -> np.ndarray:
        """The policy everywhere, checked to be a legal distribution."""
        return query(policy, self.game, self.positions(), self.seat)
