"""The contract of a game: fixed facts, rules in batches, and capabilities that some games have.

Sources: Shapley, "Stochastic games" (1953); docs/algorithms.md, "Setting".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from games.base.arrays import Bools, Floats, GameError, Ints, Keys, Rng, States


@dataclass(frozen=True)
class Display:
    """How a game is shown and its moves are called; what a terminal needs to know of it."""

    layout: Literal["text", "grid", "columns"] = "text"
    """What ``render`` gives: plain ``text``; the cells of a ``grid``, one character each; or a grid whose ``columns``
    are what a move chooses, because stones fall."""
    noun: str = "move"
    """What an action is: a cell, a column, or just a move. Actions are counted from 1 where they have no words."""
    taken: str = "not legal here"
    """Why an action that exists may not be chosen."""
    marks: tuple[str, str] = ("seat 0", "seat 1")
    """What each seat is called."""
    goal: str = ""
    """A sentence about who wins, with a space before it; or nothing."""
    names: tuple[str, ...] = ()
    """[A] words for the actions, which may be typed instead of numbers; or nothing."""


TEXT = Display()


@dataclass(frozen=True)
class Spec:
    """The fixed facts of a game. Those with a default are capabilities: what is stated is used, what is not, is not.

    ``games.check`` holds what a game states against what it does, as far as play can tell.
    """

    name: str
    """What ``games.make`` accepts; saved with every run and policy."""
    actions: int
    """A, the number of actions of the larger seat."""
    observation: tuple[int, ...]
    """Shape of one observation; dtype is float32."""
    longest: int
    """Most moves (of both seats together) that a game can have."""
    discount: float = 1.0
    """Applied per own decision, never per ply."""
    symmetries: tuple[tuple[int, ...], ...] = ()
    """[G, A] action permutations, identity first: action a at a position is ``symmetries[g][a]`` at its image g. More
    than one of them, with a method ``images`` (``Symmetric``), let a game be learned up to symmetry."""
    win_loss: bool = False
    """Whether the only reward of a game comes with its end and is 1 (won by seat 0), -1 or 0: values are then told as
    wins, draws and losses, and payoffs lie between -1 and 1."""
    payoffs: tuple[float, float] | None = None
    """The smallest and the largest that seat 0 can be paid in a game, where that is known; intervals of means rest on
    it. (-1, 1) with ``win_loss``."""
    in_a_row: int = 0
    """For games of placing stones on a board, where observations are [2, rows, columns] planes, own stones first, and
    the mirror image of a position is a position: how many in a line win. 0: another kind of game."""
    solver: str = ""
    """The solver that knows the game, by the name that ``agents.solver`` has for it: it labels positions, slowly, where
    the game is too large to enumerate. It reads states, so what their words mean is part of what is stated."""
    clock: int | None = None
    """The word of a state that counts the steps so far, where both seats may move in each step (Markov games)."""
    endless: bool = False
    """Whether play is cut after ``longest`` moves although the game goes on: exact measures are those of the endless
    discounted game. Needs a ``clock``."""
    unlabelled: int | None = None
    """The action that a table plays by convention at positions without a label; None: all legal ones alike."""
    display: Display = TEXT
    """How it is drawn, and what its moves are called."""


@runtime_checkable
class Game(Protocol):
    """The rules, in batches: pure functions of rows of integers; every random draw comes from ``rng``."""

    @property
    def spec(self) -> Spec: ...

    def start(self, n: int, *, rng: Rng) -> States:
        """First positions.

        Args:
            n: how many.
            rng: draws them where chance has a part.

        Returns:
            [n, W] states.
        """

    def acting(self, states: States) -> Bools:
        """Which seats decide.

        Args:
            states: [N, W].

        Returns:
            bool [N, 2]: one seat (turn-based), both (simultaneous) or none (the game is over).
        """

    def legal(self, states: States, seat: int) -> Bools:
        """Legal actions.

        Args:
            states: [N, W].
            seat: 0 or 1.

        Returns:
            bool [N, A]; all False where the seat does not act.
        """

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """Positions as a seat sees them, its own things first.

        Args:
            states: [N, W].
            seat: whose view.

        Returns:
            float32 ``[N, *spec.observation]``.
        """

    def key(self, states: States, seat: int | None = None) -> Keys:
        """The identity of positions.

        Args:
            states: [N, W].
            seat: the keys are equal for what this seat cannot tell apart; None: for equal positions alone.

        Returns:
            uint64 [N, 2].
        """

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        """Make one move in each position.

        Args:
            states: [N, W] positions that are not over.
            actions: int64 [N, 2] both seats' actions; -1 where a seat does not act.
            rng: draws what is left to chance.

        Returns:
            The next states [N, W], seat 0's rewards float64 [N], and whether the game is over bool [N].

        Raises:
            GameError: for an illegal action.
        """

    def render(self, state: States) -> str:
        """A position as plain text.

        Args:
            state: [W].

        Returns:
            The text, of one or more lines.
        """


@dataclass(frozen=True)
class Successors:
    """All outcomes of a batch of moves, one row each; E outcomes."""

    rows: Ints  # [E] which of the moves
    states: States  # [E, W]
    rewards: Floats  # [E] seat 0's
    done: Bools  # [E]
    probability: Floats  # [E]


@runtime_checkable
class Enumerable(Game, Protocol):
    """A game whose positions can be listed."""

    def starts(self) -> States:
        """Every first position.

        Returns:
            [n, W] states.
        """

    def successors(self, states: States, actions: Ints) -> Successors:
        """All outcomes of one move in each position.

        Args:
            states: [N, W] positions that are not over.
            actions: int64 [N, 2] both seats' actions; -1 where a seat does not act.

        Returns:
            The outcomes, whose probabilities sum to 1 for each move.

        Raises:
            GameError: for an illegal action.
        """


@runtime_checkable
class Hidden(Enumerable, Protocol):
    """An enumerable game that begins with a draw of chance, or in which a seat may not see everything.

    ``key(states, seat)`` is then the seat's information state: equal for what it cannot tell apart, different for what
    it once could (perfect recall). Chance may also be in ``successors``. Measured by ``games.infosets``.
    """

    def start_probability(self) -> Floats:
        """The probability of each of ``starts``.

        Returns:
            float64 [n], which sums to 1.
        """


@runtime_checkable
class Symmetric(Enumerable, Protocol):
    """An enumerable game with board symmetries."""

    def images(self, states: States) -> States:
        """Every position under every symmetry.

        Args:
            states: [N, W].

        Returns:
            [G, N, W], in the order of ``spec.symmetries``.
        """


def as_enumerable(game: Game) -> Enumerable:
    """The game itself, checked to list its positions.

    Args:
        game: any game.

    Raises:
        GameError: where it does not.
    """
    if not isinstance(game, Enumerable):
        raise GameError(f"{game.spec.name} does not list its positions; give it starts and successors")
    return game


def as_hidden(game: Game) -> Hidden:
    """The game itself, checked to say how likely its starts are.

    Args:
        game: any game.

    Raises:
        GameError: where it does not.
    """
    if not isinstance(game, Hidden):
        raise GameError(f"{game.spec.name} does not say how likely its starts are; give it start_probability")
    return game


def deals(game: Game) -> bool:
    """Whether chance deals or hides something, as a game states by saying how likely its starts are.

    The same play then leads to other positions from game to game, so that it takes more games to see what can happen.

    Args:
        game: any game.
    """
    return isinstance(game, Hidden)


def one_line(picture: str) -> str:
    """A rendered position on one line, for error messages.

    Args:
        picture: what ``render`` gives.
    """
    return " / ".join(picture.splitlines())


def stuck(game: Game, state: States) -> GameError:
    """The error for a position that is not over although a seat that acts has no legal action.

    Args:
        game: the game.
        state: [W] the position.
    """
    return GameError(f"{game.spec.name} goes on without a move to make at: {one_line(game.render(state))}")


def pack(keys: Keys) -> NDArray[np.uint64]:
    """Keys as one sortable word each.

    Args:
        keys: uint64 [N, 2].

    Returns:
        uint64 [N], the first word in the upper half.

    Raises:
        GameError: where a word of a key does not fit 32 bits: such games are too large to enumerate.
    """
    if keys.size and int(keys.max()) >> 32:
        raise GameError(
            "positions of this game need more than 64 bits of key; it is too large to enumerate: measure its policies "
            "with `nashmail exploit` and `nashmail match`"
        )
    return (keys[:, 0] << np.uint64(32)) | keys[:, 1]


def certain(game: Game, move: tuple[States, Sequence[int]] | None) -> bool:
    """Whether chance has no part in the start of a game (``move`` is None), or in what follows a move.

    Args:
        game: The game. One that cannot list its positions is asked with two generators instead.
        move: A position [1, W] and both seats' actions, -1 where a seat does not act.
    """
    rngs = (np.random.default_rng(0), np.random.default_rng(1))
    if move is None:
        if isinstance(game, Enumerable):
            return len(game.starts()) == 1
        return np.array_equal(game.start(1, rng=rngs[0]), game.start(1, rng=rngs[1]))
    actions = np.array([move[1]], dtype=np.int64)
    if isinstance(game, Enumerable):
        return len(game.successors(move[0], actions).rows) == 1
    outcomes = [game.step(move[0], actions, rng=rng) for rng in rngs]
    return all(np.array_equal(one, other) for one, other in zip(*outcomes, strict=True))
