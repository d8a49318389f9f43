"""Games of other libraries as our games: a state is the sequence of moves, replayed in the other library.

What the adapters of OpenSpiel and PettingZoo share: rows of moves, batching, and the identity of positions. Where the
other library's game is one of our boards, a position's key, observation and picture are the board's own, so that
policies, labels and counts are the same, bit by bit, for every backend. The seat to move, legal actions, rewards and
the end always come from the other library. For turn-based games without chance. Slow.
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
_COMPARED = 200  # positions at which ``successors`` compares two histories that lead there


@dataclass(frozen=True)
class Position:
    """What the other library reports about the position after some moves."""

    seat: int
    """The seat to move; -1 once the game is over."""
    legal: Moves
    reward: float
    """Seat 0's reward for the last move."""
    views: NDArray[np.float32]
    """[2, *observation] each seat's observation; empty where our board provides it."""
    picture: str
    future: bytes | None = None
    """Bytes that determine the future, together with the seat to move, the legal actions and the number of moves. None:
    only the whole sequence of moves is known to determine it. Not used with a board of ours."""


NO_VIEWS = np.zeros(0, dtype=np.float32)


class Replayed(ABC):
    """A two-player, zero-sum, turn-based game of perfect information without chance, represented by its moves.

    States are ``int64 [N, longest]``: the actions of both seats in order, padded with -1. Without a board of ours, the
    key is 64 bits of a BLAKE2b hash (as two 32-bit words, which tables and graphs can pack). It hashes the number of
    moves, the seat to move, the legal actions and ``Position.future``. Where ``future`` is unknown it hashes the moves,
    so that every history is a position. The number of moves is included because a limit on a game's length may use it.

    ``successors``, which enumerates positions, tests the adapter: where two histories lead to one position, it compares
    the outcome of each move (reward, end, key), at up to 200 positions a call. Looking one move ahead can show that an
    adapter is wrong, but cannot prove that it is right. Two of n positions share a hash by accident with probability
    n**2 / 2**65 (one in 37 million for a million positions). The comparison of 64 further bits detects that.
    """

    library = "its library"
    """The library that has the rules, for messages."""
    remembered = 1 << 14
    """Positions in a game's cache; others are replayed."""

    def __init__(self, spec: Spec, board: Board | None, *, merges: bool, called: str = "") -> None:
        """Set up an empty cache of positions.

        Args:
            spec: the fixed facts of the game.
            board: our board with the same rules, if there is one.
            merges: whether ``Position.future`` is given. If not, positions are distinguished by their moves.
            called: the name that the user requested, if it differs from ``spec.name``, which is the same for all
                descriptions of one game.
        """
        self.spec = spec
        self.called = called or spec.name
        self.board = board
        self.merges = merges
        self._known: dict[Moves, Position] = {}
        self._witness: dict[bytes, tuple[bytes, Moves]] = {}  # key: 64 further bits, the first moves that led there
        self._compared: set[bytes] = set()  # keys at which two histories were compared

    @abstractmethod
    def replay(self, moves: Moves) -> Position:
        """Play moves from the start in the other library.

        Args:
            moves: legal moves.

        Returns:
            What it reports about the position after them.
        """

    # --- the contract of games.base ----------------------------------------------------------------------

    def start(self, n: int, *, rng: Rng) -> States:
        """[N, longest] no moves; ``rng`` is not used."""
        return np.full((n, self.spec.longest), -1, dtype=np.int64)

    def acting(self, states: States) -> Bools:
        """[N, 2] the seat to move."""
        seats = np.array([position.seat for position in self.positions(states)], dtype=np.int64)
        return np.asarray(seats[:, None] == [0, 1])

    def legal(self, states: States, seat: int) -> Bools:
        """[N, A] the other library's legal actions of the seat to move."""
        out = np.zeros((len(states), self.spec.actions), dtype=np.bool_)
        for row, position in enumerate(self.positions(states)):
            if position.seat == seat:
                out[row, list(position.legal)] = True
        return out

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """[N, *observation] the board's observation, or the other library's."""
        if self.board is not None:
            return self.board.observe(self.on_board(self.board, states), seat)
        views = [position.views[seat] for position in self.positions(states)]
        return np.stack(views) if views else np.zeros((0, *self.spec.observation), dtype=np.float32)

    def key(self, states: States, seat: int | None = None) -> Keys:
        """[N, 2] the board's key, or the hash. Both seats see everything."""
        if self.board is not None:
            return self.board.key(self.on_board(self.board, states))
        digests = b"".join(self._digest(moves)[:8] for moves in moves_of(states))
        return np.frombuffer(digests, dtype=">u4").reshape(-1, 2).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        """Append one move to each row.

        GameError where it is illegal, the game is over, or it goes on after its stated length.
        """
        after = states.copy()
        rewards = np.zeros(len(states))
        done = np.zeros(len(states), dtype=np.bool_)
        for row, (moves, both) in enumerate(zip(moves_of(states), actions, strict=True)):
            before = self.position(moves)
            action = int(both[before.seat]) if before.seat >= 0 else -1
            if action not in before.legal:
                raise GameError(f"{self.spec.name}: action {action} is not legal after the moves {list(moves)}")
            if len(moves) == self.spec.longest:
                raise GameError(f"{self.spec.name} continues after its stated length of {len(moves)} moves; state more")
            after[row, len(moves)] = action
            position = self.position((*moves, action))
            rewards[row], done[row] = position.reward, position.seat < 0
        return after, rewards, done

    def render(self, state: States) -> str:
        """The board's picture, or the other library's and the number of moves, which distinguishes positions."""
        if self.board is not None:
            return self.board.render(self.on_board(self.board, state[None])[0])
        moves = moves_of(state[None])[0]
        return f"{self.position(moves).picture.rstrip()}\nmoves played: {len(moves)}"

    def starts(self) -> States:
        """[1, longest] the first position."""
        return np.full((1, self.spec.longest), -1, dtype=np.int64)

    def successors(self, states: States, actions: Ints) -> Successors:
        """One certain outcome per move.

        GameError where two positions share a key by accident, or two histories with the same key differ in the outcome
        of a move.
        """
        after, rewards, done = self.step(states, actions, rng=_NO_CHANCE)
        if self.board is None:
            compared = 0
            for moves in moves_of(after):
                if (first := self._first_history(moves)) != moves and compared < _COMPARED:
                    compared += self._compare(first, moves)
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))

    # --- moves -------------------------------------------------------------------------------------------

    def positions(self, states: States) -> list[Position]:
        """What the other library reports about each row.

        Args:
            states: int64 [N, longest].
        """
        return [self.position(moves) for moves in moves_of(states)]

    def position(self, moves: Moves) -> Position:
        """What the other library reports after some moves, from the cache if possible.

        Args:
            moves: legal moves from the start.
        """
        if moves not in self._known:
            if len(self._known) >= self.remembered:
                self._known.clear()
            with answering(self.called, self.library):
                self._known[moves] = self.replay(moves)
        return self._known[moves]

    def _first_history(self, moves: Moves) -> Moves:
        """The first moves that led to the same position since the enumeration began."""
        digest = self._digest(moves)
        rest, first = self._witness.setdefault(digest[:8], (digest[8:], moves if self.merges else ()))
        if rest != digest[8:]:
            raise GameError(f"two positions of {self.spec.name} have the same 64-bit hash; it cannot be enumerated")
        return first if self.merges else moves

    def _compare(self, first: Moves, moves: Moves) -> bool:
        """Compare two histories of one position; False if it was compared before. GameError where they differ."""
        key = self._digest(moves)[:8]
        if key in self._compared:
            return False
        self._compared.add(key)
        for action in self.position(moves).legal:
            if self._outcome((*first, action)) != self._outcome((*moves, action)):
                raise GameError(
                    f"{self.spec.name}: the moves {list(first)} and {list(moves)} seem to lead to the same position,"
                    f" but action {action} has different outcomes; the adapter cannot distinguish its positions"
                )
        return True

    def _outcome(self, moves: Moves) -> tuple[float, bool, bytes]:
        """The outcome of the last of these moves: reward, end, key."""
        position = self.position(moves)
        over = position.seat < 0
        return position.reward, over, b"" if over else self._digest(moves)

    def on_board(self, board: Board, states: States) -> States:
        """The same moves made on our board.

        Args:
            board: the board.
            states: int64 [N, longest].

        Returns:
            [N, 2] states of the board.
        """
        out = board.start(len(states), rng=_NO_CHANCE)
        for move in states.T:  # [N] one ply of every row
            rows = np.flatnonzero(move >= 0)
            if not len(rows):
                break
            out[rows] = board.step(out[rows], np.stack([move[rows]] * 2, axis=1), rng=_NO_CHANCE)[0]
        return out

    def _digest(self, moves: Moves) -> bytes:
        """16 bytes that identify a position by its future: 8 for the key, 8 to detect collisions."""
        position = self.position(moves) if self.merges else None
        if position is None or position.future is None:
            prefix, decides = "moves", " ".join(map(str, moves)).encode()
        else:
            prefix, decides = f"{len(moves)} {position.seat} {sorted(position.legal)}", position.future
        return blake2b(prefix.encode() + b" " + decides, digest_size=16).digest()


def moves_of(states: States) -> list[Moves]:
    """Each row without its padding.

    Args:
        states: int64 [N, longest].
    """
    lengths = (states >= 0).sum(1)
    rows = states[:, : int(lengths.max(initial=0))].tolist()
    return [tuple(row[:length]) for row, length in zip(rows, lengths.tolist(), strict=True)]


_NO_CHANCE = np.random.default_rng(0)  # these games have no chance; step() needs a generator all the same
