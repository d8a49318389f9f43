"""What an opponent can force against a policy with tactics where discs fall: the walk of a proof, up to mirror image.

Such a policy wins at once where it can, so those positions are left out; and one whose weights are tied answers mirror
images alike, so one of both is enough. What is left of a layer are some millions of positions even on 6x7. A position
is named by P. Pons's number ("Solving Connect Four", 2015): the mover's stones plus all stones, as bitboards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agents.ntuple import NtuplePolicy
from agents.policy import Policy, query
from agents.tactics import Tactics, winning
from games.base import Bools, Floats, Game, Ints, States
from games.boards import Board, Words
from games.progress import report
from games.symmetry import board_behind
from mail.parallel.pool import Pool

SLACK = 1e-5
"""Moves within this distance of the most probable one (in log-probability) are followed as well."""
SHARD, WAVE = 16_384, 64
"""Positions of a shard, a second or so; and shards in flight, which bounds the memory for their results."""


@dataclass(frozen=True)
class Seat:
    """What all shards of a walk share: a policy in a seat, and what it gets at least."""

    board: Board
    policy: Policy
    seat: int
    goal: float


class TooLittle(Exception):
    """The policy can be held below its goal."""


def walkable(game: Game, policy: Policy) -> bool:
    """Whether this walk does: a tied n-tuple policy with tactics, on a board on which discs fall.

    Args:
        game: The game.
        policy: The policy.
    """
    board = board_behind(game)
    bare = policy.policy if isinstance(policy, Tactics) else None
    return board is not None and board.gravity and isinstance(bare, NtuplePolicy) and bare.tied


def proves(player: Seat, *, limit: int, pool: Pool, visit: Callable[[Words], None]) -> bool | None:
    """Walk over all that an opponent can force, and say whether the policy always gets its goal; None where the limit
    was reached before.

    Args:
        player: The policy, its seat and its goal.
        limit: Most positions at which the policy is queried; beyond them nothing is proven.
        pool: Expands the layers.
        visit: Is shown the numbers of the positions of each ply at which the seat moves, ascending.
    """
    states = first_positions(player.board, player.seat)
    walked = 0
    while len(states):
        report(walked, None, "positions", step="walk")
        walked += len(states)
        if walked > limit:
            return None
        visit(numbers(states))
        begins = range(0, len(states), SHARD)
        waves = []
        for first in range(0, len(begins), WAVE):
            shards = [states[at : at + SHARD] for at in begins[first : first + WAVE]]
            found = [after for after in pool.map(_expand, player, shards) if after is not None]
            if len(found) < len(shards):
                return False
            waves.append(canonical(player.board, np.concatenate(found)))
        states = waves[0] if len(waves) == 1 else canonical(player.board, np.concatenate(waves))
    return True


def _expand(player: Seat, states: States) -> States | None:
    """A pool's task: the positions after the policy's moves and all replies; None where one ends below the goal."""
    row, action = np.nonzero(most_probable(query(player.policy, player.board, states, player.seat)))
    try:
        return replied(player.board, player.seat, player.goal, states[row], action)
    except TooLittle:
        return None


def most_probable(rows: Floats) -> Bools:
    """[N, A] the most probable moves, with those that are so up to rounding.

    Args:
        rows: [N, A] probabilities.
    """
    return np.asarray((rows >= rows.max(1, keepdims=True) * np.exp(-SLACK)) & (rows > 0))


def replied(board: Board, seat: int, goal: float, states: States, actions: Ints) -> States:
    """The positions after moves and all replies at which the seat cannot win at once.

    Args:
        board: The board.
        seat: The seat that moves.
        goal: What it gets at least.
        states: [N, 2] positions at which it moves.
        actions: int64 [N] its moves.

    Returns:
        [n, 2] positions at which the seat moves again, each once, up to mirror image.

    Raises:
        TooLittle: A game ends with less than the goal.
    """
    states = _moved(board, seat, goal, states, seat, actions)
    row, reply = np.nonzero(board.legal(states, 1 - seat))
    states = canonical(board, _moved(board, seat, goal, states[row], 1 - seat, reply))
    return states[~wins_at_once(board, states, seat)]


def _moved(board: Board, seat: int, goal: float, states: States, mover: int, actions: Ints) -> States:
    """The positions after a move of one seat where the game goes on."""
    both = np.full((len(states), 2), -1, dtype=np.int64)
    both[:, mover] = actions
    outcome = board.successors(states, both)
    if (outcome.done & ((1.0 - 2.0 * seat) * outcome.rewards < goal)).any():
        raise TooLittle
    return outcome.states[~outcome.done]


def first_positions(board: Board, seat: int) -> States:
    """The first positions at which a seat moves, each once up to mirror image.

    Args:
        board: The board.
        seat: The seat.
    """
    states = board.starts()
    if seat == 0:
        return states
    actions = np.flatnonzero(board.legal(states, 0)[0])
    both = np.stack([actions, np.full(len(actions), -1)], axis=1)
    states = canonical(board, board.successors(np.repeat(states, len(actions), axis=0), both).states)
    return states[~wins_at_once(board, states, 1)]


def wins_at_once(board: Board, states: States, seat: int) -> Bools:
    """[N] whether the seat to move can complete a line.

    Args:
        board: The board.
        states: [N, 2].
        seat: The seat to move.
    """
    return np.asarray(winning(board, states, board.legal(states, seat)).any(1))


def numbers(states: States) -> Words:
    """[N] P. Pons's numbers of positions.

    Args:
        states: [N, 2].
    """
    return np.asarray(states[:, 0] + states[:, 1])


def canonical(board: Board, states: States) -> States:
    """[n, 2] each position once, up to mirror image, in the order of their numbers.

    Args:
        board: The board.
        states: [N, 2].
    """
    if not len(states):
        return states
    images = board.images(states)
    least = images[0]
    for image in images[1:]:
        least = np.where((numbers(image) < numbers(least))[:, None], image, least)
    return np.asarray(least[np.unique(numbers(least), return_index=True)[1]])
