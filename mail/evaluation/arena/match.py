"""Round-robin matches: every player against every other in both seats, counted and, where possible, computed exactly.

A score says who beats whom, not who can be beaten: a policy may win every match and still be exploitable
(``mail.evaluation.gap``). Streams are addressed by the players' indices, so another player at the end changes no
earlier result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from agents.policy import Seats, tabulate
from games.base import Game, Model, NashmailError, Table
from mail.data.decisions import Decisions
from mail.data.game_text import line_text
from mail.data.rollout import play
from mail.evaluation.intervals import wilson
from mail.parallel.pool import Local, Pool
from mail.parallel.streams import stream

SHARD = 5_000  # games that are played and held in memory at once

MOST = 10**9
"""Largest number of games per pair."""


class MatchError(NashmailError):
    """Arguments that describe no match."""


@dataclass(frozen=True)
class Result:
    """Games of two players in one order; the first has seat 0. Counts are from the first player's view."""

    first: str
    second: str
    wins: int
    draws: int
    losses: int
    exact: tuple[float, float, float] | None
    """The exact probabilities of win, draw and loss; None if the game has no graph."""
    moves: str = ""
    """The first of the games, as a move string (``mail.data.game_text``)."""

    @property
    def games(self) -> int:
        return self.wins + self.draws + self.losses

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the first player's win rate."""
        return wilson(self.wins, self.games)

    def as_dict(self) -> dict[str, Any]:
        """The dictionary that ``nashmail match --json`` prints."""
        return {
            "first": self.first,
            "second": self.second,
            "wins": self.wins,
            "draws": self.draws,
            "losses": self.losses,
            "games": self.games,
            "interval": list(self.interval),
            "exact": None if self.exact is None else list(self.exact),
            "moves": self.moves,
        }


# --- games -----------------------------------------------------------------------------------------------


def check(*, games: int, seed: int) -> None:
    """Refuse numbers of games and seeds that are not allowed.

    Args:
        games: Games of a pair of players.
        seed: Of all matches.

    Raises:
        MatchError: A number is out of range.
    """
    if games < 1:
        raise MatchError(f"--games must be at least 1, not {games}")
    if games > MOST:
        raise MatchError(f"--games must be at most {MOST:,}, which takes days, not {games:,}")
    if seed < 0:
        raise MatchError(f"--seed must be 0 or more, not {seed}")


def match(
    game: Game, model: Model | None, players: dict[str, Seats], *, games: int, seed: int, pool: Pool | None = None
) -> list[Result]:
    """Let every ordered pair of different players play ``games`` games.

    Args:
        game: The game.
        model: Its model; exact probabilities are computed if it is a ``GameGraph``.
        players: Seat 0's and seat 1's policy of each player, by name.
        games: Per ordered pair, from 1 to ``MOST``.
        seed: 0 or more. The same seed gives the same counts for any number of workers.
        pool: Plays; a pair is a shard. This process by default.

    Returns:
        One result per ordered pair.

    Raises:
        MatchError: ``games`` or ``seed`` is out of range.
    """
    check(games=games, seed=seed)
    exact = model if model is not None and model.decided_at_end else None
    tables = {} if exact is None else {name: _tables(exact, seats) for name, seats in players.items()}
    names = list(players)
    pairs = list(permutations(range(len(names)), 2))
    shared = (game, list(players.values()), games, seed)
    counted = (pool or Local()).map(_count, shared, pairs)
    results = []
    for (first, second), (counts, moves) in zip(pairs, counted, strict=True):
        profile = None if exact is None else (tables[names[first]][0], tables[names[second]][1])
        chances = None if exact is None or profile is None else exact.outcomes(profile)
        results.append(Result(names[first], names[second], *counts, chances, moves))
    return results


def _tables(model: Model, seats: Seats) -> tuple[Table, Table]:
    return tabulate(model, seats[0], 0), tabulate(model, seats[1], 1)


def _count(shared: tuple[Game, list[Seats], int, int], pair: tuple[int, int]) -> tuple[tuple[int, int, int], str]:
    """A pool's task: wins, draws and losses of the first of two players, given by index, who has seat 0; and the moves
    of their first game.
    """
    game, players, games, seed = shared
    first, second = pair
    seats = (players[first][0], players[second][1])
    counts, moves = np.zeros(3, dtype=np.int64), ""
    for shard, start in enumerate(range(0, games, SHARD)):
        rng = stream(seed, "match", seat=first, round_=second, shard=shard)
        decisions = play(game, seats, min(SHARD, games - start), rng=rng)
        if shard == 0:
            moves = line_text(game.spec.actions, decisions.played[decisions.episode == 0].tolist())
        earned = _payoffs(decisions)
        counts += [(earned > 0).sum(), (earned == 0).sum(), (earned < 0).sum()]
    return (int(counts[0]), int(counts[1]), int(counts[2])), moves


def _payoffs(decisions: Decisions) -> np.ndarray:
    """[games] seat 0's payoff in each game. Seat 0 moves first."""
    mine = decisions.seat == 0
    return np.bincount(decisions.episode[mine], weights=decisions.reward[mine], minlength=decisions.games)
