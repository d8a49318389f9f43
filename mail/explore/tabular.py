"""Time-aware tabular exploration: optimistic planning over the visited part of the seat's own decision process.

The template of docs/algorithms.md, "Tabular exploration" (arXiv:2510.09325), pooled over steps where positions do not
include them. With n(s, a) visits, H steps in a game and t of them over,
    Q_t(s, a) = min(u(s, a) + mean V_{t'}(s'), H - t)   visited actions,   u = beta / sqrt(n(s, a))
    Q_t(s, a) = H - t                                   others: every later step may be new
    V_t(s)    = max over legal a of Q_t(s, a),  V_H = 0
with t' the step of the next own decision. It equals ``mail.explore.linear`` with one feature per position and action
and lambda = 0, computed by counting. Unlike ``counts``, it knows the number of remaining steps, and the last decision
of a discounted game, which is only cut, does not count as the end of the game.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.policy import Policy, uniform_rows
from agents.tabular import Tabular
from games.base import Floats, Game, Ints, Rng, States
from mail.data.decisions import Decisions
from mail.explore.base import Base, ExplorerContext, Metrics
from mail.explore.process import SeatTransitions, clock, steps_of


@dataclass(frozen=True)
class TabularConfig:
    """The constants of the explorer ``tabular``."""

    beta: float = 0.1
    """Of the bonus of visited actions. Small, because one visit to a deterministic move is enough."""
    games_per_round: int = 1
    """Games played by one frozen snapshot."""


@dataclass(frozen=True)
class ByStep:
    """One table per step of a game."""

    tables: tuple[Tabular, ...]

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        step = clock(game, states)
        rows = np.zeros((len(states), game.spec.actions))
        for at in np.unique(step):
            here = np.flatnonzero(step == at)
            rows[here] = self.tables[min(int(at), len(self.tables) - 1)].probabilities(game, states[here], seat)
        return rows


class TransitionCounts:
    """The distinct positions [M] and transitions [E] of one seat's process, in the order of their first occurrence."""

    def __init__(self) -> None:
        self._place: dict[tuple[int, int], int] = {}
        self._legal: list[np.ndarray] = []
        self._edge: dict[tuple[int, int, int, int], int] = {}

    def add(self, new: SeatTransitions) -> int:
        """Add a round of one seat.

        Args:
            new: Its transitions.

        Returns:
            The number of new ones.
        """
        own, before = new.own, len(self._edge)
        places = []
        for row in range(len(own)):
            key = (int(own.key[row, 0]), int(own.key[row, 1]))
            if key not in self._place:
                self._legal.append(own.legal[row])
            places.append(self._place.setdefault(key, len(self._place)))
        for row, after, lasted in zip(new.rows.tolist(), new.following.tolist(), new.lasted.tolist(), strict=True):
            edge = (places[row], int(own.played[row]), places[after] if after >= 0 else -1, lasted)
            self._edge[edge] = self._edge.get(edge, 0) + 1
        return len(self._edge) - before

    @property
    def keys(self) -> np.ndarray:
        """uint64 [M, 2] the keys of the positions."""
        return np.array(list(self._place), dtype=np.uint64).reshape(-1, 2)

    @property
    def legal(self) -> np.ndarray:
        """bool [M, A] their legal actions."""
        return np.array(self._legal, dtype=np.bool_)

    @property
    def edges(self) -> tuple[Ints, Ints]:
        """[E, 4] position, action, next position (-1: over), steps until then; and [E] how often it occurred."""
        return np.array(list(self._edge), dtype=np.int64).reshape(-1, 4), np.array(list(self._edge.values()))


class TimeAwareTabular(Base):
    """The explorer ``tabular``: uniform among the best actions of the plan above, and at unvisited positions.

    Args:
        context: The game, the explorer's seat and the experts.
        config: Its constants.
    """

    def __init__(self, context: ExplorerContext, config: TabularConfig) -> None:
        super().__init__(context)
        self.config, self.games_per_round = config, config.games_per_round
        self.horizon = steps_of(context.game)
        self.seen = TransitionCounts()
        nothing = Tabular(np.zeros((0, 2), np.uint64), np.zeros((0, context.game.spec.actions)))
        self.plan: Policy = ByStep((nothing,))

    def behavior_policy(self) -> Policy:
        return self.plan

    def update(self, decisions: Decisions, *, rng: Rng) -> Metrics:
        new = self.seen.add(SeatTransitions.of(self.context.game, decisions, self.seat))
        keys, legal = self.seen.keys, self.seen.legal
        if not len(keys):  # the seat had no decision yet
            return {"new_transitions": 0, "untried": 0}
        values, visits = optimistic_values(legal, *self.seen.edges, self.horizon, self.config)
        best = legal & (values >= values.max(2, keepdims=True) - 1e-9)
        self.plan = ByStep(tuple(Tabular(keys, uniform_rows(rows)) for rows in best))
        return {"new_transitions": new, "untried": int((legal & (visits == 0)).sum())}


def optimistic_values(
    legal: np.ndarray, edges: Ints, count: Ints, horizon: int, config: TabularConfig
) -> tuple[Floats, Ints]:
    """The module's Q, by backward induction; M positions and E distinct transitions.

    Args:
        legal: bool [M, A].
        edges: int64 [E, 4] position, action, following position (-1: the game is over) and steps that it lasted.
        count: int64 [E] how often each was seen.
        horizon: H.
        config: The bonus.

    Returns:
        float64 [H, M, A], -inf for illegal actions, and int64 [M, A] the visits of each action.
    """
    position, action, following, lasted = edges.T
    visits = np.zeros(legal.shape, dtype=np.int64)
    np.add.at(visits, (position, action), count)
    share = count / visits[position, action]
    bonus = config.beta / np.sqrt(np.maximum(visits, 1))
    values = np.zeros((horizon + 1, len(legal) + 1))  # the last column, index -1: the game is over
    q = np.full((horizon, *legal.shape), -np.inf)
    for step in reversed(range(horizon)):
        after = np.zeros(legal.shape)
        np.add.at(after, (position, action), share * values[np.minimum(step + lasted, horizon), following])
        cap = float(horizon - step)
        q[step] = np.where(visits > 0, np.minimum(bonus + after, cap), cap)
        q[step][~legal] = -np.inf
        values[step, :-1] = q[step].max(1)
    return q, visits


def tabular(context: ExplorerContext, rng: Rng) -> TimeAwareTabular:
    """The explorer ``tabular``."""
    return TimeAwareTabular(context, TabularConfig())
