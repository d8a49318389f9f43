"""What several tests need: games by id, graphs built once, random play, boards drawn as text, and plain rules.

``PlainBoard`` is a second, slow implementation of the rules on strings, written without looking at bits: the
tests recurse over it wherever they need an answer that does not come from the code under test.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from textwrap import dedent
from typing import Any

import numpy as np

import games
from games import Board, Enumerable, Game, GameError, GameGraph, Quotient, Spec, Successors
from games.base import Bools, Floats, Ints, Keys, Rng, States, Table

Profile = tuple[Table, Table]

# --- games and graphs ------------------------------------------------------------------------------------


@cache
def game(name: str) -> Any:
    """The game of this name, made once; ``quotient:NAME`` is the game up to symmetry."""
    base = name.removeprefix("quotient:")
    return games.make(name) if base == name else Quotient(game(base))


@cache
def graph(name: str) -> GameGraph:
    """The graph of ``game(name)``, built once."""
    return GameGraph(game(name))


def reloaded(thing: Any) -> Any:
    """The thing as another process would receive it."""
    return pickle.loads(pickle.dumps(thing))  # noqa: S301


# --- play ------------------------------------------------------------------------------------------------


def move(seat: int, action: int) -> Ints:
    """[1, 2] this seat moves and the other does not."""
    return np.array([[action, -1] if seat == 0 else [-1, action]])


def random_actions(game: Game, states: States, rng: Rng) -> Ints:
    """[N, 2] a uniformly random legal action for every seat that acts, -1 for the others."""
    actions = np.full((len(states), 2), -1, dtype=np.int64)
    for seat in (0, 1):
        for row, legal in enumerate(game.legal(states, seat)):
            if legal.any():
                actions[row, seat] = rng.choice(np.flatnonzero(legal))
    return actions


def random_play(game: Game, episodes: int, rng: Rng) -> Iterator[tuple[States, Ints, States, Floats, Bools]]:
    """Each ply of some random games: states, actions, next states, rewards, over."""
    states = game.start(episodes, rng=rng)
    for _ in range(game.spec.longest):
        actions = random_actions(game, states, rng)
        after, rewards, done = game.step(states, actions, rng=rng)
        yield states, actions, after, rewards, done
        states = after[~done]
        if not len(states):
            return


def visited(game: Game, *, episodes: int = 12, seed: int = 0) -> States:
    """The distinct positions that random games come through, finished ones included."""
    rng = np.random.default_rng(seed)
    seen = [game.start(1, rng=rng)] + [ply[2] for ply in random_play(game, episodes, rng)]
    return np.unique(np.concatenate(seen), axis=0)


# --- tables ----------------------------------------------------------------------------------------------


def uniform_profile(graph: GameGraph) -> Profile:
    """Both seats play every legal action alike."""
    return _split(graph, np.ones(graph.legal_mask.shape))


def random_profile(graph: GameGraph, seed: int, *, sparse: bool = False) -> Profile:
    """A random table per seat; with ``sparse`` about half of the actions have probability 0."""
    rng = np.random.default_rng(seed)
    weights = rng.random(graph.legal_mask.shape)
    if sparse:
        weights = np.where(rng.random(weights.shape) < 0.5, 0.0, weights)
    return _split(graph, weights)


def optimal_profile(graph: GameGraph, *, ties: str) -> Profile:
    """Minimax play without hurry: every move that keeps the value is as good as any other."""
    best = np.zeros(graph.legal_mask.shape, dtype=np.bool_)
    for seat, response in enumerate(graph.solve()):
        values = response.action_values
        best |= graph.legal(seat) & (values == values.max(1, keepdims=True))
    if ties == "first":
        best &= best.cumsum(1) == 1
    return _split(graph, best.astype(np.float64))


def gap(graph: GameGraph, profile: Profile) -> float:
    """NashConv: what both seats could gain, added up."""
    return graph.respond(0, profile[1]).value - graph.respond(1, profile[0]).value


def _split(graph: GameGraph, weights: Table) -> Profile:
    weights = np.where(graph.legal_mask, weights, 0.0)
    weights = np.where(weights.sum(1, keepdims=True) > 0, weights, graph.legal_mask)
    table = weights / weights.sum(1, keepdims=True)
    first = (graph.seat == 0)[:, None]
    return np.where(first, table, 0.0), np.where(first, 0.0, table)


# --- boards as text --------------------------------------------------------------------------------------


def draw(picture: str) -> str:
    """A board drawn in a test, without the indentation around it."""
    return dedent(picture).strip()


def position(board: Board, picture: str) -> States:
    """[1, 2] the position that is drawn: ``x`` seat 0, ``o`` seat 1, ``.`` empty, row 0 on top."""
    words = {"x": 0, "o": 0}
    lines = draw(picture).split("\n")
    assert [len(line) for line in lines] == [board.columns] * board.rows, "the picture has another size"
    for row, line in enumerate(lines):
        for column, mark in enumerate(line):
            if mark != ".":
                words[mark] |= 1 << (column * (board.rows + 1) + board.rows - 1 - row)
    counts = words["x"].bit_count(), words["o"].bit_count()
    assert counts[0] - counts[1] in (0, 1), "seat 0 moves first and seats alternate"
    own = words["x"] if counts[0] == counts[1] else words["o"]
    return np.array([[own, words["x"] | words["o"]]], dtype=np.uint64)


@dataclass(frozen=True)
class PlainBoard:
    """m x n boards, k in a row, on strings of rows; one position at a time."""

    rows: int
    columns: int
    k: int
    gravity: bool

    @classmethod
    def like(cls, board: Board) -> PlainBoard:
        return cls(board.rows, board.columns, board.k, board.gravity)

    @property
    def empty(self) -> str:
        return "\n".join(["." * self.columns] * self.rows)

    def mover(self, picture: str) -> int:
        """The seat whose turn it is by the number of stones."""
        return (picture.count("x") + picture.count("o")) % 2

    def winner(self, picture: str) -> int | None:
        """The seat that has a line, if one has."""
        cells = {(i, j): mark for i, line in enumerate(picture.split("\n")) for j, mark in enumerate(line)}
        for (i, j), mark in cells.items():
            for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1)):
                if mark != "." and all(cells.get((i + n * di, j + n * dj)) == mark for n in range(self.k)):
                    return "xo".index(mark)
        return None

    def over(self, picture: str) -> bool:
        return "." not in picture or self.winner(picture) is not None

    def moves(self, picture: str) -> list[int]:
        """Legal actions, none when the game is over."""
        if self.over(picture):
            return []
        cells = picture.replace("\n", "")
        return [action for action in range(self.columns if self.gravity else len(cells)) if cells[action] == "."]

    def after(self, picture: str, action: int) -> str:
        """The position after a legal move."""
        lines = [list(line) for line in picture.split("\n")]
        row, column = divmod(action, self.columns)
        if self.gravity:
            row = max(row for row in range(self.rows) if lines[row][column] == ".")
        lines[row][column] = "xo"[self.mover(picture)]
        return "\n".join("".join(line) for line in lines)

    def payoff(self, picture: str) -> float:
        """Seat 0's, of a finished game."""
        return {0: 1.0, 1: -1.0, None: 0.0}[self.winner(picture)]


def rows_by_picture(graph: GameGraph) -> dict[str, int]:
    """Where the drawn position is among the graph's rows."""
    return {graph.game.render(state): row for row, state in enumerate(graph.states)}


def backward(plain: PlainBoard, combine: Callable[[str, dict[int, float]], float]) -> dict[str, float]:
    """Value of every reachable position, terminal ones included, by plain recursion.

    ``combine(picture, {action: value after it})`` gives the value of a position with moves to make.
    """
    values: dict[str, float] = {}

    def visit(picture: str) -> float:
        if picture not in values:
            moves = {action: visit(plain.after(picture, action)) for action in plain.moves(picture)}
            values[picture] = combine(picture, moves) if moves else plain.payoff(picture)
        return values[picture]

    visit(plain.empty)
    return values


# --- a game that is not a board --------------------------------------------------------------------------


class Pennies:
    """Matching pennies, twice, with a coin in between: both seats act at once, and a draw of chance decides
    whether the second round is about a matching or a differing pair. Rewards come in both rounds.

    States are (round, sign of the round's reward). What the suites need of a simultaneous-move Markov game.
    """

    spec = Spec(name="test-pennies", actions=2, observation=(2,), longest=2, discount=0.5)

    def start(self, n: int, *, rng: Rng) -> States:
        return np.tile(np.array([0, 1]), (n, 1))

    def acting(self, states: States) -> Bools:
        return np.repeat(states[:, :1] < 2, 2, axis=1)

    def legal(self, states: States, seat: int) -> Bools:
        return self.acting(states)

    def observe(self, states: States, seat: int) -> np.ndarray:
        return (states * [1, 1 - 2 * seat]).astype(np.float32)

    def key(self, states: States, seat: int | None = None) -> Keys:
        return (states + 1).astype(np.uint64)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        if ((actions < 0) | (actions > 1)).any():
            raise GameError("an action is not legal")
        after = np.stack([states[:, 0] + 1, rng.choice([-1, 1], len(states), p=[0.25, 0.75])], axis=1)
        return after, self._reward(states, actions), after[:, 0] == 2

    def render(self, state: States) -> str:
        return f"round {state[0]}, sign {state[1]}"

    def starts(self) -> States:
        return np.array([[0, 1]])

    def successors(self, states: States, actions: Ints) -> Successors:
        rows = np.repeat(np.arange(len(states)), 2)
        signs = np.tile([-1, 1], len(states))
        after = np.stack([states[rows, 0] + 1, signs], axis=1)
        rewards = self._reward(states, actions)[rows]
        return Successors(rows, after, rewards, after[:, 0] == 2, np.where(signs > 0, 0.75, 0.25))

    @staticmethod
    def _reward(states: States, actions: Ints) -> Floats:
        return np.where(actions[:, 0] == actions[:, 1], 1.0, -1.0) * states[:, 1]


PENNIES: Enumerable = Pennies()


class Stuck(Board):
    """A board on which nobody can move once there are two stones, though nobody has won; not packed where told."""

    def __init__(self, *, packable: bool = True) -> None:
        super().__init__(2, 2, 2, gravity=False, name="test-stuck")
        self._packed = packable

    @property
    def packable(self) -> bool:
        return self._packed

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        after, _, _ = super().step(states, actions, rng=rng)
        return after, np.zeros(len(states)), np.zeros(len(states), dtype=np.bool_)

    def legal(self, states: States, seat: int) -> Bools:
        return super().legal(states, seat) & (self._stones(states) < 2)[:, None]

    def acting(self, states: States) -> Bools:
        return self._stones(states)[:, None] % 2 == [0, 1]

    def successors(self, states: States, actions: Ints) -> Successors:
        after, rewards, done = self.step(states, actions, rng=np.random.default_rng(0))
        return Successors(np.arange(len(states)), after, rewards, done, np.ones(len(states)))

    def make_move(self, words: Any, action: int) -> Any:
        legal, after, won, _ = super().make_move(words, action)
        few = self._stones(self.unpack(words)) < 2
        return legal & few, after, won & False, legal & few

    @staticmethod
    def _stones(states: States) -> Ints:
        return np.array([int(filled).bit_count() for filled in states[:, 1]])
