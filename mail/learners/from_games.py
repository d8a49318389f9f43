"""Behavioral cloning of saved games: their moves are the labels, and no expert is queried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.policy import Seats
from games.base import Game, Ints
from games.symmetry import Quotient
from mail.data.decisions import Decisions, merge
from mail.data.records import GAMES, Played, RecordError
from mail.learners.budget import Budget
from mail.learners.collect import Collector, Learned, Options, finish
from mail.learners.journal import Journal
from mail.parallel.pool import Pool


def decisions_of(games: Sequence[Played]) -> Decisions:
    """Every decision of some games, labelled with the move that was made.

    A label is a one-hot row, because a human is not a distribution. Cloning averages the labels of repeated positions.
    Games without moves are ignored.

    Args:
        games: Of one game.

    Raises:
        RecordError: No game has a move, or they are of different games.
    """
    nonempty = [played for played in games if played.record.moves]
    if not nonempty:
        raise RecordError("these games have no moves to learn from; name games that were played")
    first = nonempty[0]
    for played in nonempty:
        if played.game.spec.name != first.game.spec.name:
            raise RecordError(
                f"games of {first.record.game} and of {played.record.game} cannot be learned together; name one game's"
            )
    return merge([_rows_of(played) for played in nonempty])


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
    """The seat's own reward between its decision and its next one."""
    ply, seat, _ = turns[row]
    stop = turns[following][0] if following >= 0 else len(played.rewards)
    return float(sum(played.rewards[ply:stop]) * (1 - 2 * seat)) + 0.0


class FromGames:
    """Behavioral cloning of the moves in saved games: one policy per seat, without queries."""

    def __init__(self, games: Sequence[Played], options: Options, *, symmetry: bool = False) -> None:
        """
        Args:
            games: Games of one kind.
            options: The options of learners; the clones are networks.
            symmetry: Whether to learn positions that are images of each other as one. The policies are then those of
                the quotient game.

        Raises:
            NashmailError: The games do not fit, see ``demonstrated``.
        """
        self.options = options
        self.game, self.decisions = demonstrated(games, symmetry=symmetry)

    def learn(self, game: Game, experts: Seats, budget: Budget, *, pool: Pool, journal: Journal) -> Learned:
        """Clone both seats; nobody plays, and ``experts`` and ``budget`` are left alone."""
        collector = Collector(GAMES, self.game, self.options.seed, pool, journal)
        return finish(collector, (self.decisions, self.decisions), self.decisions.games, self.options)


def demonstrated(games: Sequence[Played], *, symmetry: bool = False) -> tuple[Game, Decisions]:
    """The game to learn on, and every decision of some games in it.

    Args:
        games: Of one game.
        symmetry: Whether to learn on its quotient.

    Raises:
        NashmailError: The games are of different kinds, a seat never moves, or the game lacks ``symmetry``.
    """
    decisions = decisions_of(games)
    game = games[0].game
    if symmetry:
        quotient = Quotient(game)  # which refuses games without symmetry
        decisions, game = canonical(decisions, quotient), quotient
    for seat in (0, 1):
        if not (decisions.seat == seat).any():
            raise RecordError(f"seat {seat} never moves in these games; add games in which it does")
    return game, decisions


def canonical(decisions: Decisions, quotient: Quotient) -> Decisions:
    """Map every position, action and label to the canonical image.

    Args:
        decisions: Decisions on the board.
        quotient: The game up to symmetry.
    """
    states, which = quotient.canonical(decisions.state)
    to = quotient.to_canonical(which)  # [R, A] the image of each action
    rows = np.arange(len(decisions))
    label, legal = np.empty_like(decisions.label), np.empty_like(decisions.legal)
    np.put_along_axis(label, to, decisions.label, axis=1)
    np.put_along_axis(legal, to, decisions.legal, axis=1)
    observation = np.empty_like(decisions.observation)
    key = np.empty_like(decisions.key)
    for seat in (0, 1):
        mine = decisions.seat == seat
        observation[mine] = quotient.observe(states[mine], seat)
        key[mine] = quotient.key(states[mine], seat)
    changed = {"state": states, "key": key, "observation": observation, "legal": legal, "label": label}
    return replace(decisions, played=to[rows, decisions.played], **changed)
