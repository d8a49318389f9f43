"""One ply of a walk: the clone's moves, whether they keep what its seat can get, and the positions after all replies.

A shard is a range of a layer's positions. A layer holds each position once, up to mirror image, in the order of P.
Pons's numbers (the mover's stones plus all stones), so how it is cut into shards does not affect results. Positions at
which the rules decide, because the clone's seat wins at once, are left out: a clone with tactics wins there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.policy import Policy, query
from games.base import Ints, NashmailError, States
from games.boards import Board
from mail.data.drops import SHARD, WAVE, TooLittle, canonical, most_probable, replied
from mail.learners.walk.judge import Judge
from mail.parallel.pool import Pool

SLOW_SHARD, SLOW = 256, 20
"""Positions of a shard where boards have fewer than so many stones and a search takes long: seconds."""


@dataclass(frozen=True)
class Job:
    """What all shards of a walk share."""

    policy: Policy
    """The clone, with tactics."""
    judge: Judge


@dataclass(frozen=True)
class Step:
    """The result of a layer or of a shard of one."""

    mistakes: Ints
    """[m] rows at which a most probable move gives away what the seat can get."""
    after: States
    """[n, 2] the positions after the other rows' moves and all replies."""


def expand_layer(pool: Pool, job: Job, states: States) -> Step:
    """Make one own move and one reply, from all positions of a layer.

    Args:
        pool: Expands the shards.
        job: The clone and its judge.
        states: [N, 2] the layer.
    """
    slow = int(np.bitwise_count(states[0, 1])) < SLOW
    size = SLOW_SHARD if slow and not job.judge.small else SHARD
    begins = range(0, len(states), size)
    waves = []
    for first in range(0, len(begins), WAVE):
        wave = begins[first : first + WAVE]
        steps = pool.map(expand, job, [states[at : at + size] for at in wave])
        waves.append(_merged(job.judge.board, steps, wave))
    return _merged(job.judge.board, waves, [0] * len(waves))


def expand(job: Job, states: States) -> Step:
    """A pool's task: one own move and one reply, from some rows of a layer.

    Args:
        job: The clone and its judge.
        states: [n, 2] the rows' positions.
    """
    judge = job.judge
    rows = query(job.policy, judge.board, states, judge.seat)
    played = most_probable(rows)
    wrong = played.sum(1) > judge.ties
    row, action = np.nonzero(played & ~wrong[:, None])
    held = judge.holds(states[row], action)
    wrong[row[~held]] = True
    goes_on = ~wrong[row]
    return Step(np.flatnonzero(wrong), follow(judge, states[row[goes_on]], action[goes_on]))


def follow(judge: Judge, states: States, actions: Ints) -> States:
    """The positions after moves and all replies at which the rules do not decide.

    Args:
        judge: The board and the seat.
        states: [N, 2] positions at which the seat moves.
        actions: int64 [N] its moves.

    Returns:
        [n, 2] positions at which the seat moves again, each once, up to mirror image.

    Raises:
        NashmailError: The game ends with less than the seat's goal.
    """
    try:
        return replied(judge.board, judge.seat, judge.goal, states, actions)
    except TooLittle as error:
        name = judge.board.spec.name
        raise NashmailError(f"the search is wrong: seat {judge.seat} of {name} got less than it holds") from error


def _merged(board: Board, steps: Sequence[Step], begins: Sequence[int]) -> Step:
    """The step of a whole layer from those of its parts, whose rows start at ``begins``."""
    if len(steps) == 1 and not begins[0]:
        return steps[0]
    mistakes = np.concatenate([step.mistakes + begin for step, begin in zip(steps, begins, strict=True)])
    return Step(mistakes, canonical(board, np.concatenate([step.after for step in steps])))
