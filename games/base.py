"""What a game and a model of a game are: the contracts that learners and measures are written against.

Everything is batched. Shape letters, used in every comment: N positions, A actions (of the larger
seat), W words of a state, S enumerated positions, G symmetries. Seats are 0 (moves first, the papers'
player 1, maximiser) and 1. Rewards are always seat 0's; the game is zero-sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

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
class Spec:
    """The fixed facts of a game."""

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
    """[G, A] action permutations, identity first: action a at a position is ``symmetries[g][a]`` at its image g."""


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


@dataclass(frozen=True)
class Response:
    """A best (or minimax) response of one seat: what it is worth and how it is played."""

    seat: int
    value: float
    """Seat 0's expected (discounted) reward from the start."""
    values: Floats
    """[S] seat 0's expected reward from every position on."""
    action_values: Floats
    """[S, A] the responding seat's own expected reward of each action; -inf where illegal or not acting."""
    mixed: Table | None = None
    """[S, A] how it is played where it has to draw lots (equilibria of simultaneous moves); None: see ``policy``."""

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

    def reach(self, profile: tuple[Table, Table]) -> Floats:
        """[S] expected number of visits of each position in one game (undiscounted for finite games)."""


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
