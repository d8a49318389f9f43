"""Behavioral cloning of saved games: their moves are the labels, and nobody is queried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from games.base import Game, Ints
from mail.data.decisions import Decisions, merge
from mail.data.records import GAMES, Played, RecordError

if TYPE_CHECKING:
    from games.symmetry import Quotient
    from mail.learners.collect import Learned, Options


def decisions_of(games: Sequence[Played]) -> Decisions:
    """Every decision of these games, labelled with the move that was made. RecordError for games of several kinds.

    A label is a one-hot row: a person is not a distribution. Positions met several times are averaged when they
    are cloned. Games without a single move say nothing and are left out.
    """
    told = [played for played in games if played.record.moves]
    if not told:
        raise RecordError("there is no move in these games to learn from; name games that were played")
    first = told[0]
    for played in told:
        if played.game.spec.name != first.game.spec.name:
            raise RecordError(
                f"games of {first.record.game} and of {played.record.game} cannot be learned together; name one kind"
            )
    return merge([_rows_of(played) for played in told])


def _rows_of(played: Played) -> Decisions:
    """One game's decisions, seat by seat within a ply."""
    game = played.game
    turns = [
        (ply, seat, pair[seat]) for ply, pair in enumerate(played.record.moves) for seat in (0, 1) if pair[seat] >= 0
    ]
    seats = np.array([seat for _, seat, _ in turns], dtype=np.int64)
    actions = np.array([action for _, _, action in turns], dtype=np.int64)
    states = np.concatenate([played.states[ply] for ply, _, _ in turns])
    following = _following(turns)
    reward = [_earned(played, turns, row, int(following[row])) for row in range(len(turns))]
    per_seat = [(states[row : row + 1], int(seat)) for row, seat in enumerate(seats)]
    return Decisions(
        seat=seats,
        episode=np.zeros(len(turns), dtype=np.int64),
        state=states,
        key=np.concatenate([game.key(state, seat) for state, seat in per_seat]),
        observation=np.concatenate([game.observe(state, seat) for state, seat in per_seat]),
        legal=np.concatenate([game.legal(state, seat) for state, seat in per_seat]),
        played=actions,
        label=np.eye(game.spec.actions, dtype=np.float32)[actions],
        reward=np.array(reward, dtype=np.float64),
        next=following,
        ended=(following < 0) & played.over,
    )


def _following(turns: list[tuple[int, int, int]]) -> Ints:
    """[R] the row of the same seat's next decision, or -1."""
    following = np.full(len(turns), -1, dtype=np.int64)
    last: dict[int, int] = {}
    for row in reversed(range(len(turns))):
        seat = turns[row][1]
        following[row] = last.get(seat, -1)
        last[seat] = row
    return following


def _earned(played: Played, turns: list[tuple[int, int, int]], row: int, following: int) -> float:
    """The seat's own reward from its decision to its next one."""
    ply, seat, _ = turns[row]
    stop = turns[following][0] if following >= 0 else len(played.rewards)
    return float(sum(played.rewards[ply:stop]) * (1 - 2 * seat)) + 0.0


def learn_from_games(games: Sequence[Played], options: Options, *, symmetry: bool = False) -> Learned:
    """Behavioural cloning of the moves in saved games: one policy per seat. No expert is asked.

    With ``symmetry`` positions that are images of each other are learned as one, and the policies are those of the
    quotient game. NashmailError for what ``demonstrated`` refuses.
    """
    from mail.learners.collect import Collector, finish

    game, found = demonstrated(games, symmetry=symmetry)
    return finish(Collector(GAMES, game, options.seed), (found, found), found.games, options)


def demonstrated(games: Sequence[Played], *, symmetry: bool = False) -> tuple[Game, Decisions]:
    """The game that is learned on, and every decision of these games in it. NashmailError for games of several kinds,
    in which a seat never moves, or (with ``symmetry``) of a game that has none.
    """
    from games.symmetry import Quotient

    found = decisions_of(games)
    game = games[0].game
    if symmetry:
        quotient = Quotient(game)  # type: ignore[arg-type]  # which says itself what it cannot take
        found, game = canonical(found, quotient), quotient
    for seat in (0, 1):
        if not (found.seat == seat).any():
            raise RecordError(f"seat {seat} never moves in these games; name some in which it does")
    return game, found


def canonical(found: Decisions, quotient: Quotient) -> Decisions:
    """The decisions with every position, action and label moved to the canonical image."""
    states, which = quotient.canonical(found.state)
    to = quotient.to_canonical(which)  # [R, A] where each action goes
    rows = np.arange(len(found))
    label, legal = np.empty_like(found.label), np.empty_like(found.legal)
    np.put_along_axis(label, to, found.label, axis=1)
    np.put_along_axis(legal, to, found.legal, axis=1)
    observation = np.empty_like(found.observation)
    key = np.empty_like(found.key)
    for seat in (0, 1):
        mine = found.seat == seat
        observation[mine] = quotient.observe(states[mine], seat)
        key[mine] = quotient.key(states[mine], seat)
    changed = {"state": states, "key": key, "observation": observation, "legal": legal, "label": label}
    return replace(found, played=to[rows, found.played], **changed)
