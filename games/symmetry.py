"""A game up to its board symmetries: every position stands for all its mirror images and rotations.

Playing, querying, counting and cloning in the quotient *is* symmetry augmentation plus a label cache shared by images,
exactly: an expert of the quotient gives images the same answer with its actions mapped, one label serves all of them,
and a policy lifted back to the board maps its answers likewise. (Where a position has a symmetry of its own, the answer
is one of the equal images.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from games.base import Bools, Floats, Game, GameError, Ints, Keys, Rng, Spec, States, Successors, Symmetric
from games.boards import Board
from games.layers import Packed, Words


class Quotient:
    """The game in which each position is replaced by the least of its images (by stones of the mover, then all)."""

    def __init__(self, base: Game) -> None:
        """The quotient of a game.

        Args:
            base: a game with symmetries and images of positions.

        Raises:
            GameError: for a game without them.
        """
        if not isinstance(base, Symmetric) or len(base.spec.symmetries) < 2:
            raise GameError(f"{base.spec.name} has no board symmetries; leave symmetry off")
        self.base = base
        self._packed = base if isinstance(base, Packed) and base.packable else None
        self._forward = np.array(base.spec.symmetries, dtype=np.int64)  # [G, A]

    @property
    def spec(self) -> Spec:
        """The board's own facts: a name alone does not say whether symmetry is on, a policy's file does."""
        return self.base.spec

    def canonical(self, states: States) -> tuple[States, Ints]:
        """The least image of each position, by stones of the mover, then all stones.

        Args:
            states: [N, W].

        Returns:
            [N, W] the images, and int64 [N] the number of the symmetry that leads there.
        """
        images = self.base.images(states)  # [G, N, W]
        best = images[0].copy()
        which = np.zeros(len(states), dtype=np.int64)
        for g in range(1, len(images)):
            less = _less(images[g], best)
            best[less] = images[g][less]
            which[less] = g
        return best, which

    def to_canonical(self, which: Ints) -> Ints:
        """Where symmetries map the actions.

        Args:
            which: int64 [N] numbers of symmetries.

        Returns:
            int64 [N, A] the canonical action that each action of the original position corresponds to.
        """
        return self._forward[which]

    def start(self, n: int, *, rng: Rng) -> States:
        return self.canonical(self.base.start(n, rng=rng))[0]

    def acting(self, states: States) -> Bools:
        return self.base.acting(states)

    def legal(self, states: States, seat: int) -> Bools:
        return self.base.legal(states, seat)

    def observe(self, states: States, seat: int) -> NDArray[np.float32]:
        return self.base.observe(states, seat)

    def key(self, states: States, seat: int | None = None) -> Keys:
        return self.base.key(self.canonical(states)[0], seat)

    def step(self, states: States, actions: Ints, *, rng: Rng) -> tuple[States, Floats, Bools]:
        after, rewards, done = self.base.step(states, actions, rng=rng)
        return self.canonical(after)[0], rewards, done

    def render(self, state: States) -> str:
        return self.base.render(state)

    def starts(self) -> States:
        return self.canonical(self.base.starts())[0]

    def successors(self, states: States, actions: Ints) -> Successors:
        found = self.base.successors(states, actions)
        return Successors(found.rows, self.canonical(found.states)[0], found.rewards, found.done, found.probability)

    # --- a position in one word, where the board has that ----------------------------------------------

    @property
    def packable(self) -> bool:
        """Whether the board's positions are words; the methods below are for those."""
        return self._packed is not None

    def pack(self, states: States) -> Words:
        """[N] the board's words of canonical positions."""
        assert self._packed is not None
        return self._packed.pack(states)

    def unpack(self, words: Words) -> States:
        """The positions of words, as on the board."""
        assert self._packed is not None
        return self._packed.unpack(words)

    def make_move(self, words: Words, action: int) -> tuple[Bools, Words, Bools, Bools]:
        """As on the board, but with the canonical images of the positions that go on."""
        assert self._packed is not None
        legal, after, won, going = self._packed.make_move(words, action)
        after[going] = self.pack(self.canonical(self.unpack(after[going]))[0])
        return legal, after, won, going


def base_of(game: Game) -> Game:
    """The game whose positions a quotient merges; any other game itself.

    Args:
        game: any game.
    """
    return game.base if isinstance(game, Quotient) else game


def up_to_symmetry(game: Game) -> Game:
    """The quotient of a game that has symmetries; any other game itself.

    Args:
        game: any game.
    """
    return Quotient(game) if isinstance(game, Symmetric) and len(game.spec.symmetries) > 1 else game


def canonical(game: Game, states: States) -> States:
    """The canonical images in a quotient; in any other game the positions themselves.

    Args:
        game: any game.
        states: [N, W].

    Returns:
        [N, W].
    """
    return game.canonical(states)[0] if isinstance(game, Quotient) else states


def board_behind(game: Game) -> Board | None:
    """The board that a game is played on: itself, its quotient's, or one with the rules of another library's game.

    Args:
        game: any game.

    Returns:
        The board; None for games that are not played on one of ours.
    """
    base = base_of(game)
    board = getattr(base, "board", base)
    return board if isinstance(board, Board) else None


def _less(left: States, right: States) -> Bools:
    """[N] whether rows of ``left`` come before rows of ``right``, word by word."""
    less = np.zeros(len(left), dtype=np.bool_)
    equal = np.ones(len(left), dtype=np.bool_)
    for word in range(left.shape[1]):
        less |= equal & (left[:, word] < right[:, word])
        equal &= left[:, word] == right[:, word]
    return less
