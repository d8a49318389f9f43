"""Asks driven by refutation: lead the *clone* down the line on which it loses most, and ask there.

Beyond the paper (ALGORITHMS.md §14b). This explorer knows the rules and the payoffs, as an exact model, and
says so: its asks are to be compared with those of explorers that do not. Each round it
1. fits the clone to all labels so far (the same network, trained on),
2. computes the exact best response to the clone *as it is* (stochastic),
3. follows one line: its own best moves, and at the clone's decisions the action that contributes most to
   what the clone loses, probability times value lost,
4. asks the expert at each of the clone's decisions on that line.
It is done when the greedy clone cannot be exploited at all and the stochastic one by less than a tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from agents.network import NetworkPolicy, PolicyNet
from agents.policy import Policy, greedy_rows, tabulate
from agents.tabular import Tabular
from games.base import Floats, NashmailError, Rng, Table
from games.graph import GameGraph
from mail.clone import CloneConfig, Fit, demonstrations, train_on
from mail.decisions import Decisions, merge
from mail.explore.base import Base, Metrics, Setting, register
from mail.gap import exploitability


@dataclass(frozen=True)
class RefuteConfig:
    """The refuting explorer's constants."""

    tolerance: float = 0.01
    """Stop when the stochastic clone's exploitability is at most this, and the greedy one's exactly 0."""
    clone: CloneConfig = field(default_factory=lambda: CloneConfig(learning_rate=1e-3, max_steps=1000))
    """How the clone is fitted each round: gently, since what it forgets has to be asked about."""


class Refute(Base):
    """One line a round."""

    knows = frozenset({"labels", "rules", "model", "reward"})

    def __init__(self, setting: Setting, config: RefuteConfig, *, rng: Rng) -> None:
        super().__init__(setting)
        if not isinstance(setting.model, GameGraph):
            raise NashmailError("the explorer refute needs the exact model of the game; choose another explorer")
        self.graph, self.config, self.asked_seat = setting.model, config, 1 - setting.seat
        spec = setting.game.spec
        net = PolicyNet(spec.observation, spec.actions, config.clone.architecture, rng=rng)
        self.net = net.to(setting.device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=config.clone.learning_rate)
        self.labelled: Decisions | None = None
        self.fit = Fit(self._policy(), 0, 1.0, 1.0)
        self._aim(rng)

    def behaviour(self) -> Policy:
        return self._line[self.seat]

    def against(self) -> Policy:
        return self._line[self.asked_seat]

    def clone(self) -> Fit | None:
        return replace(self.fit, policy=self._policy())

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        asked = decisions.take(decisions.asked)
        self.labelled = asked if self.labelled is None else merge([self.labelled, asked])
        shown = demonstrations(self.labelled, self.asked_seat)
        self.fit = train_on(self.net, self.optimizer, shown, self.config.clone, rng=rng, device=self.setting.device)
        return self._aim(rng)

    def _policy(self) -> NetworkPolicy:
        return NetworkPolicy(self.net, device=self.setting.device)

    def _aim(self, rng: Rng) -> Metrics:
        """Measure the clone and choose the next line."""
        soft = tabulate(self.graph, self._policy(), self.asked_seat)
        hard = greedy_rows(soft)
        loss = exploitability(self.graph, soft, self.asked_seat)
        greedy_loss = exploitability(self.graph, hard, self.asked_seat)
        self.done = greedy_loss == 0.0 and loss <= self.config.tolerance
        self._line = self._costliest_line(soft, rng)
        return {"clone_exploitability": loss, "clone_greedy_exploitability": greedy_loss}

    def _costliest_line(self, clone: Table, rng: Rng) -> tuple[Policy, Policy]:
        """Both seats' moves on the line of step 3, as tables that know nothing else."""
        graph, seat = self.graph, self.asked_seat
        response = graph.respond(self.seat, clone)
        values = np.append(response.values, 0.0)  # child -1 brings no more
        sign = 1.0 - 2.0 * seat
        rows: list[int] = []
        moves: list[int] = []
        row = int(graph.roots[0])
        while row >= 0:
            if graph.seat[row] == seat:
                after = sign * (values[graph.child[row]] + graph.reward[row])
                lost = clone[row] * (sign * graph.solve()[0].value - after)
                action = int(np.where(graph.open[row], lost, -np.inf).argmax())
            else:
                best = response.action_values[row]
                action = int(rng.choice(np.flatnonzero(best >= best.max() - 1e-12)))
            rows.append(row)
            moves.append(action)
            row = int(graph.child[row, action])
        return self._only(rows, moves, 0), self._only(rows, moves, 1)

    def _only(self, rows: list[int], moves: list[int], seat: int) -> Tabular:
        """These moves of one seat, with certainty."""
        mine = [index for index, row in enumerate(rows) if self.graph.seat[row] == seat]
        table: Floats = np.zeros((len(mine), self.graph.open.shape[1]))
        table[np.arange(len(mine)), [moves[index] for index in mine]] = 1.0
        return Tabular(self.graph.game.key(self.graph.states[[rows[index] for index in mine]]), table)


register("refute", lambda setting, rng: Refute(setting, RefuteConfig(), rng=rng))
