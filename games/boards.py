"""m x n boards, k in a row, with or without gravity: Tic-Tac-Toe, Connect Four and their relatives, as bitboards.

A position is two 64-bit words: the stones of the seat to move, and all occupied cells. Cells are numbered column by
column, bottom up, with one guard bit on top of each column, so that a line is found by shifting a board onto itself and
a dropped stone is one addition (the Connect Four bitboard; see J. Tromp, "John's Connect Four Playground"). Seat 0
moves whenever the number of stones is even.

Rules only: no rendering beyond plain text, no I/O. The tests compare them with PettingZoo and OpenSpiel move by move.
What is hot has a compiled twin in ``games.compiled.play``, which gives the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Display, Floats, GameError, Ints, Keys, Rng, Spec, States, Successors
from games.compiled.loading import kernels, plain

Words = NDArray[np.uint64]
_HALF = 32  # bits of a packed position for each of its two words
_CHUNK = 8  # bits of a board that are moved by one table look-up when it is mapped or mirrored


class Board:
    """A game of placing stones until one seat has k of its own in a line.

    Actions: without gravity, cells row by row from the top left (``row * columns + column``, OpenSpiel's numbering);
    with gravity, columns from the left. Observations are float32 ``[2, rows, columns]``, own stones first, row 0 on
    top.

    Args:
        rows: of the board.
        columns: of the board.
        k: stones in a line that win.
        gravity: whether stones fall down their column.
        name: ``spec.name``.

    Attributes:
        cell_shifts: int64 [cells] the bit of each cell, row by row from the top left.
        line_steps: int64 [D] how far apart the bits of neighbouring cells are, in each direction of lines that fit.

    Raises:
        GameError: for sizes that cannot be played, or that need more than 64 bits.
    """

    def __init__(self, rows: int, columns: int, k: int, *, gravity: bool, name: str) -> None:
        if rows < 1 or columns < 1 or k < 2:
            raise GameError(f"a board needs at least one row, one column and k >= 2, not {rows}x{columns}:{k}")
        if k > max(rows, columns):
            raise GameError(f"{k} in a row does not fit on a {rows}x{columns} board")
        if columns * (rows + 1) > 64:
            raise GameError(
                f"a {rows}x{columns} board needs {columns * (rows + 1)} bits (columns x (rows + 1)); the most is 64"
            )
        self.rows, self.columns, self.k, self.gravity = rows, columns, k, gravity
        self._cells = np.array(  # [cells] bit of each cell, row by row from the top left
            [1 << self._bit(row, column) for row in range(rows) for column in range(columns)], dtype=np.uint64
        )
        self._full = np.uint64(sum(int(cell) for cell in self._cells))
        column_bits = [sum(1 << self._bit(row, column) for row in range(rows)) for column in range(columns)]
        self._column = np.array(column_bits, dtype=np.uint64)  # [columns] all cells of a column
        self._bottom = np.array([1 << self._bit(rows - 1, column) for column in range(columns)], dtype=np.uint64)
        self._top = np.array([1 << self._bit(0, column) for column in range(columns)], dtype=np.uint64)
        self._shift = np.array([self._bit(row, column) for row in range(rows) for column in range(columns)], np.uint64)
        self.cell_shifts = self._shift.astype(np.int64)
        # A step up a column, along a row, and along both diagonals; lines that cannot fit are left out.
        self._directions = tuple(
            np.uint64(step)
            for step, fits in (
                (1, rows >= k),
                (rows + 1, columns >= k),
                (rows, min(rows, columns) >= k),
                (rows + 2, min(rows, columns) >= k),
            )
            if fits
        )
        self.line_steps = np.array(self._directions, dtype=np.int64)
        self._lines = self.line_steps, self.k, self._full  # as compiled loops take them
        self._targets = (self._bottom, self._column) if gravity else (np.zeros_like(self._cells), self._cells)
        cell_maps = self._symmetric_cells()
        mapped = [] if gravity else cell_maps
        self._symmetry_maps = np.array([self._symmetry_tables(cells) for cells in mapped])  # [G, chunks, 2**_CHUNK]
        self.spec = Spec(
            name=name,
            actions=columns if gravity else rows * columns,
            observation=(2, rows, columns),
            longest=rows * columns,
            symmetries=tuple(self._action_permutation(cells) for cells in cell_maps),
            win_loss=True,
            in_a_row=k,
            solver="connect4" if gravity and (rows, columns, k) == (6, 7, 4) else "",
            display=Display(
                layout="columns" if gravity else "grid",
                noun="column" if gravity else "cell",
                taken="full" if gravity else "taken",
                marks=("x", "o"),
                goal=f" {k} in a row win.",
            ),
        )

    # --- the rules -------------------------------------------------------------------------------------

    def start(self, n: int, *, rng: Rng) -> States:
        """[n, 2] empty boards; nothing is drawn from ``rng``."""
        return np.zeros((n, 2), dtype=np.uint64)

    def acting(self, states: States) -> Bools:
        """[N, 2] the seat to move; no seat once a line stands or the board is full."""
        if compiled := kernels(len(states)):
            out = np.empty((len(states), 2), dtype=np.bool_)
            compiled.acting(plain(states, np.uint64), *self._lines, out)
            return out
        own, stones = _words(states)
        running = ~self._has_line(own ^ stones) & (stones != self._full)
        second = self._to_move(stones) == 1
        return np.stack([running & ~second, running & second], axis=1)

    def legal(self, states: States, seat: int) -> Bools:
        """[N, A] empty cells, or columns that are not full, where the seat is to move."""
        places = self._top if self.gravity else self._cells
        if compiled := kernels(len(states)):
            out = np.empty((len(states), len(places)), dtype=np.bool_)
            compiled.legal(plain(states, np.uint64), *self._lines, places, seat, out)
            return out
        empty = (_words(states)[1][:, None] & places) == 0  # [N, A]
        return np.asarray(empty) & self.acting(states)[:, seat, None]

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """[N, 2, rows, columns] the seat's stones, then the opponent's; row 0 on top."""
        if compiled := kernels(len(states)):
            seen = np.empty((len(states), 2 * len(self._shift)), dtype=np.float32)
            compiled.observe(plain(states, np.uint64), seat, self._shift, seen)
            return seen.reshape(len(states), *self.spec.observation)
        own, stones = _words(states)
        mine = np.where(self._to_move(stones) == seat, own, own ^ stones)
        planes = np.stack([mine, mine ^ stones], axis=1).astype("<u8", copy=False)  # [N, 2]
        bits = np.unpackbits(planes.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")  # [2N, 64]
        return bits[:, self.cell_shifts].astype(np.float32).reshape(len(states), *self.spec.observation)

    def key(self, states: States, seat: int | None = None) -> Keys:
        """[N, 2] the position itself: both seats see everything."""
        return states.astype(np.uint64, copy=False)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        """Place one stone on each board; reward +1 when seat 0 completes a line, -1 when seat 1 does.

        Only the action of the seat to move is read. GameError where there is none, or the place is taken.
        """
        if compiled := kernels(len(states)):
            following = np.empty((len(states), 2), np.uint64), np.empty(len(states)), np.empty(len(states), np.bool_)
            given = plain(states, np.uint64), plain(actions, np.int64)
            if compiled.step(*given, *self._lines, *self._targets, *following):
                return following
        own, stones = _words(states)
        mover = self._to_move(stones)
        action = np.where(mover == 1, actions[:, 1], actions[:, 0])
        stone = self._place(stones, action)
        placed = own | stone
        after = stones | stone
        won = self._has_line(placed)
        rewards = np.where(won, 1.0 - 2.0 * mover, 0.0)
        return np.stack([after ^ placed, after], axis=1), rewards, won | (after == self._full)

    def render(self, state: States) -> str:
        """The board as lines of ``x`` (seat 0), ``o`` (seat 1) and ``.``, row 0 on top (OpenSpiel's picture)."""
        own, stones = state[0], state[1]
        first = own if int(np.bitwise_count(stones)) % 2 == 0 else own ^ stones
        marks = ["x" if first & cell else "o" if stones & cell else "." for cell in self._cells]
        width = self.columns
        return "\n".join("".join(marks[row * width : (row + 1) * width]) for row in range(self.rows))

    # --- listing positions -----------------------------------------------------------------------------

    def starts(self) -> States:
        """[1, 2] the empty board."""
        return np.zeros((1, 2), dtype=np.uint64)

    def successors(self, states: States, actions: Ints) -> Successors:
        """One certain outcome per move."""
        after, rewards, done = self.step(states, actions, rng=_NO_CHANCE)
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))

    def images(self, states: States) -> States:
        """[G, N, 2] every board mirrored and, without gravity, rotated (by 90 degrees only if it is square)."""
        if self.gravity:  # columns change places, a pair at a time; one column has no other image
            return np.stack([states, self._flip_horizontal(states)][: len(self.spec.symmetries)])
        out = np.zeros((len(self._symmetry_maps), *states.shape), dtype=np.uint64)
        mask = np.uint64((1 << _CHUNK) - 1)
        for chunk in range(self._symmetry_maps.shape[1]):
            bits = (states >> np.uint64(chunk * _CHUNK)) & mask  # [N, 2]
            out |= self._symmetry_maps[:, chunk, bits]
        return out

    def _flip_horizontal(self, states: States) -> States:
        """[N, 2] the columns in reverse order."""
        if compiled := kernels(len(states)):
            flipped = np.empty((len(states), 2), dtype=np.uint64)
            compiled.flip(plain(states, np.uint64), self._column, np.uint64(self.rows + 1), flipped)
            return flipped
        out = np.zeros(states.shape, dtype=np.uint64)
        for left in range((self.columns + 1) // 2):
            right = self.columns - 1 - left
            shift, column = np.uint64((right - left) * (self.rows + 1)), self._column[left]
            out |= ((states & column) << shift) | ((states >> shift) & column)
        return out

    # --- a position in one word, for listing many ------------------------------------------------------

    @property
    def packable(self) -> bool:
        """Whether a position fits one 64-bit word, and the rules are these: a subclass may have changed them."""
        return type(self) is Board and int(self._full).bit_length() <= _HALF

    def pack(self, states: States) -> Words:
        """Positions as words: all stones in the upper half, the mover's in the lower.

        In this order the successors of sorted positions under one action are nearly sorted: only runs with equal stones
        are reversed.

        Args:
            states: [N, 2].

        Returns:
            uint64 [N].
        """
        return np.asarray((states[:, 1] << np.uint64(_HALF)) | states[:, 0])

    def unpack(self, words: Words) -> States:
        """The inverse of ``pack``.

        Args:
            words: uint64 [N].

        Returns:
            [N, 2] states.
        """
        return np.stack([words & np.uint64((1 << _HALF) - 1), words >> np.uint64(_HALF)], axis=1)

    def make_move(self, words: Words, action: int) -> tuple[Bools, Words, Bools, Bools]:
        """One action at positions that are not over.

        Args:
            words: uint64 [N] the positions.
            action: the same for all.

        Returns:
            [N] each: whether it is legal, the word after it, whether it wins, and whether the game goes on. Where it is
            not legal, the word means nothing and the rest is False.
        """
        own, stones = words.astype(np.uint32), (words >> np.uint64(_HALF)).astype(np.uint32)  # half as much to move
        if self.gravity:
            stone = (stones + np.uint32(self._bottom[action])) & np.uint32(self._column[action])
        else:
            stone = ~stones & np.uint32(self._cells[action])
        legal = stone != 0
        won = self._has_line(own | stone)  # without a stone there is no line: the position is running
        after = stones | stone
        word = (after.astype(np.uint64) << np.uint64(_HALF)) | (own ^ stones)
        return legal, word, won, legal & ~won & (after != np.uint32(self._full))

    # --- bits ------------------------------------------------------------------------------------------

    def _bit(self, row: int, column: int) -> int:
        """Bit of the cell in this row (0 on top) and column."""
        return column * (self.rows + 1) + (self.rows - 1 - row)

    @staticmethod
    def _to_move(stones: Words) -> Ints:
        return (np.bitwise_count(stones) & 1).astype(np.int64)

    def _has_line(self, stones: Words) -> Bools:
        """[N] whether k of these stones are in a line: each shift doubles the length that is known."""
        found = np.zeros(stones.shape, dtype=np.bool_)
        for step in self._directions:
            run, length = stones, 1
            while length < self.k:
                more = min(length, self.k - length)
                run = run & (run >> stones.dtype.type(int(step) * more))
                length += more
            found |= run != 0
        return found

    def _place(self, stones: Words, action: Ints) -> Words:
        """[N] the bit of the new stone; GameError where the action is not legal."""
        if len(action) and (action.min() < 0 or action.max() >= self.spec.actions):
            raise GameError(f"{self.spec.name}: an action lies outside 0..{self.spec.actions - 1} for the seat to move")
        if self.gravity:
            stone = (stones + self._bottom[action]) & self._column[action]
            bad = stone == 0  # the sum ran into the guard bit: the column was full
        else:
            stone = self._cells[action]
            bad = (stone & stones) != 0
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise GameError(f"{self.spec.name}: action {int(action[row])} is not legal, that place is taken")
        return stone

    def _symmetric_cells(self) -> list[Ints]:
        """[G] where each cell (row by row) goes under each symmetry, the identity first."""
        cells = np.arange(self.rows * self.columns).reshape(self.rows, self.columns)
        boards = [cells, cells[:, ::-1]]
        if not self.gravity:
            boards += [board[::-1] for board in boards]
            if self.rows == self.columns:
                boards += [board.T for board in boards]
        maps: list[Ints] = []
        for board in boards:  # board[i] is the cell that arrives at i
            arrives = np.empty(cells.size, dtype=np.int64)
            arrives[board.ravel()] = cells.ravel()
            if not any(np.array_equal(arrives, other) for other in maps):
                maps.append(arrives)
        return maps

    def _action_permutation(self, cells: Ints) -> tuple[int, ...]:
        """The action that corresponds to each action once the cells have moved."""
        moved = cells[: self.columns] % self.columns if self.gravity else cells
        return tuple(int(action) for action in moved)

    def _symmetry_tables(self, cells: Ints) -> Words:
        """[chunks, 2**_CHUNK] for each chunk of a board, the image of each of its values."""
        bits = self.columns * (self.rows + 1)
        moved = np.zeros(64, dtype=np.uint64)  # where each bit goes; guard bits are never set and go nowhere
        moved[self.cell_shifts] = self._cells[cells]
        values = np.arange(1 << _CHUNK, dtype=np.uint64)
        tables = np.zeros((-(-bits // _CHUNK), 1 << _CHUNK), dtype=np.uint64)
        for bit in range(bits):
            on = (values >> np.uint64(bit % _CHUNK)) & np.uint64(1)
            tables[bit // _CHUNK] |= on * moved[bit]
        return tables


def _words(states: States) -> tuple[Words, Words]:
    """The mover's stones [N] and all stones [N]."""
    return states[:, 0], states[:, 1]


_NO_CHANCE = np.random.default_rng(0)  # boards draw nothing; step() is only given something to hold
