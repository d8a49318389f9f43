"""A deterministic game as far as play has shown it: positions, where moves led, and which moves lead to what is wanted.

The other seat's response to a clone is learned on this: of the clone's moves at a position only the present one counts,
so that what was seen serves for every later clone. Shape letters: P positions seen, A actions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from games.base import Bools, Floats, Game, Ints, Keys, States
from mail.data.decisions import Decisions

ENDED = -1
UNSEEN = -2


class SeenMoves:
    """The positions and moves that play came through.

    Args:
        game: A game without chance in which one seat moves at a time and both see everything.
    """

    def __init__(self, game: Game) -> None:
        start = game.start(1, rng=np.random.default_rng(0))
        self.states: States = start[:0]
        """[P, W]."""
        self.keys: Keys = np.zeros((0, 2), dtype=np.uint64)
        """uint64 [P, 2] for the seat to move."""
        self.seat: Ints = np.zeros(0, dtype=np.int64)
        """[P] the seat to move."""
        self.ply: Ints = np.zeros(0, dtype=np.int64)
        """[P] moves before it, in the first game that came there."""
        self.legal: Bools = np.zeros((0, game.spec.actions), dtype=np.bool_)
        """[P, A]."""
        self.successor: Ints = np.zeros((0, game.spec.actions), dtype=np.int64)
        """[P, A] the place of the position after a move, or ``ENDED``, or ``UNSEEN``."""
        self.payoff: Floats = np.zeros((0, game.spec.actions))
        """[P, A] what a move that ends the game pays to the seat that makes it; 0 for others."""
        self._places: dict[tuple[int, ...], int] = {}

    def __len__(self) -> int:
        return len(self.seat)

    def add(self, decisions: Decisions) -> None:
        """Add games.

        Args:
            decisions: Both seats' decisions, in order of play.
        """
        played = decisions.take(np.argsort(decisions.episode, kind="stable"))
        begins = np.append(True, played.episode[1:] != played.episode[:-1])
        rows = np.arange(len(played))
        ply = rows - np.maximum.accumulate(np.where(begins, rows, 0))
        known = len(self)
        words = map(tuple, played.key.tolist())
        place = np.array([self._places.setdefault(word, len(self._places)) for word in words], dtype=np.int64)
        first = np.unique(place, return_index=True)
        new = first[1][first[0] >= known]
        self.states = np.concatenate([self.states, played.state[new]])
        self.keys = np.concatenate([self.keys, played.key[new]])
        self.seat = np.concatenate([self.seat, played.seat[new]])
        self.ply = np.concatenate([self.ply, ply[new]])
        self.legal = np.concatenate([self.legal, played.legal[new]])
        unseen = np.full((len(new), self.legal.shape[1]), UNSEEN)
        self.successor = np.concatenate([self.successor, unseen])
        following = np.where(np.append(begins[1:], True), ENDED, np.append(place[1:], ENDED))
        self.successor[place, played.played] = following
        self.payoff = np.concatenate([self.payoff, np.zeros(unseen.shape)])
        self.payoff[place, played.played] = np.where(following == ENDED, played.reward, 0.0)

    def moves(self, seat: int, answers: Ints) -> Bools:
        """The moves that count: every legal one of the other seat, the present one of a clone.

        Args:
            seat: The clone's seat.
            answers: int64 [P] the clone's move where it decides.

        Returns:
            bool [P, A].
        """
        found = self.legal.copy()
        mine = np.flatnonzero(self.seat == seat)
        found[mine] = False
        found[mine, answers[mine]] = True
        return found

    def reachable(self, moves: Bools) -> Bools:
        """Which positions can be come to from the start.

        Args:
            moves: bool [P, A] the moves that count.

        Returns:
            bool [P].
        """
        found: Bools = np.asarray(self.ply == 0)
        edges = moves & (self.successor >= 0)
        for ply in range(int(self.ply.max(initial=0)) + 1):
            found[self.successor[(found & (self.ply == ply))[:, None] & edges]] = True
        return found

    def walk(self, seat: int, answers: Callable[[Ints], Bools]) -> tuple[Bools, Bools]:
        """Where a clone can be led, as far as play has shown it.

        Args:
            seat: The clone's seat.
            answers: Gives the moves [n, A] of the clone that are followed at positions [n], the numbers of which it
                is told; only positions to which the clone can be led are asked for.

        Returns:
            bool [P, A] the moves that are followed: every legal one of the other seat, and these of the clone. bool [P]
            the positions to which they lead.
        """
        moves = self.legal & (self.seat != seat)[:, None]
        reachable: Bools = np.asarray(self.ply == 0)
        for ply in range(int(self.ply.max(initial=0)) + 1):
            rows = np.flatnonzero(reachable & (self.ply == ply))
            mine = rows[self.seat[rows] == seat]
            if len(mine):
                moves[mine] = answers(mine)
            after = self.successor[rows][moves[rows]]
            reachable[after[after >= 0]] = True
        return moves, reachable

    def leading(self, moves: Bools, wanted: Bools, *, unseen: bool) -> Bools:
        """The moves from which something wanted can still be come to.

        Args:
            moves: bool [P, A] the moves that count.
            wanted: bool [P] positions.
            unseen: Whether moves that were never played are wanted, too.

        Returns:
            bool [P, A].
        """
        leads: Bools = np.asarray(moves & (self.successor == UNSEEN) & unseen)
        edges = moves & (self.successor >= 0)
        for ply in range(int(self.ply.max(initial=0)), -1, -1):
            rows = np.flatnonzero(self.ply == ply)
            after = self.successor[rows]
            there = wanted[after] | leads[after].any(2)
            leads[rows] |= edges[rows] & there
        return leads
