"""Games of other libraries as games of ours: a state is the moves so far, played again in the other library.

What the doors to OpenSpiel and PettingZoo share: rows of moves, batching, and what makes two positions equal.
Where the other library's game is one of our boards, a position's key, observation and picture are the board's
own, so that policies, labels and counts carry over from one backend to the other bit by bit; who moves, what is
legal, rewards and the end always come from the other library. For turn-based games without chance; slow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from games.adapters.outside import answering
from games.base import Bools, Floats, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.boards import Board

Moves = tuple[int, ...]
_REMEMBERED = 1 << 14  # positions that a game keeps at hand; more are played again
_COMPARED = 200  # positions at which ``successors`` compares two histories that met there


@dataclass(frozen=True)
class Position:
    """What the other library says of the position that some moves lead to."""

    seat: int
    """Who moves; -1 once the game is over."""
    legal: Moves
    reward: float
    """Seat 0's, for the last of the moves."""
    views: NDArray[np.float32]
    """[2, *observation] what each seat sees; empty where a board of ours tells."""
    picture: str
    future: bytes | None = None
    """Bytes on which all that can follow depends, given who moves, what is legal and how many moves were made; None:
    only the moves are known to decide it. Not used where a board of ours tells."""


NO_VIEWS = np.zeros(0, dtype=np.float32)


class Replayed(ABC):
    """A two-player, zero-sum, turn-based game of perfect information without chance, by its moves.

    States are ``int64 [N, longest]``, the actions of both seats in order, padded with -1. Without a board of
    ours, the key is 64 bits of a BLAKE2b hash (as two 32-bit words, which tables and graphs can pack) of the number of
    moves, who moves, what is legal and ``Position.future``; where the door does not know on what the future depends,
    of the moves, so that every way to play is a position of its own. Counting the moves keeps positions of different
    lengths apart, as a game's length limit may.

    ``successors``, by which positions are listed, looks at what it is told: where two histories meet in one position
    it compares what each of their moves brings (reward, end, key), at up to 200 positions a call. One move ahead, that
    notices a door that is wrong, and doesn't prove one right. Two of n positions share a hash by accident with
    probability n**2 / 2**65 (one in 37 million for a million positions); 64 further bits are compared for that.
    """

    library = "its library"
    """Who has the rules, in messages."""

    def __init__(self, spec: Spec, board: Board | None, *, merges: bool, called: str = "") -> None:
        """``merges`` is whether ``Position.future`` is given; False: the moves tell positions apart. ``called`` is the
        name that the game was asked for, if not ``spec.name``, which is the same for all descriptions of it.
        """
        self.spec = spec
        self.called = called or spec.name
        self.board = board
        self.merges = merges
        self._known: dict[Moves, Position] = {}
        self._witness: dict[bytes, tuple[bytes, Moves]] = {}  # key: 64 further bits, the moves that led there first
        self._compared: set[bytes] = set()  # keys at which two histories have met

    @abstractmethod
    def replay(self, moves: Moves) -> Position:
        """Play these legal moves from the start."""

    # --- the contract of games.base ----------------------------------------------------------------------

    def start(self, n: int, *, rng: Rng) -> States:
        """[N, longest] no moves; nothing is drawn from ``rng``."""
        return np.full((n, self.spec.longest), -1, dtype=np.int64)

    def acting(self, states: States) -> Bools:
        """[N, 2] the seat to move."""
        seats = np.array([position.seat for position in self.positions(states)], dtype=np.int64)
        return np.asarray(seats[:, None] == [0, 1])

    def legal(self, states: States, seat: int) -> Bools:
        """[N, A] as the other library has it, where the seat is to move."""
        out = np.zeros((len(states), self.spec.actions), dtype=np.bool_)
        for row, position in enumerate(self.positions(states)):
            if position.seat == seat:
                out[row, list(position.legal)] = True
        return out

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """[N, *observation] the board's own observation, or the other library's."""
        if self.board is not None:
            return self.board.observe(self.on_board(self.board, states), seat)
        views = [position.views[seat] for position in self.positions(states)]
        return np.stack(views) if views else np.zeros((0, *self.spec.observation), dtype=np.float32)

    def key(self, states: States, seat: int | None = None) -> Keys:
        """[N, 2] the board's own key, or the hash: both seats see everything."""
        if self.board is not None:
            return self.board.key(self.on_board(self.board, states))
        digests = b"".join(self._digest(moves)[:8] for moves in _moves(states))
        return np.frombuffer(digests, dtype=">u4").reshape(-1, 2).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        """One more move in each row. GameError where it is not legal, or the game is over."""
        after = states.copy()
        rewards = np.zeros(len(states))
        done = np.zeros(len(states), dtype=np.bool_)
        for row, (moves, both) in enumerate(zip(_moves(states), actions, strict=True)):
            before = self.position(moves)
            action = int(both[before.seat]) if before.seat >= 0 else -1
            if action not in before.legal:
                raise GameError(f"{self.spec.name}: action {action} is not legal after the moves {list(moves)}")
            if len(moves) == self.spec.longest:
                raise GameError(f"{self.spec.name} goes on after {len(moves)} moves, its stated length; make it longer")
            after[row, len(moves)] = action
            position = self.position((*moves, action))
            rewards[row], done[row] = position.reward, position.seat < 0
        return after, rewards, done

    def render(self, state: States) -> str:
        """The board's own picture, or the other library's and the number of moves, which tells positions apart."""
        if self.board is not None:
            return self.board.render(self.on_board(self.board, state[None])[0])
        moves = _moves(state[None])[0]
        return f"{self.position(moves).picture.rstrip()}\nmoves played: {len(moves)}"

    def starts(self) -> States:
        """[1, longest] the one first position."""
        return np.full((1, self.spec.longest), -1, dtype=np.int64)

    def successors(self, states: States, actions: Ints) -> Successors:
        """One certain outcome per move.

        GameError where two positions met here share a key by accident, or two histories that share one differ in what
        a move brings.
        """
        after, rewards, done = self.step(states, actions, rng=_NO_CHANCE)
        if self.board is None:
            compared = 0
            for moves in _moves(after):
                if (first := self._met(moves)) != moves and compared < _COMPARED:
                    compared += self._compare(first, moves)
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))

    # --- moves -------------------------------------------------------------------------------------------

    def positions(self, states: States) -> list[Position]:
        """[N] what the other library says of each row."""
        return [self.position(moves) for moves in _moves(states)]

    def position(self, moves: Moves) -> Position:
        """The same for one row's moves; remembered for a while."""
        if moves not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            with answering(self.called, self.library):
                self._known[moves] = self.replay(moves)
        return self._known[moves]

    def _met(self, moves: Moves) -> Moves:
        """The moves that led to the same position first, since positions have been listed."""
        digest = self._digest(moves)
        rest, first = self._witness.setdefault(digest[:8], (digest[8:], moves if self.merges else ()))
        if rest != digest[8:]:
            raise GameError(f"two positions of {self.spec.name} have the same 64-bit hash; cannot list them")
        return first if self.merges else moves

    def _compare(self, first: Moves, moves: Moves) -> bool:
        """Whether it was for the first time that the position of both was looked at; GameError where they differ."""
        key = self._digest(moves)[:8]
        if key in self._compared:
            return False
        self._compared.add(key)
        for action in self.position(moves).legal:
            if self._brings((*first, action)) != self._brings((*moves, action)):
                raise GameError(
                    f"{self.spec.name}: the moves {list(first)} and {list(moves)} seem to lead to the same position,"
                    f" but action {action} does not bring the same after both; this door cannot tell positions apart"
                )
        return True

    def _brings(self, moves: Moves) -> tuple[float, bool, bytes]:
        """What the last of these moves leads to: reward, end, key."""
        position = self.position(moves)
        over = position.seat < 0
        return position.reward, over, b"" if over else self._digest(moves)

    def on_board(self, board: Board, states: States) -> States:
        """[N, 2] the same moves made on a board of ours."""
        out = board.start(len(states), rng=_NO_CHANCE)
        for move in states.T:  # [N] one ply of every row
            rows = np.flatnonzero(move >= 0)
            if not len(rows):
                break
            out[rows] = board.step(out[rows], np.stack([move[rows]] * 2, axis=1), rng=_NO_CHANCE)[0]
        return out

    def _digest(self, moves: Moves) -> bytes:
        """16 bytes of what decides the future of a position: 8 for the key, 8 to notice an accident."""
        position = self.position(moves) if self.merges else None
        if position is None or position.future is None:
            told, decides = "moves", " ".join(map(str, moves)).encode()
        else:
            told, decides = f"{len(moves)} {position.seat} {sorted(position.legal)}", position.future
        return blake2b(told.encode() + b" " + decides, digest_size=16).digest()


def _moves(states: States) -> list[Moves]:
    """Each row without its padding, which may be most of it."""
    lengths = (states >= 0).sum(1)
    rows = states[:, : int(lengths.max(initial=0))].tolist()
    return [tuple(row[:length]) for row, length in zip(rows, lengths.tolist(), strict=True)]


_NO_CHANCE = np.random.default_rng(0)  # these games draw nothing; step() is only given something to hold
