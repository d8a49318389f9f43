"""A learned best response: a lower bound on how exploitable a policy is, for games of any size (docs/algorithms.md,
"Learned best responses").

One seat of a game against a frozen policy in the other is a decision process, which
``mail.evaluation.best_response_learner`` learns to play. What it has learned is then frozen and plays fresh games from
streams of its own, so that the mean of its payoffs has no bias: no policy can be less exploitable than what *some*
response takes from it. It may be more exploitable, by any amount: a low bound proves nothing. Needs play alone: no
rules, no model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, Seats
from games.base import Floats, Game, NashmailError
from games.boards import Board
from games.symmetry import Quotient
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Match, Shard, play_shard, shards
from mail.evaluation import best_response_learner
from mail.evaluation.best_response_learner import Responder, ResponseConfig
from mail.evaluation.intervals import interval
from mail.parallel.pool import Local, Pool
from mail.parallel.solver_labels import labelled_map

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Bound:
    """What a learned response takes from one seat's policy, as it is."""

    seat: int
    """The policy's."""
    value: float
    """Mean payoff of the responder, in its own view, over the fresh games."""
    interval: tuple[float, float]
    """Of that, two-sided, 95 %."""
    least: float
    """What the responder gets at least, with 95 % confidence."""
    game_value: float | None
    """What the game is worth to the policy's seat; None where nobody knows."""
    games: int
    """That the response learned from."""
    evaluated: int
    """Fresh games that measured it."""
    exact: bool
    """Whether interval and bound hold at any number of games (payoffs have a known range), or only about."""

    @property
    def gain(self) -> float | None:
        """What the response takes beyond the game's value, as measured, without bias: its mean is no more than the
        policy's exploitability."""
        return None if self.game_value is None else self.game_value + self.value

    @property
    def at_least(self) -> float | None:
        """The lower bound on the policy's exploitability, with 95 % confidence."""
        return None if self.game_value is None else max(0.0, self.game_value + self.least)

    def as_dict(self) -> dict[str, Any]:
        """As ``nashmail exploit --learned --json`` gives it."""
        return {
            "value": self.value,
            "interval": list(self.interval),
            "game_value": self.game_value,
            "gain": self.gain,
            "at_least": self.at_least,
            "confidence": CONFIDENCE,
            "games": self.games,
            "evaluated": self.evaluated,
            "finite_sample": self.exact,
        }


Told = Callable[[int, float], None]
"""Is called after each round with the games so far and the round's mean payoff, exploring."""


def bound(
    game: Game,
    policy: Policy,
    seat: int,
    games: int,
    *,
    seed: int,
    game_value: float | None = None,
    config: ResponseConfig | None = None,
    pool: Pool | None = None,
    told: Told = lambda games, mean: None,
) -> Bound:
    """Learn a response to the policy of ``seat`` from ``games`` games, and measure it on fresh ones.

    ``game_value`` is what the game is worth to that seat. NashmailError for fewer than one game.
    """
    config, pool = config or ResponseConfig(), pool or Local()
    response = learned(game, policy, seat, games, seed=seed, config=config, pool=pool, told=told)
    paid = payoffs(game, policy, seat, response, max(config.evaluated, games // 2), seed=seed, pool=pool)
    span = payoff_range(game)
    both, (least, _) = interval(paid, span, (1 + CONFIDENCE) / 2), interval(paid, span, CONFIDENCE)
    return Bound(seat, float(paid.mean()), both, least, game_value, games, len(paid), span is not None)


def learned(
    game: Game,
    policy: Policy,
    seat: int,
    games: int,
    *,
    seed: int,
    config: ResponseConfig | None = None,
    pool: Pool | None = None,
    told: Told = lambda games, mean: None,
) -> Policy:
    """The frozen response to the policy of ``seat`` after so many games; NashmailError for fewer than one."""
    if games < 1:
        raise NashmailError(f"a response is learned from at least 1 game, not {games}")
    config = config or ResponseConfig()
    learning = Responder(game, seat, config, seed=seed)
    while learning.games < games:
        size = min(learning.next_round, games - learning.games)
        played = shards(size, best_response_learner.SHARD, seed, "response/play", seat=seat, round_=learning.rounds)
        match = Match(game, _seats(policy, learning.behavior_policy(), seat), (None, None))
        rows = merge(labelled_map(pool or Local(), own_decisions, match, played, game=game))
        learning.update(rows, size)
        told(learning.games, float(rows.reward.sum()) / size)
    return learning.response()


def payoffs(
    game: Game, policy: Policy, seat: int, response: Policy, games: int, *, seed: int, pool: Pool | None = None
) -> Floats:
    """[games] what ``response`` earns against the policy of ``seat``, own view, in games of their own streams."""
    played = shards(games, best_response_learner.SHARD, seed, "response/evaluate", seat=seat, round_=0)
    match = Match(game, _seats(policy, response, seat), (None, None))
    earned = np.concatenate(labelled_map(pool or Local(), first_seat_payoffs, match, played, game=game))
    return (2 * seat - 1) * earned + 0.0


# --- a pool's tasks --------------------------------------------------------------------------------------


def own_decisions(match: Match, shard: Shard) -> Decisions:
    """The decisions of a shard's games in the seat opposite ``shard.seat``."""
    decisions = play_shard(match, shard)
    return decisions.take(decisions.seat != shard.seat)


def first_seat_payoffs(match: Match, shard: Shard) -> Floats:
    """[episodes] what seat 0, who decides from the start, earned in each game, discounted per own decision."""
    decisions = play_shard(match, shard)
    mine = decisions.take(decisions.seat == 0)
    weight = np.ones(len(mine))
    for row in np.flatnonzero(mine.next >= 0):  # in order of play
        weight[mine.next[row]] = weight[row] * match.game.spec.discount
    return np.asarray(np.bincount(mine.episode, mine.reward * weight, shard.episodes), dtype=np.float64)


def _seats(policy: Policy, response: Policy, seat: int) -> Seats:
    return (policy, response) if seat == 0 else (response, policy)


def payoff_range(game: Game) -> tuple[float, float] | None:
    """Least and largest payoff of a game, where that is known without listing it."""
    base = game.base if isinstance(game, Quotient) else game
    return (-1.0, 1.0) if isinstance(base, Board) else None
