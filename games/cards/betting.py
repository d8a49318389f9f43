"""The public part of a limit poker game: who bets when, and how many chips each sequence of bets costs.

Bets are seen by both seats and do not depend on the cards, so they form one tree, which is built once; a state of the
game holds its node. Shape letters: M nodes, A actions, L most moves of a game.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from games.base import Bools, Ints

KINDS = ("fold", "check", "call", "raise")
"""What a seat may do: give up or pay up against a bet, wait where there is none, and bet or raise."""


@dataclass(frozen=True)
class Limits:
    """The rules of betting. Seat 0 opens every round; a round ends when both have acted and paid the same."""

    ante: int
    """Chips that each seat pays before the first round."""
    sizes: tuple[int, ...]
    """Chips of a bet or raise, round by round; a public card is dealt before every round but the first."""
    raises: int
    """Most bets and raises of a round, both seats together."""
    numbers: Mapping[str, int]
    """The action that stands for each of ``KINDS``."""


@dataclass(frozen=True)
class Betting:
    """The tree of bets. Node 0 is the first; nodes are numbered in order of play, a node before what follows it."""

    actor: Ints
    """[M] the seat to move; -1 where the game is over."""
    successor: Ints
    """[M, A] the node that an action leads to; -1 where it is illegal."""
    folded: Ints
    """[M] the seat that has given up; -1 where none has."""
    paid: Ints
    """[M, 2] chips that each seat has put in."""
    deals: Bools
    """[M] whether the public card is dealt on the way into the node."""
    moves: Ints
    """[M, L] the actions so far, padded with -1."""


@dataclass
class _Node:
    """A node while the tree is built."""

    round: int
    actor: int
    paid: tuple[int, int]
    moves: tuple[int, ...]
    raises: int = 0
    folded: int = -1
    deals: bool = False
    children: dict[int, int] = field(default_factory=dict)


def betting(limits: Limits) -> Betting:
    """The tree of all sequences of bets within these limits.

    Args:
        limits: the rules of betting.

    Returns:
        The tree, as arrays by node.
    """
    nodes = [_Node(0, 0, (limits.ante, limits.ante), ())]
    for node in nodes:  # which grows on the way
        if node.actor < 0:
            continue
        for kind in KINDS:
            if (after := _after(node, kind, limits)) is not None:
                node.children[limits.numbers[kind]] = len(nodes)
                nodes.append(after)
    longest = max(len(node.moves) for node in nodes)
    successor = np.full((len(nodes), 1 + max(limits.numbers.values())), -1, dtype=np.int64)
    for place, node in enumerate(nodes):
        successor[place, list(node.children)] = list(node.children.values())
    return Betting(
        actor=np.array([node.actor for node in nodes]),
        successor=successor,
        folded=np.array([node.folded for node in nodes]),
        paid=np.array([node.paid for node in nodes]),
        deals=np.array([node.deals for node in nodes]),
        moves=np.array([node.moves + (-1,) * (longest - len(node.moves)) for node in nodes]),
    )


def _after(node: _Node, kind: str, limits: Limits) -> _Node | None:
    """The node after the seat to move does ``kind``; None where that is illegal."""
    seat, other = node.actor, 1 - node.actor
    mine, theirs = node.paid[seat], node.paid[other]
    moves = (*node.moves, limits.numbers[kind])
    if (mine == theirs) == (kind in ("fold", "call")) and kind != "raise":
        return None
    if kind == "fold":
        return _Node(node.round, -1, node.paid, moves, folded=seat)
    if kind == "raise":
        if node.raises == limits.raises:
            return None
        paid = _paid(seat, theirs + limits.sizes[node.round], theirs)
        return _Node(node.round, other, paid, moves, raises=node.raises + 1)
    if kind == "check" and seat == 0:
        return _Node(node.round, other, node.paid, moves)
    both = (theirs, theirs)
    if node.round + 1 == len(limits.sizes):
        return _Node(node.round, -1, both, moves)
    return _Node(node.round + 1, 0, both, moves, deals=True)


def _paid(seat: int, mine: int, theirs: int) -> tuple[int, int]:
    """Chips by seat, from the mover's view."""
    return (mine, theirs) if seat == 0 else (theirs, mine)
