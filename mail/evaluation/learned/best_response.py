"""Learned best responses: a lower bound on the exploitability of a policy, for games of any size.

A game against a frozen policy in one seat is a decision process, which ``mail.evaluation.learned.learner`` learns
to play. The learned response is frozen and plays fresh games from separate random streams, so the mean of its payoffs
is unbiased. A policy is at least as exploitable as *any* response shows, and may be far more exploitable: a low bound
proves nothing. Needs only play: no rules, no model. See docs/algorithms.md, "Learned best responses".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.policy import Policy, Seats
from games.base import Floats, Game, NashmailError
from mail.data.decisions import Decisions, merge
from mail.data.rollout import Match, Shard, play_shard, shards
from mail.evaluation.intervals import interval
from mail.evaluation.learned import learner
from mail.evaluation.learned.learner import Responder, ResponseConfig
from mail.parallel.pool import Local, Pool

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Bound:
    """What a learned response gains against the stochastic policy of one seat. Payoffs are in units of reward."""

    seat: int
    """The policy's seat."""
    value: float
    """Mean payoff of the response, from its own view, over the fresh games."""
    interval: tuple[float, float]
    """Two-sided 95 % interval of ``value``."""
    lower: float
    """One-sided lower bound on the response's expected payoff, with 95 % confidence."""
    game_value: float | None
    """The value of the game for the policy's seat; None if unknown."""
    games: int
    """Games from which the response was learned."""
    evaluated: int
    """Fresh games in which it was measured."""
    exact: bool
    """Whether interval and bound hold for any number of games (payoffs have a known range), or only asymptotically."""

    @property
    def gain(self) -> float | None:
        """The unbiased estimate of what the response gains beyond the game's value. Its expectation is at most the
        policy's exploitability."""
        return None if self.game_value is None else self.game_value + self.value

    @property
    def at_least(self) -> float | None:
        """A lower bound on the policy's exploitability, with 95 % confidence."""
        return None if self.game_value is None else max(0.0, self.game_value + self.lower)

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail exploit --learned --json`` prints."""
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


OnRound = Callable[[int, float], None]
"""Called after each round with the number of games so far and the round's mean payoff, which includes exploration."""


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
    on_round: OnRound = lambda games, mean: None,
) -> Bound:
    """Learn a response to a policy and measure it in fresh games.

    Args:
        game: The game.
        policy: The policy to exploit; it is queried with ``seat``.
        seat: The policy's seat, 0 or 1.
        games: Number of games to learn from, at least 1.
        seed: Of all random streams.
        game_value: The value of the game for ``seat``, if known.
        config: The learner's constants.
        pool: Plays the games; this process by default.
        on_round: Called after each round of learning.

    Raises:
        NashmailError: ``games`` is less than 1.
    """
    config, pool = config or ResponseConfig(), pool or Local()
    response = learned(game, policy, seat, games, seed=seed, config=config, pool=pool, on_round=on_round)
    paid = payoffs(game, policy, seat, response, max(config.evaluated, games // 2), seed=seed, pool=pool)
    span = payoff_range(game)
    both, (lower, _) = interval(paid, span, (1 + CONFIDENCE) / 2), interval(paid, span, CONFIDENCE)
    return Bound(seat, float(paid.mean()), both, lower, game_value, games, len(paid), span is not None)


def learned(
    game: Game,
    policy: Policy,
    seat: int,
    games: int,
    *,
    seed: int,
    config: ResponseConfig | None = None,
    pool: Pool | None = None,
    on_round: OnRound = lambda games, mean: None,
) -> Policy:
    """The frozen response to a policy, after ``games`` games.

    Args:
        game: See ``bound``, as for all arguments.
        policy: The policy that is exploited.
        seat: Its seat.
        games: The number of games, at least 1.
        seed: Of the games.
        config: Network, training and exploration.
        pool: Plays the games; by default this process.
        on_round: Is called after each round.

    Raises:
        NashmailError: For less than one game.
    """
    if games < 1:
        raise NashmailError(f"a response is learned from at least 1 game, not {games}")
    config = config or ResponseConfig()
    learning = Responder(game, seat, config, seed=seed)
    while learning.games < games:
        size = min(learning.next_round, games - learning.games)
        played = shards(size, learner.SHARD, seed, "response/play", seat=seat, round_=learning.rounds)
        match = Match(game, _seats(policy, learning.behavior_policy(), seat), (None, None))
        rows = merge((pool or Local()).map(own_decisions, match, played))
        learning.update(rows, size)
        on_round(learning.games, float(rows.reward.sum()) / size)
    return learning.response()


def payoffs(
    game: Game, policy: Policy, seat: int, response: Policy, games: int, *, seed: int, pool: Pool | None = None
) -> Floats:
    """Payoffs of a response against a policy, from separate random streams.

    Args:
        game: The game.
        policy: The policy that is exploited.
        seat: Its seat.
        response: Plays the other seat.
        games: The number of games.
        seed: Of the streams.
        pool: Plays the games; by default this process.

    Returns:
        [games] in the response's own view.
    """
    played = shards(games, learner.SHARD, seed, "response/evaluate", seat=seat, round_=0)
    match = Match(game, _seats(policy, response, seat), (None, None))
    earned = np.concatenate((pool or Local()).map(first_seat_payoffs, match, played))
    return (2 * seat - 1) * earned + 0.0


# --- a pool's tasks --------------------------------------------------------------------------------------


def own_decisions(match: Match, shard: Shard) -> Decisions:
    """A pool's task: the decisions of a shard's games in the seat opposite ``shard.seat``.

    Args:
        match: Game and players.
        shard: The number of games, and the address of their random stream.
    """
    decisions = play_shard(match, shard)
    return decisions.take(decisions.seat != shard.seat)


def first_seat_payoffs(match: Match, shard: Shard) -> Floats:
    """A pool's task: seat 0's payoff in each game, discounted per own decision. Seat 0 moves first.

    Args:
        match: Game and players.
        shard: The number of games, and the address of their random stream.

    Returns:
        [episodes].
    """
    decisions = play_shard(match, shard)
    mine = decisions.take(decisions.seat == 0)
    weight = np.ones(len(mine))
    for row in np.flatnonzero(mine.next >= 0):  # in order of play
        weight[mine.next[row]] = weight[row] * match.game.spec.discount
    return np.asarray(np.bincount(mine.episode, mine.reward * weight, shard.episodes), dtype=np.float64)


def _seats(policy: Policy, response: Policy, seat: int) -> Seats:
    return (policy, response) if seat == 0 else (response, policy)


def payoff_range(game: Game) -> tuple[float, float] | None:
    """The smallest and largest payoff of a game, where known without enumeration.

    Args:
        game: The game.

    Returns:
        Both; None where not known.
    """
    return (-1.0, 1.0) if game.spec.win_loss else game.spec.payoffs
