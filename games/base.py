"""What a game and a model of a game are: the contracts that learners and measures are written against.

Everything is batched. Shape letters, used in every comment: N positions, A actions (of the larger
seat), W words of a state, S enumerated positions, G symmetries. Seats are 0 (moves first, the papers'
player 1, maximiser) and 1. Rewards are always seat 0's; the game is zero-sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

States: TypeAlias = NDArray[Any]  # [N, W] plain integer rows
Keys: TypeAlias = NDArray[np.uint64]  # [N, 2] equal rows <=> equal positions
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Table: TypeAlias = NDArray[np.float64]  # [S, A] one seat's policy over a model's positions
Rng: TypeAlias = np.random.Generator


class NashmailError(ValueError):
    """Bad input of any kind; its message is one line that says what to do instead."""


class GameError(NashmailError):
    """A game, a position or a policy for it was asked for that does not exist or cannot be used."""


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
    """Rules, batched: pure functions of integer rows, with every random draw from ``rng``."""

    @property
    def spec(self) -> Spec: ...

    def start(self, n: int, *, rng: Rng) -> States:
        """[N, W] n first positions."""

    def acting(self, states: States) -> Bools:
        """[N, 2] who decides: one seat (turn-based), both (simultaneous) or none (over)."""

    def legal(self, states: States, seat: int) -> Bools:
        """[N, A] legal actions; all False where the seat does not act."""

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        """``[N, *observation]`` the position as the seat sees it, own things first."""

    def key(self, states: States, seat: int | None = None) -> Keys:
        """[N, 2] identity of a position; with a seat, of what that seat can tell apart."""

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        """Next states [N, W], seat 0's rewards [N], over [N], for actions [N, 2] (-1 where a seat does not act)."""

    def render(self, state: States) -> str:
        """One position [W] as plain text."""


@dataclass(frozen=True)
class Successors:
    """Every outcome of a batch of moves: one row per outcome, E in all."""

    rows: Ints  # [E] which of the moves
    states: States  # [E, W]
    rewards: Floats  # [E] seat 0's
    done: Bools  # [E]
    probability: Floats  # [E]


@runtime_checkable
class Enumerable(Game, Protocol):
    """A game whose positions can be listed."""

    def starts(self) -> States:
        """[n, W] every first position."""

    def successors(self, states: States, actions: Ints) -> Successors:
        """All outcomes of actions [N, 2] at states [N, W]."""


@runtime_checkable
class Hidden(Enumerable, Protocol):
    """An enumerable game that begins with a draw of chance, or in which a seat may not see everything.

    ``key(states, seat)`` is then the seat's information state: equal for what it cannot tell apart, different for what
    it once could (perfect recall). Chance may also be in ``successors``. Measured by ``games.infosets``.
    """

    def start_probability(self) -> Floats:
        """[n] the probability of each of ``starts``; they sum to 1."""


@runtime_checkable
class Concealing(Game, Protocol):
    """A game with something to conceal, which can be drawn as a seat sees it."""

    def render_for(self, state: States, seat: int) -> str:
        """One position [W] as plain text, with nothing in it that the seat cannot know."""


@runtime_checkable
class Symmetric(Enumerable, Protocol):
    """An enumerable game with board symmetries."""

    def images(self, states: States) -> States:
        """[G, N, W] every state under every symmetry, in the order of ``spec.symmetries``."""


Lazy: TypeAlias = Floats | Callable[[], Floats]
"""An array, or a function that computes it when it is first asked for."""


class Response:
    """A best (or minimax) response of one seat: what it is worth and how it is played; not to be changed."""

    def __init__(self, seat: int, value: float, values: Lazy, action_values: Lazy, mixed: Table | None = None) -> None:
        """Put a response together.

        Args:
            seat: who responds.
            value: seat 0's expected (discounted) reward from the start.
            values: float64 [S], or integers where all are whole; see ``values``. A function where few ask for them.
            action_values: float64 [S, A], see ``action_values``; a function, since they are A times as many.
            mixed: float64 [S, A], how it is played where it has to randomise (equilibria of simultaneous moves and of
                games with hidden information); None: see ``policy``.
        """
        self.seat, self.value, self.mixed = seat, value, mixed
        self._values, self._action_values = values, action_values

    @cached_property
    def values(self) -> Floats:
        """[S] seat 0's expected reward from every position on."""
        return self._values() if callable(self._values) else self._values

    @cached_property
    def action_values(self) -> Floats:
        """[S, A] the responding seat's own expected reward of each action; -inf where illegal or not acting."""
        return self._action_values() if callable(self._action_values) else self._action_values

    @property
    def policy(self) -> Table:
        """[S, A] the response as a table: ``mixed``, or the lowest of the best actions; zero rows where not acting."""
        if self.mixed is not None:
            return self.mixed
        best = self.action_values.argmax(1)
        rows = np.flatnonzero(np.isfinite(self.action_values).any(1))
        table = np.zeros(self.action_values.shape)
        table[rows, best[rows]] = 1.0
        return table


class Model(Protocol):
    """Exact knowledge of an enumerable game. Policies come as tables [S, A], one per seat."""

    @property
    def game(self) -> Enumerable: ...

    @property
    def states(self) -> States:
        """[S, W] every position at which somebody acts."""

    @property
    def ties(self) -> tuple[str, ...]:
        """What ``equilibrium`` can do among equally good moves."""

    @property
    def scale(self) -> float:
        """The largest payoff that there can be, at least 1: what rounding of a value is measured by."""

    @property
    def decided_at_end(self) -> bool:
        """Whether every reward comes with the end of a game, so that ``outcomes`` says who wins."""

    @property
    def folded(self) -> tuple[Model, Ints] | None:
        """Where rows are histories: the model by positions, and the row [S] there of each row here. Else None."""

    def legal(self, seat: int) -> Bools:
        """[S, A] legal actions of the seat; rows where it does not act are all False."""

    def index(self, states: States) -> Ints:
        """[N] the rows of positions in ``states``; raises GameError for one that is not there."""

    def value(self, profile: tuple[Table, Table]) -> float:
        """Seat 0's expected (discounted) reward when both play their tables."""

    def respond(self, seat: int, against: Table) -> Response:
        """The seat's best response to the other seat's table."""

    def solve(self) -> tuple[Response, Response]:
        """Minimax play of both seats."""

    def equilibrium(self, ties: str) -> tuple[Table, Table]:
        """[S, A] per seat: minimax play at every position; ``ties``, one of ``self.ties``, says which."""

    def best_moves(self, seat: int, rows: Ints) -> Bools:
        """[n, A] the moves that an expert may play at these rows [n]; all False where the seat does not act."""

    def outcomes(self, profile: tuple[Table, Table]) -> tuple[float, float, float]:
        """Probabilities that seat 0 wins, draws and loses. GameError where not ``decided_at_end``."""

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """[S] expected number of visits of each position in one game (undiscounted for finite games)."""


Known: TypeAlias = Model | Game
"""What is known of a game by those who need to know: its exact model, or the game where it has none."""


def model_and_game(known: Known) -> tuple[Model | None, Game]:
    """The model, if that is what is known, and the game in either case."""
    return (None, known) if isinstance(known, Game) else (known, known.game)


def as_enumerable(game: Game) -> Enumerable:
    """The game, whose positions can be listed. GameError where they cannot."""
    if not isinstance(game, Enumerable):
        raise GameError(f"{game.spec.name} does not list its positions; give it starts and successors")
    return game


def as_hidden(game: Game) -> Hidden:
    """The game, which says how likely its starts are. GameError where it does not."""
    if not isinstance(game, Hidden):
        raise GameError(f"{game.spec.name} does not say how likely its starts are; give it start_probability")
    return game


def deals(game: Game) -> bool:
    """Whether chance deals or hides something, as a game states by saying how likely its starts are: the same play
    then leads to other positions from game to game, so that it takes more games to see what can happen.
    """
    return isinstance(game, Hidden)


def one_line(picture: str) -> str:
    """A rendered position for an error message: its rows one after the other."""
    return " / ".join(picture.splitlines())


def stuck(game: Game, state: States) -> GameError:
    """What to raise at a position [W] that is not over although a seat that is to move has no legal action."""
    return GameError(f"{game.spec.name} goes on without a move to make at: {one_line(game.render(state))}")


def pack(keys: Keys) -> NDArray[np.uint64]:
    """Keys [N, 2] as one sortable word each, where both words fit 32 bits.

    Raises GameError where they do not: such games are too large to enumerate.
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
