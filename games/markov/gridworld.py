"""A grid world for two: a player who stands on the goal earns, and the other can only be in the way.

Both players move left, right, up or down at once; walls stop them, a player on the goal stays there, and moves that
would share a cell or swap two cells are both cancelled. A step earns +1 if it leaves player 0 on the goal, else -1 if
it leaves player 1 there. On 3 x 3 player 0 starts at (row 1, column 0), player 1 at (2, 1), the goal is (0, 2) and the
discount 0.9: the grid of the experiments of arXiv 2602.22810, with 72 joint states. Feature maps are computed from the
cells alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from games.base import Display, Floats, GameError, Ints
from games.markov.dynamics import Dynamics
from games.markov.game import Linear, MarkovGame, Views
from games.markov.transitions import Entries

MOVES = np.array([[0, -1], [0, 1], [-1, 0], [1, 0]])
"""[A, 2] row and column steps of left, right, up, down."""
DISCOUNT = 0.9
EPISODE = 10
DISPLAY = Display(
    layout="grid",
    marks=("0", "1"),
    goal=" Who stands on the goal * earns a point a step.",
    names=("left", "right", "up", "down"),
)
_LARGEST = 225  # cells; beyond it the joint states are too many to enumerate at leisure
_WIDEST = 3000  # state-action pairs for which one-hot features are spelled out


@dataclass(frozen=True)
class Grid:
    """A grid of cells, numbered row by row; S joint states are the ordered pairs of distinct cells."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """The number of cells."""
        return self.rows * self.columns

    @property
    def goal(self) -> int:
        """The upper right corner."""
        return self.columns - 1

    def places(self) -> Ints:
        """[S, 2] the cells of both players in every joint state."""
        first, second = np.divmod(np.arange(self.cells**2), self.cells)
        pairs: Ints = np.stack([first, second], axis=1)[first != second]
        return pairs

    def state(self, places: Ints) -> Ints:
        """The joint states of pairs of cells.

        Args:
            places: int64 [..., 2] player 0's cell and player 1's.

        Returns:
            int64 [...].
        """
        first, second = places[..., 0], places[..., 1]
        return np.asarray(first * (self.cells - 1) + second - (second > first))

    def first(self) -> int:
        """The first joint state: player 0 at the left end of the last row but one, player 1 second in the last row."""
        return int(self.state(np.array([(self.rows - 2) * self.columns, (self.rows - 1) * self.columns + 1])))

    def moved(self) -> Ints:
        """[cells, A] the cell after a move that nobody is in the way of."""
        at = np.stack(np.divmod(np.arange(self.cells), self.columns), axis=1)  # [cells, 2]
        to = at[:, None, :] + MOVES
        inside = ((to >= 0) & (to < [self.rows, self.columns])).all(2)
        inside[self.goal] = False
        cell: Ints = np.where(inside, to[..., 0] * self.columns + to[..., 1], np.arange(self.cells)[:, None])
        return cell

    def after(self) -> Ints:
        """[S, A, B, 2] both players' cells one step later."""
        places, moved = self.places(), self.moved()
        shape = (len(places), len(MOVES), len(MOVES))
        first = np.broadcast_to(moved[places[:, 0]][:, :, None], shape)
        second = np.broadcast_to(moved[places[:, 1]][:, None, :], shape)
        own, other = places[:, 0][:, None, None], places[:, 1][:, None, None]
        clash = (first == second) | ((first == other) & (second == own))
        return np.stack([np.where(clash, own, first), np.where(clash, other, second)], axis=3)


@dataclass(frozen=True)
class Picture:
    """Joint states as text: 0 and 1 are the players, * the goal."""

    grid: Grid

    def __call__(self, state: int) -> str:
        """The grid as lines of characters.

        Args:
            state: The number of a joint state.
        """
        marks = ["."] * self.grid.cells
        marks[self.grid.goal] = "*"
        for player, cell in enumerate(self.grid.places()[state]):
            marks[cell] = str(player)
        width = self.grid.columns
        return "\n".join(" ".join(marks[row * width : (row + 1) * width]) for row in range(self.grid.rows))


def gridworld(rows: int, columns: int, *, features: str = "") -> MarkovGame:
    """The game on a grid.

    Args:
        rows: at least 2.
        columns: at least 2.
        features: one of ``FEATURES``; by default ``onehot`` for small grids, else ``positions``.

    Returns:
        The game ``gridworld:ROWSxCOLUMNS``, with its features if they are not the default.

    Raises:
        GameError: for a grid that is too small or too large, or features that are unknown or too wide.
    """
    grid = Grid(rows, columns)
    if rows < 2 or columns < 2 or grid.cells > _LARGEST:
        raise GameError(f"a grid world has at least 2 rows and 2 columns and at most {_LARGEST} cells")
    if features and features not in FEATURES:
        raise GameError(f"a grid world has no features {features!r}; choose among: {', '.join(FEATURES)}")
    after = grid.after()
    states = len(after)
    start = np.zeros(states)
    start[grid.first()] = 1.0
    rewards = np.where(after[..., 0] == grid.goal, 1.0, np.where(after[..., 1] == grid.goal, -1.0, 0.0))
    row = np.arange(rewards.size)
    fits = "onehot" if states * len(MOVES) <= _WIDEST else "positions"
    if features == "onehot" != fits:
        raise GameError(
            f"one-hot features of {rows} x {columns} would be {states * len(MOVES)} numbers wide; choose positions"
        )
    chosen = features or fits
    return MarkovGame(
        f"gridworld:{rows}x{columns}" + (f":{features}" if chosen != fits else ""),
        Dynamics(
            rewards,
            Entries(rewards.shape, row, grid.state(after).ravel(), np.ones(len(row))),
            start,
            discount=DISCOUNT,
            episode=EPISODE,
        ),
        Views(linear=_Chosen(chosen, grid), observations=observations(grid), picture=Picture(grid), display=DISPLAY),
    )


def observations(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The planes that the seats see: own cell, the other's cell, the goal.

    Args:
        grid: the grid.

    Returns:
        float32 [S, 3, rows, columns] for each seat.
    """
    places = grid.places()
    cells = np.eye(grid.cells, dtype=np.float32).reshape(-1, grid.rows, grid.columns)
    goal = np.broadcast_to(cells[grid.goal], (len(places), grid.rows, grid.columns))
    first, second = cells[places[:, 0]], cells[places[:, 1]]
    return np.stack([first, second, goal], axis=1), np.stack([second, first, goal], axis=1)


# --- features: what a seat is told of (state, action), from positions alone ------------------------------


def onehot(grid: Grid) -> Linear:
    """d = S * A: one number for every joint state and action. Nothing is shared, everything can be represented.

    Args:
        grid: the grid.
    """
    pairs = grid.cells * (grid.cells - 1) * len(MOVES)
    table = np.eye(pairs).reshape(-1, len(MOVES), pairs)
    return Linear((table, table), name="onehot")


def positions(grid: Grid) -> Linear:
    """d = 2 * cells * A (72 on 3 x 3): the own cell and the other's cell, one-hot, for each action.

    Args:
        grid: the grid.
    """
    cells = np.eye(grid.cells)
    return _by_action(grid, "positions", lambda own, other: np.concatenate([cells[own], cells[other]], axis=1))


def relational(grid: Grid) -> Linear:
    """d = 80: 20 concepts for each action, as the code of arXiv 2602.22810 computes them.

    Eight directions to the other player, eight to the goal, whether either is next to the own cell (corners count),
    whether the own cell is the goal, whether it is a corner. The directions are partly merged: north-east and
    south-west count as east, south-east and north-west as west. ``compass`` keeps them apart.

    Args:
        grid: the grid.
    """
    return _by_action(grid, "relational", lambda own, other: _concepts(grid, own, other, _MERGED))


def compass(grid: Grid) -> Linear:
    """d = 80: the concepts of ``relational`` with eight different directions.

    Args:
        grid: the grid.
    """
    return _by_action(grid, "compass", lambda own, other: _concepts(grid, own, other, _DIRECTIONS))


FEATURES: dict[str, Callable[[Grid], Linear]] = {
    "onehot": onehot,
    "positions": positions,
    "relational": relational,
    "compass": compass,
}
"""Feature maps by the name that follows the size in ``gridworld:3x3:NAME``."""
# [3, 3] the direction of a difference, by sign of rows and of columns; 8 is none. North, then clockwise.
_DIRECTIONS = np.array([[7, 0, 1], [6, 8, 2], [5, 4, 3]])
_MERGED = np.array([[6, 0, 2], [6, 8, 2], [2, 4, 6]])


def _by_action(grid: Grid, name: str, concepts: Callable[[Ints, Ints], Floats]) -> Linear:
    """Concepts [S, c] of own and other's cells [S], as features [S, A, A * c]: those of the action's block."""
    places = grid.places()
    sides = []
    for seat in (0, 1):
        known = concepts(places[:, seat], places[:, 1 - seat])
        table = np.zeros((len(places), len(MOVES), len(MOVES), known.shape[1]))
        table[:, range(len(MOVES)), range(len(MOVES))] = known[:, None, :]
        sides.append(table.reshape(len(places), len(MOVES), -1))
    return Linear((sides[0], sides[1]), name=name)


def _concepts(grid: Grid, own: Ints, other: Ints, directions: Ints) -> Floats:
    """[S, 20] the relational concepts of cells [S]."""
    at, to = (np.stack(np.divmod(cells, grid.columns), axis=1) for cells in (own, other))
    goal = np.array(divmod(grid.goal, grid.columns))
    columns = []
    for gap in (to - at, goal - at):
        row, column = np.sign(gap).T + 1
        columns.append(np.eye(9)[directions[row, column]][:, :8])
    near = [((np.abs(gap) <= 1).all(1) & gap.any(1))[:, None] for gap in (to - at, goal - at)]
    corner = ((at == 0) | (at == [grid.rows - 1, grid.columns - 1])).all(1)[:, None]
    return np.concatenate([*columns, *near, (own == grid.goal)[:, None], corner], axis=1).astype(np.float64)


@dataclass(frozen=True)
class _Chosen:
    """A feature map that is built when it is asked for: for large grids it is most of the game."""

    name: str
    grid: Grid

    def __call__(self, game: MarkovGame) -> Linear:
        return FEATURES[self.name](self.grid)


def named(parameters: str) -> MarkovGame:
    """The game of a name's parameters.

    Args:
        parameters: ``ROWSxCOLUMNS`` or ``ROWSxCOLUMNS:FEATURES``; 3x3 if empty.

    Raises:
        GameError: for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,3})x([0-9]{1,3})(?::([a-z]+))?", parameters or "3x3")
    if match is None:
        raise GameError(
            f"gridworld:{parameters} is no grid world; write gridworld:ROWSxCOLUMNS or gridworld:ROWSxCOLUMNS:FEATURES"
        )
    return gridworld(int(match[1]), int(match[2]), features=match[3] or "")
