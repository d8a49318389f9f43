"""A walk over all that an opponent can force against a clone, with queries at its mistakes.

The walk goes from ply to ply. Where the clone's most probable moves keep what its seat can get, it follows them; at
some of its mistakes it queries the expert and follows the answer, so that one walk teaches the whole depth; the others
it leaves. Layers that grow too wide are thinned at random. A walk that was not thinned and found no mistake is a proof.

In the opening every position is queried, mistake or not, and the answer is a single move, so that what comes after the
opening stays the same from walk to walk: deciding whether a move is a mistake is slow there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.policy import Policy, query
from games.base import Bools, Floats, Ints, Rng, States
from games.boards import Board, Words
from games.progress import report
from mail.data.decisions import Decisions
from mail.data.drops import canonical, first_positions, most_probable, numbers
from mail.learners.walk.judge import Judge
from mail.learners.walk.layers import Job, Step, expand_layer, follow
from mail.parallel.pool import Pool
from mail.parallel.streams import stream


@dataclass
class Answers:
    """The expert's answers so far, by position."""

    known: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    def has(self, states: States) -> Bools:
        """[N] whether positions have an answer.

        Args:
            states: [N, 2] the lesser of each position and its mirror image.
        """
        return np.array([number in self.known for number in numbers(states).tolist()], dtype=np.bool_)

    def of(self, states: States) -> Floats:
        """[N, A] the answers at positions that have one.

        Args:
            states: [N, 2] the lesser of each position and its mirror image.
        """
        return np.array([self.known[number] for number in numbers(states).tolist()], dtype=np.float64)

    def add(self, decisions: Decisions) -> None:
        """Remember the labels of a round.

        Args:
            decisions: One row for each query.
        """
        self.known.update(zip(numbers(decisions.state).tolist(), decisions.label, strict=True))


@dataclass(frozen=True)
class Walked:
    """What a walk found."""

    queries: list[States]
    labels: list[Floats]
    positions: list[int]
    """Positions at which the clone was asked, by ply."""
    mistakes: list[int]
    """Mistakes among them, by ply."""
    thinned: bool
    """Whether positions were left out because a layer grew too wide."""
    unanswered: int
    """Mistakes at which there is no answer, neither an earlier one."""
    exceptions: Words
    """[e] the numbers of the mistakes that have an answer."""
    answers: Ints
    """[e] the moves that were followed there."""

    @property
    def answered(self) -> bool:
        """Whether no opponent leaves the clone less than its goal if it plays the answers where it made mistakes."""
        return not (self.thinned or self.unanswered)

    @property
    def proven(self) -> bool:
        """Whether no opponent leaves the clone less than its goal."""
        return not (self.thinned or any(self.mistakes))

    def metrics(self, seat: int) -> dict[str, float]:
        """What is logged of a walk: sums, and the mistakes by the number of stones on the board.

        Args:
            seat: Who moves at its positions.
        """
        sums = {"walked": sum(self.positions), "mistakes": sum(self.mistakes), "thinned": self.thinned}
        by_stones = {f"mistakes/{2 * at + seat}": many for at, many in enumerate(self.mistakes) if many}
        return {name: float(value) for name, value in (sums | by_stones).items()}

    def decisions(self, judge: Judge) -> Decisions | None:
        """The queries as decisions, each in a game of its own, of which it is the only row; None without any.

        Args:
            judge: The board and the seat.
        """
        if not sum(map(len, self.queries)):
            return None
        return as_decisions(judge, np.concatenate(self.queries), np.concatenate(self.labels))


@dataclass(frozen=True)
class Limits:
    """How far a walk goes."""

    width: int
    """Positions of a layer above which it is thinned to so many."""
    queries: int
    """Most queries after the opening."""
    even: bool
    """Whether the queries are spread evenly over what is left of the layers, so that one walk teaches all of them."""
    opening: int
    """Positions with at most this many stones belong to the opening."""


def descend(
    job: Job, expert: Policy, answers: Answers, limits: Limits, *, pool: Pool, seed: int, address: str, round_: int
) -> Walked:
    """Walk once.

    Args:
        job: The clone, its board and seat.
        expert: Is queried at mistakes.
        answers: What it has answered before.
        limits: How far to walk.
        pool: Expands layers.
        seed: Of the run.
        address: Of the random streams, one for each ply.
        round_: Of the learner.
    """
    walk = _Walk(job, expert, answers, limits)
    states = first_positions(job.judge.board, job.judge.seat)
    while len(states):
        rng = stream(seed, address, seat=job.judge.seat, round_=round_, shard=_stones(states))
        if len(states) > limits.width:
            states = states[np.sort(rng.choice(len(states), limits.width, replace=False))]
            walk.thinned = True
        report(sum(walk.positions), None, "positions", step="walk")
        if _stones(states) <= limits.opening:
            states = walk.opening(states)
        else:
            states = walk.layer(states, expand_layer(pool, job, states), rng)
    return walk.found()


class _Walk:
    """A walk under way."""

    def __init__(self, job: Job, expert: Policy, answers: Answers, limits: Limits) -> None:
        self.job, self.expert, self.answers, self.limits = job, expert, answers, limits
        self.judge, self.left = job.judge, limits.queries
        self.queries: list[States] = []
        self.labels: list[Floats] = []
        self.positions: list[int] = []
        self.mistakes: list[int] = []
        self.thinned = False
        self.unanswered = 0
        self.exceptions: list[Words] = [np.zeros(0, dtype=np.uint64)]
        self.moves: list[Ints] = [np.zeros(0, dtype=np.int64)]

    def found(self) -> Walked:
        """What has been found so far."""
        exceptions, moves = np.concatenate(self.exceptions), np.concatenate(self.moves)
        lists = self.queries, self.labels, self.positions, self.mistakes
        return Walked(*lists, self.thinned, self.unanswered, exceptions, moves)

    def layer(self, states: States, step: Step, rng: Rng) -> States:
        """Query the expert at some mistakes of a layer, and return the next layer.

        Args:
            states: [N, 2] the layer.
            step: What its expansion found.
            rng: Draws the mistakes at which the expert is queried.
        """
        self._count(len(states), len(step.mistakes))
        rows = self._chosen(states, step, rng)
        self.unanswered += len(step.mistakes) - len(rows)
        moves = self._answered(states[rows], single=False)[0]
        self._except(states[rows], moves)
        after = follow(self.judge, states[rows], moves)
        return canonical(self.judge.board, np.concatenate([step.after, after]))

    def opening(self, states: States) -> States:
        """Query the expert wherever it has not answered yet, and return the next layer.

        A mistake is here what is not the expert's answer.

        Args:
            states: [N, 2] the layer.
        """
        moves, labels = self._answered(states, single=True)
        played = most_probable(query(self.job.policy, self.judge.board, states, self.judge.seat))
        wrong = (played & (labels <= 0)).any(1)
        self._count(len(states), int(wrong.sum()))
        self._except(states[wrong], moves[wrong])
        return follow(self.judge, states, moves)

    def _except(self, states: States, moves: Ints) -> None:
        """Keep what was followed at mistakes."""
        self.exceptions.append(numbers(states))
        self.moves.append(moves)

    def _count(self, positions: int, mistakes: int) -> None:
        """Add a layer to the counts."""
        self.positions.append(positions)
        self.mistakes.append(mistakes)

    def _chosen(self, states: States, step: Step, rng: Rng) -> Ints:
        """Mistakes that have an answer already, and as many of the others as this layer may ask about."""
        board = self.judge.board
        wrong = step.mistakes
        known = self.answers.has(states[wrong])
        fresh = wrong[~known]
        layers_left = (board.rows * board.columns - _stones(states) + 1) // 2 if self.limits.even else 1
        most = -(-self.left // max(1, layers_left))
        if len(fresh) > most:
            fresh = rng.choice(fresh, most, replace=False)
        self.left -= len(fresh)
        return np.sort(np.concatenate([wrong[known], fresh]))

    def _answered(self, states: States, *, single: bool) -> tuple[Ints, Floats]:
        """The expert's answers [N, A], queried where there is none yet, and a move of each: the clone's favorite.

        Args:
            states: [N, 2] positions of a layer.
            single: Whether new answers are reduced to that move; and its image, where a board is its own mirror image.
        """
        board, seat = self.judge.board, self.judge.seat
        labels = np.zeros((len(states), board.spec.actions))
        if not len(states):
            return np.zeros(0, dtype=np.int64), labels
        known = self.answers.has(states)
        if known.any():
            labels[known] = self.answers.of(states[known])
        if not known.all():
            labels[~known] = query(self.expert, board, states[~known], seat)
        favored = np.where(labels > 0, query(self.job.policy, board, states, seat), -1.0)
        moves = np.asarray(favored.argmax(1), dtype=np.int64)
        if single:
            labels[~known] = _single(board, states[~known], moves[~known])
        if not known.all():
            self.queries.append(states[~known])
            self.labels.append(labels[~known])
        return moves, labels


def _single(board: Board, states: States, moves: Ints) -> Floats:
    """[N, A] labels of one move each; of two where a board is its own mirror image, for which they are the same."""
    labels = np.eye(board.spec.actions)[moves]
    images = board.images(states)[1:]
    if len(images):
        own = (images[0] == states).all(1)
        labels[own] = (labels[own] + labels[own][:, np.array(board.spec.symmetries[1])]) / 2.0
    return labels


def as_decisions(judge: Judge, states: States, labels: Floats) -> Decisions:
    """Queries as decisions, each in a game of its own, of which it is the only row.

    Args:
        judge: The board and the seat.
        states: [N, 2] where the expert was queried.
        labels: [N, A] its answers.
    """
    board, seat, count = judge.board, judge.seat, len(states)
    return Decisions(
        seat=np.full(count, seat, dtype=np.int64),
        episode=np.arange(count, dtype=np.int64),
        state=states,
        key=board.key(states, seat),
        observation=board.observe(states, seat),
        legal=board.legal(states, seat),
        played=labels.argmax(1).astype(np.int64),
        label=labels.astype(np.float32),
        reward=np.zeros(count),
        next=np.full(count, -1, dtype=np.int64),
        ended=np.zeros(count, dtype=np.bool_),
    )


def _stones(states: States) -> int:
    """Stones on the boards of a layer."""
    return int(np.bitwise_count(states[0, 1]))
