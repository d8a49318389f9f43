"""N-tuple policies: softmax-linear in indicators of the patterns that groups of cells show (docs/algorithms.md,
"N-tuple policies").

M tuples of L cells are drawn by random walks over the board. A cell is in one of four states (empty and not yet
playable, playable, the mover's, the other's; without gravity every empty cell is playable), so a tuple shows one of 4^L
patterns, and each pattern that was met in training has a weight for every action. Weights are shared by the board's
symmetries: with ``code_m(s)`` the pattern of tuple m, g s the image of a position and g a the action there,

    logit(s, a) = sum over g and m of  weight[m, code_m(g s), g a].

Where discs fall, a policy may have exceptions besides: single positions, up to mirror image, with the one move that it
plays there, as if the whole board were a tuple that outweighs the others.

Sources: Lucas, "Learning to play Othello with n-tuple systems", 2008; Thill, Koch, Konen, "Reinforcement learning with
n-tuples on the game Connect-4", PPSN 2012. The loops are compiled (``agents.ntuple_kernels``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.policy import PolicyError
from games.base import Floats, Game, Ints, Rng, States
from games.symmetry import board_behind

LONGEST = 32
"""Most cells of a tuple: a pattern's code has two bits for each, in a word of 64."""
Digits = NDArray[np.uint8]
Codes = NDArray[np.uint64]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """The board of an n-tuple policy: C = rows * columns cells, row by row from the top left."""

    rows: int
    columns: int
    gravity: bool
    actions: int
    symmetries: tuple[tuple[int, ...], ...]
    """[G, A] as ``Spec.symmetries``; the identity alone where weights are not shared."""

    @classmethod
    def of(cls, game: Game, *, tied: bool = True) -> Grid:
        """The board that a game is played on.

        Args:
            game: a board of ours, as it is or up to its symmetries, or another library's game with the same rules.
            tied: whether weights are shared by the board's symmetries.

        Raises:
            PolicyError: for a game that is not played on a board.
        """
        board = board_behind(game)
        if board is None or game.spec.observation != (2, board.rows, board.columns):
            raise PolicyError(f"n-tuples are made of a board's cells, and {game.spec.name} is no board; choose another")
        symmetries = board.spec.symmetries if tied else board.spec.symmetries[:1]
        return cls(board.rows, board.columns, board.gravity, board.spec.actions, symmetries)

    @property
    def cells(self) -> int:
        """C."""
        return self.rows * self.columns

    @cached_property
    def maps(self) -> Ints:
        """int64 [G, A] the action at each image that an action corresponds to."""
        return np.array(self.symmetries, dtype=np.int64)

    @cached_property
    def sources(self) -> Ints:
        """int64 [G, C] the cell of the position that each cell of the image shows."""
        goes = self.maps
        if self.gravity:  # actions are columns: whole columns change places
            row = np.arange(self.rows)[:, None] * self.columns
            goes = (row + goes[:, None, :]).reshape(len(goes), self.cells)
        return np.argsort(goes, axis=1)

    def places(self, cells: Ints) -> Ints:
        """The cells of tuples under every symmetry.

        Args:
            cells: int64 [M, L] the tuples' cells.

        Returns:
            int64 [G, M, L], contiguous.
        """
        return np.ascontiguousarray(self.sources[:, cells])

    def digits(self, observation: NDArray[np.float32]) -> Digits:
        """The state of every cell: 0 empty and not yet playable, 1 playable, 2 the mover's, 3 the opponent's.

        Args:
            observation: float32 [N, 2, rows, columns] a board's observations.

        Returns:
            uint8 [N, C], contiguous.
        """
        own, other = observation[:, 0] > 0, observation[:, 1] > 0
        taken = own | other
        playable = ~taken
        if self.gravity:
            playable[:, :-1] &= taken[:, 1:]
        digits = playable + 2 * own.astype(np.uint8) + 3 * other.astype(np.uint8)
        return np.ascontiguousarray(digits.reshape(len(digits), self.cells), dtype=np.uint8)

    @cached_property
    def bits(self) -> NDArray[np.uint64]:
        """uint64 [C] the bit of each cell in P. Pons's numbers ("Solving Connect Four", 2015)."""
        column, height = np.arange(self.cells) % self.columns, self.rows - 1 - np.arange(self.cells) // self.columns
        return np.uint64(1) << (column * (self.rows + 1) + height).astype(np.uint64)

    def numbers(self, digits: Digits) -> Codes:
        """P. Pons's numbers of positions, which tell them apart where discs fall: the mover's stones plus all stones.

        Args:
            digits: uint8 [N, C] as ``digits``.

        Returns:
            uint64 [N].
        """
        return np.asarray(((digits == 2).astype(np.uint64) + (digits >= 2)) @ self.bits)

    def draw_tuples(self, tuples: int, length: int, *, rng: Rng) -> Ints:
        """Draw tuples: the first L distinct cells of a random walk in steps of a king, from a random cell.

        Args:
            tuples: M, how many.
            length: L, cells of each.
            rng: draws them.

        Returns:
            int64 [M, L] the cells.

        Raises:
            PolicyError: for less than one tuple, or tuples longer than the board or ``LONGEST``.
        """
        if tuples < 1 or not 1 <= length <= min(self.cells, LONGEST):
            raise PolicyError(
                f"{tuples} tuples of {length} cells cannot be drawn; take 1 or more, of 1 to "
                f"{min(self.cells, LONGEST)} cells: the board has {self.cells}, and codes have room for {LONGEST}"
            )
        return np.array([self._random_walk(length, rng) for _ in range(tuples)], dtype=np.int64)

    def draw_lines(self, k: int, length: int, *, rng: Rng) -> Ints:
        """Tuples around the board's lines: the cells of each line of k, then neighbours of cells of the tuple.

        Such tuples show every line that could be completed, which random walks leave to chance.

        Args:
            k: cells in a line that wins.
            length: L, cells of each tuple; not more than the board has.
            rng: draws the neighbours.

        Returns:
            int64 [M, L] the cells, one tuple for each line.
        """
        lines = [
            [(row + at * down) * self.columns + column + at * right for at in range(k)]
            for down, right in ((0, 1), (1, 0), (1, 1), (-1, 1))
            for row in range(self.rows)
            for column in range(self.columns)
            if 0 <= row + (k - 1) * down < self.rows and column + (k - 1) * right < self.columns
        ]
        return np.array([self._grown(line, length, rng) for line in lines], dtype=np.int64)

    def _grown(self, cells: list[int], length: int, rng: Rng) -> list[int]:
        """A line with neighbours of its cells, and of those, until there are enough."""
        grown = list(cells)
        while len(grown) < length:
            row, column = divmod(grown[int(rng.integers(len(grown)))], self.columns)
            down, right = (int(step) for step in rng.integers(-1, 2, size=2))
            near = (row + down) * self.columns + column + right
            if 0 <= row + down < self.rows and 0 <= column + right < self.columns and near not in grown:
                grown.append(near)
        return grown

    def _random_walk(self, length: int, rng: Rng) -> list[int]:
        """The distinct cells of one walk, in order."""
        row, column = int(rng.integers(self.rows)), int(rng.integers(self.columns))
        seen = {row * self.columns + column: None}
        while len(seen) < length:
            down, right = (int(step) for step in rng.integers(-1, 2, size=2))
            if 0 <= row + down < self.rows and 0 <= column + right < self.columns:
                row, column = row + down, column + right
                seen[row * self.columns + column] = None
        return list(seen)


class NtuplePolicy:
    """A frozen n-tuple policy; picklable. It plays uniformly where none of a position's patterns is known.

    Every position is evaluated by itself, in double precision: rows do not depend on the batch, bit for bit.
    """

    def __init__(
        self,
        cells: Ints,
        counts: Ints,
        codes: Codes,
        weights: Weights,
        *,
        tied: bool = True,
        exceptions: Codes | None = None,
        answers: Ints | None = None,
    ) -> None:
        """Check and keep the arrays of a policy.

        Args:
            cells: int64 [M, L] the cells of every tuple, row by row from the top left of the board.
            counts: int64 [M] how many patterns of each tuple are known; K in all.
            codes: uint64 [K] their codes: the cells' digits in base 4, the first cell's lowest; ascending within a
                tuple.
            weights: float32 [K, A].
            tied: whether weights are shared by the board's symmetries.
            exceptions: uint64 [E] the numbers (``Grid.numbers``) of positions at which one move is played whatever the
                patterns say; of a position and its mirror image the smaller number; ascending.
            answers: int64 [E] the actions that are played there.

        Raises:
            PolicyError: for arrays of other shapes, dtypes or contents.
        """
        self.cells, self.counts, self.codes, self.weights = cells, counts, codes, weights
        self.tied = tied
        self.exceptions = np.zeros(0, dtype=np.uint64) if exceptions is None else exceptions
        self.answers = np.zeros(0, dtype=np.int64) if answers is None else answers
        if wrong := self._wrong():
            raise PolicyError(f"no n-tuple policy: {wrong}")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by the names of the constructor's arguments."""
        names = ["cells", "counts", "codes", "weights", *(["exceptions", "answers"] if len(self.exceptions) else [])]
        return {name: getattr(self, name) for name in names}

    def _wrong(self) -> str | None:
        """What is wrong with the arrays; None if nothing is."""
        cells, counts, codes, weights = self.cells, self.counts, self.codes, self.weights
        kinds: list[tuple[NDArray[Any], str, int]] = [
            (cells, "int64", 2),
            (counts, "int64", 1),
            (codes, "uint64", 1),
            (weights, "float32", 2),
            (self.exceptions, "uint64", 1),
            (self.answers, "int64", 1),
        ]
        if any(array.dtype != kind or array.ndim != axes for array, kind, axes in kinds):
            return "its arrays are int64 [M, L], int64 [M], uint64 [K], float32 [K, A], uint64 [E] and int64 [E]"
        length = cells.shape[1]
        if not cells.size or length > LONGEST or cells.min() < 0 or (np.diff(np.sort(cells, axis=1)) == 0).any():
            return f"a tuple has from 1 to {LONGEST} cells, all different"
        if len(counts) != len(cells) or (counts < 0).any() or counts.sum() != len(codes) or len(codes) != len(weights):
            return "there is a count for each tuple, and as many codes and weights as they count"
        first = np.isin(np.arange(1, len(codes)), np.cumsum(counts))
        if ((codes[1:] <= codes[:-1]) & ~first).any() or (length < LONGEST and (codes >> np.uint64(2 * length)).any()):
            return "the codes of a tuple ascend, and have two bits for each of its cells"
        if wrong := self._wrong_exceptions():
            return wrong
        return None if np.isfinite(weights).all() else "its weights are not finite"

    def _wrong_exceptions(self) -> str | None:
        """What is wrong with the exceptions; None if nothing is."""
        numbers, answers = self.exceptions, self.answers
        if len(numbers) != len(answers) or (numbers[1:] <= numbers[:-1]).any():
            return "there is an answer for each exception, and their numbers ascend"
        if len(answers) and (answers.min() < 0 or answers.max() >= self.weights.shape[1]):
            return f"the answers to exceptions are actions from 0 to {self.weights.shape[1] - 1}"
        return (
            "exceptions are positions up to mirror image, so its weights are tied"
            if len(answers) and not self.tied
            else None
        )

    @cached_property
    def _tables(self) -> tuple[Ints, NDArray[np.int32]]:
        """[M + 1] where each tuple's hash table begins, and [T] the tables."""
        from agents.ntuple_kernels import fill_tables

        sizes = 1 << np.ceil(np.log2(2 * self.counts + 2)).astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        table = np.full(offsets[-1], -1, dtype=np.int32)
        fill_tables(self.codes, np.concatenate([[0], np.cumsum(self.counts)]), offsets, table)
        return offsets, table

    def sharpened(self, factor: float) -> NtuplePolicy:
        """The same preferences at another temperature.

        Args:
            factor: What all weights are multiplied by, the inverse of the temperature.
        """
        return NtuplePolicy(**{**self.arrays(), "weights": self.weights * np.float32(factor)}, tied=self.tied)

    def excepting(self, numbers: Codes, answers: Ints) -> NtuplePolicy:
        """The same policy with these exceptions alone.

        Args:
            numbers: uint64 [E] as the constructor's ``exceptions``, in any order.
            answers: int64 [E] as there.

        Raises:
            PolicyError: as the constructor.
        """
        order = np.argsort(numbers)
        exceptions = {"exceptions": numbers[order], "answers": answers[order]}
        return NtuplePolicy(**{**self.arrays(), **exceptions}, tied=self.tied)

    def __getstate__(self) -> dict[str, Any]:
        """Without the hash tables, which follow from the other arrays."""
        return {name: value for name, value in vars(self).items() if name != "_tables"}

    def probabilities(self, game: Game, states: States, seat: int) -> Floats:
        """Probabilities as every policy gives them.

        Args:
            game: the board that the policy was made for.
            states: [N, W] positions.
            seat: who is to move.

        Returns:
            float64 [N, A]; zero rows where the seat does not act.

        Raises:
            PolicyError: for a game with other cells or actions.
        """
        from agents.ntuple_kernels import evaluate

        grid = Grid.of(game, tied=self.tied)
        self.check_fits(grid, game.spec.name)
        legal = game.legal(states, seat)
        rows = np.flatnonzero(legal.any(1))
        found = np.zeros((len(rows), legal.shape[1]))
        digits = grid.digits(game.observe(states[rows], seat))
        offsets, table = self._tables
        evaluate(
            digits, legal[rows], grid.places(self.cells), grid.maps, self.codes, offsets, table, self.weights, found
        )
        self._play_exceptions(grid, digits, found)
        out = np.zeros(legal.shape)
        out[rows] = found
        return out

    def _play_exceptions(self, grid: Grid, digits: Digits, found: Floats) -> None:
        """Overwrite the rows [N, A] of positions [N, C] that are exceptions."""
        if not len(self.exceptions):
            return
        images = np.stack([grid.numbers(digits[:, cells]) for cells in grid.sources])  # [G, N]
        image = images.argmin(0)
        numbers = images.min(0)
        at = np.minimum(np.searchsorted(self.exceptions, numbers), len(self.exceptions) - 1)
        row = np.flatnonzero(self.exceptions[at] == numbers)
        found[row] = 0.0
        found[row, np.argsort(grid.maps, axis=1)[image[row], self.answers[at[row]]]] = 1.0

    def check_fits(self, grid: Grid, name: str) -> None:
        """Refuse a board that the policy was not made for.

        Args:
            grid: the board.
            name: the game's name, for the message.

        Raises:
            PolicyError: where the policy has other cells or actions than the board, or exceptions where discs do not
                fall.
        """
        if (
            self.cells.max() >= grid.cells
            or self.weights.shape[1] != grid.actions
            or (len(self.exceptions) and not grid.gravity)
        ):
            raise PolicyError(f"this n-tuple policy was made for another board than {name}")
