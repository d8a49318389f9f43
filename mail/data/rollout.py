"""Batched play between two policies, recorded as decisions.

``play`` with an explorer in one seat and an expert in the other is the induced decision process of the papers
(docs/algorithms.md, "Interactive imitation (MAIL)"). ``labels`` gives the policy that is queried at each decision of a
seat, or at some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy, Seats, choose, query, sample
from agents.tabular import Tabular
from games.base import Bools, Floats, Game, Ints, Rng, States, stuck
from games.progress import report
from mail.data.decisions import Decisions
from mail.parallel.streams import stream


class QueryRule(Protocol):
    """Chooses the decisions at which a policy is queried. Immutable and picklable, like a policy."""

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        """Whether to query at each position.

        Args:
            game: The game.
            states: [N, W] positions, at all of which the seat decides.
            seat: The queried seat.

        Returns:
            bool [N].
        """


@dataclass(frozen=True)
class Selective:
    """A policy that is queried only where ``wants`` is true. Other decisions get no label and cost no query."""

    policy: Policy
    wants: QueryRule
    plays: bool = False
    """Whether its answer is also played there, instead of the seat's own policy."""


def first_occurrences(game: Game, states: States, seat: int) -> Bools:
    """The first of every set of positions that a seat cannot distinguish. For rules that never query twice.

    Args:
        game: The game.
        states: [N, W].
        seat: The seat.

    Returns:
        bool [N].
    """
    first = np.zeros(len(states), dtype=np.bool_)
    first[np.unique(game.key(states, seat), axis=0, return_index=True)[1]] = True
    return first


def labelled_table(game: Game, labelled: Sequence[Decisions]) -> Tabular:
    """The labels of one seat's decisions as a policy; the first label of each position.

    Args:
        game: The game.
        labelled: Decisions with labels.
    """
    keys = np.concatenate([np.zeros((0, 2), dtype=np.uint64), *(part.key for part in labelled)])
    labels = np.concatenate([np.zeros((0, game.spec.actions)), *(part.label for part in labelled)])
    keys, first = np.unique(keys, axis=0, return_index=True)
    return Tabular(keys, labels[first])


LabelSource = Policy | Selective | None
Labels = tuple[LabelSource, LabelSource]


@dataclass(frozen=True)
class _Turn:
    """The decisions of one seat at one ply of all running games; n rows."""

    seat: int
    episode: Ints  # [n]
    state: States  # [n, W]
    played: Ints  # [n]
    label: Floats  # [n, A]


@dataclass(frozen=True)
class _Ply:
    """One ply of all games: its decisions, and seat 0's reward for it."""

    turns: list[_Turn]
    earned: Floats  # [episodes]


def play(game: Game, seats: Seats, episodes: int, *, labels: Labels = (None, None), rng: Rng) -> Decisions:
    """Play games in one batch and return every decision of both seats, in order of play.

    Args:
        game: The game.
        seats: Seat 0's and seat 1's policy.
        episodes: The number of games, at least 1.
        labels: Per seat, the policy that is queried at each of its decisions; a ``Selective`` one only where its rule
            says so, None never. A policy that also plays in that seat is evaluated once.
        rng: The source of all moves and chance.

    Returns:
        One row per decision.

    Raises:
        ValueError: ``episodes`` is less than 1.
        PolicyError: A policy does not return a distribution over legal actions.
        GameError: A seat must move and has no legal action.
    """
    if episodes < 1:
        raise ValueError(f"play at least one episode, not {episodes}")
    states = game.start(episodes, rng=rng)
    alive = np.arange(episodes)
    plies: list[_Ply] = []
    while len(alive):
        report(episodes - len(alive), episodes, "games", step="play")
        acting = game.acting(states)
        actions = np.full((len(states), 2), -1, dtype=np.int64)
        turns = []
        for seat in (0, 1):
            rows = np.flatnonzero(acting[:, seat])
            if len(rows):
                turns.append(_decide(game, seats[seat], labels[seat], alive[rows], states[rows], seat, rng))
                actions[rows, seat] = turns[-1].played
        states, reward, done = game.step(states, actions, rng=rng)
        earned = np.zeros(episodes)
        earned[alive] = reward
        plies.append(_Ply(turns, earned))
        alive, states = alive[~done], states[~done]
    return _decisions(game, plies)


def random_moves(game: Game, episodes: int, *, rng: Rng, observe: bool = False) -> int:
    """Play uniformly random games to the end. For benchmarks.

    Args:
        game: The game.
        episodes: The number of games.
        rng: Draws the moves.
        observe: Whether each mover's observation is computed too, as for a learner.

    Returns:
        The number of moves.
    """
    states = game.start(episodes, rng=rng)
    moves = 0
    while len(states):
        acting = game.acting(states)
        actions = np.full((len(states), 2), -1, dtype=np.int64)
        for seat in (0, 1):
            if not acting[:, seat].any():
                continue
            actions[:, seat] = choose(game.legal(states, seat), rng=rng)
            if observe:
                game.observe(states, seat)
        moves += int(np.count_nonzero(acting))
        states, _, done = game.step(states, actions, rng=rng)
        states = states[~done] if done.any() else states
    return moves


def _decide(
    game: Game, policy: Policy, source: LabelSource, episode: Ints, states: States, seat: int, rng: Rng
) -> _Turn:
    """Query the seat's policy and its label source at these positions, and sample a move for each."""
    probabilities = query(policy, game, states, seat)
    if source is policy:
        label = probabilities
    else:
        label = np.full(probabilities.shape, np.nan)
        if isinstance(source, Selective):
            rows = np.flatnonzero(source.wants(game, states, seat))
            label[rows] = query(source.policy, game, states[rows], seat)
            if source.plays:
                probabilities[rows] = label[rows]
        elif source is not None:
            label = query(source, game, states, seat)
    played = sample(probabilities, rng=rng)
    if (played < 0).any():
        raise stuck(game, states[int(np.flatnonzero(played < 0)[0])])
    return _Turn(seat, episode, states, played, label)


def _decisions(game: Game, plies: list[_Ply]) -> Decisions:
    """All turns as rows, each linked to the seat's next decision, with the reward in between."""
    turns = [turn for ply in plies for turn in ply.turns]
    seat = np.concatenate([np.full(len(turn.episode), turn.seat) for turn in turns])
    next_row = np.full(len(seat), -1, dtype=np.int64)
    reward = np.zeros(len(seat))
    episodes = len(plies[0].earned)
    following = np.full((2, episodes), -1, dtype=np.int64)  # row of each seat's next decision in each game
    pending = np.zeros((2, episodes))  # each seat's reward before it
    stop = len(seat)
    for ply in reversed(plies):
        pending += [ply.earned, -ply.earned]
        for turn in reversed(ply.turns):
            rows = np.arange(stop - len(turn.episode), stop)
            next_row[rows] = following[turn.seat, turn.episode]
            reward[rows] = pending[turn.seat, turn.episode]
            following[turn.seat, turn.episode] = rows
            pending[turn.seat, turn.episode] = 0.0
            stop -= len(rows)
    state = np.concatenate([turn.state for turn in turns])
    return Decisions(
        seat=seat,
        episode=np.concatenate([turn.episode for turn in turns]),
        state=state,
        key=_per_turn(turns, lambda turn: game.key(turn.state, turn.seat)),
        observation=_per_turn(turns, lambda turn: game.observe(turn.state, turn.seat)),
        legal=_per_turn(turns, lambda turn: game.legal(turn.state, turn.seat)),
        played=np.concatenate([turn.played for turn in turns]),
        label=np.concatenate([turn.label for turn in turns]).astype(np.float32),
        reward=reward,
        next=next_row,
        ended=next_row < 0,
    )


def _per_turn(turns: list[_Turn], column: Callable[[_Turn], NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([column(turn) for turn in turns])


@dataclass(frozen=True)
class Shard:
    """A number of games and the address of their random stream."""

    episodes: int
    seed: int
    stage: str
    seat: int
    round_: int
    shard: int


@dataclass(frozen=True)
class Match:
    """What all shards of a round share; fixed during the round."""

    game: Game
    seats: Seats
    labels: Labels


def shards(games: int, size: int, seed: int, stage: str, *, seat: int, round_: int) -> list[Shard]:
    """Divide games into shards.

    Args:
        games: The number of games.
        size: Games of one shard.
        seed: The address of the shards' random streams, with the following.
        stage: What the games are for.
        seat: The seat that learns from them.
        round_: The number of the round.
    """
    sizes = [size] * (games // size) + [games % size] * (games % size > 0)
    return [Shard(size, seed, stage, seat, round_, index) for index, size in enumerate(sizes)]


def play_shard(match: Match, shard: Shard) -> Decisions:
    """A pool's task: the shard's games, with the shard's own random stream.

    Args:
        match: Game, players and who is queried.
        shard: The number of games, and the address of their random stream.
    """
    rng = stream(shard.seed, shard.stage, seat=shard.seat, round_=shard.round_, shard=shard.shard)
    return play(match.game, match.seats, shard.episodes, labels=match.labels, rng=rng)


@dataclass(frozen=True)
class UnseenOnly:
    """Queries at positions without a label, once each among those of one ply of a round."""

    labels: Tabular

    def __call__(self, game: Game, states: States, seat: int) -> Bools:
        return np.asarray(first_occurrences(game, states, seat) & ~self.labels.find(game.key(states, seat))[0])
